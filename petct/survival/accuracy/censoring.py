"""The distribution of censoring, which weighs up the patients who were seen for those who were not (IPCW)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.outcome import FloatArray, Outcome


@dataclass(frozen=True, eq=False)
class CensoringDistribution:
    """Probability G(t) to be uncensored: distinct times, shape (m,), and G just after each."""

    times: FloatArray
    uncensored: FloatArray

    def before(self, at: FloatArray) -> FloatArray:
        """G(t-): the probability to be uncensored until just before each time."""
        return self._value(np.searchsorted(self.times, at, side="left"))

    def after(self, at: FloatArray) -> FloatArray:
        """G(t): the probability to be uncensored beyond each time."""
        return self._value(np.searchsorted(self.times, at, side="right"))

    def _value(self, n_before: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> FloatArray:
        return np.asarray(np.concatenate(([1.0], self.uncensored))[n_before], dtype=np.float64)


def censoring_distribution(outcome: Outcome) -> CensoringDistribution:
    """Kaplan-Meier estimate of censoring, in which the dead of a day leave before the censored of that day.

    A patient who died cannot be censored at the same time; so do R's ``survival`` and ``prodlim`` (which is behind
    riskRegression's ``cens.model="km"``).

    Raises
    ------
    SurvivalError
        LEFT_TRUNCATION_UNSUPPORTED for late entries.
    """
    outcome.refuse_entries("Weighting by the probability of censoring")
    times, position = np.unique(outcome.duration, return_inverse=True)
    leaving = np.bincount(position, minlength=len(times))
    events = np.bincount(position, weights=outcome.event, minlength=len(times))
    at_risk = outcome.n - np.concatenate(([0], np.cumsum(leaving)[:-1])) - events
    censored = leaving - events
    factor = 1.0 - np.divide(censored, at_risk, out=np.zeros(len(times)), where=at_risk > 0)
    return CensoringDistribution(times, np.cumprod(factor))
