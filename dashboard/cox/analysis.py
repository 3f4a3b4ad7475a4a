"""What the page Cox computes beside its answers, kept."""

from __future__ import annotations

import streamlit as st

from analyses.requests.cox import CoxRequest
from analyses.requests.cox_answer import ModelResiduals, residuals
from dashboard.answers import data_of
from dashboard.data import Source

_RESULTS = 64


@st.cache_data(max_entries=_RESULTS, show_spinner="Computing residuals ...")
def cox_residuals(source: Source, request: CoxRequest) -> ModelResiduals:
    """Residuals of the model alone; raises as ``dashboard.answers.answered``, and TOO_FEW_EVENTS_TO_SMOOTH."""
    return residuals(request, data_of(source, request))
