"""What a reader chooses on the page Cox; every choice is a part of a request and lives in the URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import streamlit as st

from analyses.requests.cox import CoxRequest
from analyses.requests.options import option_of
from dashboard import data, filters, widgets, wording
from dashboard.data import Source
from dashboard.survival.choices import levels
from figures.ticks import AxisUnit
from petct.survival.cohort.covariates import Scale
from warehouse.queries.analysis_columns import AnalysisColumn

_ZEROS = "per_doubling_zeros"
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
    chosen = widgets.value(
        CoxRequest,
        "covariates",
        among={name: names.get(name, name) for name in columns},
        first=[preferred] if preferred in columns else [],
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
    words = dict(option_of(CoxRequest, "scale_of").shape.offered)
    words[_ZEROS] = "per doubling, zeros as half the smallest value"
    return str(widgets.value(CoxRequest, "scale_of", of=(name, label), among=words))


def _choose_reference(source: Source, column: AnalysisColumn, label: str) -> str | None:
    known = {level: level for level in levels(source, column)}
    chosen: str | None = widgets.value(CoxRequest, "references", of=(column.name, label), among=known)
    return chosen


def choose_options(source: Source, request: CoxRequest) -> CoxRequest:
    """Offer what is seldom needed."""
    return widgets.completed(request, "strata", "penalty", "robust", among={"strata": _categories(source, request)})


def _categories(source: Source, request: CoxRequest) -> dict[str, str]:
    """The categories that are no covariates, with their labels."""
    categories = [column for column in data.analysis_columns(source) if column.kind == "category"]
    return {name: label for name, label in wording.labels(categories).items() if name not in request.covariates}


def choose_added(request: CoxRequest, names: dict[str, str]) -> CoxRequest | None:
    """Offer the covariates of the model as the addition to the others; None where nothing is to be compared."""
    added = widgets.value(
        CoxRequest,
        "added",
        among={name: names.get(name, name) for name in request.covariates},
        placeholder="choose some of the covariates: the others are the base",
    )
    base = tuple(name for name in request.covariates if name not in added)
    if not added or not base:
        return None
    return replace(request, covariates=base, added=added)


def choose_subgroups(source: Source, request: CoxRequest, names: dict[str, str]) -> CoxRequest | None:
    """Offer the effect of one covariate in the levels of categories; None where no category was chosen."""
    left, right = st.columns([2, 3])
    effect = left.selectbox(
        "Effect of",
        request.covariates,
        format_func=lambda name: names.get(name, name),
        key="effect",
        bind="query-params",
        help="The other covariates of the model are adjusted for.",
    )
    with right:
        chosen = widgets.value(
            CoxRequest,
            "subgroups",
            among=_categories(source, request),
            placeholder="choose one category or more",
        )
    if not chosen:
        return None
    others = tuple(name for name in request.covariates if name != effect)
    return replace(request, covariates=(effect, *others), subgroups=chosen)


def choose_horizon(unit: AxisUnit, longest: float) -> float:
    """Offer a horizon in ``unit``, at first about the middle of the follow-up; returned in days."""
    typical = {"day": 365.0, "month": 12.0, "year": 1.0}[unit]
    largest = longest / wording.DAYS_IN[unit]
    first = max(round(largest / 2 / typical) * typical, typical)
    return float(widgets.value(CoxRequest, "horizon", unit=unit, first=min(first, largest)))
