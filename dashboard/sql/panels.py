"""Parts of the page SQL: the browser of tables, the editor, the answer as a table, a chart and files."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import streamlit as st

from dashboard import charts, panels, wording
from dashboard.access import audit
from dashboard.data import Source
from dashboard.sql import analysis
from figures.query_chart import ChartKind, query_figure
from warehouse.queries.select_only import QueryResult

_QUERY = "sql_query"
_RUN = "sql_run"
_ENTERED = "sql_entered"
_PARAMETER = "query"
# Browsers and servers take addresses of some thousand characters; a longer query is not part of the link.
_LONGEST_IN_URL = 1500
_LINES_PIXELS = 180
_TABLE_PIXELS = 430
_MOST_CATEGORIES = 60
_KINDS: dict[ChartKind, str] = {"points": "Points", "line": "Line", "bars": "Bars", "histogram": "Histogram"}


def schema_browser(source: Source) -> None:
    """Offer the tables, and show the columns of one with unit and meaning."""
    tables = {table.name: table for table in analysis.tables(source)}
    st.subheader("Tables", anchor=False)
    name = st.selectbox(
        "Table",
        list(tables),
        index=list(tables).index("cohort") if "cohort" in tables else 0,
        format_func=lambda table: f"{table} ({tables[table].n_rows:,})" if table in tables else table,
        key="sql_table",
        bind="query-params",
        help="With the number of rows. Type to search.",
    )
    if tables[name].meaning:
        st.caption(wording.literal_markdown(tables[name].meaning))
    columns = analysis.columns(source, name)
    st.dataframe(columns, hide_index=True, height=_TABLE_PIXELS, column_config=panels.widths(Column=150, Type=90))
    st.button(
        "Query this table",
        on_click=_take,
        args=(f'SELECT *\nFROM "{name}"\nLIMIT 100',),
        width="stretch",
        key="sql_all",
    )


def editor() -> str:
    """Show the editor and the examples, and return the query that was run, empty before the first one."""
    st.session_state.setdefault(_RUN, st.query_params.get(_PARAMETER, "").strip())
    # The text of a widget is forgotten on other pages; what was run is not.
    st.session_state.setdefault(_QUERY, st.session_state[_RUN])
    left, right = st.columns([5, 2], vertical_alignment="bottom")
    left.subheader("Query", anchor=False)
    with right.popover("Examples", width="stretch"):
        for number, example in enumerate(analysis.EXAMPLES):
            st.button(
                example.title, key=f"sql_example_{number}", on_click=_take, args=(example.query,), width="stretch"
            )
    with st.form("sql_editor", border=False):
        st.text_area("Query", key=_QUERY, height=_LINES_PIXELS, label_visibility="collapsed", placeholder="SELECT ...")
        st.form_submit_button(
            "Run", type="primary", icon=":material/play_arrow:", on_click=_run, help="Or Ctrl+Enter in the query."
        )
    query = str(st.session_state.get(_RUN, ""))
    if query and len(query) <= _LONGEST_IN_URL:
        st.query_params[_PARAMETER] = query
    elif _PARAMETER in st.query_params:
        del st.query_params[_PARAMETER]
    if len(query) > _LONGEST_IN_URL:
        st.caption("The query is too long for the address of this page: a copied link does not hold it.")
    return query


def is_new(source: Source, query: str) -> bool:
    """Whether this query was not entered into the audit log as the last one of this session."""
    asked = (source.snapshot_id, query, st.session_state.get(f"{_RUN}_count", 0))
    if st.session_state.get(_ENTERED) == asked:
        return False
    st.session_state[_ENTERED] = asked
    return True


def _take(query: str) -> None:
    """Put a query into the editor and run it (a callback)."""
    st.session_state[_QUERY] = query
    _run()


def _run() -> None:
    st.session_state[_RUN] = str(st.session_state.get(_QUERY, "")).strip()
    st.session_state[f"{_RUN}_count"] = st.session_state.get(f"{_RUN}_count", 0) + 1


def result_table(table: pd.DataFrame) -> None:
    """Show the rows."""
    st.dataframe(table, hide_index=True, height=_TABLE_PIXELS if len(table) > 11 else "content", placeholder="")


def downloads(source: Source, query: str, result: QueryResult) -> None:
    """Offer the rows as files."""
    name = f"query-{wording.short_id(source.snapshot_id)}"
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            result.to_csv(),
            file_name=f"{name}.csv",
            mime="text/csv",
            on_click=audit.exporting(source, f"{name}.csv: {query}"),
            icon=":material/download:",
        )
        st.download_button(
            "Parquet",
            analysis.parquet(source, query),
            file_name=f"{name}.parquet",
            mime="application/vnd.apache.parquet",
            on_click=audit.exporting(source, f"{name}.parquet: {query}"),
            icon=":material/download:",
        )


def chart(table: pd.DataFrame) -> None:
    """Draw two columns of the answer, which are chosen here."""
    numeric = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    if table.empty or not numeric:
        st.caption("A chart needs rows, and a column of numbers.")
        return
    kinds, across, up, by = st.columns(4)
    kind = kinds.selectbox("Chart", get_args(ChartKind), format_func=lambda name: _KINDS[name], key="sql_chart")
    # A number against a number, where there are two.
    first = next((name for name in (*numeric[1:], *table.columns) if name != numeric[0]), numeric[0])
    options = numeric if kind == "histogram" else list(table.columns)
    x = across.selectbox(
        "X axis", options, index=options.index(first) if first in options else 0, key=f"sql_x_{kind == 'histogram'}"
    )
    y = numeric[0] if kind == "histogram" else up.selectbox("Y axis", numeric, key="sql_y")
    few = [name for name in table.columns if name not in (x, y) and 1 < table[name].nunique() <= panels.MOST_COLOURS]
    colour = by.selectbox("Colour", [None, *few], format_func=lambda name: name or "none", key="sql_colour")
    if kind == "bars" and table[x].nunique() > _MOST_CATEGORIES:
        st.caption(f"{x} has {table[x].nunique():,} values, too many for bars: choose points.")
        return
    charts.draw(
        query_figure(table, kind, x, y, colour),
        key="sql_figure",
        alt=f"{_KINDS[kind]} of {x}{'' if kind == 'histogram' else f' and {y}'}, {len(table)} rows; "
        "the tab Table holds them.",
    )
