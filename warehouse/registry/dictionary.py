"""The data dictionary: the registry of tables as Markdown. ``python -m warehouse.registry.dictionary`` prints it."""

from __future__ import annotations

import sys

from records.columns import Column
from records.table import Table
from warehouse.registry.tables import TABLES

_INTRODUCTION = """# Data dictionary

Written from `records`; do not edit. These are the tables of the lake: Parquet, one file a patient unless
said otherwise, and the same tables in every published snapshot. A snapshot also holds what is built from them
(`baseline_scans`, `clinical_wide`, `clinical_missingness`, `cohort`, `feature_availability`, `feature_attrition`,
`features__<feature set>__<aggregation>`, `features__<feature set>__<organ>__<aggregation>`); its table
`column_definitions` describes every column. A column that is *not part of the identity* may differ between two lakes
without changing the snapshot's id.
"""


def data_dictionary() -> str:
    """Return the tables of the registry as Markdown: grain, key, and kind, unit and meaning of every column."""
    return "\n".join([_INTRODUCTION, *(_section(table) for table in TABLES.values())])


def _section(table: Table) -> str:
    place = "" if table.per_patient else " One file for the study."
    key = ", ".join(f"`{name}`" for name in table.key)
    lines = [
        f"## {table.name}",
        "",
        f"{table.description}{place}",
        "",
        f"Group {table.group}; one row per {table.grain}; key {key}.",
        "",
        "| column | kind | unit | empty | meaning |",
        "|---|---|---|---|---|",
        *(_row(column) for column in table.columns),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column) -> str:
    meaning = column.description if column.identity else f"{column.description} (not part of the identity)"
    empty = "may be" if column.nullable else "never"
    cells = (f"`{column.name}`", str(column.kind), column.unit or "", empty, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(data_dictionary())
