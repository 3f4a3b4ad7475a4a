"""Folds of a cross-validation, each with its share of the events."""

from __future__ import annotations

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import IntArray, Outcome


def event_stratified_folds(outcome: Outcome, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Assign each patient to a fold, 0 to ``n_folds`` - 1, events and censored patients spread evenly, shape (n,).

    Raises
    ------
    SurvivalError
        FOLDS_INVALID with fewer than 2 folds, or fewer events than folds.
    """
    if n_folds < 2 or outcome.n_events < n_folds:
        raise SurvivalError(
            "FOLDS_INVALID",
            "The events do not go round: every fold of a cross-validation needs one",
            found=f"{outcome.n_events} events for {n_folds} folds",
            expected="at least 2 folds, and as many events",
            hint="Use fewer folds.",
        )
    fold = np.empty(outcome.n, dtype=np.int64)
    start = 0
    for kind in (1, 0):
        members = rng.permutation(np.flatnonzero(outcome.event == kind))
        # The censored go on where the events ended, so that folds are of one size.
        fold[members] = (start + np.arange(len(members))) % n_folds
        start += len(members)
    return fold
