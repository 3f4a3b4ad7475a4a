"""Building the DuckDB file of a snapshot from the files of the lake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from records.columns import Kind
from records.table import Table
from warehouse.errors import WarehouseError
from warehouse.registry.tables import TABLES
from warehouse.snapshots.derived import ColumnDefinition, Role, build_derived, literal, quoted
from warehouse.snapshots.feature_tables import OrganAggregation, build_feature_tables
from warehouse.snapshots.outliers import build_outliers
from warehouse.source_code import source_code
from warehouse.storage.rows import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from warehouse.storage.lake import Lake, Partition

FORMAT = 2
"""Version of the layout and of the SQL of snapshots. It is part of every id: raise it when a number would change."""

_SQL_TYPES: dict[Kind, str] = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.DATETIME: "TIMESTAMP",
}
_ROWS_PER_INSERT = 250_000
_DESCRIPTIVE_TABLES = (
    "CREATE TABLE snapshot_info (snapshot_id VARCHAR NOT NULL, format INTEGER NOT NULL,"
    " petlake_version VARCHAR NOT NULL, petlake_commit VARCHAR, petlake_modified BOOLEAN,"
    " default_protocol_id VARCHAR, aggregations_json VARCHAR NOT NULL,"
    " n_patients BIGINT NOT NULL, n_files BIGINT NOT NULL)",
    "CREATE TABLE snapshot_settings (key VARCHAR NOT NULL, value_json VARCHAR NOT NULL)",
    "CREATE TABLE code_versions (name VARCHAR NOT NULL, version VARCHAR NOT NULL)",
    "CREATE TABLE table_digests (table_name VARCHAR NOT NULL, patient_id VARCHAR, sha256 VARCHAR NOT NULL)",
    "CREATE TABLE snapshot_tables (table_name VARCHAR NOT NULL, n_rows BIGINT NOT NULL)",
    "CREATE TABLE column_definitions (table_name VARCHAR NOT NULL, column_name VARCHAR NOT NULL, kind VARCHAR NOT NULL,"
    " unit VARCHAR, description VARCHAR NOT NULL, role VARCHAR NOT NULL)",
)


@dataclass(frozen=True)
class StoredFile:
    """One file of the lake and the digest that was stored with it."""

    partition: Partition
    sha256: str


@dataclass(frozen=True)
class Contents:
    """What a snapshot is made of; its id is the digest of this."""

    snapshot_id: str
    files: tuple[StoredFile, ...]
    settings_json: str
    code_versions: Mapping[str, str]
    aggregations: tuple[str, ...]
    default_protocol_id: str | None
    organ_aggregations: tuple[OrganAggregation, ...] = ()
    with_reliability: bool = False


def build(path: Path, lake: Lake, contents: Contents) -> dict[str, int]:
    """Write the snapshot's file and return the number of rows of every data table.

    Raises
    ------
    WarehouseError
        LAKE_FILE_CHANGED when a file is no longer the one whose digest went into the id; those of ``Lake.load`` and of
        ``warehouse.snapshots.derived``; SNAPSHOT_PROTOCOL_UNDECLARED, SNAPSHOT_PROTOCOL_UNKNOWN.
    """
    # One thread: sums of floating-point numbers then have one order, and the same snapshot the same last digit.
    connection = duckdb.connect(path, config={"threads": "1"})
    try:
        connection.execute("BEGIN")
        for table in TABLES.values():
            fill_table(connection, lake, table, [f for f in contents.files if f.partition.table == table.name])
        protocol_id = _default_protocol(connection, contents.default_protocol_id)
        derived = (
            *build_derived(connection, protocol_id),
            *build_feature_tables(
                connection,
                contents.aggregations,
                contents.organ_aggregations,
                with_reliability=contents.with_reliability,
            ),
            *build_outliers(connection),
        )
        definitions = (*_registry_definitions(), *derived)
        for definition in derived:
            _comment(connection, definition.table_name, definition.column_name, definition.unit, definition.description)
        names = dict.fromkeys(definition.table_name for definition in definitions)
        n_rows = {name: _count(connection, name) for name in names}
        _describe(connection, contents, protocol_id, definitions, n_rows)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    return n_rows


def fill_table(connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, files: Sequence[StoredFile]) -> None:
    """Create a table of the registry and insert the rows of its files, in their order.

    Raises
    ------
    WarehouseError
        LAKE_FILE_CHANGED when a file is no longer the one whose digest was stored; those of ``Lake.load``.
    """
    _create_table(connection, table)
    _insert(connection, lake, table, files)


def _create_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = ", ".join(
        f"{quoted(column.name)} {_SQL_TYPES[column.kind]}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    )
    connection.execute(f"CREATE TABLE {quoted(table.name)} ({columns})")
    connection.execute(f"COMMENT ON TABLE {quoted(table.name)} IS {literal(table.description)}")
    for column in table.columns:
        _comment(connection, table.name, column.name, column.unit, column.description)


def _comment(
    connection: duckdb.DuckDBPyConnection, table_name: str, column_name: str, unit: str | None, description: str
) -> None:
    text = f"{description} [{unit}]" if unit else description
    connection.execute(f"COMMENT ON COLUMN {quoted(table_name)}.{quoted(column_name)} IS {literal(text)}")


def _insert(connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, files: Sequence[StoredFile]) -> None:
    """Insert the files in their order (by patient), so that the rows lie sorted by the table's key."""
    columns = ", ".join(quoted(column.name) for column in table.columns)
    schema = arrow_schema(table)
    batch: list[pa.Table] = []
    n_rows = 0
    for position, file in enumerate(files, start=1):
        arrow, sha256 = lake.load(file.partition)
        if sha256 != file.sha256:
            raise WarehouseError("LAKE_FILE_CHANGED", "The file was replaced meanwhile", keyword=table.name)
        batch.append(arrow.cast(schema))
        n_rows += arrow.num_rows
        if n_rows >= _ROWS_PER_INSERT or position == len(files):
            connection.register("incoming", pa.concat_tables(batch))
            connection.execute(f"INSERT INTO {quoted(table.name)} SELECT {columns} FROM incoming")
            connection.unregister("incoming")
            batch, n_rows = [], 0


