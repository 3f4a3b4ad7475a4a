"""The baseline hazard of a Cox model with Efron's ties, and the survival it predicts, as R's ``basehaz``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.likelihood.partial_likelihood import RiskSets

# e^500: nobody with such a predictor survives any event, and the exponential still is a number.
_LARGEST_PREDICTOR = 500.0


@dataclass(frozen=True, eq=False)
class BaselineHazard:
    """Cumulative hazard of a patient whose linear predictor is 0.

    Parameters
    ----------
    times
        Distinct event times, ascending, shape (m,).
    cumulative
        Cumulative hazard from each of them on, shape (m,).
    """

    times: FloatArray
    cumulative: FloatArray

    def at(self, times: FloatArray) -> FloatArray:
        """Cumulative hazard at ``times``, shape as they; constant beyond the last event."""
        return np.asarray(
            np.concatenate(([0.0], self.cumulative))[np.searchsorted(self.times, times, side="right")], dtype=np.float64
        )

    def event_probability(self, predictor: FloatArray, times: FloatArray) -> FloatArray:
        """Probability of the event by each time: predictors of shape (n,), times (t,), result (n, t)."""
        hazard = np.exp(np.minimum(predictor, _LARGEST_PREDICTOR))[:, None] * self.at(np.asarray(times))[None, :]
        return np.asarray(-np.expm1(-hazard), dtype=np.float64)


def baseline_hazard(outcome: Outcome, predictor: FloatArray) -> BaselineHazard:
    """Estimate the baseline hazard that belongs to a linear predictor.

    Of d deaths at one time the l-th (l = 0 .. d-1) adds 1 over the sum of the hazards at risk, less l/d of the sum of
    the hazards of those d (Efron, as in the partial likelihood).

    Parameters
    ----------
    outcome
        The cohort of the fit.
    predictor
        Log hazard of each patient relative to the baseline, shape (n,).
    """
    sets = RiskSets.of(outcome.duration, outcome.event, predictor[:, None], entry=outcome.entry)
    terms = sets.evaluate(np.ones(1))
    # The risks are given relative to the highest predictor, to stay in the range of numbers.
    steps = np.bincount(sets.tie, weights=np.exp(-terms.highest[0]) / terms.total)
    return BaselineHazard(sets.times[sets.tie_start], np.cumsum(steps))
