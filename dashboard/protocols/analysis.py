"""Cached computations of the page Protocols: one cohort under every protocol, as ``petlake sensitivity`` does it."""

from __future__ import annotations

import streamlit as st

from dashboard.data import Source, selected_patients, snapshot
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
def accounts(source: Source) -> tuple[ExclusionAccount, ...]:
    """Return what became of all that each protocol found in the patients of the cohort filter."""
    return exclusion_accounts(snapshot(source), selected_patients(source))
