"""Tests of a difference in survival between groups: log-rank and its weighted variants, trend, pairs of groups."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from petct.survival.cohort.groups import Grouping
from petct.survival.cohort.multiplicity import Correction, adjusted_p_values
from petct.survival.cohort.outcome import IntArray, Outcome
from petct.survival.cohort.results import Suppressed, chi_squared_p, small_arm
from petct.survival.kaplan_meier.log_rank import LOG_RANK, LogRankStatistic, Weighting, log_rank


@dataclass(frozen=True)
class LogRankGroup:
    """Events of a group, those expected if all groups were alike; weighted in a weighted test."""

    group: str
    n: int
    observed: float
    expected: float


@dataclass(frozen=True)
class LogRankTest:
    """Log-rank test, or a weighted variant of it.

    Parameters
    ----------
    name
        ``log-rank``, or the name of the weighting.
    chi_squared, df
        The statistic; None where it has no variance, or where the groups were chosen by looking at the outcome.
    p
        None exactly when ``p_suppressed`` says why.
    groups
        Observed and expected events.
    """

    name: str
    chi_squared: float | None
    df: int
    p: float | None
    p_suppressed: Suppressed | None
    groups: tuple[LogRankGroup, ...]


@dataclass(frozen=True)
class TrendTest:
    """Log-rank test of a trend over ordered groups, scored 0, 1, 2 ...

    Parameters
    ----------
    z
        Positive when later groups have more events than expected; None where it has no variance.
    p
        Two-sided; None exactly when ``p_suppressed`` says why.
    """

    z: float | None
    p: float | None
    p_suppressed: Suppressed | None


@dataclass(frozen=True)
class PairwiseTest:
    """Log-rank test of two of several groups.

    Parameters
    ----------
    chi_squared
        With one degree of freedom; None where it has no variance.
    p, p_adjusted
        As it is, and adjusted for the number of pairs; None exactly when ``p_suppressed`` says why.
    """

    group: str
    reference: str
    chi_squared: float | None
    p: float | None
    p_adjusted: float | None
    p_suppressed: Suppressed | None


_UNDEFINED = Suppressed(
    "LOGRANK_UNDEFINED", "No p-value: at no event time are there survivors of different groups to compare."
)
_CHOSEN = Suppressed(
    "CUT_CHOSEN_BY_OUTCOME",
    "No log-rank p-value: the cut was chosen to make the groups differ, so this test would find a difference in noise; "
    "the corrected p-value of the maximally selected statistic is the one to read.",
)


def withheld_reason(groups: Grouping, sizes: Sequence[int]) -> Suppressed | None:
    """Return why a comparison of these groups may show no p-value; None if it may."""
    if groups.chosen_by_outcome:
        return _CHOSEN
    return next(
        (reason for label, n in zip(groups.labels, sizes, strict=True) if (reason := small_arm(label, n))), None
    )


def weighted_test(
    cohort: Outcome, codes: IntArray, groups: Grouping, withheld: Suppressed | None, weighting: Weighting = LOG_RANK
) -> LogRankTest:
    """Test any difference between the groups of a cohort.

    Parameters
    ----------
    cohort
        Patients who belong to a group.
    codes
        Their groups, shape (n,).
    groups
        What the codes mean.
    withheld
        Why no p-value may be shown, if so.
    weighting
        Weights of the event times.
    """
    statistic = _statistic(cohort, codes, len(groups.labels), weighting)
    chi_squared, p, reason = _judged(statistic, withheld)
    return LogRankTest(
        weighting.name,
        chi_squared,
        statistic.df,
        p,
        reason,
        tuple(
            LogRankGroup(label, int(np.count_nonzero(codes == i)), float(observed), float(expected))
            for i, (label, observed, expected) in enumerate(
                zip(groups.labels, statistic.observed, statistic.expected, strict=True)
            )
        ),
    )


def trend_test(cohort: Outcome, codes: IntArray, n_groups: int, withheld: Suppressed | None) -> TrendTest:
    """Test a trend over ordered groups, scored 0, 1, 2 ...; see ``weighted_test``."""
    z = _statistic(cohort, codes, n_groups, LOG_RANK).trend(np.arange(n_groups, dtype=np.float64))
    if z is None:
        return TrendTest(None, None, _UNDEFINED)
    if withheld is not None:
        return TrendTest(None if withheld is _CHOSEN else z, None, withheld)
    return TrendTest(z, float(2 * ndtr(-abs(z))), None)


def pairwise_tests(
    cohort: Outcome, codes: IntArray, labels: Sequence[str], correction: Correction
) -> tuple[PairwiseTest, ...]:
    """Log-rank tests of every two groups; pairs with an arm too small for a p-value do not count as tests.

    Parameters
    ----------
    cohort, codes
        Patients who belong to a group, and their groups, shape (n,).
    correction
        How the p-values are adjusted for the number of pairs.
    """
    found = []
    for i, j in itertools.combinations(range(len(labels)), 2):
        pair = (codes == i) | (codes == j)
        sizes = ((labels[i], int(np.count_nonzero(codes == i))), (labels[j], int(np.count_nonzero(codes == j))))
        withheld = next((reason for label, n in sizes if (reason := small_arm(label, n))), None)
        entry = None if cohort.entry is None else cohort.entry[pair]
        statistic = log_rank(
            cohort.duration[pair], cohort.event[pair], (codes[pair] == j).astype(np.int64), 2, entry=entry
        )
        found.append((labels[j], labels[i], *_judged(statistic, withheld)))
    adjusted = iter(adjusted_p_values([p for *_, p, _ in found if p is not None], correction))
    return tuple(
        PairwiseTest(group, reference, chi_squared, p, None if p is None else float(next(adjusted)), reason)
        for group, reference, chi_squared, p, reason in found
    )


def _statistic(cohort: Outcome, codes: IntArray, n_groups: int, weighting: Weighting) -> LogRankStatistic:
    return log_rank(cohort.duration, cohort.event, codes, n_groups, weighting=weighting, entry=cohort.entry)


def _judged(
    statistic: LogRankStatistic, withheld: Suppressed | None
) -> tuple[float | None, float | None, Suppressed | None]:
    """Statistic, p-value and why there is none; a statistic that is a p-value in disguise is withheld with it."""
    if statistic.chi_squared is None:
        return None, None, _UNDEFINED
    if withheld is _CHOSEN:
        return None, None, withheld
    if withheld is not None:
        return statistic.chi_squared, None, withheld
    return statistic.chi_squared, chi_squared_p(statistic.chi_squared, statistic.df), None
