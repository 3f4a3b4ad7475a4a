"""From columns of a snapshot to results of ``petct.survival``: patients aligned, results cached."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashboard.data import Source, analysis_columns, endpoint, values
from dashboard.wording import distinct_names
from petct.survival.cohort.columns import Columns
from warehouse.queries.analysis_columns import AnalysisColumn, Endpoint


def column(source: Source, name: str) -> AnalysisColumn:
    """Return the analysis column called ``name``; raises ``WarehouseError`` COLUMN_UNKNOWN."""
    values(source, (name,))
    return next(column for column in analysis_columns(source) if column.name == name)


def aligned(source: Source, endpoint_name: str, names: Sequence[str]) -> tuple[Columns, Endpoint]:
    """Return analysis columns of the patients who have an endpoint, in its order, and the endpoint.

    In results the columns are called as on the pages.

    Raises
    ------
    WarehouseError
        ENDPOINT_UNKNOWN, COLUMN_UNKNOWN.
    """
    times = endpoint(source, endpoint_name)
    table = values(source, tuple(names))
    place = {patient: row for row, patient in enumerate(table.patient_ids)}
    rows = [place[patient] for patient in times.patient_ids]
    chosen = [column(source, name) for name in names]
    return (
        Columns(
            {name: table.columns[name][rows] for name in names},
            {column.name: column.unit for column in chosen},
            distinct_names(chosen),
        ),
        times,
    )


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
