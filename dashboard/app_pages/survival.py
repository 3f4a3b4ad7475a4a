from __future__ import annotations

import streamlit as st

from dashboard import analysis, data, filters, ledger, notices, panels, wording
from figures.screen import kaplan_meier_figure
from petct.survival.tested import hypotheses_of_kaplan_meier

source = filters.pinned_source(data.lake_root())

st.title("Survival")
panels.snapshot_line(source)
if not data.endpoints(source):
    notices.no_endpoint()
    st.stop()

with st.container(border=True):
    left, right = st.columns([1, 5])
    with left:
        endpoint = filters.choose_endpoint(source, key="endpoint")
    with right:
        variable = filters.choose_variable(source, key="variable", label="Split by", endpoint=endpoint)
    with st.container(horizontal=True, gap="large"):
        split, cut = filters.choose_split(source, variable)
        unit = filters.choose_time_unit()
    st.caption(panels.meaning(variable))

with notices.refusals_as_sentences():
    result = analysis.survival(source, endpoint, None if split == "all" else variable.name, split, cut)
    tests = hypotheses_of_kaplan_meier(result)
    title = f"{endpoint}, {wording.plural(result.n, 'patient')}, {wording.plural(result.n_events, 'event')}"
    heading = "all patients" if result.variable is None else f"{result.variable}, {result.rule}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(wording.literal_markdown(f"{title}: {heading}"), width="content", anchor=False)
        plain = any(test.plain for test in tests)
        notices.standing(source, endpoint, [] if split == "all" else [variable.name], plain=plain)
    st.plotly_chart(
        kaplan_meier_figure(result, axis_unit=unit, title=""),
        theme=None,
        config=panels.FIGURE_CONFIG,
        key="kaplan_meier",
        alt=panels.survival_in_words(result, unit),
    )
    left, right = st.columns([5, 2], gap="large")
    with left:
        panels.survival_table(result, unit)
    with right:
        panels.log_rank(result)
    notices.notes(result.notes)
    if split != "all":
        ledger.enter(source, endpoint, [variable.name], tests, n=result.n, n_events=result.n_events)
