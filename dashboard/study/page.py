from __future__ import annotations

import streamlit as st

from dashboard import data, filters, notices, panels, takeaway
from dashboard.access import permissions
from dashboard.study import contents
from dashboard.study import panels as panels_study

source = panels.begin("Study")
about = data.details(source)
notices.require(about.n_patients, notices.NO_PATIENTS)
n = len(data.selected_patients(source))
if n == 0:
    st.stop()

panels_study.sizes(contents.sizes(source), contents.endpoint_summaries(source))
panels_study.conformance_line(source)

left, right = st.columns([4, 3], gap="large")
with left:
    st.subheader("Patient flow")
    panels_study.flow(source)
with right:
    st.subheader("Distribution")
    with notices.refusals_as_sentences():
        panels_study.distribution(source, filters.choose_variable(source, key="distribution"))

st.subheader("Table 1")
with notices.refusals_as_sentences():
    panels_study.table_one(source)

st.subheader("Not computed")
panels_study.refusals(source)
st.subheader("Quality findings")
panels_study.findings(source)
st.subheader("Outlying scans")
panels_study.outliers(source)
st.subheader("Missing clinical values")
panels_study.missingness(source)

if permissions.may(permissions.Permission.PATIENT_ROWS):
    st.subheader(f"Patients (n = {n})")
    st.caption(
        "The table `cohort`: clinical values, outcomes, baseline scan and tumour burden. "
        "Hover a heading for its meaning."
    )
    panels_study.cohort_table(source)

with st.expander("Saved analyses", icon=":material/bookmarks:"):
    takeaway.saved_list(source)
with st.expander("What is in this snapshot"):
    panels_study.snapshot_contents(about)
