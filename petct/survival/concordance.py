"""Harrell's concordance and its standard error, as R's ``concordance``.

Of two patients the one with the event first should have the higher risk; pairs whose order of events is unknown do not
count, equal risks count one half. The standard error is the infinitesimal jackknife.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.outcome import FloatArray, Outcome


@dataclass(frozen=True)
class Concordance:
    """Concordance, its standard error, and the number of pairs whose order of events is known."""

    value: float
    standard_error: float
    n_pairs: int


def concordance(outcome: Outcome, risk: FloatArray) -> Concordance:
    """Harrell's C of a risk score.

    Parameters
    ----------
    outcome
        The cohort.
    risk
        Higher means earlier events, shape (n,).

    Raises
    ------
    SurvivalError
        NO_COMPARABLE_PAIRS when no pair of patients has a known order of events.
    """
    duration, event = outcome.duration, outcome.event
    agree = np.zeros(outcome.n)
    pairs = np.zeros(outcome.n)
    for i in np.flatnonzero(event == 1):
        # Someone censored at the time of an event is known to have survived it.
        later = (duration > duration[i]) | ((duration == duration[i]) & (event == 0))
        credit = np.where(risk[later] < risk[i], 1.0, np.where(risk[later] == risk[i], 0.5, 0.0))
        agree[later] += credit
        pairs[later] += 1.0
        agree[i] += credit.sum()
        pairs[i] += len(credit)
    # Every pair was counted for both of its patients.
    n_pairs = pairs.sum() / 2
    if n_pairs == 0:
        raise SurvivalError(
            "NO_COMPARABLE_PAIRS",
            "No pair of patients has a known order of events",
            found="all events at one time and nobody beyond it",
            expected="an event before the time of another patient",
        )
    value = agree.sum() / 2 / n_pairs
    influence = (agree - value * pairs) / n_pairs
    return Concordance(float(value), float(np.sqrt((influence**2).sum())), int(n_pairs))
