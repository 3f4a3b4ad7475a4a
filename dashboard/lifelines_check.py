"""A button that computes the analysis of a page again by lifelines, and shows both numbers side by side."""

from __future__ import annotations

import streamlit as st

from analyses.requests.answer import Answer
from analyses.requests.lifelines_check import check_with_lifelines
from analyses.requests.request import Request
from analyses.tables import checks
from dashboard import asking, wording
from dashboard.answers import data_of
from dashboard.data import Source
from dashboard.panels import result_table
from petct.survival.with_lifelines.comparison import LifelinesCheck

_CHECKS = 32


def offer_check(source: Source, answer: Answer) -> None:
    """Offer the comparison with lifelines; raises ``SurvivalError`` LIFELINES_UNSUPPORTED."""
    what = "The same analysis by the Python package lifelines, side by side: some seconds."
    if not asking.asked("lifelines", "Check with lifelines", what, answer.request):
        return
    check = _checked(source, answer.request, answer)
    st.markdown("**Comparison with lifelines**")
    if check.compared:
        result_table(checks.compared(check))
    for note in (check.sentence, *checks.notes(check)):
        st.caption(wording.literal_markdown(note))


@st.cache_data(max_entries=_CHECKS, show_spinner="Computing with lifelines ...")
def _checked(source: Source, request: Request, _answer: Answer) -> LifelinesCheck:
    # The answer follows from the request: it is no part of the key.
    return check_with_lifelines(_answer, data_of(source, request))
