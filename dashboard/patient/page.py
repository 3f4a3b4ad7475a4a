from __future__ import annotations

import streamlit as st

from dashboard import data, notices, panels, wording
from dashboard.patient import facts, lineage
from dashboard.patient import panels as patient_panels
from dashboard.patient.viewer import Shot, viewer

source = panels.begin("Patient")
patients = data.selected_patients(source)
notices.require(patients, notices.NO_PATIENTS)

asked = st.query_params.get("patient")
if asked is not None and asked not in patients:
    message = f"There is no patient {asked} among the {wording.plural(len(patients), 'patient')} of this selection."
    st.warning(wording.literal_markdown(message), icon=":material/person_off:")
    del st.query_params["patient"]
places = st.columns([2, 2, 4])
with places[0]:
    patient = st.selectbox("Patient", patients, key="patient", bind="query-params")
scans = {scan.scan_id: scan for scan in facts.scans(source.whole, patient)}
for sentence in facts.refusals(source.whole, patient):
    st.warning(wording.literal_markdown(sentence), icon=":material/block:")
patient_panels.numbers(source, patient)

if scans:
    with places[1]:
        scan = st.selectbox("Scan", list(scans), format_func=lambda name: scans[name].label, key=f"scan_{patient}")
    if facts.has_pictures(source.whole):
        protocol = data.protocol_id(source) or data.details(source).default_protocol_id
        known = {one.protocol_id: one for one in facts.delineations(source.whole, patient, scan)}
        viewer(Shot(source.whole, patient, scans[scan], known.get(protocol or "")))
    else:
        notices.empty(*notices.NO_PICTURES)
else:
    notices.empty("There is no PET/CT scan of this patient", "See reasons above.")

left, right = st.columns([3, 2], gap="large")
with left:
    patient_panels.in_cohort(source, patient)
with right:
    patient_panels.time_line(source, patient)
if scans:
    st.subheader("Provenance", anchor=False)
    lineage.lineage(source.whole, patient, scan)
