"""Cached computations of the page Principal components, and the survival of patients who were picked on it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import streamlit as st

from analyses.requests.answer import Answer
from analyses.requests.data import Basis
from analyses.requests.family import FamilyRequest
from analyses.requests.pca import PcaRequest
from dashboard.answers import answered, data_of
from dashboard.data import Source, colours
from petct.survival.cohort.groups import split_by_eye
from petct.survival.features.pca import PcaResult
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.result import KaplanMeierResult
from warehouse.queries.analysis_columns import FeatureFamily

__all__ = ["colours", "picked_survival", "what_was_picked", "with_short_names"]

_ENTRIES = 32
_DIGITS = 8


def with_short_names(answer: Answer) -> PcaResult:
    """The components with features that are called without their family."""
    result = answer.result_as(PcaResult)
    return replace(result, features=tuple(answer.basis.short(name) for name in result.features))


@st.cache_data(max_entries=_ENTRIES, show_spinner="Estimating survival ...")
def picked_survival(
    source: Source, endpoint_name: str, family: FeatureFamily, picked: tuple[str, ...]
) -> tuple[KaplanMeierResult, Basis]:
    """Kaplan-Meier analysis of picked patients against the others of the scores, in days, and what it is made on.

    Patients without the endpoint take no part, nor those without scores.

    Raises
    ------
    SurvivalError
        SPLIT_EMPTY_GROUP where all or none of them are picked; what ``petct.survival`` refuses.
    WarehouseError
        ENDPOINT_UNKNOWN.
    """
    data = data_of(source, FamilyRequest(feature_set=family.name, endpoint=endpoint_name))
    components = answered(source, PcaRequest(feature_set=family.name)).result_as(PcaResult)
    scored, chosen = set(components.row_ids), set(picked)
    there = np.array([patient in scored for patient in data.row_ids], dtype=np.bool_)
    patients = [patient for patient in data.row_ids if patient in scored]
    grouping = split_by_eye([patient in chosen for patient in patients], "Selection on the scores")
    return kaplan_meier(data.outcome.subset(there), grouping), data.basis


def what_was_picked(family: FeatureFamily, axes: tuple[int, int], picked: tuple[str, ...]) -> tuple[str, ...]:
    """Return what makes a selection another test than all others, in words that name no patient."""
    digest = hashlib.sha256("\n".join([family.name, *sorted(picked)]).encode()).hexdigest()[:_DIGITS]
    seen = " and ".join(f"PC{number}" for number in sorted(set(axes)))
    return (f"groups made by looking at {seen}", f"selection {digest}")
