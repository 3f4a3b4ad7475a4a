"""Parts of the pages: lines of facts, tables and figures in words, each with its n and units."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analyses.tables.table import Table
from dashboard import data, filters, wording
from dashboard.data import Source
from warehouse.queries.analysis_columns import AnalysisColumn

_ROWS = 14
_ROWS_PIXELS = 500
MOST_COLOURS = 7
"""Groups that the palette can tell apart."""


def begin(title: str) -> Source:
    """Draw the head of a page, and return what it is about."""
    source = filters.pinned_source(data.lake_root())
    st.title(title)
    snapshot_line(source)
    return source


def snapshot_line(source: Source) -> None:
    """Name the snapshot that all numbers of the page come from."""
    about = data.details(source)
    st.caption(
        f"Snapshot `{wording.short_id(source.snapshot_id)}` · {wording.plural(about.n_patients, 'patient')} · "
        f"petlake {about.code.version}",
        help=f"Full id: `{source.snapshot_id}`. It names rows, settings and code versions: cite it with the numbers. "
        f"Built by petlake {about.code.text}.",
    )


def meaning(column: AnalysisColumn) -> str:
    """Return what a variable is, and its name in SQL and on the command line."""
    unit = f" [{column.unit}]" if column.unit else ""
    return f"{wording.literal_markdown(column.description)}{unit} · `{column.name}`"


def result_table(table: Table, **looks: Any) -> None:
    """Show a table of a result; ``looks`` as for ``st.dataframe``."""
    rows = [["" if cell is None else cell for cell in row] for row in table.shown()]
    st.dataframe(pd.DataFrame(rows, columns=table.headings), hide_index=True, **looks)


def height_of(n_rows: int) -> int | Literal["content"]:
    """Return the height of a table: of all its rows, or so many pixels that it scrolls."""
    return "content" if n_rows <= _ROWS else _ROWS_PIXELS


def text_of(customdata: object) -> str:
    """Return the text that a point carries; plotly gives it alone or in a list."""
    return str(customdata[0] if isinstance(customdata, (list, tuple)) else customdata)


def widths(**pixels: int) -> dict[str, ColumnConfig]:
    """Return a column configuration of fixed widths, in pixels."""
    return {name: st.column_config.Column(width=width) for name, width in pixels.items()}
