"""Spearman's correlation of features, and the pruning of those that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from petct.survival.features.feature_table import Dropped, FloatArray

PruningRule = Literal["mean", "order"]


def ranks(values: FloatArray) -> FloatArray:
    """Ranks within each column, ties at their mean, shape as ``values`` (n, p) without NaN."""
    found = np.empty_like(values, dtype=np.float64)
    for j in range(values.shape[1]):
        _, code, count = np.unique(values[:, j], return_inverse=True, return_counts=True)
        found[:, j] = (np.cumsum(count) - (count - 1) / 2)[code]
    return found


def spearman(values: FloatArray) -> FloatArray:
    """Spearman's rho of all pairs of columns, shape (p, p); 0 for a constant column."""
    centred = ranks(values)
    centred -= centred.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    centred /= np.where(length > 0, length, 1.0)
    return np.asarray(np.clip(centred.T @ centred, -1.0, 1.0), dtype=np.float64)


def spearman_with(values: FloatArray, variable: FloatArray) -> FloatArray:
    """Spearman's rho of each column with one variable, over the rows that have both.

    Parameters
    ----------
    values
        Shape (n, p), NaN where a value is missing.
    variable
        Shape (n,), NaN likewise.

    Returns
    -------
    numpy.ndarray
        Shape (p,); NaN where fewer than 3 rows have both, or where either is constant in them.
    """
    found = np.full(values.shape[1], np.nan)
    for j in range(values.shape[1]):
        pair = np.column_stack([values[:, j], variable])
        pair = pair[~np.isnan(pair).any(axis=1)]
        if len(pair) >= 3 and np.all(np.ptp(pair, axis=0) > 0):
            found[j] = spearman(pair)[0, 1]
    return found


def clustered_order(rho: FloatArray) -> list[int]:
    """Order in which features that say the same stand side by side, for a heat map.

    Average linkage on the distance 1 - |rho|, its leaves in the order that puts the most similar ones next to each
    other (Bar-Joseph Z et al., Bioinformatics 2001;17:S22).

    Parameters
    ----------
    rho
        Correlations, shape (p, p).
    """
    if len(rho) < 3:
        return list(range(len(rho)))
    from scipy.cluster.hierarchy import leaves_list, linkage

    distance = 1.0 - np.abs(rho)[np.triu_indices(len(rho), 1)]
    return [int(j) for j in leaves_list(linkage(distance, "average", optimal_ordering=True))]


def prune(
    values: FloatArray, names: Sequence[str], threshold: float, rule: PruningRule
) -> tuple[list[int], dict[int, Dropped]]:
    """Drop one of every pair of features whose rho lies above a threshold in absolute value.

    Parameters
    ----------
    values
        Shape (n, p), without missing values.
    names
        Names of the features.
    threshold
        Largest absolute value of Spearman's rho that two kept features may have.
    rule
        Which of a pair goes, the most correlated pair first: the one with the larger mean absolute rho with all that
        are left (``mean``; the later one on a tie), or always the later one (``order``).

    Returns
    -------
    tuple
        Columns that are kept, and the reason of every other one by its column.
    """
    rho = np.abs(spearman(values))
    np.fill_diagonal(rho, 0.0)
    total = rho.sum(axis=0)
    left, dropped = np.ones(len(names), dtype=np.bool_), {}
    pairs = np.argwhere(np.triu(rho > threshold, 1))
    for i, j in pairs[np.argsort(-rho[pairs[:, 0], pairs[:, 1]], kind="stable")].tolist():
        if not (left[i] and left[j]):
            continue
        # Sums differ by rounding between orders of the features: only a real difference decides.
        goes, stays = (i, j) if rule == "mean" and total[i] > total[j] + 1e-9 else (j, i)
        left[goes] = False
        total -= rho[:, goes]
        dropped[goes] = Dropped(
            names[goes],
            "CORRELATED",
            f"{names[goes]} is correlated with {names[stays]}, which is kept (|rho| {rho[i, j]:.3f} > {threshold:g}).",
        )
    return np.flatnonzero(left).tolist(), dropped
