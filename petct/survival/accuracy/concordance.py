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
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome


@dataclass(frozen=True)
class Concordance:
    """Concordance, its standard error, and the number of pairs whose order of events is known."""

    value: float
    standard_error: float
    n_pairs: int


@dataclass(frozen=True, eq=False)
class PairedRows:
    """For each row the pairs it is in, and those that agree with the risk score, shape (n,) each."""

    pairs: FloatArray
    agree: FloatArray

    @property
    def n_pairs(self) -> int:
        """Number of pairs; each was counted for both of its rows."""
        return int(self.pairs.sum() / 2)

    @property
    def value(self) -> float:
        """Share of the pairs that agree."""
        return float(self.agree.sum() / self.pairs.sum())

    @property
    def influence(self) -> FloatArray:
        """Influence of each row on the value, shape (n,)."""
        return np.asarray((self.agree - self.value * self.pairs) / self.n_pairs, dtype=np.float64)

    def concordance(self, cluster: IntArray | None = None) -> Concordance:
        """Concordance with the infinitesimal jackknife as standard error; rows of a ``cluster``, shape (n,), in one."""
        influence = self.influence
        if cluster is not None:
            influence = np.asarray(np.bincount(cluster, weights=influence), dtype=np.float64)
        return Concordance(self.value, float(np.sqrt((influence**2).sum())), self.n_pairs)


def concordance(outcome: Outcome, risk: FloatArray) -> Concordance:
    """Harrell's C of a risk score, with the infinitesimal jackknife as standard error.

    Parameters
    ----------
    risk
        Higher means earlier events, shape (n,).

    Raises
    ------
    SurvivalError
        NO_COMPARABLE_PAIRS when no pair of patients has a known order of events, RISK_INVALID.
    """
    check_risk(outcome, risk)
    rows = _all_pairs(outcome, risk)
    if not rows.pairs.any():
        raise no_comparable_pairs()
    return rows.concordance()


def paired_rows(outcome: Outcome, risk: FloatArray, stratum: IntArray | None = None) -> PairedRows:
    """Count the pairs of each row of a model with strata, entry times or clusters, as R's ``concordance``.

    Pairs count within a stratum, and only where the later of the two was under observation at the event of the other.

    Parameters
    ----------
    outcome
        The rows.
    risk, stratum
        Higher means earlier events, shape (n,); stratum 0, 1, ... of each row, shape (n,), or None.

    Raises
    ------
    SurvivalError
        NO_COMPARABLE_PAIRS when no pair has a known order of events.
    """
    agree, pairs = np.zeros(outcome.n), np.zeros(outcome.n)
    codes = np.zeros(outcome.n, dtype=np.int64) if stratum is None else stratum
    for code in range(int(codes.max()) + 1):
        own = np.flatnonzero(codes == code)
        if not outcome.event[own].any():
            continue
        part = outcome.subset(codes == code)
        found = _observed_together(part, risk[own]) if part.entry is not None else _all_pairs(part, risk[own])
        pairs[own], agree[own] = found.pairs, found.agree
    if not pairs.any():
        raise no_comparable_pairs()
    return PairedRows(pairs, agree)


def _all_pairs(outcome: Outcome, risk: FloatArray) -> PairedRows:
    counts = pair_counts(outcome, risk)
    return PairedRows((counts.outlived_by + counts.survived).astype(np.float64), counts.agree + counts.survived_agree)


def _observed_together(outcome: Outcome, risk: FloatArray) -> PairedRows:
    duration, event, entry = outcome.duration, outcome.event, outcome.entry
    agree, pairs = np.zeros(outcome.n), np.zeros(outcome.n)
    for i in np.flatnonzero(event == 1):
        # Someone censored at the time of an event is known to have survived it.
        later = (duration > duration[i]) | ((duration == duration[i]) & (event == 0))
        if entry is not None:
            later &= entry < duration[i]
        credit = np.where(risk[later] < risk[i], 1.0, np.where(risk[later] == risk[i], 0.5, 0.0))
        agree[later] += credit
        pairs[later] += 1.0
        agree[i] += credit.sum()
        pairs[i] += len(credit)
    return PairedRows(pairs, agree)


def uno_concordance(outcome: Outcome, risk: FloatArray) -> float:
    """Uno's C of a risk score; late events weigh much where few are left uncensored.

    Parameters
    ----------
    risk
        Higher means earlier events, shape (n,).

    Raises
    ------
    SurvivalError
        NO_COMPARABLE_PAIRS when no pair of patients has a known order of events, RISK_INVALID.
    """
    check_risk(outcome, risk)
    counts = pair_counts(outcome, risk)
    counted = (outcome.event == 1) & (counts.outlived_by > 0)
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
