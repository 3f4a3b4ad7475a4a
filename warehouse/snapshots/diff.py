"""What changed between two snapshots: patients, tables, columns, rows by their keys, settings, code versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb

from warehouse.registry.tables import TABLES
from warehouse.snapshots import catalog
from warehouse.snapshots.changes import EXAMPLES, CellChange, ColumnChange, SnapshotDiff, TableChange, ValueChange
from warehouse.snapshots.connection import corrupt, memory_connection
from warehouse.snapshots.derived import literal, quoted
from warehouse.snapshots.publish import SnapshotDetails, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LONGEST_VALUE = 80
# They say that something differs, and what it is stands beside them.
_DIGESTS = "_sha256"
_DIGESTS_OF_SETTINGS = "table_settings_sha256."


def diff(lake_root: Path, before: str | None, after: str | None) -> SnapshotDiff:
    """Compare two snapshots, given as for ``warehouse.snapshots.catalog.resolve_id``.

    Raises
    ------
    WarehouseError
        SNAPSHOT_NONE, SNAPSHOT_UNKNOWN, SNAPSHOT_AMBIGUOUS, SNAPSHOT_CORRUPT.
    """
    details = [show(lake_root, snapshot_id) for snapshot_id in (before, after)]
    paths = [catalog.path_of(lake_root, one.snapshot_id) for one in details]
    connection = memory_connection()
    try:
        for name, path in zip(("a", "b"), paths, strict=True):
            connection.execute(f"ATTACH {literal(str(path))} AS {name} (READ_ONLY)")
        return _Comparison(connection, *details).result()
    except duckdb.Error as error:
        raise corrupt(paths[1], error) from error
    finally:
        connection.close()


class _Comparison:
    """The two files attached as ``a`` and ``b``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, before: SnapshotDetails, after: SnapshotDetails) -> None:
        self._connection = connection
        self._before, self._after = before, after

    def result(self) -> SnapshotDiff:
        added = self._patients("b", "a")
        removed = self._patients("a", "b")
        self._connection.execute(
            "CREATE TEMP TABLE other_digests AS SELECT table_name, patient_id FROM"
            " ((SELECT * FROM a.table_digests EXCEPT SELECT * FROM b.table_digests)"
            " UNION (SELECT * FROM b.table_digests EXCEPT SELECT * FROM a.table_digests))"
        )
        other = self._texts("SELECT DISTINCT patient_id FROM other_digests WHERE patient_id IS NOT NULL ORDER BY 1")
        came_or_went = {*added, *removed}
        names = dict.fromkeys((*self._before.tables, *self._after.tables))
        tables = [self._table(name) for name in names]
        return SnapshotDiff(
            self._before,
            self._after,
            added,
            removed,
            tuple(patient for patient in other if patient not in came_or_went),
            _changes(_flat(self._before), _flat(self._after)),
            _changes(self._before.code_versions, self._after.code_versions),
            tuple(table for table in tables if table is not None),
        )

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        return self._connection.execute(query).fetchall()

    def _texts(self, query: str) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self._rows(query))

    def _patients(self, here: str, there: str) -> tuple[str, ...]:
        return self._texts(
            f"SELECT patient_id FROM {here}.patients WHERE patient_id NOT IN (SELECT patient_id FROM {there}.patients)"
            " ORDER BY 1"
        )

    def _table(self, name: str) -> TableChange | None:
        n_before, n_after = self._before.tables.get(name), self._after.tables.get(name)
        if n_before is None or n_after is None:
            n, change = (n_after or 0, "added") if n_before is None else (n_before, "removed")
            added, removed = (n, 0) if change == "added" else (0, n)
            return TableChange(name, change, (), n_before or 0, n_after or 0, added, removed, 0, (), {}, ())
        columns = self._columns(name)
        key, compared = self._key_and_compared(name)
        if self._is_the_same(name):
            counts: tuple[int, int, int] = (0, 0, 0)
            by_column: dict[str, int] = {}
            examples: tuple[CellChange, ...] = ()
        elif key:
            self._join(name, key, compared)
            counts, by_column = self._counts(compared)
            examples = self._examples(key, compared, by_column)
        else:
            counts, by_column, examples = self._whole_rows(name, compared), {}, ()
        if not columns and counts == (0, 0, 0):
            return None
        return TableChange(name, "changed", key, n_before, n_after, *counts, columns, by_column, examples)

    def _is_the_same(self, name: str) -> bool:
        """Whether the digests already say that no row of a computed table differs."""
        return name in TABLES and not self._rows(f"SELECT 1 FROM other_digests WHERE table_name = {literal(name)}")

    def _columns(self, name: str) -> tuple[ColumnChange, ...]:
        before, after = (
            {row[0]: f"{row[1]}{f' [{row[2]}]' if row[2] else ''}" for row in self._defined(side, name)}
            for side in ("a", "b")
        )
        changes = []
        for column in dict.fromkeys((*before, *after)):
            old, new = before.get(column), after.get(column)
            if old != new:
                change = "added" if old is None else "removed" if new is None else "redefined"
                changes.append(ColumnChange(str(column), change, old, new))
        return tuple(changes)

    def _defined(self, side: str, name: str) -> list[tuple[object, ...]]:
        return self._rows(
            f"SELECT column_name, kind, unit, role FROM {side}.column_definitions"
            f" WHERE table_name = {literal(name)} ORDER BY rowid"
        )

    def _key_and_compared(self, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The key, and the other columns that both have and that are part of the identity."""
        sides = [self._defined(side, name) for side in ("a", "b")]
        keys = [tuple(str(row[0]) for row in side if row[3] == "key") for side in sides]
        key = keys[0] if keys[0] == keys[1] and self._identifies(name, keys[0]) else ()
        there = {row[0] for row in sides[0]}
        outside = {c.name for c in TABLES[name].columns if not c.identity} if name in TABLES else set()
        both = [str(row[0]) for row in sides[1] if row[0] in there]
        return key, tuple(column for column in both if column not in key and column not in outside)

    def _identifies(self, name: str, key: Sequence[str]) -> bool:
        """Whether no two rows have one key: the store makes sure of that for computed tables only."""
        columns = ", ".join(quoted(column) for column in key)
        return name in TABLES or not any(
            self._rows(f"SELECT 1 FROM {side}.{quoted(name)} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1")
            for side in ("a", "b")
            if key
        )

    def _join(self, name: str, key: Sequence[str], compared: Sequence[str]) -> None:
        """Make ``joined``: the rows of both sides by key, of a computed table only those of patients that differ."""
        only = ""
        if name in TABLES and TABLES[name].per_patient:
            only = f" WHERE patient_id IN (SELECT patient_id FROM other_digests WHERE table_name = {literal(name)})"
        on = " AND ".join(f"x.{quoted(column)} IS NOT DISTINCT FROM y.{quoted(column)}" for column in key)
        keys = ", ".join(
            f"coalesce(x.{quoted(column)}, y.{quoted(column)})::VARCHAR AS k{i}" for i, column in enumerate(key)
        )
        values = "".join(
            f", x.{quoted(column)} AS x{i}, y.{quoted(column)} AS y{i}" for i, column in enumerate(compared)
        )
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE joined AS SELECT {keys}{values},"
            " x.here IS NULL AS is_new, y.here IS NULL AS is_gone"
            f" FROM (SELECT *, true AS here FROM a.{quoted(name)}{only}) AS x"
            f" FULL JOIN (SELECT *, true AS here FROM b.{quoted(name)}{only}) AS y ON {on}"
        )

    def _counts(self, compared: Sequence[str]) -> tuple[tuple[int, int, int], dict[str, int]]:
        differs = [f"x{i} IS DISTINCT FROM y{i}" for i in range(len(compared))]
        both = "NOT is_new AND NOT is_gone"
        anywhere = f"{both} AND ({' OR '.join(differs)})" if differs else "false"
        each = "".join(f", count(*) FILTER (WHERE {both} AND {one})" for one in differs)
        ((added, removed, changed, *by_column),) = self._rows(
            "SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE is_gone),"
            f" count(*) FILTER (WHERE {anywhere}){each} FROM joined"
        )
        numbers = [(column, int(str(n))) for column, n in zip(compared, by_column, strict=True) if n]
        ordered = dict(sorted(numbers, key=lambda item: -item[1]))
        return (int(str(added)), int(str(removed)), int(str(changed))), ordered

    def _examples(
        self, key: Sequence[str], compared: Sequence[str], by_column: Mapping[str, int]
    ) -> tuple[CellChange, ...]:
        keys = ", ".join(f"k{i}" for i in range(len(key)))
        cells = []
        for column in [name for name in by_column if not name.endswith(_DIGESTS)][:EXAMPLES]:
            i = compared.index(column)
            rows = self._rows(
                f"SELECT {keys}, x{i}::VARCHAR, y{i}::VARCHAR FROM joined"
                f" WHERE NOT is_new AND NOT is_gone AND x{i} IS DISTINCT FROM y{i} ORDER BY ALL LIMIT {EXAMPLES}"
            )
            cells += [CellChange(tuple(map(str, k)), column, _short(old), _short(new)) for *k, old, new in rows]
        return tuple(sorted(cells, key=lambda cell: cell.key)[:EXAMPLES])

    def _whole_rows(self, name: str, compared: Sequence[str]) -> tuple[int, int, int]:
        if not compared:
            return (0, 0, 0)
        columns = ", ".join(quoted(column) for column in compared)
        counts = [
            int(
                str(
                    self._rows(
                        f"SELECT count(*) FROM (SELECT {columns} FROM {one}.{quoted(name)}"
                        f" EXCEPT ALL SELECT {columns} FROM {other}.{quoted(name)})"
                    )[0][0]
                )
            )
            for one, other in (("b", "a"), ("a", "b"))
        ]
        return (counts[0], counts[1], 0)


def _short(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ValueChange, ...]:
    names = sorted({*before, *after})
    changes = (ValueChange(name, _short(before.get(name)), _short(after.get(name))) for name in names)
    return tuple(c for c in changes if before.get(c.name) != after.get(c.name))


def _flat(details: SnapshotDetails) -> dict[str, str]:
    """The settings by dotted path, with what else of the declaration makes the identity."""
    flat: dict[str, str] = {}
    for name, text in details.settings_json.items():
        _flatten(name, json.loads(text), flat)
    flat = {name: text for name, text in flat.items() if not name.startswith(_DIGESTS_OF_SETTINGS)}
    flat["default_protocol_id"] = str(details.default_protocol_id)
    flat["aggregations"] = ", ".join(details.aggregations)
    return flat


def _flatten(path: str, value: object, into: dict[str, str]) -> None:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            _flatten(f"{path}.{name}", inner, into)
    else:
        into[path] = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
