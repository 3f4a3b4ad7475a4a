"""What a row says of its columns: words, unit, and their part in identity, cohort and privacy.

A row is a frozen dataclass whose fields are ``Annotated[type, About(...)]``. From them follow the types in Parquet and
DuckDB, the data dictionary, the columns of the cohort, and what the search for signs of identity looks at.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_type_hints


class Kind(StrEnum):
    """The type of a column, mapped to Arrow and to SQL in the warehouse."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


_KINDS: dict[type, Kind] = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    bool: Kind.BOOLEAN,
    date: Kind.DATE,
    datetime: Kind.DATETIME,
}


class Text(StrEnum):
    """Who writes a text, which decides how it is searched for signs of identity."""

    LABEL = "label"
    """Copied from a header, a file or study.yaml: a label or a code, no sentence and no date."""
    VALUE = "value"
    """Copied likewise, and may hold a date: a cell, a version."""
    PATH = "path"
    """Copied likewise: the name of a file, as long as it likes."""
    SENTENCE = "sentence"
    """A sentence of petlake, which may quote what was copied."""
    OWN = "own"
    """Made by petlake: an id, a digest, a code, settings."""


@dataclass(frozen=True)
class InCohort:
    """That the cohort has the column of a baseline scan, or of all lesions of that scan.

    Attributes
    ----------
    name
        Its name in the cohort, where it is another.
    by_organ
        Whether the lesions of each organ have it, too; without such a lesion it is 0 where it is never empty.
    """

    name: str | None = None
    by_organ: bool = False


@dataclass(frozen=True)
class About:
    """What a field says of itself.

    Attributes
    ----------
    identity
        Whether the value takes part in the digest of the row, and so in the snapshot id. Wall-clock times, run ids and
        places on a disk do not: the same data processed twice must be the same snapshot.
    text
        Of a text: who writes it. What does not say so is searched as a label.
    named_by
        The column that says what the value is of, such as the variable of a clinical value.
    cohort
        None where the column is not in the cohort.
    """

    description: str
    unit: str | None = None
    identity: bool = True
    text: Text = Text.LABEL
    named_by: str | None = None
    cohort: InCohort | None = None


@dataclass(frozen=True, kw_only=True)
class Column(About):
    """One column of a table: what its field says, with its name and type."""

    name: str
    kind: Kind
    nullable: bool = False


def own(description: str, *, identity: bool = True) -> About:
    """A text that petlake makes: an id, a digest, a code, settings."""
    return About(description, text=Text.OWN, identity=identity)


def sentence(description: str) -> About:
    """A sentence of petlake, which may quote a value."""
    return About(description, text=Text.SENTENCE)


def columns_of(row: type[Any]) -> tuple[Column, ...]:
    """The columns of a row type, in the order of its fields."""
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(field.name, *get_args(hints[field.name])) for field in fields(row))


def _column(name: str, value: Any, about: About) -> Column:
    types = set(get_args(value) or (value,))
    (of_value,) = types - {NoneType}
    return Column(**vars(about), name=name, kind=_KINDS[of_value], nullable=NoneType in types)
