"""How many patients and lesions each feature set has and loses, counted on the lake as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from warehouse.registry.tables import table
from warehouse.snapshots.build import StoredFile, fill_table
from warehouse.snapshots.derived import choose_baseline_scans
from warehouse.snapshots.feature_tables import count_availability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.storage.lake import Lake

# Without the definitions of the feature sets: they are written when a snapshot is published.
_TABLES = ("patients", "scans", "delineations", "lesions", "radiomic_features", "endpoints")


@dataclass(frozen=True)
class Attrition:
    """A row of ``feature_attrition``: what one feature set has (COMPUTED) or loses in one region, and why."""

    feature_set: str
    region: str
    status: str
    n_patients: int
    n_lesions: int
    n_values: int


def attrition(
    lake: Lake,
    *,
    feature_sets: Sequence[tuple[str, str, str]],
    default_protocol_id: str | None,
    organs: Sequence[str] = (),
) -> tuple[Attrition, ...]:
    """Count, with the SQL of the snapshot, what is in the lake now.

    Parameters
    ----------
    feature_sets
        Id, name and modality of the study's feature sets.
    default_protocol_id
        The protocol whose lesions are counted.
    organs
        Organs that are counted by themselves, beside all lesions.

    Raises
    ------
    WarehouseError
        Those of ``Lake.load``; SNAPSHOT_BASELINE_AMBIGUOUS.
    """
    names = {feature_set_id: name for feature_set_id, name, _ in feature_sets}
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    try:
        for name in _TABLES:
            files = [StoredFile(p, lake.stored_digest(p)) for p in lake.partitions() if p.table == name]
            fill_table(connection, lake, table(name), files)
        connection.execute("CREATE TABLE feature_sets (feature_set_id VARCHAR, modality VARCHAR)")
        for feature_set_id, _, modality in feature_sets:
            connection.execute("INSERT INTO feature_sets VALUES ($1, $2)", [feature_set_id, modality])
        choose_baseline_scans(connection, default_protocol_id)
        count_availability(connection, organs)
        rows = connection.execute("SELECT * FROM feature_attrition").fetchall()
    finally:
        connection.close()
    return tuple(Attrition(names[feature_set_id], *counts) for feature_set_id, *counts in rows)
