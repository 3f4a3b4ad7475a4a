from __future__ import annotations

import streamlit as st

from analyses.requests.sensitivity import SensitivityRequest
from analyses.tables.protocols import pair_name
from dashboard import data, filters, notices, panels, takeaway, widgets
from dashboard.access import ledger
from dashboard.answers import answered
from dashboard.protocols import analysis
from dashboard.protocols import panels as panels_protocols
from petct.survival.cox_repeated.protocol_sensitivity import ProtocolBurden, compare_protocols

_ORGAN_WIDTH = 260
_SCALES = {"ratio": "As a ratio", "ml": "In ml"}

source = panels.begin("Protocols")
protocols = analysis.declared(source)
notices.require(protocols and data.details(source).n_patients, notices.NO_PATIENTS)
names = panels_protocols.names_of(protocols)

st.caption(
    "A threshold protocol is a choice, not a truth: how much depends on it? On the command line: `petlake sensitivity`."
)
st.subheader("What each protocol does", anchor=False)
panels_protocols.rules(protocols, names)

if len(protocols) < 2:
    notices.empty(
        "This snapshot holds one protocol: there is nothing to compare",
        "Name more in `study.yaml`, for example\n\n```\nprotocols: [contours, percent_41, suv_4]\n```\n\nthen run "
        "`petlake materialize` and `petlake snapshot publish`. The first stays the default; no number of it changes.",
    )
else:
    organs = {name: name.replace("_", " ") for name in analysis.organs(source)}
    with st.container(width=_ORGAN_WIDTH):
        organ = widgets.value(SensitivityRequest, "organ", among=organs)
    with notices.refusals_as_sentences():
        burdens = analysis.burdens(source, organ)
        compared = compare_protocols([ProtocolBurden(b.protocol_id, b.volume_ml, b.n_lesions) for b in burdens])
        st.subheader("Volumes and lesions", anchor=False)
        panels_protocols.volumes(burdens, compared, names)

        st.subheader("Agreement", anchor=False)
        panels_protocols.pairs(compared, names)
        with st.container(horizontal=True, gap="large", vertical_alignment="bottom"):
            known = {pair_name(pair, names): pair for pair in compared.pairs}
            pair = st.selectbox("Two protocols", list(known), key="protocol_pair", bind="query-params", width=320)
            scale = st.segmented_control(
                "Difference",
                list(_SCALES),
                default="ratio",
                required=True,
                format_func=lambda name: _SCALES[name],
                key="protocol_scale",
                bind="query-params",
            )
        panels_protocols.agreement(burdens, known[pair], names, as_ratio=scale == "ratio")

    st.subheader("Hazard ratio of tumour volume under each protocol", anchor=False)
    if not data.endpoints(source):
        notices.empty(*notices.NO_ENDPOINT)
    else:
        left, right = st.columns([1, 4], vertical_alignment="bottom")
        with left:
            endpoint = filters.choose_endpoint(source, key="protocol_endpoint")
        with notices.refusals_as_sentences():
            found = answered(source, SensitivityRequest(organ, endpoint=endpoint))
            hazards = found.known_hazards
            with right:
                notices.standing(found.declared)
            panels_protocols.hazards(endpoint, hazards, names)
            ledger.enter(source, found)
            takeaway.offer(source, found, key="protocol_hazards")

st.subheader("Excluded uptake (balance)", anchor=False)
panels_protocols.account(analysis.accounts(source), names)