def _default_protocol(connection: duckdb.DuckDBPyConnection, declared: str | None) -> str | None:
    known = [name for (name,) in connection.execute("SELECT protocol_id FROM protocols ORDER BY 1").fetchall()]
    used = [
        name for (name,) in connection.execute("SELECT DISTINCT protocol_id FROM pet_metrics ORDER BY 1").fetchall()
    ]
    if declared is None:
        if len(used) > 1:
            raise WarehouseError(
                "SNAPSHOT_PROTOCOL_UNDECLARED",
                "The lesions were delineated by several protocols, and none of them is the default",
                found=", ".join(used),
                hint="Declare the default protocol in study.yaml.",
            )
        return used[0] if used else None
    if known and declared not in known:
        raise WarehouseError(
            "SNAPSHOT_PROTOCOL_UNKNOWN",
            "The default protocol is not one of the study",
            found=declared,
            expected=", ".join(known),
            hint="Materialize the protocols, or correct study.yaml.",
        )
    return declared


def _registry_definitions() -> list[ColumnDefinition]:
    return [
        ColumnDefinition(
            table.name,
            column.name,
            column.kind,
            column.unit,
            column.description,
            Role.KEY if column.name in table.key else Role.OTHER,
        )
        for table in TABLES.values()
        for column in table.columns
    ]


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    ((n_rows,),) = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()
    return int(n_rows)


def _describe(
    connection: duckdb.DuckDBPyConnection,
    contents: Contents,
    protocol_id: str | None,
    definitions: Sequence[ColumnDefinition],
    n_rows: Mapping[str, int],
) -> None:
    code = source_code()
    for statement in _DESCRIPTIVE_TABLES:
        connection.execute(statement)
    _fill(
        connection,
        "snapshot_info",
        [
            (
                contents.snapshot_id,
                FORMAT,
                code.version,
                code.commit,
                code.modified,
                protocol_id,
                json.dumps(contents.aggregations),
                n_rows["patients"],
                len(contents.files),
            )
        ],
    )
    settings: dict[str, object] = json.loads(contents.settings_json)
    _fill(
        connection, "snapshot_settings", [(key, json.dumps(settings[key], sort_keys=True)) for key in sorted(settings)]
    )
    _fill(connection, "code_versions", sorted(contents.code_versions.items()))
    _fill(
        connection,
        "table_digests",
        [(file.partition.table, file.partition.patient_id, file.sha256) for file in contents.files],
    )
    _fill(connection, "snapshot_tables", list(n_rows.items()))
    _fill(
        connection,
        "column_definitions",
        [(d.table_name, d.column_name, str(d.kind), d.unit, d.description, str(d.role)) for d in definitions],
    )


def _fill(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    columns = [list(values) for values in zip(*rows, strict=True)]
    connection.register("incoming", pa.table(columns, names=[f"c{position}" for position in range(len(columns))]))
    connection.execute(f"INSERT INTO {quoted(name)} SELECT * FROM incoming")
    connection.unregister("incoming")
