"""The views below the curves: tests, survival at times, restricted mean, cut points, competing events."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from analyses.numbers import cut_numbers, incidence_numbers, restricted_mean_numbers
from analyses.requests.answer import Answer
from analyses.requests.kaplan_meier import KaplanMeierRequest
from dashboard import asking, charts, notices, takeaway
from dashboard.access.ledger import Entries
from dashboard.data import Source
from dashboard.lifelines_check import offer_check
from dashboard.survival import analysis, competing_panels, panels
from figures.cumulative_incidence import cumulative_incidence_figure
from figures.cut_points import cut_point_figure, cut_point_in_words
from figures.print_diagnostics import cut_point_print, restricted_mean_print
from figures.print_survival import cumulative_incidence_print
from figures.survival_curves import restricted_mean_figure
from figures.ticks import AxisUnit
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.kaplan_meier.split_rules import OPTIMAL

_NAMES = ("Tests", "Survival at times", "Restricted mean", "Cut points")
_COMPETING = "Competing events"


@dataclass(frozen=True)
class Views:
    """The tabs; ``open`` of each says whether it is looked at. Competing events have none where nobody had any."""

    tests: TabContainer
    at_times: TabContainer
    restricted: TabContainer
    cuts: TabContainer
    competing: TabContainer | None


def tabs(competing: bool) -> Views:
    """Lay out the tabs; the open one lives in the URL."""
    names = [*_NAMES, _COMPETING] if competing else list(_NAMES)
    tests, at_times, restricted, cuts, *others = st.tabs(names, key="survival_view", bind="query-params")
    return Views(tests, at_times, restricted, cuts, others[0] if others else None)


@dataclass(frozen=True)
class Shown:
    """What the views are about: the analysis that is shown above them.

    Parameters
    ----------
    source
        Its patients.
    variable
        Column whose cuts are looked at; None for categories.
    request, answer
        The curves above.
    unit
        Unit of the times.
    modelled
        Covariates of models of competing events.
    """

    source: Source
    variable: str | None
    request: KaplanMeierRequest
    answer: Answer
    unit: AxisUnit
    modelled: tuple[str, ...] = ()

    @property
    def result(self) -> KaplanMeierResult:
        """The curves and their tests."""
        return self.answer.result_as(KaplanMeierResult)


def draw(views: Views, shown: Shown, entries: Entries) -> None:
    """Compute and draw the view that is looked at."""
    for tab, drawn in (
        (views.tests, _tests),
        (views.at_times, _at_times),
        (views.restricted, _restricted),
        (views.cuts, _cuts),
        (views.competing, _competing),
    ):
        if tab is not None and tab.open:
            with tab, notices.refusals_as_sentences():
                drawn(shown, entries)


def _tests(shown: Shown, entries: Entries) -> None:  # noqa: ARG001 (entered with the curves)
    panels.tests(shown.result)
    offer_check(shown.source, shown.answer)


def _at_times(shown: Shown, entries: Entries) -> None:  # noqa: ARG001 (tests nothing)
    panels.survival_at(shown.result, shown.unit)


def _restricted(shown: Shown, entries: Entries) -> None:  # noqa: ARG001 (entered with the curves)
    result = shown.result
    left, right = st.columns([3, 2], gap="large")
    with right:
        panels.restricted_means(result, shown.unit)
    if result.restricted_mean is None:
        return
    with left:
        charts.draw(
            restricted_mean_figure(result, axis_unit=shown.unit),
            key="restricted_mean",
            alt=panels.means_in_words(result, shown.unit),
        )
        if len(result.curves) == 2:
            st.caption("The grey area is the difference of the two means.")
    panels.mean_differences(result, shown.unit)
    takeaway.offer(
        shown.source,
        shown.answer,
        figure=lambda: restricted_mean_print(result, axis_unit=shown.unit),
        numbers=lambda: restricted_mean_numbers(result),
        key="restricted_mean",
        variant=shown.unit,
    )


def _cuts(shown: Shown, entries: Entries) -> None:
    request = shown.request
    if shown.variable is None:
        st.caption("A cut is searched in a number: choose a variable that is one.")
        return
    searched = analysis.search(replace(request, variable=shown.variable))
    if request.split != OPTIMAL and not may_search(shown.source, searched):
        return
    found = analysis.survival(shown.source, searched)
    cut = found.cut_point
    if cut is None:
        return
    entries.add(found)
    panels.cut_numbers(cut)
    charts.draw(
        cut_point_figure(cut, shown_cuts=_shown_cuts(shown)),
        key="cut_points",
        alt=cut_point_in_words(cut),
    )
    st.caption(
        f"n = {cut.n}, {cut.n_events} events. Red: the best cut; green: the cuts of the curves above, where others."
        + (
            " Below: how often resamples of the patients chose each cut, and where 95 % of them lie."
            if cut.stability
            else ""
        )
    )
    takeaway.offer(
        shown.source,
        found,
        figure=lambda: cut_point_print(cut),
        numbers=lambda: cut_numbers(cut),
        key="cut_points",
    )
    notices.notes(cut.notes)


def may_search(source: Source, request: KaplanMeierRequest) -> bool:
    """Whether a request needs no search that takes long, or was asked for; a button to ask for it where it was not."""
    if request.split != OPTIMAL or analysis.search_is_quick(source, request):
        return True
    what = f"{request.permutations:,} permutations and {request.resamples:,} resamples: some seconds."
    return asking.asked("search", "Search the cut", what, analysis.search(request))


def _shown_cuts(shown: Shown) -> tuple[float, ...]:
    """Cuts of the curves above, where they are of the same variable and not the best one."""
    request = shown.request
    if request.variable != shown.variable or request.split == OPTIMAL:
        return ()
    return shown.result.cut_points


def _competing(shown: Shown, entries: Entries) -> None:
    request = of_incidence(shown.request, shown.modelled)
    ticks = analysis.round_days(shown.source, str(request.endpoint), shown.unit)
    found = analysis.incidence(shown.source, request, ticks)
    result = found.result_as(CumulativeIncidenceResult)
    entries.add(found)
    charts.draw(
        cumulative_incidence_figure(result, axis_unit=shown.unit),
        key="cumulative_incidence",
        alt=competing_panels.incidence_in_words(result),
    )
    takeaway.offer(
        shown.source,
        found,
        figure=lambda: cumulative_incidence_print(result, axis_unit=shown.unit),
        numbers=lambda: incidence_numbers(result),
        key="cumulative_incidence",
        variant=shown.unit,
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        competing_panels.gray_tests(result)
    with right:
        competing_panels.incidence_at(result, shown.unit)
    notices.notes(result.notes)
    if found.competing is not None:
        competing_panels.competing_models(found.competing, result.causes[0])


def of_incidence(request: KaplanMeierRequest, modelled: tuple[str, ...] = ()) -> KaplanMeierRequest:
    """The request for the cumulative incidence, without the tests that belong to the survival curve."""
    return replace(request, tau=None, weights=(), trend=False, pairwise=False, competing=True, covariates=modelled)
