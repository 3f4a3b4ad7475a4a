"""Names of columns as people read them: ``tumour_volume_ml`` is Tumour volume."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from warehouse.queries.analysis_columns import AnalysisColumn

_SUV = re.compile(r"\b(su[vl])(?: (max|mean|median|min|sd|peak))?\b", re.IGNORECASE)
_UNITS_IN_NAMES = {"%": "percent", "SUV ml": "ml", "SUL ml": "ml"}


def variable_name(column: AnalysisColumn) -> str:
    """Return the name of a column without its unit: ``tumour_volume_ml`` is Tumour volume; features keep theirs."""
    if column.family is not None:
        return column.column
    name = _without_unit(column.column, column.unit).replace("_", " ")
    name = _SUV.sub(lambda match: match[1].upper() + (match[2] or "").lower(), name)
    name = re.sub(r"^n (?=\w)", "number of ", name)
    name = re.sub(r"(.+) n lesions$", r"\1 number of lesions", name)
    return name[:1].upper() + name[1:]


def names_of(columns: Iterable[AnalysisColumn]) -> dict[str, str]:
    """Return the name to print for each column by its own name; columns that would share one keep their own."""
    found = {column.name: variable_name(column) for column in columns}
    counts = Counter(found.values())
    return {name: text if counts[text] == 1 else name for name, text in found.items()}


def _without_unit(name: str, unit: str | None) -> str:
    """Return the name without its unit: ``age_years`` in year is ``age``, ``ki67_percent`` in % is ``ki67``."""
    if unit is None:
        return name
    ending = "_" + re.sub(r"\W+", "_", _UNITS_IN_NAMES.get(unit, unit))
    for text in (f"{ending}s", ending):
        if name.lower().endswith(text.lower()) and len(name) > len(text):
            return name[: -len(text)]
    return name
