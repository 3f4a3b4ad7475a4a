"""Cached computations of the page Principal components, and the survival of patients who were picked on it."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from dashboard.columns import colours
from dashboard.data import Source, analysis_columns, endpoint, values
from petct.survival.cohort.groups import split_by_eye
from petct.survival.cohort.outcome import cause_specific
from petct.survival.features.pca import PcaResult, pca
from petct.survival.kaplan_meier.estimate import KaplanMeierResult, kaplan_meier
from warehouse.queries.feature_queries import FeatureFamily

__all__ = ["colours", "components", "picked_survival", "what_was_picked"]

_ENTRIES = 32
_DIGITS = 8


@st.cache_data(max_entries=_ENTRIES, show_spinner="Computing components ...")
def components(source: Source, family: FeatureFamily) -> PcaResult:
    """Principal components of all features of a family, as ``petlake pca --feature-set FAMILY`` computes them.

    Raises
    ------
    SurvivalError
        What ``petct.survival.features.pca`` refuses.
    """
    names = [column.name for column in analysis_columns(source) if column.name.startswith(f"{family.name}:")]
    table = values(source, tuple(names))
    matrix = np.column_stack([table.columns[name] for name in names])
    return pca(matrix, [name.removeprefix(f"{family.name}:") for name in names], table.patient_ids)


@st.cache_data(max_entries=_ENTRIES, show_spinner="Estimating survival ...")
def picked_survival(
    source: Source, endpoint_name: str, family: FeatureFamily, picked: tuple[str, ...]
) -> KaplanMeierResult:
    """Kaplan-Meier analysis of picked patients against the others of the scores, in days.

    Patients without the endpoint take no part, nor those without scores.

    Raises
    ------
    SurvivalError
        SPLIT_EMPTY_GROUP where all or none of them are picked; what ``petct.survival`` refuses.
    WarehouseError
        ENDPOINT_UNKNOWN.
    """
    times = endpoint(source, endpoint_name)
    scored, chosen = set(components(source, family).row_ids), set(picked)
    there = np.array([patient in scored for patient in times.patient_ids], dtype=np.bool_)
    patients = [patient for patient in times.patient_ids if patient in scored]
    grouping = split_by_eye([patient in chosen for patient in patients], "Selection on the scores")
    return kaplan_meier(cause_specific(times.duration_days, times.event).subset(there), grouping)


def what_was_picked(family: FeatureFamily, axes: tuple[int, int], picked: tuple[str, ...]) -> tuple[str, ...]:
    """Return what makes a selection another test than all others, in words that name no patient."""
    digest = hashlib.sha256("\n".join([family.name, *sorted(picked)]).encode()).hexdigest()[:_DIGITS]
    seen = " and ".join(f"PC{number}" for number in sorted(set(axes)))
    return (f"groups made by looking at {seen}", f"selection {digest}")
