"""Test of proportional hazards: the score test of ``cox.zph`` in R's survival 3.

The model is extended by the covariate times g(t), and the score of that term is tested at zero with all other
coefficients at their estimates (Grambsch PM, Therneau TM, Biometrika 1994;81:515 is its older approximation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from petct.errors import SurvivalError
from petct.survival.outcome import FloatArray, IntArray, Outcome
from petct.survival.partial_likelihood import DeathTerms
from petct.survival.results import chi_squared_p

Transform = Literal["km", "rank", "identity"]


@dataclass(frozen=True)
class TermTest:
    """Score test of one covariate (all its columns together), or of all of them."""

    covariate: str
    chi_squared: float
    df: int
    p: float


@dataclass(frozen=True)
class ProportionalHazardsTest:
    """Tests of proportional hazards against an effect that changes with g(t).

    Parameters
    ----------
    transform
        g: ``km`` (1 minus the left-continuous survival curve), ``rank`` of the time, or ``identity``.
    terms
        One test for each covariate.
    global_test
        All covariates together.
    """

    transform: Transform
    terms: tuple[TermTest, ...]
    global_test: TermTest


def proportional_hazards(
    outcome: Outcome,
    terms: DeathTerms,
    covariates: Sequence[tuple[str, Sequence[int]]],
    transform: Transform = "km",
    entry: FloatArray | None = None,
) -> ProportionalHazardsTest:
    """Score tests at a fitted model.

    Parameters
    ----------
    outcome
        The cohort of the fit.
    terms
        The deaths' terms at the estimates.
    covariates
        Name and design columns of each covariate.
    transform
        How time enters.
    entry
        Entry times of the cohort, shape (n,), where there are some.

    Raises
    ------
    SurvivalError
        TRANSFORM_UNKNOWN.
    """
    sets = terms.risk_sets
    g = _transformed(outcome.duration, outcome.event, transform, entry)[sets.order][sets.rows]
    g = g - g.mean()
    g = g / (np.abs(g).max() or 1.0)  # the test does not depend on the unit, its arithmetic does
    p = terms.residual.shape[1]
    score = g @ terms.residual
    information = np.empty((2 * p, 2 * p))
    information[:p, :p] = terms.information
    information[:p, p:] = information[p:, :p] = terms.weighted_information(g)
    information[p:, p:] = terms.weighted_information(g**2)

    def test(name: str, columns: Sequence[int]) -> TermTest:
        own = p + np.asarray(columns, dtype=np.int64)
        kept = np.concatenate((np.arange(p), own))
        u = np.concatenate((np.zeros(p), score[own - p]))
        # With all events at one time g is constant: there is nothing to see, and the matrix has no inverse.
        part = information[np.ix_(kept, kept)]
        statistic = 0.0 if not g.any() else float(u @ np.linalg.lstsq(part, u, rcond=None)[0])
        return TermTest(name, statistic, len(columns), chi_squared_p(statistic, len(columns)))

    return ProportionalHazardsTest(
        transform, tuple(test(name, columns) for name, columns in covariates), test("GLOBAL", range(p))
    )


def _transformed(duration: FloatArray, event: IntArray, transform: Transform, entry: FloatArray | None) -> FloatArray:
    if transform == "identity":
        return duration
    if transform == "rank":
        # Average ranks of all times, censored ones included.
        _, position, size = np.unique(duration, return_inverse=True, return_counts=True)
        return np.asarray((np.cumsum(size) - (size - 1) / 2)[position], dtype=np.float64)
    if transform == "km":
        times, position = np.unique(duration, return_inverse=True)
        events = np.bincount(position, weights=event)
        at_risk = len(duration) - np.searchsorted(np.sort(duration), times, side="left")
        if entry is not None:
            at_risk -= len(entry) - np.searchsorted(np.sort(entry), times, side="left")
        before = np.concatenate(([1.0], np.cumprod(1.0 - events / at_risk)[:-1]))
        return np.asarray(1.0 - before[position], dtype=np.float64)
    raise SurvivalError(
        "TRANSFORM_UNKNOWN",
        "There is no such transform of time",
        found=transform,
        expected=", ".join(get_args(Transform)),
    )
