"""Maximally selected log-rank statistics on plain arrays: scores, the search, its permutation test and approximations.

Lausen B, Schumacher M, Biometrics 1992;48:73 (the statistic, and its first approximation); Lausen B, Sauerbrei W,
Schumacher M, in Computational Statistics, Physica 1994, 1483 (the second, for the cuts there are); Hothorn T, Lausen B,
Comput Stat Data Anal 2003;43:121 (scores). Equal to R's ``maxstat.test(smethod="LogRank")``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from petct.survival.cohort.outcome import FloatArray, IntArray

# Permuted cohorts held in memory at once, in patients.
_BLOCK = 2_000_000


@dataclass(frozen=True)
class PermutationTest:
    """Exact test of the largest statistic: the outcome is shuffled against the variable and the search repeated.

    Parameters
    ----------
    p
        (b + 1) / (B + 1).
    n_as_large, n_permutations
        b, the permutations whose largest statistic was at least the observed one, and B.
    seed
        Same seed, same p.
    critical
        What the largest statistic exceeds in 5 % of the permutations: the height that noise reaches.
    """

    p: float
    n_as_large: int
    n_permutations: int
    seed: int
    critical: float


@dataclass(frozen=True)
class CutStability:
    """Where the cut falls when patients are drawn again with replacement.

    Parameters
    ----------
    n_resamples, n_without_cut, seed
        Resamples, and those of them in which no cut could be searched for.
    median, lower, upper
        Median of the resampled cuts, and the limits of their middle 95 %, in the variable's unit.
    share_at_cut
        Share of the resamples that chose the very same cut.
    cuts, n_chosen
        The distinct cuts that were chosen, ascending, and in how many resamples each was.
    """

    n_resamples: int
    n_without_cut: int
    seed: int
    median: float
    lower: float
    upper: float
    share_at_cut: float
    cuts: tuple[float, ...]
    n_chosen: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class CutSearch:
    """All cuts of one variable, and the standardised log-rank statistic at each.

    Parameters
    ----------
    scores
        Log-rank scores in the order of the variable, shape (n,).
    sizes
        Patients below (or at) each cut, ascending, shape (cuts,).
    deviation
        Standard deviation of the sum of the scores below each cut under permutation, shape (cuts,).
    cuts
        The largest value below each cut, shape (cuts,).
    """

    scores: FloatArray
    sizes: IntArray
    deviation: FloatArray
    cuts: FloatArray

    def statistics(self, scores: FloatArray | None = None) -> FloatArray:
        """Statistic at each cut, shape (..., cuts), of ``scores`` of shape (..., n) instead of those observed."""
        scores = self.scores if scores is None else scores
        total = np.cumsum(scores, axis=-1)
        sums = total[..., self.sizes - 1] - total[..., -1:] * (self.sizes / scores.shape[-1])
        return np.asarray(np.abs(sums) / self.deviation, dtype=np.float64)

    @property
    def best(self) -> int:
        """Index of the cut with the largest statistic, the first among equals."""
        return int(self.statistics().argmax())


def search_cuts(
    values: FloatArray, duration: FloatArray, event: IntArray, fractions: tuple[float, float]
) -> CutSearch | None:
    """Search the cuts of ``values`` between two shares of the patients, rounded down to patients as in maxstat.

    Parameters
    ----------
    values, duration, event
        Shape (n,), all present.
    fractions
        Smallest and largest share of the patients below (or at) a cut.

    Returns
    -------
    CutSearch or None
        None when there is no such cut, or when the times do not distinguish the patients.
    """
    n = len(values)
    order = np.argsort(values, kind="stable")
    ordered, scores = values[order], log_rank_scores(duration, event)[order]
    sizes = np.flatnonzero(ordered[1:] > ordered[:-1]) + 1
    low, high = max(1, math.floor(n * fractions[0])), math.floor(n * fractions[1])
    sizes = sizes[(sizes >= low) & (sizes <= high)]
    spread = float(((scores - scores.mean()) ** 2).sum())
    if len(sizes) == 0 or spread <= 1e-12 * n:
        return None
    deviation = np.sqrt(sizes * (n - sizes) / (n * (n - 1)) * spread)
    return CutSearch(scores, sizes, deviation, ordered[sizes - 1])


def log_rank_scores(duration: FloatArray, event: IntArray) -> FloatArray:
    """Log-rank scores of Hothorn and Lausen, shape (n,): the event, less the hazard summed up to the patient's time.

    An event adds 1 / (n - r + 1) to the hazard, with r the patients up to and at its time, the tied ones included.
    """
    times = np.sort(duration)
    up_to = np.searchsorted(times, duration, side="right")
    hazard = np.bincount(up_to - 1, weights=event / (len(duration) - up_to + 1), minlength=len(duration))
    return np.asarray(event - np.cumsum(hazard)[up_to - 1], dtype=np.float64)


def lausen_1992(statistic: float, smallest_fraction: float, largest_fraction: float) -> float:
    """Approximate p-value of a maximally selected statistic over a range of cuts (Lausen and Schumacher 1992)."""
    b = statistic
    if b < 1:
        return 1.0
    density = math.exp(-(b**2) / 2) / math.sqrt(2 * math.pi)
    odds = largest_fraction * (1 - smallest_fraction) / ((1 - largest_fraction) * smallest_fraction)
    return min(max(4 * density / b + density * (b - 1 / b) * math.log(odds), 0.0), 1.0)


def lausen_1994(statistic: float, n: int, sizes: IntArray) -> float:
    """Approximate p-value for the cuts that there are (Lausen, Sauerbrei and Schumacher 1994).

    Parameters
    ----------
    statistic
        The largest.
    n
        Patients.
    sizes
        Patients below each cut, ascending, shape (cuts,).
    """
    b, first, second = statistic, sizes[:-1].astype(np.float64), sizes[1:].astype(np.float64)
    t = np.sqrt(1 - first * (n - second) / ((n - first) * second))
    terms = np.exp(-(b**2) / 2) / np.pi * (t - (b**2 / 4 - 1) * t**3 / 6)
    # In the order of maxstat's arithmetic: below 1e-13 it has few digits, and they are to be the same ones.
    return min(max(float(1 - (ndtr(b) - ndtr(-b)) + terms.sum()), 0.0), 1.0)


def permutation_test(search: CutSearch, n_permutations: int, seed: int) -> PermutationTest:
    """Test the largest statistic of a search by shuffling the scores against the variable."""
    rng = np.random.default_rng(seed)
    n = len(search.scores)
    block = max(1, _BLOCK // n)
    largest = np.empty(n_permutations)
    for done in range(0, n_permutations, block):
        shuffled = rng.permuted(np.tile(search.scores, (min(block, n_permutations - done), 1)), axis=1)
        largest[done : done + len(shuffled)] = search.statistics(shuffled).max(axis=1)
    # Sums in another order differ in their last digits: what is equal on paper counts as equal.
    as_large = int(np.count_nonzero(largest >= float(search.statistics().max()) * (1 - 1e-9)))
    critical = float(np.quantile(largest, 0.95))
    return PermutationTest((as_large + 1) / (n_permutations + 1), as_large, n_permutations, seed, critical)


def bootstrap_stability(
    values: FloatArray,
    duration: FloatArray,
    event: IntArray,
    fractions: tuple[float, float],
    n_resamples: int,
    seed: int,
) -> CutStability | None:
    """Search the cut again in resamples of the patients; None when no resample had one. See ``search_cuts``."""
    rng = np.random.default_rng([seed, 1])
    chosen = search_cuts(values, duration, event, fractions)
    cuts = []
    for _ in range(n_resamples):
        drawn = rng.integers(0, len(values), len(values))
        search = search_cuts(values[drawn], duration[drawn], event[drawn], fractions)
        if search is not None:
            cuts.append(search.cuts[search.best])
    if not cuts or chosen is None:
        return None
    lower, median, upper = (float(value) for value in np.quantile(cuts, [0.025, 0.5, 0.975]))
    share = float(np.mean(np.asarray(cuts) == chosen.cuts[chosen.best]))
    distinct, counts = np.unique(cuts, return_counts=True)
    return CutStability(
        n_resamples=n_resamples,
        n_without_cut=n_resamples - len(cuts),
        seed=seed,
        median=median,
        lower=lower,
        upper=upper,
        share_at_cut=share,
        cuts=tuple(distinct.tolist()),
        n_chosen=tuple(counts.tolist()),
    )
