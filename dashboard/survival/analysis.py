"""Survival of a snapshot's patients: requests as the command line has them, answered once and kept."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from analyses.requests.answer import Answer
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import answer
from dashboard.answers import answered, data_of
from dashboard.data import Source, endpoint
from dashboard.wording import DAYS_IN
from figures.ticks import AxisUnit
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.estimate import round_times
from petct.survival.kaplan_meier.split_rules import OPTIMAL

_RESULTS = 64
# Patients times permutations that take about a second.
_QUICK_SEARCH = 2e7


def survival(source: Source, request: KaplanMeierRequest) -> Answer:
    """Kaplan-Meier analysis of the patients who have the endpoint; a cut is searched once for all its views.

    Raises
    ------
    PetctError, WarehouseError
        As ``dashboard.answers.answered``.
    """
    if request.split != OPTIMAL:
        return answered(source, request)
    return _with_cut(source, request, _searched(source, search(request)).cut_point)


@st.cache_data(max_entries=_RESULTS, show_spinner="Searching the cut, in permutations and resamples, too ...")
def _searched(source: Source, request: KaplanMeierRequest) -> Answer:
    return answer(request, data_of(source, request))


@st.cache_data(max_entries=_RESULTS, show_spinner="Estimating survival ...")
def _with_cut(source: Source, request: KaplanMeierRequest, _cut: CutPointResult | None) -> Answer:
    # The cut follows from the request: it is no part of the key.
    return answer(request, data_of(source, request), cut=_cut)


def search(request: KaplanMeierRequest) -> KaplanMeierRequest:
    """The request for the best cut of the same variable in the same patients."""
    return replace(request, split=OPTIMAL, order=(), landmarks=(), tau=None, weights=(), trend=False, pairwise=False)


def search_is_quick(source: Source, request: KaplanMeierRequest) -> bool:
    """Whether a cut is found in about a second."""
    return len(endpoint(source, str(request.endpoint)).patient_ids) * request.permutations < _QUICK_SEARCH


@st.cache_data(max_entries=_RESULTS, show_spinner="Estimating cumulative incidence ...")
def incidence(source: Source, request: KaplanMeierRequest, at_risk_times: tuple[float, ...] | None = None) -> Answer:
    """Cumulative incidence of the endpoint and of what competes with it, with the models of its covariates.

    Parameters
    ----------
    at_risk_times
        Times of the numbers at risk; round ones when None.
    """
    return answer(request, data_of(source, request), at_risk_times=at_risk_times)


def has_competing_events(source: Source, endpoint_name: str) -> bool:
    """Whether some patient had a competing event before the endpoint."""
    return bool((endpoint(source, endpoint_name).event == 2).any())


def round_days(source: Source, endpoint_name: str, unit: AxisUnit) -> tuple[float, ...]:
    """Times that are round in ``unit`` over the follow-up, in days."""
    length = DAYS_IN[unit]
    return tuple(time * length for time in round_times(longest_days(source, endpoint_name) / length, unit))


def longest_days(source: Source, endpoint_name: str) -> float:
    """The longest time of the endpoint, in days; 0 without patients."""
    return float(endpoint(source, endpoint_name).duration_days.max(initial=0.0))
