"""Parts of the page Survival about events that exclude each other: incidence, Gray's tests, models."""

from __future__ import annotations

import streamlit as st

from analyses.requests.competing import CompetingModels
from analyses.tables import curves
from analyses.tables.models import hazard_ratios
from dashboard import notices, wording
from dashboard.panels import result_table
from dashboard.survival import panels
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.competing.fine_gray import FineGrayResult
from petct.survival.cox.result import CoxResult


def gray_tests(result: CumulativeIncidenceResult) -> None:
    """Show Gray's tests."""
    if not result.gray_tests:
        st.caption("One group: nothing to compare. Choose a split.")
        return
    st.markdown(f"**Gray's tests** (n = {result.n})")
    result_table(curves.gray_tests(result))
    panels.reasons(*(test.p_suppressed for test in result.gray_tests))


def incidence_at(result: CumulativeIncidenceResult, unit: str) -> None:
    """Show the cumulative incidence at the landmarks."""
    result_table(curves.incidence_at(result, unit))
    st.caption(f"Aalen-Johansen estimate, n = {result.n}.")


def competing_models(models: CompetingModels, event: str) -> None:
    """Show what covariates do to the cumulative incidence of an event, and to the rate of each event."""
    _fitted(f"Cumulative incidence of {event} (Fine-Gray)", models.fine_gray)
    for cause, model in models.hazards:
        _fitted(f"Rate of {cause} among those free of any event (cause-specific Cox)", model)


def _fitted(title: str, model: FineGrayResult | CoxResult | str) -> None:
    if isinstance(model, str):
        st.markdown(f"**{wording.literal_markdown(title)}**")
        st.caption(wording.literal_markdown(model))
        return
    st.markdown(f"**{wording.literal_markdown(title)}** (n = {model.n}, {wording.plural(model.n_events, 'event')})")
    result_table(hazard_ratios(model.terms))
    notices.notes(model.notes)


def incidence_in_words(result: CumulativeIncidenceResult) -> str:
    """Describe the figure of the cumulative incidence for those who cannot see it."""
    unit = result.variable_unit
    groups = "; ".join(
        f"{curve.cause}, {curves.group_name(curve.group, unit)}: {curve.n_events} of {curve.n}, in the end "
        f"{curve.incidence[-1] if curve.incidence else 0:.0%}"
        for curve in result.curves
    )
    return f"Cumulative incidence with numbers at risk. {groups}."
