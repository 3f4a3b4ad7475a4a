"""The answers that pages show: requests as the command line has them, answered once and kept."""

from __future__ import annotations

import streamlit as st

from analyses.requests.answer import Answer
from analyses.requests.data import AnalysisData
from analyses.requests.known import answer
from analyses.requests.load import load
from analyses.requests.request import Request
from dashboard.data import Source, snapshot
from dashboard.wording import distinct_names

_ANSWERS = 96


@st.cache_data(max_entries=_ANSWERS, show_spinner="Computing ...")
def answered(source: Source, request: Request) -> Answer:
    """Answer a request on the patients of a source, in days; in results the columns are called as on the pages.

    Raises
    ------
    PetctError
        What ``analyses.requests.known.answer`` and ``load`` refuse, for example COX_TOO_FEW_EVENTS.
    WarehouseError
        ENDPOINT_UNKNOWN, COLUMN_UNKNOWN.
    """
    return answer(request, data_of(source, request))


def data_of(source: Source, request: Request) -> AnalysisData:
    """Read what a request needs; raises as ``answered``."""
    data = load(snapshot(source), request, source.conditions)
    return data.labelled(distinct_names(tuple(data.basis.columns.values())))
