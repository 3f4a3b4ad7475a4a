"""The table of an analysis beside the same by lifelines."""

from __future__ import annotations

from analyses.tables.table import Table, table
from petct.survival.with_lifelines.comparison import LifelinesCheck


def compared(check: LifelinesCheck) -> Table:
    """Both numbers of each quantity, and the number of the reason why they differ; six digits show the difference."""
    numbers = {reason: f"({number})" for number, reason in enumerate(reasons(check), 1)}
    return table(
        check.compared,
        ("Quantity", "", lambda row: row.quantity),
        ("Of", "", lambda row: row.of),
        ("petlake", "", lambda row: _six_digits(row.petlake)),
        ("lifelines", "", lambda row: _six_digits(row.lifelines)),
        ("Difference", ".3g", lambda row: "agrees" if row.agrees else row.difference),
        ("Reason", "", lambda row: numbers[row.reason] if row.reason else ""),
    )


def _six_digits(number: float | None) -> str | None:
    return None if number is None else f"{number:.6g}"


def reasons(check: LifelinesCheck) -> list[str]:
    """Why numbers differ, each once."""
    return list(dict.fromkeys(row.reason for row in check.compared if row.reason))


def notes(check: LifelinesCheck) -> list[str]:
    """The reasons with their numbers, and what only petlake computes."""
    numbered = [f"({number}) {reason}" for number, reason in enumerate(reasons(check), 1)]
    return numbered + [f"Not compared: {row.quantity}. {row.reason}" for row in check.not_compared]
