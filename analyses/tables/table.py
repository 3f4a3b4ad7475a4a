"""A table of a result: its headings and rows; a page and a terminal only differ in the digits of its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from petct.survival.cohort.groups import number_text
from petct.survival.cohort.results import p_text

Row = TypeVar("Row")
Written = Callable[[float, str], str]
"""Writes a number, given the format of its column."""

AMOUNT = "amount"
"""The format of numbers of any size: three significant digits, and all before the point."""


P = "p"
"""The format of p-values that are shown as they are computed, where there is room for that."""


def on_page(value: float, how: str) -> str:
    """Return a number as a page has it."""
    if how == P:
        return p_cell(value)
    return number_text(value) if how == AMOUNT else format(value, how)


def p_cell(p: float | None) -> str:
    """Return a p-value below a heading: ``0.031``, ``< 0.001`` or ``withheld``."""
    return "withheld" if p is None else p_text(p).removeprefix("p ").removeprefix("= ")


@dataclass(frozen=True)
class Estimate:
    """A number with its limits; ``missing`` stands for what a curve does not reach."""

    value: float | None
    lower: float | None
    upper: float | None
    missing: str = ""

    def text(self, written: Written, how: str) -> str | None:
        """``46.5 (38.0 to 55.2)``, ``not reached (from 38.0)``; nothing where there is none."""
        if self.value is None:
            start = f" (from {written(self.lower, how)})" if self.missing and self.lower is not None else ""
            return f"{self.missing}{start}" or None
        lower, upper = (self.missing if limit is None else written(limit, how) for limit in (self.lower, self.upper))
        return f"{written(self.value, how)} ({lower} to {upper})"


@dataclass(frozen=True)
class Limits:
    """Limits without the number that they belong to; None where there are none."""

    lower: float | None
    upper: float | None

    def text(self, written: Written, how: str) -> str | None:
        """``0.83 to 1.42``."""
        known = self.lower is not None and self.upper is not None
        return f"{written(self.lower, how)} to {written(self.upper, how)}" if known else None  # type: ignore[arg-type]


Cell = str | int | float | Limits | Estimate | None


@dataclass(frozen=True)
class Table:
    """Rows of cells; a column is its heading and the format that a page has for its numbers (``.2f``, ``AMOUNT``)."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Cell]]

    @property
    def headings(self) -> list[str]:
        """The headings alone."""
        return [heading for heading, _ in self.columns]

    def shown(self, written: Written = on_page) -> list[list[str | int | None]]:
        """The cells as they are read."""
        pairs = (zip(row, self.columns, strict=True) for row in self.rows)
        return [[_shown(cell, written, how) for cell, (_, how) in row] for row in pairs]


def table(rows: Iterable[Row], *columns: tuple[str, str, Callable[[Row], Cell]]) -> Table:
    """Make a table, one row per item; a column is its heading, its format and what it shows of an item."""
    return Table([column[:2] for column in columns], [[cell(row) for _, _, cell in columns] for row in rows])


def _shown(cell: Cell, written: Written, how: str) -> str | int | None:
    if isinstance(cell, Limits | Estimate):
        return cell.text(written, how)
    return written(cell, how) if isinstance(cell, float) else cell
