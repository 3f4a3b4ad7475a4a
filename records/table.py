"""What a table is: its rows, what identifies one, and whether it is stored one directory a patient."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from records.columns import Column, columns_of


@dataclass(frozen=True)
class Table:
    """One table of the lake and of every snapshot.

    Attributes
    ----------
    row
        The dataclass of a row: its fields are the columns, and its docstring begins with what the table is.
    group
        Where it belongs on the line from DICOM to cohort.
    grain
        What a row is one of.
    key
        The columns that identify a row.
    """

    name: str
    row: type[Any]
    group: str
    grain: str
    key: tuple[str, ...]
    per_patient: bool = True

    @cached_property
    def description(self) -> str:
        """What the table is, in a sentence."""
        return str(self.row.__doc__).partition("\n")[0]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order of the row's fields."""
        return columns_of(self.row)

    def column(self, name: str) -> Column:
        """The column called ``name``."""
        return next(column for column in self.columns if column.name == name)
