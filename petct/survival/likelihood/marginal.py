"""The log-rank score of each of many features at once.

At a hazard ratio of 1 the derivative of the partial likelihood is the sum over patients of feature x (event - expected
events): one matrix product for all features, and for all permutations of the patients as well.
"""

from __future__ import annotations

import numpy as np

from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.likelihood.partial_likelihood import RiskSets


def log_rank_scores(outcome: Outcome) -> FloatArray:
    """Events minus expected events of each patient when all hazards are equal, shape (n,); they add up to 0."""
    sets = RiskSets.of(outcome.duration, outcome.event, np.empty((outcome.n, 0)), entry=outcome.entry)
    terms = sets.evaluate(np.empty(0))
    scores = np.empty(outcome.n)
    scores[sets.order] = outcome.event[sets.order] - terms.risk * sets.over_deaths(1.0 / terms.total)
    return scores


def marginal_z(outcome: Outcome, features: FloatArray) -> FloatArray:
    """Score statistic of each feature alone, with the sign of its log hazard ratio.

    Parameters
    ----------
    features
        Shape (n, p), without missing values.

    Returns
    -------
    FloatArray
        Standard normal when the feature has nothing to do with the hazard, shape (p,); 0 for a constant feature.
    """
    x = features - features.mean(axis=0)
    sets = RiskSets.of(outcome.duration, outcome.event, x, entry=outcome.entry)
    terms = sets.evaluate(np.zeros(x.shape[1]))
    expected = terms.risk * sets.over_deaths(1.0 / terms.total)
    variance = expected @ sets.design**2 - (terms.mean**2).sum(axis=0)
    seen = variance > 1e-12 * (x**2).sum(axis=0)
    return np.asarray(np.where(seen, terms.score / np.sqrt(np.where(seen, variance, 1.0)), 0.0), dtype=np.float64)
