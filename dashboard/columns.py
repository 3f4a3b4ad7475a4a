"""From columns of a snapshot to results of ``petct.survival``: patients aligned, results cached."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashboard.data import Source, analysis_columns, values
from warehouse.queries.analysis_columns import AnalysisColumn


def column(source: Source, name: str) -> AnalysisColumn:
    """Return the analysis column called ``name``; raises ``WarehouseError`` COLUMN_UNKNOWN."""
    values(source, (name,))
    return next(column for column in analysis_columns(source) if column.name == name)


def colours(source: Source, name: str, patients: tuple[str, ...]) -> list[str | float | None]:
    """Return the values of an analysis column for ``patients``, None where there is none."""
    chosen = column(source, name)
    table = values(source, (name,))
    found = dict(zip(table.patient_ids, table.columns[name].tolist(), strict=True))
    picked = [found.get(patient) for patient in patients]
    if chosen.kind == "category":
        return [None if value is None else str(value) for value in picked]
    return [None if value is None or np.isnan(value) else float(value) for value in picked]


def numbers(source: Source, name: str) -> NDArray[np.float64]:
    """Return the values of a numeric analysis column that are there."""
    found = np.asarray(values(source, (name,)).columns[name], dtype=np.float64)
    return found[~np.isnan(found)]
