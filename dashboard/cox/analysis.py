"""Cox models of a snapshot's patients: requests as the command line has them, answered once and kept."""

from __future__ import annotations

import streamlit as st

from analyses.requests.cox import AnyCoxResult, CoxRequest, ModelResiduals, analyse, residuals, validated
from dashboard.columns import aligned
from dashboard.data import Source
from petct.survival.cohort.outcome import cause_specific
from petct.survival.cox_repeated.validation import CoxValidation

_RESULTS = 64


@st.cache_data(max_entries=_RESULTS, show_spinner="Fitting the model ...")
def cox_model(source: Source, endpoint_name: str, request: CoxRequest) -> AnyCoxResult:
    """Model of the patients who have the endpoint and all that is asked for, in days.

    Raises
    ------
    SurvivalError
        What ``petct.survival`` refuses, for example COX_TOO_FEW_EVENTS.
    WarehouseError
        ENDPOINT_UNKNOWN, COLUMN_UNKNOWN.
    """
    columns, times = aligned(source, endpoint_name, request.columns)
    return analyse(request, columns, cause_specific(times.duration_days, times.event), times.patient_ids)


@st.cache_data(max_entries=_RESULTS, show_spinner="Computing residuals ...")
def cox_residuals(source: Source, endpoint_name: str, request: CoxRequest) -> ModelResiduals:
    """Residuals of the model alone; raises as ``cox_model``, and TOO_FEW_EVENTS_TO_SMOOTH."""
    columns, times = aligned(source, endpoint_name, request.columns)
    return residuals(request, columns, cause_specific(times.duration_days, times.event))


@st.cache_data(max_entries=_RESULTS, show_spinner="Fitting the model again to resamples of the patients ...")
def cox_validation(source: Source, endpoint_name: str, request: CoxRequest, horizon_days: float) -> CoxValidation:
    """Calibration and concordance of the model alone at a horizon, corrected for optimism; raises as ``validated``."""
    columns, times = aligned(source, endpoint_name, request.columns)
    return validated(request, columns, cause_specific(times.duration_days, times.event), horizon_days)
