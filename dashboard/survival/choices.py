"""What a reader chooses on the page Survival; every choice is a part of a request and lives in the URL."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import streamlit as st

from analyses.requests.kaplan_meier import KaplanMeierRequest
from dashboard import data, filters, wording
from dashboard.columns import numbers
from dashboard.data import Source
from figures.screen import AxisUnit
from petct.errors import SurvivalError
from petct.survival.cohort.multiplicity import Correction
from petct.survival.kaplan_meier.split_rules import OPTIMAL
from warehouse.queries.analysis_columns import AnalysisColumn

CORRECTIONS: dict[Correction, str] = {
    "holm": "Holm",
    "benjamini_hochberg": "Benjamini-Hochberg",
    "bonferroni": "Bonferroni",
}
"""Corrections of several p-values by name."""

_ALL, _CUT = "all", "cut"
_SPLITS = {
    "median": "Median",
    "tertiles": "Tertiles",
    "quartiles": "Quartiles",
    _CUT: "Fixed cut",
    OPTIMAL: "Optimal cut",
    "category": "Categories",
    _ALL: "All patients",
}
_SPLITS_OF = {
    "number": ("median", "tertiles", "quartiles", _CUT, OPTIMAL, _ALL),
    "category": ("category", _ALL),
}
_WEIGHTS = {
    "peto-peto": "Peto-Peto (early differences)",
    "gehan-breslow": "Gehan-Breslow",
    "tarone-ware": "Tarone-Ware",
    "0:1": "Fleming-Harrington 0, 1 (late differences)",
}
_ROUND_TIMES: dict[AxisUnit, tuple[float, ...]] = {
    "day": (180, 365, 730, 1095, 1825),
    "month": (6, 12, 24, 36, 60),
    "year": (0.5, 1, 2, 3, 5),
}
_NOBODY = "from the origin on"


@dataclass(frozen=True)
class Groups:
    """How the patients are split.

    Parameters
    ----------
    request
        The split as the command line has it.
    n_groups
        How many groups there are to compare; 1 for all patients.
    ordered
        Whether a trend over them makes sense.
    """

    request: KaplanMeierRequest
    n_groups: int
    ordered: bool


def choose_groups(source: Source, variable: AnalysisColumn) -> Groups:
    """Offer the splits that fit the variable, and the cut or the order where one is to be given."""
    options = _SPLITS_OF[variable.kind]
    split = st.segmented_control(
        "Split",
        options,
        default=options[0],
        required=True,
        format_func=lambda name: _SPLITS[name],
        key="split" if variable.kind == "number" else "split_categories",
        bind="query-params",
    )
    if split == _ALL:
        return Groups(KaplanMeierRequest(), 1, False)
    if split == "category":
        return Groups(KaplanMeierRequest(variable.name, split), len(levels(source, variable)), False)
    if split == _CUT:
        cut = _choose_cut(source, variable)
        split = "median" if cut is None else f"{cut!r}"
    n_groups = {"tertiles": 3, "quartiles": 4}.get(split, 2)
    return Groups(KaplanMeierRequest(variable.name, split), n_groups, split != OPTIMAL)


def levels(source: Source, variable: AnalysisColumn) -> tuple[str, ...]:
    """Return the categories of a column that some patient has, in the order of the alphabet."""
    found = data.values(source, (variable.name,)).columns[variable.name]
    return tuple(sorted({str(value) for value in found if value is not None}))


def _choose_cut(source: Source, variable: AnalysisColumn) -> float | None:
    """Offer a cut; None where nobody has a value."""
    found = numbers(source, variable.name)
    if found.size == 0:
        return None
    step = 10.0 ** math.floor(math.log10(np.ptp(found) / 100)) if np.ptp(found) > 0 else 1.0
    cut = st.number_input(
        f"Cut{f' [{variable.unit}]' if variable.unit else ''}",
        value=float(wording.amount(float(np.median(found)))),
        step=step,
        format="%.6g",
        key=f"cut_{variable.name}",
        bind="query-params",
        width=200,
        help="Patients with this value or less are one group, those with more the other. Fix the cut before you look "
        "at the outcome: the best of many cuts is significant by chance.",
    )
    return float(cut)


def choose_options(source: Source, variable: AnalysisColumn, groups: Groups, unit: AxisUnit) -> tuple[Groups, bool]:
    """Offer what is seldom needed: order of categories, late entry, a landmark to begin at; and the bands."""
    request = groups.request
    places = st.columns([2, 2, 3, 1], vertical_alignment="bottom")
    landmark = places[0].number_input(
        f"Begin at a landmark ({unit}s)",
        value=None,
        min_value=0.0,
        key=f"from_landmark_{unit}",
        bind="query-params",
        placeholder="no landmark",
        help="Only patients still free of the event at this time, with time counted from there: for groups that are "
        "known only later, such as response.",
    )
    entries = {column.name: column for column in data.analysis_columns(source) if _may_be_entry(column)}
    names = wording.labels(tuple(entries.values()))
    entry = places[1].selectbox(
        "Under observation",
        [_NOBODY, *entries],
        format_func=lambda name: names.get(name, name),
        key="entry",
        bind="query-params",
        help="Column of the time, in days, at which a patient came under observation (left truncation).",
    )
    ordered = groups.ordered
    if request.split == "category" and request.variable is not None:
        known = levels(source, variable)
        order = places[2].multiselect(
            "Order of the categories",
            known,
            key=f"order_{variable.name}",
            bind="query-params",
            placeholder="alphabetical; all of them in order allow a test of trend",
        )
        if len(order) == len(known):
            request, ordered = replace(request, order=tuple(order)), True
        elif order:
            places[2].caption(f"Choose all {len(known)} categories, in their order.")
    band = places[3].toggle("Bands", value=True, key="band", bind="query-params", help="95 % confidence bands.")
    request = replace(
        request,
        from_landmark=None if landmark is None else days(landmark, unit),
        entry=entry if entry in entries else None,
    )
    return Groups(request, groups.n_groups, ordered), bool(band)


def _may_be_entry(column: AnalysisColumn) -> bool:
    return column.table == "cohort" and column.kind == "number" and column.unit == "day"


def choose_tests(groups: Groups) -> KaplanMeierRequest:
    """Offer the tests beside the plain log-rank test that the groups allow."""
    request = groups.request
    if groups.n_groups < 2 or request.split == OPTIMAL:
        return request
    left, right = st.columns([3, 2])
    weights = left.multiselect(
        "Weighted log-rank tests",
        list(_WEIGHTS),
        format_func=lambda name: _WEIGHTS[name],
        key="weights",
        bind="query-params",
        placeholder="none: the plain log-rank test weighs all times alike",
        help="Chosen beforehand, when an effect is expected early or late; several of them are several tests.",
    )
    trend = pairwise = False
    correction: Correction = "holm"
    with right, st.container(horizontal=True, vertical_alignment="bottom", height="stretch"):
        if groups.ordered and groups.n_groups > 2:
            trend = st.checkbox("Trend", key="trend", bind="query-params", help="Over the groups in their order.")
        if groups.n_groups > 2:
            pairwise = st.checkbox("Every two groups", key="pairwise", bind="query-params")
            correction = st.selectbox(
                "Correction",
                get_args(Correction),
                format_func=lambda name: CORRECTIONS[name],
                key="correction",
                bind="query-params",
            )
    return replace(request, weights=tuple(weights), trend=trend, pairwise=pairwise, correction=correction)


def choose_modelled(source: Source) -> tuple[str, ...]:
    """Offer covariates of models of competing events."""
    columns = {column.name: column for column in data.analysis_columns(source)}
    names = filters.all_labels(tuple(columns.values()))
    chosen = st.multiselect(
        "Covariates of a Fine-Gray and of cause-specific models",
        list(columns),
        format_func=lambda name: names.get(name, name),
        key="competing_covariates",
        bind="query-params",
        placeholder="none: curves only",
        help="Hazard ratios of numbers are per standard deviation.",
    )
    return tuple(chosen)


def choose_landmarks(unit: AxisUnit, longest: float) -> tuple[float, ...]:
    """Offer the times at which to read the curves, in ``unit``; returned in days.

    Raises
    ------
    SurvivalError
        TIME_INVALID.
    """
    within = [time for time in _ROUND_TIMES[unit] if days(time, unit) <= longest]
    text = st.text_input(
        f"Times ({unit}s), separated by commas",
        value=", ".join(f"{time:g}" for time in within),
        key=f"landmarks_{unit}",
        bind="query-params",
    )
    try:
        return tuple(days(float(part), unit) for part in text.split(",") if part.strip())
    except ValueError:
        raise SurvivalError(
            "TIME_INVALID", "A time is not a number", keyword="Times", found=text, expected="for example 12, 24"
        ) from None


def choose_tau(unit: AxisUnit) -> float | None:
    """Offer the horizon of the restricted mean, in ``unit``; returned in days, None for the largest common time."""
    tau = st.number_input(
        f"Horizon ({unit}s)",
        value=None,
        min_value=0.0,
        key=f"tau_{unit}",
        bind="query-params",
        placeholder="largest time that all groups reach",
        help="The restricted mean is the mean time without the event up to this horizon, which should be chosen "
        "beforehand.",
        width=320,
    )
    return None if tau is None else days(tau, unit)


def days(time: float, unit: AxisUnit) -> float:
    """Return a time as it was entered, in days."""
    return float(time) * wording.DAYS_IN[unit]
