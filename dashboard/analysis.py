"""From columns of a snapshot to results of ``petct.survival``: patients aligned, results cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.data import Source, analysis_columns, endpoint, features, values
from dashboard.wording import distinct_names, variable_name
from petct.survival.cox import CategoricalCovariate, CoxResult, NumericCovariate, cox, fit_cox
from petct.survival.cox_curves import ResidualCurve, functional_form, schoenfeld_curves
from petct.survival.groups import Grouping, split_at, split_by_category, split_by_median, split_by_tertiles
from petct.survival.kaplan_meier import KaplanMeierResult, kaplan_meier
from petct.survival.outcome import Outcome, cause_specific
from petct.survival.pca import PcaResult, pca
from warehouse.queries import AnalysisColumn, Endpoint

Split = Literal["all", "median", "tertiles", "cut", "category"]
CovariateScale = Literal["per_sd", "per_doubling", "per_doubling_zeros", "as_is"]

_RESULTS = 64


@dataclass(frozen=True)
class CovariateChoice:
    """A covariate of a Cox model: an analysis column, and the scale of its hazard ratio where it is a number.

    ``per_doubling_zeros`` is per doubling with half the smallest positive value in place of zeros.
    """

    name: str
    scale: CovariateScale = "per_sd"


def column(source: Source, name: str) -> AnalysisColumn:
    """Return the analysis column called ``name``; raises ``WarehouseError`` COLUMN_UNKNOWN."""
    values(source, (name,))
    return next(column for column in analysis_columns(source) if column.name == name)


@st.cache_data(max_entries=_RESULTS, show_spinner="Estimating survival ...")
def survival(
    source: Source, endpoint_name: str, variable: str | None, split: Split, cut: float | None = None
) -> KaplanMeierResult:
    """Kaplan-Meier analysis of the patients who have the endpoint, in days.

    Parameters
    ----------
    source
        The snapshot.
    endpoint_name
        Its endpoint; competing events are censored, and the result says so.
    variable
        Analysis column that splits the patients; None with ``split`` "all".
    split, cut
        The rule, and the cut for "cut".

    Raises
    ------
    SurvivalError
        What ``petct.survival`` refuses.
    WarehouseError
        ENDPOINT_UNKNOWN, COLUMN_UNKNOWN.
    """
    times = endpoint(source, endpoint_name)
    outcome = cause_specific(times.duration_days, times.event)
    grouping = None if variable is None or split == "all" else _grouping(source, times, variable, split, cut)
    return kaplan_meier(outcome, grouping)


def _grouping(source: Source, times: Endpoint, variable: str, split: Split, cut: float | None) -> Grouping:
    chosen = column(source, variable)
    found = _aligned(source, times, variable)
    name = variable_name(chosen)
    if chosen.kind == "category":
        return split_by_category([None if value is None else str(value) for value in found], name)
    if split == "tertiles":
        return split_by_tertiles(found, name, chosen.unit)
    if split == "cut" and cut is not None:
        return split_at(found, [cut], name, chosen.unit)
    return split_by_median(found, name, chosen.unit)


@st.cache_data(max_entries=_RESULTS, show_spinner="Fitting the model ...")
def cox_model(source: Source, endpoint_name: str, choices: tuple[CovariateChoice, ...]) -> CoxResult:
    """Cox model of the patients who have the endpoint and all covariates.

    Raises
    ------
    SurvivalError
        What ``petct.survival`` refuses, for example COX_TOO_FEW_EVENTS.
    WarehouseError
        ENDPOINT_UNKNOWN, COLUMN_UNKNOWN.
    """
    return cox(*_outcome_and_covariates(source, endpoint_name, choices))


@st.cache_data(max_entries=_RESULTS, show_spinner="Computing residuals ...")
def cox_residuals(
    source: Source, endpoint_name: str, choices: tuple[CovariateChoice, ...]
) -> tuple[tuple[ResidualCurve, ...], tuple[ResidualCurve, ...]]:
    """Residuals of ``cox_model``: of every coefficient against time, and of every number against its values.

    Raises
    ------
    SurvivalError
        What ``petct.survival`` refuses, for example TOO_FEW_EVENTS_TO_SMOOTH.
    WarehouseError
        ENDPOINT_UNKNOWN, COLUMN_UNKNOWN.
    """
    outcome, covariates = _outcome_and_covariates(source, endpoint_name, choices)
    forms = tuple(
        functional_form(outcome, covariate, [other for other in covariates if other is not covariate])
        for covariate in covariates
        if isinstance(covariate, NumericCovariate)
    )
    return schoenfeld_curves(fit_cox(outcome, covariates)), forms


def _outcome_and_covariates(
    source: Source, endpoint_name: str, choices: tuple[CovariateChoice, ...]
) -> tuple[Outcome, list[NumericCovariate | CategoricalCovariate]]:
    times = endpoint(source, endpoint_name)
    outcome = cause_specific(times.duration_days, times.event)
    names = distinct_names([column(source, choice.name) for choice in choices])
    return outcome, [_covariate(source, times, choice, names[choice.name]) for choice in choices]


def _covariate(
    source: Source, times: Endpoint, choice: CovariateChoice, name: str
) -> NumericCovariate | CategoricalCovariate:
    chosen = column(source, choice.name)
    found = _aligned(source, times, choice.name)
    if chosen.kind == "category":
        return CategoricalCovariate(name, [None if value is None else str(value) for value in found])
    if choice.scale == "per_doubling_zeros":
        return NumericCovariate(name, found, chosen.unit, "per_doubling", "half_minimum")
    return NumericCovariate(name, found, chosen.unit, choice.scale)


@st.cache_data(max_entries=_RESULTS, show_spinner="Computing components ...")
def components(source: Source, feature_set: str, aggregation: str) -> PcaResult:
    """Principal components of all features of a set, over the patients who have all of them.

    Raises
    ------
    SurvivalError
        What ``petct.survival.pca`` refuses.
    WarehouseError
        FEATURES_UNKNOWN.
    """
    table = features(source, feature_set, aggregation).set_index("patient_id")
    return pca(
        table.to_numpy(dtype=np.float64, na_value=np.nan), list(table.columns), [str(row) for row in table.index]
    )


def colours(source: Source, name: str, patients: tuple[str, ...]) -> list[str | float | None]:
    """Return the values of an analysis column for ``patients``, None where there is none."""
    chosen = column(source, name)
    table = values(source, (name,))
    found = dict(zip(table.patient_ids, table.columns[name].tolist(), strict=True))
    picked = [found.get(patient) for patient in patients]
    if chosen.kind == "category":
        return [None if value is None else str(value) for value in picked]
    return [None if value is None or np.isnan(value) else float(value) for value in picked]


def numbers(source: Source, name: str) -> NDArray[np.float64]:
    """Return the values of a numeric analysis column that are there."""
    found = np.asarray(values(source, (name,)).columns[name], dtype=np.float64)
    return found[~np.isnan(found)]


def _aligned(source: Source, times: Endpoint, name: str) -> NDArray[np.object_] | NDArray[np.float64]:
    """Values of the patients of an endpoint, in its order."""
    table = values(source, (name,))
    place = {patient: row for row, patient in enumerate(table.patient_ids)}
    return table.columns[name][[place[patient] for patient in times.patient_ids]]
