"""Residuals of a Cox model, its robust covariance, and its baseline hazard, equal to R's ``survival``.

With Efron's ties a row that dies with d - 1 others counts as at risk at the l-th of those deaths with weight 1 - l/d,
here as in R's ``residuals.coxph`` and ``survfit.coxph``.
"""

from __future__ import annotations

import numpy as np

from petct.survival.cohort.outcome import FloatArray, IntArray
from petct.survival.likelihood.partial_likelihood import DeathTerms


def martingale_residuals(terms: DeathTerms) -> FloatArray:
    """Events seen minus events expected of each row, in the order of the risk sets, shape (n,)."""
    residual = -terms.risk * terms.risk_sets.over_deaths(1 / terms.total)
    residual[terms.risk_sets.rows] += 1
    return np.asarray(residual, dtype=np.float64)


def score_residuals(terms: DeathTerms) -> FloatArray:
    """Share of each row in the score, in the order of the risk sets, shape (n, p)."""
    sets = terms.risk_sets
    hazard = sets.over_deaths(1 / terms.total)
    mean = sets.over_deaths(terms.mean / terms.total[:, None])
    residual = -terms.risk[:, None] * (sets.design * hazard[:, None] - mean)
    # A tied death met the mean of its risk set at each of the l.
    size = np.diff(np.append(sets.tie_start, len(sets.rows)))
    average = np.add.reduceat(terms.mean, sets.tie_start, axis=0) / size[:, None]
    residual[sets.rows] += sets.design[sets.rows] - average[sets.tie]
    return np.asarray(residual, dtype=np.float64)


def robust_covariance(terms: DeathTerms, covariance: FloatArray, cluster: IntArray) -> FloatArray:
    """Sandwich covariance of the coefficients (Lin DY, Wei LJ, J Am Stat Assoc 1989;84:1074), shape (p, p).

    Parameters
    ----------
    terms
        Terms at the estimates.
    covariance
        Inverse of the information, shape (p, p).
    cluster
        Cluster of each row, 0, 1, ..., in the order of the risk sets, shape (n,); rows of one cluster are summed first.
    """
    change = np.zeros((int(cluster.max()) + 1, len(covariance)))
    np.add.at(change, cluster, score_residuals(terms) @ covariance)
    return np.asarray(change.T @ change, dtype=np.float64)
