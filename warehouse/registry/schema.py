"""What a table of the registry is made of: columns with kind, unit, description and part in the identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from warehouse.errors import WarehouseError


class Kind(StrEnum):
    """A column's type, mapped to Arrow in ``warehouse.storage.rows`` and to SQL in ``warehouse.snapshots.build``."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    identity
        Whether the value takes part in the digest of the row, and so in the snapshot id. Wall-clock times, run ids and
        places on a disk do not: the same data processed twice must be the same snapshot.
    """

    name: str
    kind: Kind
    description: str
    unit: str | None = None
    nullable: bool = False
    identity: bool = True


@dataclass(frozen=True)
class Table:
    """One table: what a row is, what identifies it, and whether it is stored one directory a patient."""

    name: str
    group: str
    grain: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    per_patient: bool = True

    def column(self, name: str) -> Column:
        """Return the column called ``name``; raises ``WarehouseError`` COLUMN_UNKNOWN."""
        for column in self.columns:
            if column.name == name:
                return column
        raise WarehouseError(
            "COLUMN_UNKNOWN",
            f"The table {self.name} has no such column",
            keyword=self.name,
            found=name,
            expected=", ".join(c.name for c in self.columns),
        )


def text(name: str, description: str, *, nullable: bool = False, identity: bool = True) -> Column:
    """A text column."""
    return Column(name, Kind.TEXT, description, nullable=nullable, identity=identity)


def integer(name: str, description: str, *, unit: str | None = None, nullable: bool = False) -> Column:
    """An integer column."""
    return Column(name, Kind.INTEGER, description, unit, nullable)


def number(name: str, description: str, unit: str | None = None, *, nullable: bool = False) -> Column:
    """A floating-point column."""
    return Column(name, Kind.NUMBER, description, unit, nullable)


def boolean(name: str, description: str, *, nullable: bool = False) -> Column:
    """A yes-or-no column."""
    return Column(name, Kind.BOOLEAN, description, nullable=nullable)


def date(name: str, description: str, *, nullable: bool = False) -> Column:
    """A date column."""
    return Column(name, Kind.DATE, description, None, nullable)
