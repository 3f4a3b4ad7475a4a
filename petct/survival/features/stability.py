"""Stability selection: how often a feature is chosen when half of the patients are chosen at random.

Meinshausen N, Bühlmann P, J R Stat Soc B 2010;72:417, with the complementary pairs of Shah RD, Samworth RJ, 2013;75:55.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, Outcome, event_stratified_folds
from petct.survival.likelihood.elastic_net import elastic_net_path

THRESHOLD = 0.75
FEWEST_EVENTS_IN_HALF = 5
# Of complementary halves.
_PAIRS = 25


@dataclass(frozen=True, eq=False)
class Stability:
    """Result of a stability selection.

    Parameters
    ----------
    frequency
        Share of the half-samples in which the LASSO chose each feature, shape (p,).
    threshold
        From which share on a feature is called stable.
    n_chosen, n_halves, seed
        Features that a half-sample may choose at most; half-samples, in complementary pairs.
    most_false
        Upper bound on the expected number of stable features that do not matter (exchangeable noise features).
    """

    frequency: FloatArray
    threshold: float
    n_chosen: int
    n_halves: int
    seed: int
    most_false: float


def stability_selection(outcome: Outcome, features: FloatArray, *, seed: int = 0) -> Stability:
    """Choose features by LASSO in half-samples, each as many as keep the expected false ones at 1 or below.

    Parameters
    ----------
    features
        z-scores, shape (n, p), without missing values.
    seed
        Of the halves.

    Raises
    ------
    SurvivalError
        STABILITY_TOO_FEW_EVENTS, and what ``elastic_net_path`` refuses.
    """
    if outcome.n_events < 2 * FEWEST_EVENTS_IN_HALF:
        raise SurvivalError(
            "STABILITY_TOO_FEW_EVENTS",
            "Half of the patients have too few events to select features",
            found=f"{outcome.n_events} events in all",
            expected=f"at least {2 * FEWEST_EVENTS_IN_HALF}",
        )
    p = features.shape[1]
    n_chosen = max(1, int(np.sqrt((2 * THRESHOLD - 1) * p)))
    rng = np.random.default_rng(seed)
    chosen = np.zeros(p)
    for _ in range(_PAIRS):
        half = event_stratified_folds(outcome, 2, rng)
        for side in (0, 1):
            inside = half == side
            path = elastic_net_path(outcome.subset(inside), features[inside], most_selected=n_chosen, tolerance=1e-5)
            chosen += path.coefficients[-1] != 0
    return Stability(
        chosen / (2 * _PAIRS),
        THRESHOLD,
        n_chosen,
        2 * _PAIRS,
        seed,
        float(n_chosen**2 / ((2 * THRESHOLD - 1) * p)),
    )
