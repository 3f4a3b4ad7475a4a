"""Publishing the lake as an immutable DuckDB file that is named by what it is made of."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from warehouse.errors import WarehouseError
from warehouse.snapshots import catalog
from warehouse.snapshots.build import FORMAT, Contents, StoredFile, build
from warehouse.snapshots.catalog import current_id, list_snapshots, resolve_id
from warehouse.snapshots.connection import connect_read_only, corrupt
from warehouse.snapshots.derived import quoted
from warehouse.snapshots.feature_tables import OrganAggregation, check_aggregations
from warehouse.source_code import SourceCode
from warehouse.storage.atomic import replacing
from warehouse.storage.locks import patient_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from warehouse.storage.lake import Lake, Partition

__all__ = ["Published", "SnapshotDetails", "SnapshotSettings", "current_id", "list_snapshots", "publish", "show"]

# The lake holds still for a moment between two patients, even while it is being computed.
_ATTEMPTS = 40
_PAUSE_S = 0.25


@dataclass(frozen=True)
class SnapshotSettings:
    """What a snapshot depends on besides the data.

    Attributes
    ----------
    settings_json
        A JSON object with every setting that affects a number. Paths and the order of keys do not belong to it.
    code_versions
        Version by name of the code that computes.
    aggregations
        Names of ``warehouse.snapshots.feature_tables.AGGREGATIONS`` for which wide tables of all lesions are built.
    default_protocol_id
        The protocol of the cohort's PET metrics and of the wide features; None when there is only one.
    organ_aggregations
        Aggregations over the lesions of one organ, each a wide table for each feature set.
    with_reliability
        Whether to build ``volume_confounding`` and ``feature_reliability``.
    """

    settings_json: str
    code_versions: Mapping[str, str]
    aggregations: tuple[str, ...]
    default_protocol_id: str | None
    organ_aggregations: tuple[OrganAggregation, ...] = ()
    with_reliability: bool = False


@dataclass(frozen=True)
class Published:
    """The snapshot of the lake as it is now; ``created`` is False when it was published before."""

    snapshot_id: str
    path: Path
    created: bool
    n_patients: int
    tables: Mapping[str, int]


@dataclass(frozen=True)
class SnapshotDetails:
    """What a published snapshot says about itself.

    Attributes
    ----------
    code
        The code that built it. It is no part of the id: the same rows, settings and versions of the code that computes
        are the same snapshot, whichever commit built the file.
    """

    snapshot_id: str
    code: SourceCode
    default_protocol_id: str | None
    aggregations: tuple[str, ...]
    n_patients: int
    n_files: int
    settings_json: Mapping[str, str]
    code_versions: Mapping[str, str]
    tables: Mapping[str, int]


def publish(lake: Lake, settings: SnapshotSettings) -> Published:
    """Publish what the lake holds now and make it the current snapshot.

    The id is the SHA-256 over the digests of all files, the settings and the versions of the code. An id that exists is
    verified and not built again. Readers of other snapshots are never disturbed, and two processes may publish at once.

    Raises
    ------
    WarehouseError
        LAKE_EMPTY; LAKE_CHANGING when files are replaced all the while; SETTINGS_INVALID, AGGREGATION_UNKNOWN;
        SNAPSHOT_CORRUPT when the published file of this id is damaged; those of ``warehouse.snapshots.build.build``.
    """
    settings_json = _canonical_json(settings.settings_json)
    check_aggregations(settings.aggregations, settings.organ_aggregations)
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_S)
        files = _inventory(lake)
        if files is None:
            continue
        contents = Contents(
            _identity(files, settings_json, settings),
            files,
            settings_json,
            dict(settings.code_versions),
            settings.aggregations,
            settings.default_protocol_id,
            settings.organ_aggregations,
            settings.with_reliability,
        )
        path = catalog.path_of(lake.root, contents.snapshot_id)
        created = not path.is_file()
        if created:
            try:
                with replacing(path) as temporary:
                    tables: Mapping[str, int] = build(temporary, lake, contents)
            except WarehouseError as error:
                if error.code in ("LAKE_FILE_CHANGED", "TABLE_NOT_COMPUTED"):
                    continue
                raise
        else:
            tables = _verified(path, contents)
        catalog.set_current(lake.root, contents.snapshot_id)
        return Published(contents.snapshot_id, path, created, tables["patients"], tables)
    raise WarehouseError(
        "LAKE_CHANGING",
        "Files of the lake were replaced while it was being published",
        hint="Publish again when nothing is being materialized.",
    )


def show(lake_root: Path, snapshot_id: str | None = None) -> SnapshotDetails:
    """Return what a snapshot (default: the current one) says about itself.

    Raises
    ------
    WarehouseError
        SNAPSHOT_NONE, SNAPSHOT_UNKNOWN, SNAPSHOT_AMBIGUOUS, SNAPSHOT_CORRUPT.
    """
    path = catalog.path_of(lake_root, resolve_id(lake_root, snapshot_id))
    connection = connect_read_only(path)
    try:
        return _details(connection)
    except duckdb.Error as error:
        raise corrupt(path, error) from error
    finally:
        connection.close()


def _inventory(lake: Lake) -> tuple[StoredFile, ...] | None:
    """Every file with its stored digest, or None when files came or went meanwhile.

    The digests of a patient are taken under the patient's lock, so they belong together. With their comparison in
    ``build`` a snapshot is the state of the lake at one moment: a file that had the same digest here and later, when
    its rows were read, had it at the end of this function.
    """
    partitions = lake.partitions()
    if not partitions:
        raise WarehouseError("LAKE_EMPTY", "There is nothing to publish", hint="Run `petlake materialize` first.")
    by_patient: dict[str | None, list[Partition]] = {}
    for partition in partitions:
        by_patient.setdefault(partition.patient_id, []).append(partition)
    digests: dict[Partition, str] = {}
    try:
        for patient_id, together in by_patient.items():
            with nullcontext() if patient_id is None else patient_lock(lake.root, patient_id, shared=True):
                digests |= {partition: lake.stored_digest(partition) for partition in together}
    except WarehouseError as error:
        if error.code == "TABLE_NOT_COMPUTED":
            return None
        raise
    if lake.partitions() != partitions:
        return None
    return tuple(StoredFile(partition, digests[partition]) for partition in partitions)


def _identity(files: tuple[StoredFile, ...], settings_json: str, settings: SnapshotSettings) -> str:
    identity = {
        "format": FORMAT,
        "files": sorted([file.partition.table, file.partition.patient_id or "", file.sha256] for file in files),
        "settings": settings_json,
        "code_versions": dict(settings.code_versions),
        "aggregations": sorted(settings.aggregations),
        "with_reliability": settings.with_reliability,
        "organ_aggregations": sorted([item.organ, item.rule] for item in settings.organ_aggregations),
        "default_protocol_id": settings.default_protocol_id,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _canonical_json(settings_json: str) -> str:
    try:
        settings = json.loads(settings_json)
        if not isinstance(settings, dict):
            raise TypeError("not an object")
        return json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise WarehouseError(
            "SETTINGS_INVALID", "The settings are not a JSON object of finite values", found=str(error)
        ) from error


def _verified(path: Path, contents: Contents) -> Mapping[str, int]:
    """Return the numbers of rows of an existing snapshot after reading all of it: DuckDB checks every block."""
    connection = connect_read_only(path)
    try:
        details = _details(connection)
        digests = connection.execute(
            "SELECT table_name, coalesce(patient_id, ''), sha256 FROM table_digests"
        ).fetchall()
        expected = {(f.partition.table, f.partition.patient_id or "", f.sha256) for f in contents.files}
        n_rows = {
            name: connection.execute(f"SELECT count(*), bit_xor(hash(t)) FROM {quoted(name)} AS t").fetchall()[0][0]
            for name in details.tables
        }
    except duckdb.Error as error:
        raise corrupt(path, error) from error
    finally:
        connection.close()
    if (details.snapshot_id, set(digests), n_rows) != (contents.snapshot_id, expected, details.tables):
        raise corrupt(path, ValueError("an id, digests or numbers of rows that are not those of this snapshot"))
    return n_rows


def _details(connection: duckdb.DuckDBPyConnection) -> SnapshotDetails:
    cursor = connection.execute("SELECT * FROM snapshot_info")
    rows = [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor.fetchall()]
    if len(rows) != 1:
        raise duckdb.DataError("snapshot_info has not one row")
    (info,) = rows
    # Snapshots of earlier versions do not say of which commit they are.
    code = SourceCode(info["petlake_version"], info.get("petlake_commit"), info.get("petlake_modified"))
    return SnapshotDetails(
        info["snapshot_id"],
        code,
        info["default_protocol_id"],
        tuple(json.loads(info["aggregations_json"])),
        info["n_patients"],
        info["n_files"],
        dict(connection.execute("SELECT key, value_json FROM snapshot_settings ORDER BY key").fetchall()),
        dict(connection.execute("SELECT name, version FROM code_versions ORDER BY name").fetchall()),
        dict(connection.execute("SELECT table_name, n_rows FROM snapshot_tables").fetchall()),
    )
