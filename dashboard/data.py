"""Cached reads of published snapshots; everything is keyed by lake and snapshot id, and every cache is bounded."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from warehouse.catalog import SnapshotInfo, current_id, list_snapshots, resolve_id
from warehouse.errors import WarehouseError
from warehouse.queries import AnalysisColumn, Endpoint, PatientValues, Snapshot, open_snapshot
from warehouse.snapshot import SnapshotDetails, show

STUDY_VARIABLE = "PETLAKE_STUDY"
SNAPSHOT_VARIABLE = "PETLAKE_SNAPSHOT"
COHORT = "cohort"

_OPEN_SNAPSHOTS = 4
_SMALL_READS = 64
_TABLE_READS = 16


@dataclass(frozen=True)
class Source:
    """One published snapshot of one lake: the key of every cache."""

    lake_root: str
    snapshot_id: str


@dataclass(frozen=True)
class Hypothesis:
    """A test that was declared in study.yaml before the data were looked at."""

    endpoint: str
    variable: str


@dataclass(frozen=True)
class ColumnGroup:
    """Analysis columns that belong together: the cohort table, or one feature set under one aggregation."""

    name: str
    columns: tuple[AnalysisColumn, ...]


def lake_root() -> Path:
    """Return the lake of the study that ``PETLAKE_STUDY`` names; raises ``WarehouseError`` STUDY_NOT_NAMED."""
    folder = os.environ.get(STUDY_VARIABLE)
    if not folder:
        raise WarehouseError(
            "STUDY_NOT_NAMED",
            "The dashboard was started without a study",
            keyword=STUDY_VARIABLE,
            hint="Start it with `petlake dashboard --study DIR`.",
        )
    return Path(folder) / "lake"


def first_snapshot_id(lake: Path, requested: str | None) -> str:
    """Return the full id to begin with: the one asked for, else ``PETLAKE_SNAPSHOT``, else the current one.

    Raises
    ------
    WarehouseError
        SNAPSHOT_NONE, SNAPSHOT_UNKNOWN, SNAPSHOT_AMBIGUOUS.
    """
    return resolve_id(lake, requested or os.environ.get(SNAPSHOT_VARIABLE) or None)


def published(lake: Path) -> tuple[SnapshotInfo, ...]:
    """Return the published snapshots, the latest first; never cached."""
    return list_snapshots(lake)


def newest_id(lake: Path) -> str:
    """Return the id of the current snapshot; never cached. Raises as ``warehouse.catalog.current_id``."""
    return current_id(lake)


@st.cache_resource(max_entries=_OPEN_SNAPSHOTS, show_spinner=False)
def snapshot(source: Source) -> Snapshot:
    """Return the open snapshot; one connection serves all sessions, and an evicted one closes with its last user."""
    return open_snapshot(Path(source.lake_root), source.snapshot_id)


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def details(source: Source) -> SnapshotDetails:
    """Return what the snapshot says about itself."""
    return show(Path(source.lake_root), source.snapshot_id)


def study_name(source: Source) -> str:
    """Return the name of the study as it was when the snapshot was published, or of its folder."""
    return _setting(source, "study") or Path(source.lake_root).parent.name


def tracer(source: Source) -> str | None:
    """Return the tracer, where study.yaml names one."""
    return _setting(source, "tracer")


def hypotheses(source: Source) -> tuple[Hypothesis, ...]:
    """Return the primary hypotheses that were declared in study.yaml."""
    pairs = parsed(details(source).settings_json.get("primary_hypotheses", "[]"))
    return tuple(Hypothesis(str(endpoint), str(variable)) for endpoint, variable in pairs)


def parsed(setting: str) -> Any:
    """Return a setting, which is stored as JSON, as it was declared."""
    return json.loads(setting)


def _setting(source: Source, key: str) -> str | None:
    value = parsed(details(source).settings_json.get(key, "null"))
    return None if value is None else str(value)


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def endpoints(source: Source) -> tuple[str, ...]:
    """Return the names of the endpoints that some patient has."""
    return snapshot(source).endpoints()


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def endpoint(source: Source, name: str) -> Endpoint:
    """Return the survival times of an endpoint."""
    return snapshot(source).endpoint(name)


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def analysis_columns(source: Source) -> tuple[AnalysisColumn, ...]:
    """Return every column that may serve as a covariate."""
    return snapshot(source).analysis_columns()


def column_groups(source: Source) -> tuple[ColumnGroup, ...]:
    """Return the analysis columns by where they come from, the cohort table first."""
    groups: dict[str, list[AnalysisColumn]] = {}
    for column in analysis_columns(source):
        name = COHORT if column.table == "cohort" else column.name.partition(":")[0]
        groups.setdefault(name, []).append(column)
    return tuple(ColumnGroup(name, tuple(columns)) for name, columns in groups.items())


def feature_tables(source: Source) -> dict[str, tuple[str, ...]]:
    """Return the aggregations that were built for each feature set with features."""
    tables: dict[str, tuple[str, ...]] = {}
    for group in column_groups(source):
        if group.name != COHORT:
            feature_set, _, aggregation = group.name.rpartition("__")
            tables[feature_set] = (*tables.get(feature_set, ()), aggregation)
    return tables


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def values(source: Source, names: tuple[str, ...]) -> PatientValues:
    """Return analysis columns, one value a patient of the cohort."""
    return snapshot(source).values(names)


@st.cache_data(max_entries=_TABLE_READS, show_spinner=False)
def cohort_table(source: Source) -> pd.DataFrame:
    """Return the cohort, one row a patient."""
    return snapshot(source).cohort()


@st.cache_data(max_entries=_TABLE_READS, show_spinner=False)
def cohort_descriptions(source: Source) -> dict[str, str]:
    """Return the description, with unit, of every column of the cohort."""
    rows = (
        snapshot(source)
        .sql("SELECT column_name, description, unit FROM column_definitions WHERE table_name = 'cohort'")
        .rows
    )
    return {str(name): f"{text} [{unit}]" if unit else str(text) for name, text, unit in rows}


@st.cache_data(max_entries=_TABLE_READS, show_spinner=False)
def features(source: Source, feature_set: str, aggregation: str) -> pd.DataFrame:
    """Return the wide table of a feature set, one row a patient with lesions."""
    return snapshot(source).features(feature_set, aggregation)
