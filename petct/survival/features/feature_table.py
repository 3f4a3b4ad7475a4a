"""Features of patients as one matrix, with the names that belong to its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petct.errors import FeatureError, SurvivalError
from petct.survival.cohort.outcome import Outcome

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dropped:
    """A feature that takes no part, and why."""

    name: str
    code: str
    message: str


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Numbers of patients; a constructed table is valid.

    Parameters
    ----------
    names
        One name a column, all different.
    values
        Shape (n, p), NaN where a value is missing.
    batch
        Scanner, site or protocol of each patient, for harmonisation; None where it plays no part.

    Raises
    ------
    FeatureError
        FEATURES_SHAPE, FEATURE_DUPLICATE, FEATURE_NOT_FINITE.
    """

    names: tuple[str, ...]
    values: FloatArray
    batch: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        batch_fits = self.batch is None or len(self.batch) == len(values)
        if values.ndim != 2 or values.shape[1] != len(self.names) or not batch_fits:
            raise FeatureError(
                "FEATURES_SHAPE",
                "The values do not fit the names of the features and the batches",
                found=str(values.shape),
                expected=f"{len(self.names)} columns" + ("" if self.batch is None else f" and {len(self.batch)} rows"),
            )
        if len(set(self.names)) < len(self.names):
            repeated = next(name for i, name in enumerate(self.names) if name in self.names[:i])
            raise FeatureError("FEATURE_DUPLICATE", "A feature is named twice", keyword=repeated, found=repeated)
        if np.isinf(values).any():
            name = self.names[int(np.isinf(values).any(axis=0).argmax())]
            raise FeatureError("FEATURE_NOT_FINITE", f"{name} has infinite values", keyword=name, found="inf")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.values)

    def measured(self, most_missing: float = 0.5) -> npt.NDArray[np.bool_]:
        """Which patients have most of the features, shape (n,).

        A patient without any lesion in an organ has none of its features: filling them all would invent a patient.
        """
        return np.asarray(np.isnan(self.values).mean(axis=1) <= most_missing, dtype=np.bool_)

    def rows(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> FeatureTable:
        """Return the patients of a mask or of indices (which may repeat), in that order."""
        batch = None
        if self.batch is not None:
            batch = tuple(np.array(self.batch, dtype=object)[which].tolist())
        return FeatureTable(self.names, self.values[which], batch)

    def columns(self, names: Sequence[str]) -> FeatureTable:
        """Return the named features in the order asked for; raises FEATURE_UNKNOWN."""
        position = {name: index for index, name in enumerate(self.names)}
        unknown = [name for name in names if name not in position]
        if unknown:
            raise FeatureError(
                "FEATURE_UNKNOWN",
                "The table lacks features that are needed",
                keyword=unknown[0],
                found=f"{len(unknown)} missing: {', '.join(unknown[:3])}{', ...' if len(unknown) > 3 else ''}",
                expected=f"{len(names)} features",
            )
        return FeatureTable(tuple(names), self.values[:, [position[name] for name in names]], self.batch)


def check_rows(outcome: Outcome, table: FeatureTable) -> None:
    """Refuse (TABLE_LENGTH) a table of other patients than the outcome's."""
    if table.n != outcome.n:
        raise SurvivalError(
            "TABLE_LENGTH", "The features are not of these patients", found=str(table.n), expected=str(outcome.n)
        )
