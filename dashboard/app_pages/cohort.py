from __future__ import annotations

import streamlit as st

from dashboard import contents, data, filters, notices, panels, wording

source = filters.pinned_source(data.lake_root())
about = data.details(source)

st.title("Cohort")
panels.snapshot_line(source)
if about.n_patients == 0:
    notices.no_patients()
    st.stop()

panels.sizes(contents.sizes(source), contents.endpoint_summaries(source))

left, right = st.columns(2, gap="large")
with left:
    st.subheader("From registration to analysis")
    panels.attrition(contents.attrition(source))
with right:
    st.subheader("Distribution")
    with notices.refusals_as_sentences():
        variable = filters.choose_variable(source, key="distribution")
        panels.distribution(source, variable)

refused, findings = contents.refusals(source), contents.findings(source)
st.subheader("What could not be computed")
if refused.empty:
    st.caption("Nothing was refused: every table of every patient is there.")
else:
    who = wording.plural(refused["Patient"].nunique(), "patient")
    st.caption(f"{wording.plural(len(refused), 'refusal')} in {who}; everything else of these patients is used.")
    st.dataframe(refused, hide_index=True, column_config=panels.widths(Patient=90, Table=130, Code=230))
if not findings.empty:
    with st.expander(f"{wording.plural(len(findings), 'finding')} that did not stop the work"):
        st.dataframe(
            findings, hide_index=True, column_config=panels.widths(Patient=90, Table=130, Severity=90, Code=230)
        )

st.subheader(f"Patients (n = {about.n_patients})")
st.caption(
    "The table `cohort`: clinical values, outcomes, baseline scan and tumour burden. Hover a heading for its meaning."
)
panels.cohort_table(source)

with st.expander("What is in this snapshot"):
    panels.snapshot_contents(about)
