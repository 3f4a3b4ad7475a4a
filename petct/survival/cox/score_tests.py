"""Score tests of some coefficients of a Cox model: asymptotic, robust, and by permutation.

All start from the model without those coefficients (Rao). The permutation gives the columns under test, less what the
others explain of them, to other patients: with a single covariate that is exact, whatever its distribution, as long as
censoring does not depend on it; because the statistic is studentised in every permutation it stays valid for large
cohorts when censoring does (Neuhaus G, Ann Stat 1993;21:1760). With further covariates it is approximate. The robust
test replaces the information by the sum of squared score residuals (Lin DY, Wei LJ, J Am Stat Assoc 1989;84:1074).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.outcome import FloatArray, IntArray
from petct.survival.cohort.results import chi_squared_p
from petct.survival.cox.residuals import score_residuals
from petct.survival.likelihood.partial_likelihood import DeathTerms, RiskSets, maximise

# What stays in the cache of a processor.
_VALUES_AT_ONCE = 40_000


@dataclass(frozen=True, eq=False)
class ScoreTest:
    """Score test of k columns.

    Parameters
    ----------
    chi_squared, df, p
        The asymptotic test.
    null
        Terms of the columns under test alone, at the model without them, shape (deaths, k) inside.
    residual_columns
        The columns less what the others explain of them, in the order of the risk sets, shape (n, k).
    score_residuals
        Their score residuals, shape (n, k); their sum is the score.
    """

    chi_squared: float
    df: int
    p: float
    null: DeathTerms
    residual_columns: FloatArray
    score_residuals: FloatArray


def score_test(risk_sets: RiskSets, columns: IntArray, names: tuple[str, ...]) -> ScoreTest:
    """Test that the coefficients of ``columns`` are 0, those of the others being free.

    Parameters
    ----------
    risk_sets
        The cohort with all columns, standardised.
    columns
        Indices of those under test.
    names
        Names of all columns.

    Raises
    ------
    SurvivalError
        COX_SEPARATION, COX_NOT_CONVERGED of the model without them.
    """
    others = np.setdiff1d(np.arange(risk_sets.design.shape[1]), columns)
    beta = np.zeros(risk_sets.design.shape[1])
    if len(others):
        without = risk_sets.with_design(risk_sets.design[:, others])
        beta[others] = maximise(without, tuple(names[i] for i in others)).coefficients
    terms = risk_sets.evaluate(beta)
    information = terms.information
    explained = np.linalg.lstsq(information[np.ix_(others, others)], information[np.ix_(others, columns)], rcond=None)[
        0
    ]
    rest = risk_sets.design[:, columns] - risk_sets.design[:, others] @ explained
    # The risks are those of the model without the columns; only the columns change.
    null = DeathTerms(
        risk_sets.with_design(rest),
        terms.log_likelihood,
        terms.risk,
        terms.highest,
        terms.total,
        risk_sets.at_risk(terms.risk[:, None] * rest) / terms.total[:, None],
    )
    statistic = float(null.score @ np.linalg.lstsq(null.information, null.score, rcond=None)[0])
    return ScoreTest(statistic, len(columns), chi_squared_p(statistic, len(columns)), null, rest, score_residuals(null))


def robust_score_statistic(test: ScoreTest, cluster: IntArray) -> float:
    """Robust score statistic, chi-squared with as many degrees of freedom as columns.

    Parameters
    ----------
    test
        The score test.
    cluster
        Cluster of each row, 0, 1, ..., in the order of the risk sets, shape (n,).
    """
    by_cluster = np.zeros((int(cluster.max()) + 1, test.score_residuals.shape[1]))
    np.add.at(by_cluster, cluster, test.score_residuals)
    score = by_cluster.sum(axis=0)
    return float(score @ np.linalg.lstsq(by_cluster.T @ by_cluster, score, rcond=None)[0])


def permutations_of(stratum: IntArray, n_permutations: int, seed: int) -> IntArray:
    """Random orders of the patients, each within its stratum, shape (n_permutations, n).

    Parameters
    ----------
    stratum
        Stratum of each row, ascending, shape (n,).
    n_permutations, seed
        How many, and the seed of numpy's default generator.
    """
    keys = np.random.default_rng(seed).random((n_permutations, len(stratum)))
    return np.asarray(np.argsort(keys + stratum, axis=1), dtype=np.int64)


def permutation_p(test: ScoreTest, orders: IntArray) -> float:
    """Return (b + 1) / (B + 1), b being the permutations of B whose statistic is at least the observed one."""
    observed = _statistics(test, np.arange(orders.shape[1])[None, :])[0]
    # A permutation that only exchanges equal patients gives the same statistic, but for rounding.
    reached = sum(
        int(np.count_nonzero(_statistics(test, part) >= observed * (1 - 1e-9) - 1e-12)) for part in _parts(test, orders)
    )
    return (reached + 1) / (len(orders) + 1)


def _parts(test: ScoreTest, orders: IntArray) -> Iterator[IntArray]:
    size = max(1, _VALUES_AT_ONCE // test.residual_columns.size)
    for start in range(0, len(orders), size):
        yield orders[start : start + size]


def _statistics(test: ScoreTest, orders: IntArray) -> FloatArray:
    """Score statistics with the rows of the columns under test in other orders, shape (orders,)."""
    null, sets = test.null, test.null.risk_sets
    k = test.residual_columns.shape[1]
    x = test.residual_columns.T[:, orders.T]  # (k, n, orders)
    expected = null.risk * sets.over_deaths(1 / null.total)
    martingale = -expected
    martingale[sets.rows] += 1
    score = np.einsum("n,knb->bk", martingale, x)
    mean = np.stack([sets.at_risk(null.risk[:, None] * x[j]) / null.total[:, None] for j in range(k)])
    information = np.empty((orders.shape[0], k, k))
    for i in range(k):
        for j in range(i + 1):
            information[:, i, j] = information[:, j, i] = np.einsum("n,nb,nb->b", expected, x[i], x[j]) - np.einsum(
                "db,db->b", mean[i], mean[j]
            )
    if k == 1:
        variance = information[:, 0, 0]
        return np.asarray(
            np.divide(score[:, 0] ** 2, variance, out=np.zeros(len(variance)), where=variance > 0), dtype=np.float64
        )
    return np.asarray(
        np.einsum("bi,bij,bj->b", score, np.linalg.pinv(information, hermitian=True), score), dtype=np.float64
    )
