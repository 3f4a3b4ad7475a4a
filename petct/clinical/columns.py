"""What the columns of a clinical table seem to be, judged by their names and cells; a judgement, never a fact."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from petct.clinical.spec import ClinicalSpec
from petct.clinical.text import read_date, read_number
from petct.errors import ClinicalError

# A column is of a kind when at least so many of its cells are: the rest are the slips that every table has.
_MOST = 0.8
_MOST_CATEGORIES = 20
_LONGEST_CATEGORY = 40
_TIME = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_WITH_TIME = re.compile(r".*\d[T ]\d{1,2}:\d{2}.*")
_YEAR = re.compile(r"(19|20)\d{2}")
_READ_AS_DATE = ("CLINICAL_DATE_AMBIGUOUS",)
_READ_AS_NUMBER = ("CLINICAL_NUMBER_AMBIGUOUS", "CLINICAL_NUMBER_BOUND")
_PERSONAL_TEXT = """
name names surname firstname forename lastname nachname vorname initials maiden
birth birthdate birthday dob geburt geburtsdatum geboren
address street city zip zipcode postcode postal phone telephone mobile fax mail email
id ids nr nummer case mrn ssn nhs insurance passport accession
physician doctor referrer referring operator hospital clinic ward
comment comments note notes remark remarks text report history anamnesis diagnosis_text
"""
_PERSONAL = frozenset(_PERSONAL_TEXT.split())


class ColumnKind(StrEnum):
    """What a column seems to hold."""

    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time of day"
    YEAR = "year"
    CATEGORY = "category"
    FREE_TEXT = "free text"
    EMPTY = "empty"


@dataclass(frozen=True)
class Column:
    """One column as it seems.

    Attributes
    ----------
    n_missing, n_distinct
        Cells without a value, and different values among the others.
    is_unique
        No value stands twice.
    is_personal
        Its name says that it holds a name, an identifier, a birth date, an address, a contact or notes.
    """

    name: str
    kind: ColumnKind
    n_missing: int
    n_distinct: int
    is_unique: bool
    is_personal: bool


def describe_columns(columns: Sequence[str], rows: Sequence[Sequence[str]], spec: ClinicalSpec) -> tuple[Column, ...]:
    """Judge each column of a table of texts; ``spec`` says which texts mean "no value"."""
    described = []
    for position, name in enumerate(columns):
        cells = [row[position].strip() for row in rows]
        found = [cell for cell in cells if not spec.is_missing(cell)]
        distinct = set(found)
        described.append(
            Column(
                name,
                _kind_of(name, found, len(distinct)),
                len(cells) - len(found),
                len(distinct),
                bool(found) and len(distinct) == len(found),
                not _PERSONAL.isdisjoint(words_of(name)),
            )
        )
    return tuple(described)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case: ``lastFollow_up`` is last, follow, up."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]?[a-zäöüß]+|[A-Z]+(?![a-z])|\d+", name))


def is_date(cell: str) -> bool:
    """Whether a cell is a date in some form, be it one whose day and month cannot be told apart."""
    return _is(read_date, cell.split("T")[0].split(" ")[0] if _WITH_TIME.fullmatch(cell) else cell, _READ_AS_DATE)


def is_number(cell: str) -> bool:
    """Whether a cell is a number in some form, be it only a bound."""
    return _is(read_number, cell, _READ_AS_NUMBER)


def _kind_of(name: str, found: Sequence[str], n_distinct: int) -> ColumnKind:
    if not found:
        return ColumnKind.EMPTY
    enough = _MOST * len(found)
    if sum(_TIME.fullmatch(cell) is not None for cell in found) >= enough:
        return ColumnKind.TIME
    if sum(map(is_date, found)) >= enough:
        with_time = sum(_WITH_TIME.fullmatch(cell) is not None for cell in found)
        return ColumnKind.DATETIME if with_time >= enough else ColumnKind.DATE
    if sum(map(is_number, found)) >= enough:
        years = all(_YEAR.fullmatch(cell) for cell in found)
        return ColumnKind.YEAR if years and {"year", "jahr"} & set(words_of(name)) else ColumnKind.NUMBER
    short = all(len(cell) <= _LONGEST_CATEGORY and len(cell.split()) <= 4 for cell in found)
    few = n_distinct <= _MOST_CATEGORIES and (n_distinct <= 3 or n_distinct <= len(found) / 2)
    return ColumnKind.CATEGORY if short and few else ColumnKind.FREE_TEXT


def _is(read: Callable[[str], object], cell: str, codes_of_it: Sequence[str]) -> bool:
    try:
        read(cell)
    except ClinicalError as error:
        return error.code in codes_of_it
    return True
