"""Cached reads of published snapshots: the patients that a source selects, and nobody else.

Everything is keyed by lake, snapshot id and conditions, and every cache is bounded. What describes the snapshot (its
columns, endpoints, settings) is the same whoever is selected.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from warehouse.errors import WarehouseError
from warehouse.queries.analysis_columns import AnalysisColumn, Endpoint, PatientValues
from warehouse.queries.open_snapshot import Snapshot, open_snapshot
from warehouse.queries.selection import Selection
from warehouse.snapshots.catalog import SnapshotInfo, current_id, list_snapshots, resolve_id
from warehouse.snapshots.publish import SnapshotDetails, show

STUDY_VARIABLE = "PETLAKE_STUDY"
SNAPSHOT_VARIABLE = "PETLAKE_SNAPSHOT"
COHORT = "cohort"

_OPEN_SNAPSHOTS = 4
_SMALL_READS = 64
_TABLE_READS = 16


@dataclass(frozen=True)
class Source:
    """Patients of one published snapshot of one lake: the key of every cache.

    Attributes
    ----------
    conditions
        Conditions that the patients meet, as ``warehouse.queries.conditions`` writes them; one may choose the protocol
        under which the lesions are taken.
    """

    lake_root: str
    snapshot_id: str
    conditions: tuple[str, ...] = ()

    @property
    def whole(self) -> Source:
        """All patients of the same snapshot, under its default protocol."""
        return Source(self.lake_root, self.snapshot_id)


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
    """Return the id of the current snapshot; never cached. Raises as ``warehouse.snapshots.catalog.current_id``."""
    return current_id(lake)


def snapshot(source: Source) -> Snapshot:
    """Return the open snapshot; one connection serves all sessions, and an evicted one closes with its last user.

    It holds all patients: whoever reads them from here keeps to ``selected_patients``.
    """
    return _opened(source.whole)


@st.cache_resource(max_entries=_OPEN_SNAPSHOTS, show_spinner=False)
def _opened(source: Source) -> Snapshot:
    return open_snapshot(Path(source.lake_root), source.snapshot_id)


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def selection(source: Source) -> Selection:
    """Return who is selected, and how; raises as ``warehouse.queries.selection.select``."""
    return snapshot(source).selection(source.conditions)


def selected_patients(source: Source) -> tuple[str, ...]:
    """Return the ids of the patients who meet the conditions, sorted; raises as ``selection``."""
    return selection(source).patient_ids


def protocol_id(source: Source) -> str | None:
    """Return the protocol under which the lesions are taken; None for the default one."""
    return selection(source).protocol_id if source.conditions else None


def rows_of(
    source: Source, query: str, parameters: Sequence[object] | Mapping[str, object] = ()
) -> Sequence[tuple[object, ...]]:
    """Return the rows of a query on the whole snapshot; raises as ``Snapshot.sql``."""
    return snapshot(source).sql(query, parameters).rows


def details(source: Source) -> SnapshotDetails:
    """Return what the snapshot says about itself."""
    return _details(source.whole)


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def _details(source: Source) -> SnapshotDetails:
    return show(Path(source.lake_root), source.snapshot_id)


def study_name(source: Source) -> str:
    """Return the name of the study as it was when the snapshot was published, or of its folder."""
    return _setting(source, "study") or Path(source.lake_root).parent.name


def tracer(source: Source) -> str | None:
    """Return the tracer, where study.yaml names one."""
    return _setting(source, "tracer")


def hypotheses(source: Source) -> tuple[tuple[str, str], ...]:
    """Return endpoint and variable of the primary hypotheses that were declared in study.yaml."""
    pairs = parsed(details(source).settings_json.get("primary_hypotheses", "[]"))
    return tuple((str(endpoint), str(variable)) for endpoint, variable in pairs)


def parsed(setting: str) -> Any:
    """Return a setting, which is stored as JSON, as it was declared."""
    return json.loads(setting)


def _setting(source: Source, key: str) -> str | None:
    value = parsed(details(source).settings_json.get(key, "null"))
    return None if value is None else str(value)


def endpoints(source: Source) -> tuple[str, ...]:
    """Return the names of the endpoints that some patient of the snapshot has."""
    return _endpoints(source.whole)


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def _endpoints(source: Source) -> tuple[str, ...]:
    return snapshot(source).endpoints()


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def endpoint(source: Source, name: str) -> Endpoint:
    """Return the survival times of the selected patients who have an endpoint.

    Raises
    ------
    WarehouseError
        ENDPOINT_UNKNOWN; ENDPOINT_NOT_SELECTED where nobody selected has it.
    """
    found = snapshot(source).endpoint(name)
    if not source.conditions:
        return found
    kept = _kept(source, found.patient_ids)
    if not kept.any():
        raise WarehouseError(
            "ENDPOINT_NOT_SELECTED",
            f"None of the {len(selected_patients(source))} selected patients has the endpoint",
            found=name,
            hint="Remove a condition from the filter.",
        )
    patients = tuple(patient for patient, keep in zip(found.patient_ids, kept, strict=True) if keep)
    return Endpoint(name, patients, found.duration_days[kept], found.event[kept])


def _kept(source: Source, patients: Sequence[str]) -> NDArray[np.bool_]:
    """Which of ``patients`` are selected."""
    selected = set(selected_patients(source))
    return np.array([patient in selected for patient in patients], dtype=bool)


def analysis_columns(source: Source) -> tuple[AnalysisColumn, ...]:
    """Return every column that may serve as a covariate."""
    return snapshot(source).analysis_columns()


def column_groups(source: Source) -> tuple[ColumnGroup, ...]:
    """Return the analysis columns by where they come from, the cohort table first."""
    groups: dict[str, list[AnalysisColumn]] = {}
    for column in analysis_columns(source):
        name = COHORT if column.family is None else column.family.name
        groups.setdefault(name, []).append(column)
    return tuple(ColumnGroup(name, tuple(columns)) for name, columns in groups.items())


@st.cache_data(max_entries=_SMALL_READS, show_spinner=False)
def values(source: Source, names: tuple[str, ...]) -> PatientValues:
    """Return analysis columns, one value per selected patient."""
    found = snapshot(source).values(names, protocol_id(source))
    if not source.conditions:
        return found
    kept = _kept(source, found.patient_ids)
    patients = tuple(patient for patient, keep in zip(found.patient_ids, kept, strict=True) if keep)
    return PatientValues(patients, {name: column[kept] for name, column in found.columns.items()})


def column(source: Source, name: str) -> AnalysisColumn:
    """Return the analysis column called ``name``; raises ``WarehouseError`` COLUMN_UNKNOWN."""
    values(source, (name,))
    return next(column for column in analysis_columns(source) if column.name == name)


def colours(source: Source, name: str, patients: tuple[str, ...]) -> list[str | float | None]:
    """Return the values of an analysis column for ``patients``, None where there is none."""
    chosen = column(source, name)
    table = values(source, (name,))
    found = dict(zip(table.patient_ids, table.columns[name].tolist(), strict=True))
    picked = [found.get(patient) for patient in patients]
    if chosen.kind == "category":
        return [None if value is None else str(value) for value in picked]
    return [None if value is None or np.isnan(value) else float(value) for value in picked]


def numbers(source: Source, name: str) -> NDArray[np.float64]:
    """Return the values of a numeric analysis column that are there."""
    found = np.asarray(values(source, (name,)).columns[name], dtype=np.float64)
    return found[~np.isnan(found)]


@st.cache_data(max_entries=_TABLE_READS, show_spinner=False)
def cohort_table(source: Source) -> pd.DataFrame:
    """Return the cohort, one row per selected patient."""
    return _selected_rows(source, snapshot(source).cohort(protocol_id(source)))


def cohort_descriptions(source: Source) -> dict[str, str]:
    """Return the description, with unit, of every column of the cohort."""
    return _descriptions(source.whole)


@st.cache_data(max_entries=_TABLE_READS, show_spinner=False)
def _descriptions(source: Source) -> dict[str, str]:
    rows = rows_of(source, "SELECT column_name, description, unit FROM column_definitions WHERE table_name = 'cohort'")
    return {str(name): f"{text} [{unit}]" if unit else str(text) for name, text, unit in rows}


def _selected_rows(source: Source, table: pd.DataFrame) -> pd.DataFrame:
    if not source.conditions:
        return table
    return table[_kept(source, table["patient_id"].tolist())].reset_index(drop=True)
