"""Principal components of standardised features, by singular value decomposition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray
from petct.survival.cohort.results import counted
from petct.survival.features.feature_table import Dropped

FEWEST_ROWS = 3


@dataclass(frozen=True, eq=False)
class Component:
    """One principal component.

    Parameters
    ----------
    name
        ``PC1``, ``PC2``, ...
    explained_variance
        Variance of its scores; all components together have as much as there are features.
    explained_variance_ratio, cumulative_ratio
        Share of the total variance, of this component and with all before it.
    loadings
        Unit vector over the features; its largest entry is positive.
    scores
        One number a row, shape (n,): the standardised features times the loadings. An array, because a tuple of 10,000
        numbers a component takes longer to make than the decomposition.
    """

    name: str
    explained_variance: float
    explained_variance_ratio: float
    cumulative_ratio: float
    loadings: tuple[float, ...]
    scores: FloatArray

    @property
    def correlations(self) -> tuple[float, ...]:
        """Correlation of each feature with the component: the arrows of a biplot, within the unit circle."""
        length = math.sqrt(self.explained_variance)
        return tuple(loading * length for loading in self.loadings)


@dataclass(frozen=True)
class PcaResult:
    """Principal components of the complete rows.

    Parameters
    ----------
    n, n_missing
        Rows in the analysis, and rows left out because a feature is missing.
    row_ids, features
        What the scores and the loadings belong to.
    means, standard_deviations
        What the features were standardised with (n - 1 in the denominator).
    components
        In order of explained variance; at most n - 1.
    dropped_columns, dropped_rows
        What was left out.
    notes
        Sentences a reader of the numbers has to know.
    """

    n: int
    n_missing: int
    row_ids: tuple[str, ...]
    features: tuple[str, ...]
    means: tuple[float, ...]
    standard_deviations: tuple[float, ...]
    components: tuple[Component, ...]
    dropped_columns: tuple[Dropped, ...]
    dropped_rows: tuple[str, ...]
    notes: tuple[str, ...]


def pca(
    values: npt.ArrayLike,
    feature_names: Sequence[str],
    row_ids: Sequence[str],
) -> PcaResult:
    """Principal components of z-scored features.

    Features without any value and constant ones are dropped, then rows with a missing value.

    Parameters
    ----------
    values
        Shape (rows, features); NaN is missing.
    feature_names, row_ids
        Names of the columns and rows.

    Raises
    ------
    SurvivalError
        PCA_SHAPE, PCA_NOT_FINITE, PCA_TOO_FEW_FEATURES (fewer than 2 that vary),
        PCA_TOO_FEW_ROWS (fewer than 3 complete rows).
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape != (len(row_ids), len(feature_names)):
        raise SurvivalError(
            "PCA_SHAPE",
            "The values do not fit the names of rows and features",
            found=str(matrix.shape),
            expected=str((len(row_ids), len(feature_names))),
        )
    if np.isinf(matrix).any():
        column = int(np.isinf(matrix).any(axis=0).argmax())
        raise SurvivalError(
            "PCA_NOT_FINITE", "A feature has infinite values", keyword=feature_names[column], found="inf"
        )

    missing = np.isnan(matrix)
    dropped = {
        j: Dropped(feature_names[j], "ALL_MISSING", f"{feature_names[j]} has no value in any row.")
        for j in np.flatnonzero(missing.all(axis=0)).tolist()
    }
    used = [j for j in range(matrix.shape[1]) if j not in dropped]
    complete = np.asarray(~missing[:, used].any(axis=1), dtype=np.bool_)
    n = int(complete.sum())
    if used and n < FEWEST_ROWS:
        raise SurvivalError(
            "PCA_TOO_FEW_ROWS",
            "Too few rows have all features",
            found=f"{n} of {len(row_ids)}",
            expected=f"at least {FEWEST_ROWS}",
            hint="Choose features that more patients have.",
        )
    rows = matrix if n == len(matrix) else matrix[complete]
    if used:
        # Rounding alone must not pass for variance.
        highest, lowest = rows.max(axis=0), rows.min(axis=0)
        flat = highest - lowest <= 1e-12 * np.maximum(np.abs(highest), np.abs(lowest))
        for j in np.flatnonzero(flat).tolist():
            dropped[j] = Dropped(feature_names[j], "CONSTANT", f"{feature_names[j]} is the same in all {n} rows.")
    used = [j for j in used if j not in dropped]
    if len(used) < 2:
        raise SurvivalError(
            "PCA_TOO_FEW_FEATURES", "Fewer than two features vary", found=str(len(used)), expected="at least 2"
        )

    chosen = rows[:, used]
    means, deviations = chosen.mean(axis=0), chosen.std(axis=0, ddof=1)
    standardised = (chosen - means) / deviations
    # The triangle of a QR decomposition has the singular values and loadings of the whole, and a fraction of its rows.
    tall = np.linalg.qr(standardised, mode="r") if n > len(used) else standardised
    _, singular, right = np.linalg.svd(tall, full_matrices=False)
    variance = singular**2 / (n - 1)
    scores = right @ standardised.T
    components = []
    for k in range(min(n - 1, len(used))):
        # The first of the largest loadings decides the sign; ties up to rounding must not.
        size = np.abs(right[k])
        sign = 1.0 if right[k][np.argmax(size >= size.max() * (1 - 1e-9))] >= 0 else -1.0
        components.append(
            Component(
                f"PC{k + 1}",
                float(variance[k]),
                float(variance[k] / variance.sum()),
                float(variance[: k + 1].sum() / variance.sum()),
                tuple((sign * right[k]).tolist()),
                _fixed(sign * scores[k]),
            )
        )
    notes = []
    n_missing = len(row_ids) - n
    if n_missing:
        notes.append(f"{counted(n_missing, 'row')} without all features left out (complete cases): n = {n}.")
    if dropped:
        notes.append(f"{counted(len(dropped), 'feature')} without variance or values left out.")
    if n <= len(used):
        notes.append(
            f"{len(used)} features in {n} rows: the components describe these rows and may not hold in others."
        )
    return PcaResult(
        n,
        n_missing,
        tuple(row_id for row_id, there in zip(row_ids, complete, strict=True) if there),
        tuple(feature_names[j] for j in used),
        tuple(float(value) for value in means),
        tuple(float(value) for value in deviations),
        tuple(components),
        tuple(dropped[j] for j in sorted(dropped)),
        tuple(row_id for row_id, there in zip(row_ids, complete, strict=True) if not there),
        tuple(notes),
    )


def _fixed(values: FloatArray) -> FloatArray:
    """An array of a result, which nobody may change."""
    values.setflags(write=False)
    return values
