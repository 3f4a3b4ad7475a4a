"""Cached computations of the page Protocols: one cohort under every protocol, as ``petlake sensitivity`` does it."""

from __future__ import annotations

import streamlit as st

from dashboard.data import Source, endpoint, selected_patients, snapshot
from petct.survival.cohort.outcome import cause_specific
from petct.survival.cox_repeated.protocol_sensitivity import (
    HazardSensitivity,
    ProtocolBurden,
    ProtocolSensitivity,
    compare_protocols,
    hazard_ratios,
)
from warehouse.queries.protocol_queries import (
    ExclusionAccount,
    ProtocolInfo,
    TumourBurden,
    exclusion_accounts,
    lesion_organs,
    protocols,
    tumour_burdens,
)

_ENTRIES = 32


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def declared(source: Source) -> tuple[ProtocolInfo, ...]:
    """Return the protocols of the snapshot, the default protocol first."""
    return protocols(snapshot(source))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def organs(source: Source) -> tuple[str, ...]:
    """Return the organs in which lesions lie."""
    return lesion_organs(snapshot(source))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def burdens(source: Source, organ: str | None) -> tuple[TumourBurden, ...]:
    """Return the tumour of the patients of the cohort filter under each protocol; raises ORGAN_UNKNOWN."""
    return tumour_burdens(snapshot(source), organ, selected_patients(source))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def comparison(source: Source, organ: str | None) -> ProtocolSensitivity:
    """Compare the protocols on the patients of the cohort filter; raises ``MaskError`` PROTOCOLS_TOO_FEW."""
    return compare_protocols(
        [ProtocolBurden(each.protocol_id, each.volume_ml, each.n_lesions) for each in burdens(source, organ)]
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner="Fitting a model under each protocol ...")
def hazards(source: Source, endpoint_name: str, organ: str | None) -> HazardSensitivity:
    """Fit the hazard ratio of tumour volume under each protocol, in the patients who have the endpoint.

    Raises
    ------
    MaskError
        PROTOCOLS_TOO_FEW.
    SurvivalError
        What ``Outcome`` refuses.
    WarehouseError
        ENDPOINT_UNKNOWN.
    """
    times = endpoint(source, endpoint_name)
    found = burdens(source, organ)
    place = {patient: row for row, patient in enumerate(found[0].patient_ids)}
    rows = [place[patient] for patient in times.patient_ids]
    return hazard_ratios(
        [ProtocolBurden(each.protocol_id, each.volume_ml[rows], each.n_lesions[rows]) for each in found],
        cause_specific(times.duration_days, times.event),
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def accounts(source: Source) -> tuple[ExclusionAccount, ...]:
    """Return what became of all that each protocol found in the patients of the cohort filter."""
    return exclusion_accounts(snapshot(source), selected_patients(source))
