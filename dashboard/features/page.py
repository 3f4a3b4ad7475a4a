from __future__ import annotations

import streamlit as st

from analyses.requests.screen import ScreenRequest
from dashboard import data, filters, notices, panels, takeaway, wording
from dashboard.access import ledger
from dashboard.answers import answered
from dashboard.features import analysis, choices, one_feature
from dashboard.features import panels as panels_features
from dashboard.features.choices import Trust
from petct.survival.features.scan_result import ScanResult

source = panels.begin("Features")
notices.require(data.endpoints(source), notices.NO_ENDPOINT)
notices.require(analysis.families(source), notices.NO_FEATURES)

with st.container(border=True):
    left, right = st.columns([1, 4])
    with left:
        endpoint = filters.choose_endpoint(source, key="scan_endpoint")
    with right:
        family = choices.choose_family(source, "scan")
    adjust_for = choices.choose_adjustment(source)

with notices.refusals_as_sentences():
    found = answered(source, ScreenRequest(feature_set=family.name, adjust_for=adjust_for, endpoint=endpoint))
    result = found.result_as(ScanResult)
    known = analysis.reliability(source, family)
    rho = analysis.volume_correlations(source, endpoint, family)
    labels = {name: found.basis.short(name) for name in found.basis.columns}

    notices.heading(found, f": {wording.plural(result.n_tested, 'feature')} of {family.label}")
    panels_features.scan_numbers(result)
    st.markdown(wording.literal_markdown(result.verdict))
    ledger.enter(source, found)

    trust = choices.choose_trust(with_icc=any(each.icc_lower is not None for each in known.values()))
    rows = panels_features.trusted(result, known, rho, trust)
    if trust != Trust():
        st.caption(
            f"{len(rows)} of {wording.plural(result.n_tested, 'feature')} shown. Every correction is for all "
            f"{result.n_tested}, also for those that are hidden."
        )
    if not rows:
        notices.empty("No feature passes this filter", "Lower the ICC, or allow a larger correlation with volume.")
        st.stop()
    shown = [row.name for row in rows]
    chosen = choices.choose_feature(shown, labels)

    left, right = st.columns(2, gap="medium")
    with left:
        panels_features.volcano(result, rows, labels, chosen)
    with right:
        panels_features.confounding(result, rows, rho, labels, trust, chosen)
    takeaway.offer(source, found, key="scan")
    panels_features.scan_table(rows, result, labels, known, rho)
    panels_features.not_tested(result, labels)
    notices.notes(panels_features.notes_in_words(source, family, result))

    st.subheader("One feature", anchor=False)
    if chosen is None:
        st.caption("Click a point of the volcano plot, or choose a feature above it, to see its patients.")
    else:
        (row,) = (row for row in rows if row.name == chosen)
        one_feature.one_feature(source, endpoint, family, row, labels[chosen], result.n_tested)

    st.subheader("Correlation of the strongest features", anchor=False)
    strongest = tuple(shown[: analysis.CORRELATED])
    panels_features.heat_map(analysis.correlations(source, endpoint, family, strongest), labels)
