"""Survival of a snapshot's patients: requests as the command line has them, answered once and kept."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from analyses.requests.competing import CompetingModels, competing_models
from analyses.requests.kaplan_meier import KaplanMeierAnalysis, KaplanMeierRequest, analyse, analyse_competing
from analyses.requests.tested import Tested, hypotheses_of_incidence
from dashboard.columns import aligned
from dashboard.data import Source, endpoint
from dashboard.wording import DAYS_IN
from figures.screen import AxisUnit
from petct.survival.cohort.outcome import cause_specific
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.estimate import round_times
from petct.survival.kaplan_meier.split_rules import OPTIMAL
from warehouse.queries.analysis_columns import Endpoint

_RESULTS = 64
# Patients times permutations that take about a second.
_QUICK_SEARCH = 2e7


def survival(source: Source, endpoint_name: str, request: KaplanMeierRequest) -> KaplanMeierAnalysis:
    """Kaplan-Meier analysis of the patients who have the endpoint, in days.

    Parameters
    ----------
    source
        The snapshot, and who of its patients.
    endpoint_name
        Its endpoint; competing events are censored, and the result says so.
    request
        What is asked.

    Raises
    ------
    SurvivalError
        What ``petct.survival`` refuses.
    WarehouseError
        ENDPOINT_UNKNOWN, COLUMN_UNKNOWN.
    """
    searches = request.split == OPTIMAL and request.variable is not None
    return _answer(source, endpoint_name, request, _cut(source, endpoint_name, search(request)) if searches else None)


@st.cache_data(max_entries=_RESULTS, show_spinner="Searching the cut, in permutations and resamples, too ...")
def _cut(source: Source, endpoint_name: str, request: KaplanMeierRequest) -> CutPointResult | None:
    columns, times = aligned(source, endpoint_name, request.columns)
    return analyse(request, columns, cause_specific(times.duration_days, times.event)).cut


@st.cache_data(max_entries=_RESULTS, show_spinner="Estimating survival ...")
def _answer(
    source: Source, endpoint_name: str, request: KaplanMeierRequest, _cut: CutPointResult | None
) -> KaplanMeierAnalysis:
    # The cut follows from the request: it is no part of the key.
    columns, times = aligned(source, endpoint_name, request.columns)
    return analyse(request, columns, cause_specific(times.duration_days, times.event), _cut)


def search(request: KaplanMeierRequest) -> KaplanMeierRequest:
    """The request for the best cut of the same variable in the same patients."""
    return replace(request, split=OPTIMAL, order=(), landmarks=(), tau=None, weights=(), trend=False, pairwise=False)


def search_is_quick(source: Source, endpoint_name: str, request: KaplanMeierRequest) -> bool:
    """Whether a cut is found in about a second."""
    return len(endpoint(source, endpoint_name).patient_ids) * request.permutations < _QUICK_SEARCH


@st.cache_data(max_entries=_RESULTS, show_spinner="Estimating cumulative incidence ...")
def incidence(
    source: Source,
    endpoint_name: str,
    request: KaplanMeierRequest,
    at_risk_times: tuple[float, ...] | None = None,
) -> CumulativeIncidenceResult:
    """Cumulative incidence of the endpoint and of what competes with it, in days; see ``survival``.

    Parameters
    ----------
    at_risk_times
        Times of the numbers at risk; round ones when None.
    """
    columns, times = aligned(source, endpoint_name, request.columns)
    return analyse_competing(request, columns, _competing(times), at_risk_times)


def has_competing_events(source: Source, endpoint_name: str) -> bool:
    """Whether some patient had a competing event before the endpoint."""
    return bool((endpoint(source, endpoint_name).event == 2).any())


@st.cache_data(max_entries=_RESULTS, show_spinner="Fitting the models ...")
def models(source: Source, endpoint_name: str, names: tuple[str, ...]) -> CompetingModels:
    """Fine-Gray and cause-specific models of covariates; see ``survival``."""
    columns, times = aligned(source, endpoint_name, names)
    return competing_models(columns, names, _competing(times))


def _competing(times: Endpoint) -> CompetingOutcome:
    causes = (times.name, f"competing event of {times.name}")
    return CompetingOutcome(times.duration_days, times.event, "day", causes)


def hypotheses_of(request: KaplanMeierRequest, result: CumulativeIncidenceResult) -> tuple[Tested, ...]:
    """The tests that an analysis of competing risks was; none without groups."""
    return hypotheses_of_incidence(result) if request.variable is not None else ()


def round_days(source: Source, endpoint_name: str, unit: AxisUnit) -> tuple[float, ...]:
    """Times that are round in ``unit`` over the follow-up, in days."""
    length = DAYS_IN[unit]
    return tuple(time * length for time in round_times(longest_days(source, endpoint_name) / length, unit))


def longest_days(source: Source, endpoint_name: str) -> float:
    """The longest time of the endpoint, in days; 0 without patients."""
    return float(endpoint(source, endpoint_name).duration_days.max(initial=0.0))
