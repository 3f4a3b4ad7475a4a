"""What a reader chooses on the page Survival; every choice is a part of a request and lives in the URL."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from analyses.requests.kaplan_meier import KaplanMeierRequest
from dashboard import data, filters, widgets, wording
from dashboard.data import Source, numbers
from figures.ticks import AxisUnit
from petct.survival.kaplan_meier.split_rules import OPTIMAL
from warehouse.queries.analysis_columns import AnalysisColumn

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
_ROUND_TIMES: dict[AxisUnit, tuple[float, ...]] = {
    "day": (180, 365, 730, 1095, 1825),
    "month": (6, 12, 24, 36, 60),
    "year": (0.5, 1, 2, 3, 5),
}


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
    with places[0]:
        landmark = widgets.value(KaplanMeierRequest, "from_landmark", unit=unit)
    entries = wording.labels([column for column in data.analysis_columns(source) if _may_be_entry(column)])
    with places[1]:
        entry = widgets.value(KaplanMeierRequest, "entry", among=entries)
    ordered = groups.ordered
    if request.split == "category" and request.variable is not None:
        known = levels(source, variable)
        with places[2]:
            order = widgets.value(
                KaplanMeierRequest, "order", of=(variable.name, "the categories"), among={each: each for each in known}
            )
            if len(order) == len(known):
                request, ordered = replace(request, order=order), True
            elif order:
                st.caption(f"Choose all {len(known)} categories, in their order.")
    band = places[3].toggle("Bands", value=True, key="band", bind="query-params", help="95 % confidence bands.")
    request = replace(request, from_landmark=landmark, entry=entry)
    return Groups(request, groups.n_groups, ordered), bool(band)


def _may_be_entry(column: AnalysisColumn) -> bool:
    return column.table == "cohort" and column.kind == "number" and column.unit == "day"


def choose_tests(groups: Groups) -> KaplanMeierRequest:
    """Offer the tests beside the plain log-rank test that the groups allow."""
    request = groups.request
    if groups.n_groups < 2 or request.split == OPTIMAL:
        return request
    left, right = st.columns([3, 2])
    with left:
        chosen = {"weights": widgets.value(KaplanMeierRequest, "weights")}
    more: tuple[str, ...] = ("trend",) if groups.ordered and groups.n_groups > 2 else ()
    more += ("pairwise", "correction") if groups.n_groups > 2 else ()
    with right, st.container(horizontal=True, vertical_alignment="bottom", height="stretch"):
        chosen |= {name: widgets.value(KaplanMeierRequest, name) for name in more}
    return replace(request, **chosen)


def choose_modelled(source: Source) -> tuple[str, ...]:
    """Offer covariates of models of competing events."""
    names = filters.all_labels(data.analysis_columns(source))
    chosen: tuple[str, ...] = widgets.value(KaplanMeierRequest, "covariates", among=names)
    return chosen


def choose_landmarks(unit: AxisUnit, longest: float) -> tuple[float, ...]:
    """Offer the times at which to read the curves, in ``unit``; returned in days.

    Raises
    ------
    SurvivalError
        TIME_INVALID.
    """
    within = [time for time in _ROUND_TIMES[unit] if widgets.days(time, unit) <= longest]
    first = ", ".join(f"{time:g}" for time in within)
    chosen: tuple[float, ...] = widgets.value(KaplanMeierRequest, "landmarks", unit=unit, first=first)
    return chosen
