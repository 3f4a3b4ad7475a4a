"""Columns of patients by name, as an analysis asks for them: numbers, categories, units, and names for results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns with one value per patient, all in the same order.

    Parameters
    ----------
    values
        Numbers as float64 with NaN where there is none, categories as objects (text) with None; shape (n,) each.
    units
        Units of the columns that have one.
    labels
        What a column is called in results, where that is not its name.
    """

    values: Mapping[str, npt.NDArray[Any]]
    units: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def is_number(self, name: str) -> bool:
        """Whether a column holds numbers."""
        return self.values[name].dtype.kind == "f"

    def number(self, name: str, hint: str | None = None) -> FloatArray:
        """A numeric column, shape (n,); raises ``SurvivalError`` COLUMN_NOT_NUMERIC with ``hint``."""
        if not self.is_number(name):
            raise SurvivalError(
                "COLUMN_NOT_NUMERIC", "The column holds categories, not numbers", keyword=name, hint=hint
            )
        return self.values[name]

    def texts(self, name: str) -> list[str | None]:
        """A column as categories, None where there is none."""
        if not self.is_number(name):
            return [None if value is None else str(value) for value in self.values[name]]
        return [None if np.isnan(value) else f"{value:g}" for value in self.values[name]]

    def unit(self, name: str) -> str | None:
        """The unit of a column."""
        return self.units.get(name)

    def label(self, name: str) -> str:
        """What the column is called in results."""
        return self.labels.get(name, name)

    def rows(self, kept: BoolArray) -> Columns:
        """The same columns of the patients where ``kept`` is true."""
        return Columns({name: column[kept] for name, column in self.values.items()}, self.units, self.labels)
