from __future__ import annotations

import streamlit as st

from dashboard import notices, panels, wording
from dashboard.study import contents

source = panels.begin("Conformance")
lines = contents.conformance(source)
notices.require(len(lines), notices.NO_EXAM)

st.caption(
    "Conformance tests compare the numbers of the code that computed this study with published ones. On the "
    "command line: `petlake conformance`."
)
for exam, of_exam in lines.groupby("Exam", sort=False):
    st.subheader(wording.literal_markdown(str(exam)))
    counts = of_exam["Verdict"].value_counts()
    if "not_run" in counts:
        st.info(wording.literal_markdown(f"Not run. {of_exam['Note'].iloc[0]}"), icon=":material/hourglass_disabled:")
        continue
    score = f"{counts.get('pass', 0)} of {len(of_exam)} pass"
    others = ", ".join(f"{n} {verdict.replace('_', ' ')}" for verdict, n in counts.items() if verdict != "pass")
    st.markdown(f"**{score}**" + (f", {others}" if others else ""))
    st.dataframe(
        of_exam.drop(columns="Exam"),
        hide_index=True,
        column_config=panels.widths(Case=170, Quantity=170, Expected=150, Found=150, Tolerance=90, Verdict=120),
    )
