from __future__ import annotations

import streamlit as st

from analyses.findings import Findings
from analyses.numbers import protocol_numbers
from analyses.requests.recipe import Recipe
from dashboard import data, filters, notices, panels, takeaway
from dashboard.protocols import analysis
from dashboard.protocols import panels as panels_protocols
from figures.print import protocol_hazards_print

_ALL = "all lesions"
_SCALES = {"ratio": "As a ratio", "ml": "In ml"}

source = filters.pinned_source(data.lake_root())

st.title("Protocols")
panels.snapshot_line(source)
protocols = analysis.declared(source)
if not protocols or not data.details(source).n_patients:
    notices.no_patients()
    st.stop()
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
    organ = st.selectbox(
        "Lesions",
        [_ALL, *analysis.organs(source)],
        format_func=lambda name: name.replace("_", " "),
        key="protocol_organ",
        bind="query-params",
        width=260,
    )
    of_organ = None if organ == _ALL else organ
    with notices.refusals_as_sentences():
        burdens = analysis.burdens(source, of_organ)
        compared = analysis.comparison(source, of_organ)
        st.subheader("Volumes and lesions", anchor=False)
        panels_protocols.volumes(burdens, compared, names)

        st.subheader("Agreement", anchor=False)
        panels_protocols.pairs(compared, names)
        with st.container(horizontal=True, gap="large", vertical_alignment="bottom"):
            known = {panels_protocols.pair_name(pair, names): pair for pair in compared.pairs}
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
        notices.no_endpoint()
    else:
        left, right = st.columns([1, 4], vertical_alignment="bottom")
        with left:
            endpoint = filters.choose_endpoint(source, key="protocol_endpoint")
        with right:
            # Every protocol is another test, also that of a declared hypothesis: that one is tested on its own page.
            notices.standing(source, endpoint, [], plain=False)
        with notices.refusals_as_sentences():
            found = analysis.hazards(source, endpoint, of_organ)
            panels_protocols.hazards(source, endpoint, of_organ, found, names)
            beside = analysis.comparison(source, of_organ)
            takeaway.offer(
                source,
                Recipe.of("sensitivity", endpoint=endpoint, organ=of_organ),
                figure=lambda: protocol_hazards_print(found, names),
                numbers=lambda: protocol_numbers(beside, found, names),
                key="protocol_hazards",
                result=Findings(beside, hazards=found, protocol_names=names),
            )

st.subheader("What was removed, and that it adds up", anchor=False)
panels_protocols.account(analysis.accounts(source), names)
