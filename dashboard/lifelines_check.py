"""A button that computes the analysis of a page again by lifelines, and shows both numbers side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from analyses.requests.answer import Answer
from analyses.requests.lifelines_check import check_with_lifelines
from analyses.requests.request import Request
from dashboard import asking, wording
from dashboard.answers import data_of
from dashboard.data import Source
from petct.survival.with_lifelines.comparison import LifelinesCheck

_CHECKS = 32
_COLUMNS = ("Quantity", "Of", "petlake", "lifelines", "Difference", "Reason")


def offer_check(source: Source, answer: Answer) -> None:
    """Offer the comparison with lifelines; raises ``SurvivalError`` LIFELINES_UNSUPPORTED."""
    what = "The same analysis by the Python package lifelines, side by side: some seconds."
    if not asking.asked("lifelines", "Check with lifelines", what, answer.request):
        return
    check = _checked(source, answer.request, answer)
    st.markdown("**Comparison with lifelines**")
    rows = [
        (
            row.quantity,
            row.of,
            row.petlake,
            row.lifelines,
            "agrees" if row.agrees else "" if row.difference is None else f"{row.difference:.3g}",
            row.reason or "",
        )
        for row in check.compared
    ]
    if rows:
        st.dataframe(pd.DataFrame(rows, columns=list(_COLUMNS)), hide_index=True)
    st.caption(wording.literal_markdown(check.sentence))
    for row in check.not_compared:
        st.caption(wording.literal_markdown(f"Not compared: {row.quantity}. {row.reason}"))


@st.cache_data(max_entries=_CHECKS, show_spinner="Computing with lifelines ...")
def _checked(source: Source, request: Request, _answer: Answer) -> LifelinesCheck:
    # The answer follows from the request: it is no part of the key.
    return check_with_lifelines(_answer, data_of(source, request))
