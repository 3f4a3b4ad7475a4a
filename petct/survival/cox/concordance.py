"""Harrell's concordance of models with strata, entry times or clusters, and what each row adds to it.

Pairs count within a stratum, and only where the later of the two was under observation at the event of the other, as in
R's ``concordance``. Standard errors are infinitesimal jackknives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.accuracy.concordance import Concordance, no_comparable_pairs
from petct.survival.accuracy.pair_counts import pair_counts
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome


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


def paired_rows(outcome: Outcome, risk: FloatArray, stratum: IntArray | None = None) -> PairedRows:
    """Count the pairs of each row.

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


def model_concordance(
    outcome: Outcome, risk: FloatArray, stratum: IntArray | None, cluster: IntArray | None
) -> Concordance:
    """Concordance of a model.

    Parameters
    ----------
    outcome, risk, stratum
        As for ``paired_rows``.
    cluster
        Rows that belong together, 0, 1, ..., shape (n,); None where each stands alone.

    Raises
    ------
    SurvivalError
        NO_COMPARABLE_PAIRS.
    """
    rows = paired_rows(outcome, risk, stratum)
    influence = rows.influence
    if cluster is not None:
        influence = np.asarray(np.bincount(cluster, weights=influence), dtype=np.float64)
    return Concordance(rows.value, float(np.sqrt((influence**2).sum())), rows.n_pairs)
