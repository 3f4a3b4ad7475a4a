"""The golden record: the values of a snapshot's tables, by the code that makes them, as text for people and programs.

Every table is there with its values, to twelve digits. Of long tables some rows are there, and of every column of them
how many values it has and a sum over all of them in which a change of any value is seen.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from tests.golden.versions import code_of, code_versions
from warehouse.queries.open_snapshot import Snapshot, open_snapshot
from warehouse.registry.tables import TABLES

RECORD = Path(__file__).with_name("demo.json")

Cell = str | float | int | bool | None
Row = dict[str, Cell]

# What describes the study, the work and the files, and no number that was computed.
NOT_RECORDED = {
    *("files", "patients", "clinical_cells", "suv_override_cells", "qc_events", "refusals", "provenance"),
    *("protocols", "feature_sets", "feature_definitions", "conformance"),
}
DIGEST = re.compile(r"sha256$")
# One row in so many, chosen by its key.
SAMPLED = {"perturbed_features": 4, "robustness": 8, "volume_confounding": 8, "feature_reliability": 16}
LONG = ("feature_name", "value", "status")


@dataclass
class TableRecord:
    """Rows by their key, which begins with the patient; of a long table also ``sums`` over all rows, by column."""

    rows: dict[str, Row] = field(default_factory=dict)
    sums: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class CodeRecord:
    """The tables that one code makes; ``elsewhere`` says what its version was raised for where no number here moved."""

    version: str
    tables: dict[str, TableRecord] = field(default_factory=dict)
    elsewhere: str | None = None


Record = dict[str, CodeRecord]

RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""How far two numbers may lie apart and still be the same: machines round differently."""


def record_of(lake_root: Path) -> Record:
    """Return the record of the current snapshot of a lake."""
    record = {code: CodeRecord(version) for code, version in code_versions().items()}
    with open_snapshot(lake_root) as snapshot:
        for info in snapshot.tables():
            if info.name not in NOT_RECORDED and (rows := _rows(snapshot, info.name)):
                record[code_of(info.name)].tables[info.name] = _table(info.name, rows)
    return record


def _rows(snapshot: Snapshot, table: str) -> dict[str, Row]:
    definitions = snapshot.sql("SELECT column_name, role FROM column_definitions WHERE table_name = $1", [table]).rows
    key = [str(name) for name, role in definitions if role == "key"]
    left_out = {name for name, _ in definitions if DIGEST.search(str(name))} | {"code_version"}
    if table in TABLES:
        left_out |= {column.name for column in TABLES[table].columns if not column.identity}
    result = snapshot.sql(f'SELECT * FROM "{table}"')
    rows: dict[str, Row] = {}
    for values in result.rows:
        row = {
            name: _cell(name, value) for name, value in zip(result.columns, values, strict=True) if name not in left_out
        }
        if set(LONG) <= set(row):
            # One row for each lesion, one column for each feature.
            feature, value, status = (row.pop(name) for name in LONG)
            name = " / ".join(str(row[part]) for part in key if part != "feature_name")
            rows.setdefault(name, row)[str(feature)] = status if value is None else value
        else:
            rows[" / ".join(str(row[part]) for part in key)] = row
    for row in rows.values():
        for part in key:
            row.pop(part, None)
    return rows


def _cell(column: str, value: object) -> Cell:
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, date | datetime):
        return value.isoformat()
    if column == "feature_set_id":
        # After the name comes a digest, in which the versions of libraries are.
        return str(value).rpartition("-")[0]
    assert value is None or isinstance(value, str | int | bool), (column, value)
    return value


def _table(table: str, rows: dict[str, Row]) -> TableRecord:
    every = SAMPLED.get(table)
    if every is None:
        return TableRecord(rows)
    some = {key: row for key, row in rows.items() if zlib.crc32(key.encode()) % every == 0}
    columns = dict.fromkeys(column for row in rows.values() for column in row)
    return TableRecord(some, {column: _sums(row.get(column) for row in rows.values()) for column in columns})


def _sums(cells: Iterable[Cell]) -> list[float]:
    """Return how many numbers there are, and a sum in which each of them counts as much as its tolerance says."""
    numbers = [float(cell) for cell in cells if isinstance(cell, int | float)]
    return [len(numbers), float(f"{math.fsum(math.asinh(number * RELATIVE / ABSOLUTE) for number in numbers):.14g}")]


def dumps(record: Record) -> str:
    """Return a record as JSON with one line for each row, so that a difference of two records can be read."""
    codes = []
    for code, made in record.items():
        tables = []
        for table, content in made.tables.items():
            columns = list(dict.fromkeys(column for row in content.rows.values() for column in row))
            rows = [f"    {json.dumps([key, *map(row.get, columns)])}" for key, row in content.rows.items()]
            head = f'   "columns": {json.dumps(columns)},\n   "sums": {json.dumps(content.sums)},\n   "rows": [\n'
            tables.append(f"  {json.dumps(table)}: {{\n{head}" + ",\n".join(rows) + "\n   ]}")
        head = f'"version": {json.dumps(made.version)}, "elsewhere": {json.dumps(made.elsewhere)}, "tables": {{\n'
        codes.append(f" {json.dumps(code)}: {{{head}" + ",\n".join(tables) + "}}")
    return "{\n" + ",\n".join(codes) + "\n}\n"


def loads(text: str) -> Record:
    """Return the record that ``dumps`` wrote."""
    return {
        code: CodeRecord(
            made["version"],
            {name: _loaded(table) for name, table in made["tables"].items()},
            made["elsewhere"],
        )
        for code, made in json.loads(text).items()
    }


def _loaded(table: Mapping[str, list]) -> TableRecord:
    rows = {key: dict(zip(table["columns"], cells, strict=True)) for key, *cells in table["rows"]}
    return TableRecord(rows, dict(table["sums"]))
