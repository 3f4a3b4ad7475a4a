from __future__ import annotations

import streamlit as st

from dashboard import data, notices, panels
from dashboard.snapshots import panels as panels_snapshots
from dashboard.study import panels as panels_study

source = panels.begin("Snapshots")
panels_snapshots.listed(source)

with st.expander("What is in the snapshot that is shown"):
    panels_study.snapshot_contents(data.details(source))

st.subheader("What changed between two")
pair = panels_snapshots.choose_two(source)
if pair is None:
    st.caption("This is the only snapshot so far. After a change of the data or of study.yaml, publish another one.")
else:
    with notices.refusals_as_sentences():
        panels_snapshots.changes(panels_snapshots.difference(source.lake_root, *pair))

st.subheader("Tests run on the snapshot that is shown")
with notices.refusals_as_sentences():
    panels_snapshots.tests(source)
