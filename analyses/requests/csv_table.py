"""A CSV, Excel or Parquet file as columns of numbers and categories."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns

_MISSING = {"", "na", "n/a", "nan", "null", "none"}


def csv_cells(path: Path) -> dict[str, list[str]]:
    """The cells of a table by column; raises what ``warehouse.imports.read_table`` refuses."""
    from warehouse.imports import read_table

    table = read_table(path)
    return {column: [row[index] for row in table.rows] for index, column in enumerate(table.columns)}


def csv_numbers(cells: Mapping[str, list[str]], name: str) -> NDArray[np.float64]:
    """A column of numbers, NaN where a cell is empty; raises ``SurvivalError`` COLUMN_UNKNOWN, COLUMN_NOT_NUMERIC."""
    texts = _cells_of(cells, name)
    if not _all_numeric(texts):
        raise SurvivalError(
            "COLUMN_NOT_NUMERIC", "The column must hold numbers", keyword=name, found=next(iter(texts), None)
        )
    return np.array([np.nan if _is_missing(text) else float(text) for text in texts])


def csv_columns(cells: Mapping[str, list[str]], names: Iterable[str]) -> Columns:
    """The columns called ``names``: numbers where all cells are, else categories; raises COLUMN_UNKNOWN."""
    return Columns({name: _column(cells, name) for name in names})


def numeric_columns(cells: Mapping[str, list[str]]) -> list[str]:
    """The names of the columns that hold numbers."""
    return [name for name, texts in cells.items() if _all_numeric(texts)]


def _column(cells: Mapping[str, list[str]], name: str) -> NDArray[Any]:
    texts = _cells_of(cells, name)
    if _all_numeric(texts):
        return csv_numbers(cells, name)
    return np.array([None if _is_missing(text) else text for text in texts], dtype=object)


def _cells_of(cells: Mapping[str, list[str]], name: str) -> list[str]:
    if name not in cells:
        near = difflib.get_close_matches(name, list(cells), n=1, cutoff=0.4)
        raise SurvivalError(
            "COLUMN_UNKNOWN",
            "The CSV has no such column",
            found=name,
            expected=", ".join(cells),
            hint=f"Nearest: {near[0]}." if near else None,
        )
    return cells[name]


def _is_missing(text: str) -> bool:
    return text.strip().casefold() in _MISSING


def _all_numeric(texts: Sequence[str]) -> bool:
    present = [text for text in texts if not _is_missing(text)]
    try:
        [float(text) for text in present]
    except ValueError:
        return False
    return bool(present)
