"""What a reader chooses on the page Cox; every choice is a part of a request and lives in the URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import streamlit as st

from analyses.requests.cox import CoxRequest, PenaltyName
from dashboard import data, filters, wording
from dashboard.data import Source
from dashboard.survival.choices import days, levels
from figures.screen import AxisUnit
from petct.survival.cohort.covariates import Scale
from warehouse.queries.analysis_columns import AnalysisColumn

_ZEROS = "per_doubling_zeros"
_SCALES = {
    "per_sd": "per SD",
    "per_doubling": "per doubling",
    _ZEROS: "per doubling, zeros as half the smallest value",
    "as_is": "per unit",
    "spline": "spline (bends), upper vs lower quartile",
}
_PENALTIES: dict[PenaltyName, str] = {"none": "None", "firth": "Firth", "ridge": "Ridge"}
_MOST_FREQUENT = "most frequent"
_PLACES = 3


@dataclass(frozen=True)
class Scales:
    """Scale chosen for each numeric covariate, in the words of the page."""

    chosen: tuple[tuple[str, str], ...]

    def of(self, request: CoxRequest) -> CoxRequest:
        """The request with these scales, in the form in which the command line would say them most briefly."""
        scales: dict[str, Scale] = {}
        for name, word in self.chosen:
            scales[name] = next(scale for scale in get_args(Scale) if scale == word.removesuffix("_zeros"))
        bent = tuple(name for name, scale in scales.items() if scale == "spline")
        straight = {name: scale for name, scale in scales.items() if scale != "spline"}
        common: Scale = "per_sd"
        if len(set(straight.values())) == 1:
            common = next(iter(straight.values()))
        return replace(
            request,
            scale=common,
            scale_of=tuple(sorted((name, scale) for name, scale in straight.items() if scale != common)),
            splines=bent,
            at_zero="half_minimum" if any(word == _ZEROS for _, word in self.chosen) else "refuse",
        )


def choose_model(source: Source, endpoint: str) -> CoxRequest | None:
    """Offer all analysis columns as covariates, a scale for each number and a reference for each category.

    None where nothing is chosen.
    """
    columns = {column.name: column for column in data.analysis_columns(source)}
    names = filters.all_labels(tuple(columns.values()))
    preferred = filters.preferred_variable(source, endpoint)
    chosen = st.multiselect(
        "Covariates",
        list(columns),
        default=[preferred] if preferred in columns else [],
        format_func=lambda name: names.get(name, name),
        key="covariates",
        bind="query-params",
        placeholder="Type to search clinical variables, tumour burden and radiomic features",
    )
    scales: list[tuple[str, str]] = []
    references: list[tuple[str, str]] = []
    for start in range(0, len(chosen), _PLACES):
        for place, name in zip(st.columns(_PLACES), chosen[start : start + _PLACES], strict=False):
            with place:
                if columns[name].kind == "number":
                    scales.append((name, _choose_scale(name, names[name])))
                elif reference := _choose_reference(source, columns[name], names[name]):
                    references.append((name, reference))
    if not chosen:
        return None
    return Scales(tuple(scales)).of(CoxRequest(tuple(chosen), references=tuple(references), endpoint=endpoint))


def _choose_scale(name: str, label: str) -> str:
    scale = st.selectbox(
        f"Scale of {label}",
        list(_SCALES),
        format_func=lambda word: _SCALES[word],
        key=f"scale_{name}",
        bind="query-params",
    )
    return scale


def _choose_reference(source: Source, column: AnalysisColumn, label: str) -> str | None:
    known = levels(source, column)
    reference = st.selectbox(
        f"Reference of {label}", [_MOST_FREQUENT, *known], key=f"reference_{column.name}", bind="query-params"
    )
    return reference if reference in known else None


def choose_options(source: Source, request: CoxRequest) -> CoxRequest:
    """Offer strata, a penalty and robust errors."""
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    categories = {c.name: c for c in data.analysis_columns(source) if c.kind == "category"}
    names = wording.labels(tuple(categories.values()))
    strata = left.multiselect(
        "Strata",
        [name for name in categories if name not in request.covariates],
        format_func=lambda name: names.get(name, name),
        key="strata",
        bind="query-params",
        placeholder="none: one baseline hazard",
        help="A baseline hazard for each level, where hazards are not proportional between them.",
    )
    penalty = middle.segmented_control(
        "Penalty",
        list(_PENALTIES),
        default="none",
        required=True,
        format_func=lambda name: _PENALTIES[name],
        key="penalty",
        bind="query-params",
        help="Firth's keeps hazard ratios finite where a covariate separates the patients; a ridge carries many "
        "or collinear covariates and has no p-values.",
    )
    robust = right.checkbox("Robust standard errors", key="robust", bind="query-params", help="Of Lin and Wei.")
    return replace(request, strata=tuple(strata), penalty=penalty, robust=robust)


def choose_added(request: CoxRequest, names: dict[str, str]) -> CoxRequest | None:
    """Offer the covariates of the model as the addition to the others; None where nothing is to be compared."""
    added = st.multiselect(
        "Does the model gain from",
        request.covariates,
        format_func=lambda name: names.get(name, name),
        key="added",
        bind="query-params",
        placeholder="choose some of the covariates: the others are the base",
    )
    base = tuple(name for name in request.covariates if name not in added)
    if not added or not base:
        return None
    return replace(request, covariates=base, added=tuple(added))


def choose_subgroups(source: Source, request: CoxRequest, names: dict[str, str]) -> CoxRequest | None:
    """Offer the effect of one covariate in the levels of categories; None where no category was chosen."""
    categories = [column for column in data.analysis_columns(source) if column.kind == "category"]
    labels = wording.labels(categories)
    left, right = st.columns([2, 3])
    effect = left.selectbox(
        "Effect of",
        request.covariates,
        format_func=lambda name: names.get(name, name),
        key="effect",
        bind="query-params",
        help="The other covariates of the model are adjusted for.",
    )
    chosen = right.multiselect(
        "In the levels of",
        [column.name for column in categories if column.name not in request.covariates],
        format_func=lambda name: labels.get(name, name),
        key="subgroups",
        bind="query-params",
        placeholder="choose one category or more",
    )
    if not chosen:
        return None
    others = tuple(name for name in request.covariates if name != effect)
    return replace(request, covariates=(effect, *others), subgroups=tuple(chosen))


def choose_horizon(unit: AxisUnit, longest: float) -> float:
    """Offer a horizon in ``unit``, at first about the middle of the follow-up; returned in days."""
    typical = {"day": 365.0, "month": 12.0, "year": 1.0}[unit]
    largest = longest / wording.DAYS_IN[unit]
    first = max(round(largest / 2 / typical) * typical, typical)
    horizon = st.number_input(
        f"Horizon ({unit}s)",
        value=min(first, largest),
        min_value=0.0,
        key=f"horizon_{unit}",
        bind="query-params",
        width=200,
        help="The time by which the event is predicted.",
    )
    return days(horizon, unit)
