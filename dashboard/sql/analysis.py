"""What the page SQL reads: the tables with their columns, examples, and the cached results of bounded queries."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard.data import Source, snapshot
from warehouse.queries.bounded_query import QueryLimits, run_bounded
from warehouse.queries.select_only import QueryResult

LIMITS = QueryLimits()
"""Rows, time and memory of a query of the page."""

_ENTRIES = 8


@dataclass(frozen=True)
class TableOfSnapshot:
    """A table, with its number of rows and what it holds."""

    name: str
    n_rows: int
    meaning: str


@dataclass(frozen=True)
class Example:
    """A query that runs on every snapshot."""

    title: str
    query: str


EXAMPLES = (
    Example(
        "Largest tumour volumes",
        "SELECT patient_id, tumour_volume_ml, n_lesions, suv_max\nFROM cohort\n"
        "ORDER BY tumour_volume_ml DESC NULLS LAST\nLIMIT 20",
    ),
    Example(
        "Every lesion, the largest first",
        "SELECT patient_id, lesion_id, organ, modality, volume_ml\nFROM lesions\nORDER BY volume_ml DESC",
    ),
    Example(
        "Events by endpoint",
        "SELECT endpoint, count(*) AS n, count(*) FILTER (WHERE event = 1) AS events,\n"
        "       median(duration_days) / 30.4375 AS median_observed_months\nFROM endpoints\nGROUP BY endpoint",
    ),
    Example(
        "Why values are missing",
        "SELECT table_name, code, count(DISTINCT patient_id) AS patients, any_value(message) AS reason\n"
        "FROM refusals\nGROUP BY ALL\nORDER BY patients DESC",
    ),
    Example(
        "Scanners and voxel sizes",
        "SELECT manufacturer, manufacturer_model_name, pet_spacing_x_mm, pet_spacing_z_mm, count(*) AS scans\n"
        "FROM scans\nGROUP BY ALL\nORDER BY scans DESC",
    ),
    Example(
        "What every column means", "SELECT table_name, column_name, kind, unit, description\nFROM column_definitions"
    ),
)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def tables(source: Source) -> tuple[TableOfSnapshot, ...]:
    """Return the tables that hold data, in the order of the snapshot."""
    opened = snapshot(source)
    meanings = {str(name): text for name, text in opened.sql("SELECT table_name, comment FROM duckdb_tables()").rows}
    return tuple(TableOfSnapshot(t.name, t.n_rows, str(meanings.get(t.name) or "")) for t in opened.tables())


@st.cache_data(max_entries=4 * _ENTRIES, show_spinner=False)
def columns(source: Source, table: str) -> pd.DataFrame:
    """Return the columns of a table: Column, Type (with the unit), Meaning."""
    return snapshot(source).frame(
        'SELECT column_name AS "Column", concat_ws(\', \', kind, unit) AS "Type", description AS "Meaning"'
        " FROM column_definitions WHERE table_name = $1 ORDER BY rowid",
        [table],
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner="Running the query ...")
def answer(source: Source, query: str) -> QueryResult:
    """Run a query within ``LIMITS``.

    Raises
    ------
    WarehouseError
        What ``warehouse.queries.bounded_query.run_bounded`` refuses.
    """
    return run_bounded(Path(source.lake_root), source.snapshot_id, query, LIMITS)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def parquet(source: Source, query: str) -> bytes:
    """Return the answer to a query as a Parquet file."""
    return answer(source, query).to_parquet()


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def frame(source: Source, query: str) -> pd.DataFrame:
    """Return the answer to a query as a data frame: what the Parquet file holds."""
    return pd.read_parquet(io.BytesIO(parquet(source, query)))
