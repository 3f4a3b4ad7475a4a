"""The registry: every table by name.

The Parquet schema, the data dictionary, the asset descriptions and the snapshot are all built from here, so a column
that is not a field of a row in ``records`` does not exist.
"""

from __future__ import annotations

from records import clinical, cohort, features, imaging, masks, robustness
from records.table import Table
from warehouse.errors import WarehouseError

TABLES: dict[str, Table] = {
    table.name: table for group in (imaging, masks, features, robustness, clinical, cohort) for table in group.TABLES
}
"""All tables, in the order of the line from DICOM to cohort."""


def table(name: str) -> Table:
    """Return the table called ``name``; raises ``WarehouseError`` TABLE_UNKNOWN."""
    try:
        return TABLES[name]
    except KeyError:
        raise WarehouseError(
            "TABLE_UNKNOWN", "There is no such table", found=name, expected=", ".join(TABLES)
        ) from None
