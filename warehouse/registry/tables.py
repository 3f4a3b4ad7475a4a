"""The registry: every table's columns, units, descriptions, key, grain and partitioning.

The Parquet schema, the data dictionary, the asset descriptions and the snapshot are all built from here, so a column
that is not in ``warehouse/registry`` does not exist.
"""

from __future__ import annotations

from warehouse.errors import WarehouseError
from warehouse.registry import clinical, cohort, features, imaging, masks, robustness
from warehouse.registry.schema import Column, Kind, Table

__all__ = ["TABLES", "Column", "Kind", "Table", "table"]

TABLES: dict[str, Table] = {
    table.name: table for group in (imaging, masks, features, robustness, clinical, cohort) for table in group.TABLES
}
"""All tables by name, in the order of the line from DICOM to cohort."""


def table(name: str) -> Table:
    """Return the table called ``name``; raises ``WarehouseError`` TABLE_UNKNOWN."""
    try:
        return TABLES[name]
    except KeyError:
        raise WarehouseError(
            "TABLE_UNKNOWN", "There is no such table", found=name, expected=", ".join(TABLES)
        ) from None
