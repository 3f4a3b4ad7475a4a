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
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import chi_squared_p, f_p
from petct.survival.likelihood.partial_likelihood import DeathTerms

Transform = Literal["km", "rank", "identity"]


@dataclass(frozen=True)
class TermTest:
    """Score test of one covariate (all its columns together), or of all of them.

    Parameters
    ----------
    covariate
        Its name, or ``GLOBAL``.
    chi_squared, df
        The statistic of ``cox.zph``.
    p
        From the F distribution of ``chi_squared / df`` with the events, less the coefficients of model and test, in the
        denominator (at least 1): with few events the chi-squared distribution is too narrow (ADR 0021).
    """

    covariate: str
    chi_squared: float
    df: int
    p: float

    @property
    def asymptotic_p(self) -> float:
        """P of the chi-squared distribution, as R prints it; it is not the one that is shown."""
        return chi_squared_p(self.chi_squared, self.df)


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

    Raises
    ------
    SurvivalError
        TRANSFORM_UNKNOWN.
    """
    sets = terms.risk_sets
    g = transformed_times(outcome, transform)[sets.order][sets.rows]
    g = g - g.mean()
    g = g / (np.abs(g).max() or 1.0)  # the test does not depend on the unit, its arithmetic does
    with_g = terms.weighted_information(g)
    # What the score of a changing effect keeps when the coefficients are estimated: its efficient part.
    explained = np.linalg.lstsq(terms.information, with_g, rcond=None)[0]
    variance = terms.weighted_information(g**2) - with_g @ explained
    # At the estimates the score of the coefficients is 0.
    score = g @ terms.residual

    def test(name: str, columns: Sequence[int]) -> TermTest:
        own = np.asarray(columns, dtype=np.int64)
        # With all events at one time g is constant: there is nothing to see, and the matrix has no inverse.
        part = np.linalg.lstsq(variance[np.ix_(own, own)], score[own], rcond=None)[0]
        statistic = float(score[own] @ part) if g.any() else 0.0
        df = len(columns)
        return TermTest(name, statistic, df, f_p(statistic, df, len(g) - len(score) - df))

    return ProportionalHazardsTest(
        transform,
        tuple(test(name, columns) for name, columns in covariates),
        test("GLOBAL", range(len(score))),
    )


def transformed_times(outcome: Outcome, transform: Transform) -> FloatArray:
    """Time of each row as a transform has it, in the order of the outcome, shape (n,); raises TRANSFORM_UNKNOWN."""
    duration, event, entry = outcome.duration, outcome.event, outcome.entry
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
