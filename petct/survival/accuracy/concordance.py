"""Harrell's and Uno's concordance, as R's ``concordance``.

Of two patients the one with the event first should have the higher risk; pairs whose order of events is unknown do not
count, equal risks count one half. Harrell's value depends on who was censored; Uno's (Stat Med 2011;30:1105) weighs
each event by 1/G(t-)^2, G being the probability to be uncensored, so that it does not (R: ``timewt="n/G2"``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.accuracy.censoring import censoring_distribution
from petct.survival.accuracy.pair_counts import pair_counts
from petct.survival.cohort.outcome import FloatArray, Outcome


@dataclass(frozen=True)
class Concordance:
    """Concordance, its standard error, and the number of pairs whose order of events is known."""

    value: float
    standard_error: float
    n_pairs: int


def concordance(outcome: Outcome, risk: FloatArray) -> Concordance:
    """Harrell's C of a risk score, with the infinitesimal jackknife as standard error.

    Parameters
    ----------
    outcome
        The cohort.
    risk
        Higher means earlier events, shape (n,).

    Raises
    ------
    SurvivalError
        NO_COMPARABLE_PAIRS when no pair of patients has a known order of events, RISK_INVALID.
    """
    check_risk(outcome, risk)
    counts = pair_counts(outcome, risk)
    n_pairs = int(counts.outlived_by.sum())
    if n_pairs == 0:
        raise no_comparable_pairs()
    value = float(counts.agree.sum() / n_pairs)
    agree = counts.agree + counts.survived_agree
    influence = (agree - value * (counts.outlived_by + counts.survived)) / n_pairs
    return Concordance(value, float(np.sqrt((influence**2).sum())), n_pairs)


def uno_concordance(outcome: Outcome, risk: FloatArray, horizon: float | None = None) -> float:
    """Uno's C of a risk score.

    Parameters
    ----------
    outcome
        The cohort.
    risk
        Higher means earlier events, shape (n,).
    horizon
        Only events before it count; all when None, as in R. Late events weigh much where few are left uncensored.

    Raises
    ------
    SurvivalError
        NO_COMPARABLE_PAIRS when no pair of patients has a known order of events, RISK_INVALID.
    """
    check_risk(outcome, risk)
    counts = pair_counts(outcome, risk)
    counted = (outcome.event == 1) & (counts.outlived_by > 0)
    if horizon is not None:
        counted &= outcome.duration < horizon
    if not counted.any():
        raise no_comparable_pairs()
    weight = censoring_distribution(outcome).before(outcome.duration[counted]) ** -2.0
    return float((weight @ counts.agree[counted]) / (weight @ counts.outlived_by[counted]))


def no_comparable_pairs() -> SurvivalError:
    """The refusal of a cohort in which no order of events is known."""
    return SurvivalError(
        "NO_COMPARABLE_PAIRS",
        "No pair of patients has a known order of events",
        found="all events at one time and nobody beyond it",
        expected="an event before the time of another patient",
    )


def check_risk(outcome: Outcome, risk: FloatArray) -> None:
    """Refuse (RISK_INVALID) what is not one finite number for each patient."""
    if np.shape(risk) != (outcome.n,) or not np.isfinite(risk).all():
        raise SurvivalError(
            "RISK_INVALID",
            "A risk score needs one number for each patient",
            found=f"shape {np.shape(risk)}, {int(np.count_nonzero(~np.isfinite(risk)))} not finite",
            expected=f"{outcome.n} finite numbers",
        )
