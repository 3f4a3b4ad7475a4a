from __future__ import annotations

import streamlit as st

from dashboard import notices, panels, wording
from dashboard.access import audit
from dashboard.sql import analysis
from dashboard.sql import panels as panels_sql
from warehouse.people.audit import Action

source = panels.begin("SQL")
limits = analysis.LIMITS
st.caption(
    f"Read-only; the patient filter does not apply here. One statement, "
    f"{limits.timeout_s:g} s, {limits.memory_bytes / 1024**3:g} GB, the first {limits.rows:,} rows."
)

browser, workbench = st.columns([3, 5], gap="medium")
with browser:
    panels_sql.schema_browser(source)
with workbench:
    query = panels_sql.editor()
    if not query:
        notices.empty(
            "Write a query, or take an example",
            "DuckDB's SQL: `SELECT`, `FROM`, `WITH`, `VALUES`, `DESCRIBE`, `SHOW`, `SUMMARIZE` and `EXPLAIN`.",
        )
        st.stop()
    with notices.refusals_as_sentences():
        if panels_sql.is_new(source, query):
            audit.enter(source, Action.QUERY, query)
        result = analysis.answer(source, query)
        table = analysis.frame(source, query)
        more = f" The first {len(table):,}: there are more." if result.truncated else ""
        st.markdown(f"**{wording.plural(len(table), 'row')}**, {wording.plural(len(table.columns), 'column')}.{more}")
        answer, chart = st.tabs(["Table", "Chart"])
        with answer:
            panels_sql.result_table(table)
            panels_sql.downloads(source, query, result)
        with chart:
            panels_sql.chart(table)
