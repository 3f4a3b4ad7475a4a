"""What the best of many features looks like when none of them matters, by permutation of the patients.

The statistic of a feature is its log-rank score over the standard deviation that the score has under permutation. The
same permuted outcomes are used for all features, so that their correlation is accounted for. Exact when the outcomes
are exchangeable between patients, whatever the distribution of the features and however few the events.

Westfall PH, Young SS, Resampling-based multiple testing, 1993 (step-down maxT).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.likelihood.marginal import log_rank_scores

N_PERMUTATIONS = 10_000
# So that Bonferroni's correction of the smallest possible p stays well below 5 % in a large family.
_PERMUTATIONS_PER_FEATURE = 50
# Numbers of one block of permuted scores: bounds the memory whatever the cohort.
_BLOCK = 2_000_000
# Permutations that only exchange equal patients give the same statistic up to rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class PermutationNull:
    """P-values of a family of features, shape (p,) each.

    Parameters
    ----------
    z
        Standardised score of each feature, positive when higher values have more events.
    p
        Of each feature alone.
    p_familywise
        Of the step-down maximum: the probability of any false finding is at most the level at which these are read.
    n_permutations, seed
        How.
    """

    z: FloatArray
    p: FloatArray
    p_familywise: FloatArray
    n_permutations: int
    seed: int

    @property
    def p_best(self) -> float:
        """Probability that the best of so many features would be as good as the best one here if none mattered."""
        return float(self.p_familywise.min())


def permutation_null(
    outcome: Outcome, features: FloatArray, *, n_permutations: int | None = None, seed: int = 0
) -> PermutationNull:
    """Test every feature of a family by permutation.

    Parameters
    ----------
    features
        Shape (n, p); NaN is missing. A patient without a value says nothing about that feature.
    n_permutations
        Random permutations; the smallest p-value is 1 / (n_permutations + 1). When None, 10,000, or 50 for each feature
        where that is more.
    seed
        Of the permutations.

    Raises
    ------
    SurvivalError
        PERMUTATIONS_INVALID, FEATURE_CONSTANT, NO_COMPARABLE_PAIRS.
    """
    present = ~np.isnan(features)
    count = np.maximum(present.sum(axis=0), 1)
    centred = np.where(present, features - np.where(present, features, 0.0).sum(axis=0) / count, 0.0)
    return permuted_scores(log_rank_scores(outcome), centred, n_permutations=n_permutations, seed=seed)


def permuted_scores(
    scores: FloatArray, centred: FloatArray, *, n_permutations: int | None = None, seed: int = 0
) -> PermutationNull:
    """Permute scores of patients, shape (n,), against centred features, shape (n, p); as ``permutation_null``."""
    if n_permutations is None:
        n_permutations = max(N_PERMUTATIONS, _PERMUTATIONS_PER_FEATURE * centred.shape[1])
    if n_permutations < 1:
        raise SurvivalError("PERMUTATIONS_INVALID", "At least one permutation is needed", found=str(n_permutations))
    length = np.linalg.norm(centred, axis=0)
    if np.any(length == 0):
        raise SurvivalError(
            "FEATURE_CONSTANT", "A feature has no variance to test", found=f"column {int(np.argmin(length)) + 1}"
        )
    n = len(scores)
    spread = np.linalg.norm(scores)
    if spread <= 1e-12 * n:
        raise SurvivalError(
            "NO_COMPARABLE_PAIRS",
            "No pair of patients has a known order of events",
            found="all events at one time and nobody beyond it",
        )
    unit = centred / length * (np.sqrt(n - 1) / spread)
    z = np.asarray(scores @ unit, dtype=np.float64)
    size = np.abs(z)
    order = np.argsort(-size, kind="stable")
    ranked, seen = unit[:, order], size[order] - _ROUNDING
    alone, best = np.zeros(len(z)), np.zeros(len(z))
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    for first in range(0, n_permutations, block):
        rows = min(block, n_permutations - first)
        permuted = rng.permuted(np.broadcast_to(scores, (rows, n)), axis=1)
        statistics = np.abs(permuted @ ranked)
        alone += (statistics >= seen).sum(axis=0)
        # The largest of this feature and of all that are weaker: what step-down compares with.
        weaker = np.maximum.accumulate(statistics[:, ::-1], axis=1)[:, ::-1]
        best += (weaker >= seen).sum(axis=0)
    p, familywise = np.empty(len(z)), np.empty(len(z))
    p[order] = (1 + alone) / (n_permutations + 1)
    familywise[order] = np.maximum.accumulate((1 + best) / (n_permutations + 1))
    return PermutationNull(z, p, familywise, n_permutations, seed)
