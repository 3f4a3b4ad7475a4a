"""Names, numbers and intervals as they stand on the pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from analyses.naming import variable_name
from petct.survival.cohort.groups import number_text
from petct.survival.kaplan_meier.result import MedianTime
from warehouse.queries.analysis_columns import AnalysisColumn, Origin
from warehouse.queries.conditions import Condition

_ORIGINS = {
    Origin.CLINICAL: "Clinical",
    Origin.SCAN: "Scan",
    Origin.UPTAKE: "Tumour burden and uptake",
    Origin.QUALITY: "Refusals and findings",
}
DAYS_IN = {"day": 1.0, "month": 365.25 / 12, "year": 365.25}
"""Length of the units of time that a reader may choose, in days."""


def short_id(snapshot_id: str) -> str:
    """Return the first 12 digits of a snapshot id, as it is shown everywhere."""
    return snapshot_id[:12]


def with_unit(name: str, unit: str | None) -> str:
    """Return ``name (unit)``; the unit only when there is one that the name does not end with."""
    return f"{name} ({unit})" if unit and unit not in ("SUV", "SUL") else name


def distinct_names(columns: Sequence[AnalysisColumn]) -> dict[str, str]:
    """Return the name to show for each column by its own name, all of them different."""
    names = {column.name: variable_name(column) for column in columns}
    counts = Counter(names.values())
    kinds = {column.name: column_kind(column) for column in columns}
    return {name: text if counts[text] == 1 else f"{text} ({kinds[name]})" for name, text in names.items()}


def labels(columns: Sequence[AnalysisColumn]) -> dict[str, str]:
    """Return the name with unit of each column by its own name, all of them different."""
    names = distinct_names(columns)
    return {column.name: with_unit(names[column.name], column.unit) for column in columns}


def condition_words(condition: Condition, name: str, column: AnalysisColumn) -> str:
    """Return a condition as it is read: ``Age ≥ 60 years``, ``Sex F or M``."""
    unit = column.unit if column.unit != "SUV" else None
    return condition.words(name, unit).replace(">=", "≥").replace("<=", "≤")


def column_kind(column: AnalysisColumn) -> str:
    """Return what an analysis column is about: the patient, the scan, the uptake, or a set of features."""
    return column.family.label if column.family is not None else _ORIGINS[column.origin]


def amount(value: float, digits: int = 3) -> str:
    """Return a number with about ``digits`` significant digits."""
    return number_text(value, digits)


def time_text(days: float, unit: str) -> str:
    """Return a time given in days, in ``unit``, with one decimal (days: none)."""
    return f"{days / DAYS_IN[unit]:.0f}" if unit == "day" else f"{days / DAYS_IN[unit]:.1f}"


def median_text(median: MedianTime, unit: str) -> str:
    """Return ``46.5 (38.0 to 55.2)``; a limit or median that the curve never reaches says so."""
    if median.value is None:
        lower = "" if median.lower is None else f" (from {time_text(median.lower, unit)})"
        return f"not reached{lower}"
    lower, upper = (
        "not reached" if limit is None else time_text(limit, unit) for limit in (median.lower, median.upper)
    )
    return f"{time_text(median.value, unit)} ({lower} to {upper})"


def plural(n: int, noun: str) -> str:
    """Return ``1 patient``, ``2 patients``, ``1,200 patients``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shortened(names: Sequence[str], most: int = 6) -> str:
    """Return names joined by commas, the rest of a long list as a number."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def literal_markdown(text: str) -> str:
    """Return text whose characters markdown would read as layout are shown as they are (backticks stay code)."""
    return re.sub(r"(`[^`]*`)|([$*~\[\]<>])", lambda match: match[1] or f"\\{match[2]}", text)
