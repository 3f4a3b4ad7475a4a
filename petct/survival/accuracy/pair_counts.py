"""Pairs of patients whose order of events is known, counted in n log n.

For each event: how many patients outlived it, and how many of those had a lower or an equal risk. All measures of
concordance are sums of these counts, and a bootstrap asks for them thousands of times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts for each patient, shape (n,).

    Parameters
    ----------
    outlived_by
        Patients known to have survived this patient's event; 0 for a censored patient.
    agree
        Those of them with a lower risk, and half of those with an equal one.
    survived
        Events of others that this patient is known to have survived.
    survived_agree
        Those of them with a higher risk, and half of those with an equal one.
    """

    outlived_by: IntArray
    agree: FloatArray
    survived: IntArray
    survived_agree: FloatArray


def pair_counts(outcome: Outcome, risk: FloatArray) -> PairCounts:
    """Count the pairs; someone censored at the time of an event is known to have survived it.

    Parameters
    ----------
    risk
        Higher means earlier events, shape (n,).

    Raises
    ------
    SurvivalError
        LEFT_TRUNCATION_UNSUPPORTED for late entries: two patients never under observation together cannot be compared.
    """
    outcome.refuse_entries("A concordance of all pairs")
    n = outcome.n
    # Last to leave first; at one time the censored before the dead, who do not outlive each other.
    order = np.lexsort((outcome.event, -outcome.duration))
    duration, event = outcome.duration[order], outcome.event[order]
    rank = np.unique(risk, return_inverse=True)[1][order].astype(np.int64)
    new_block = np.concatenate(([True], (np.diff(duration) != 0) | (np.diff(event) != 0)))
    start = np.flatnonzero(new_block)
    size = np.diff(np.append(start, n))
    block_start, block_stop = np.repeat(start, size), np.repeat(start + size, size)
    dead = event == 1

    outlived_by, agree = np.zeros(n, dtype=np.int64), np.zeros(n)
    lower, equal = _lower_and_equal(rank, block_start[dead], rank[dead])
    outlived_by[order[dead]] = block_start[dead]
    agree[order[dead]] = lower + equal / 2

    # The same pairs from the survivor's side: of the deaths, earliest first, a prefix.
    deaths_after = dead.sum() - np.concatenate(([0], np.cumsum(dead)))[block_stop]
    lower, equal = _lower_and_equal(rank[dead][::-1], deaths_after, rank)
    survived, survived_agree = np.zeros(n, dtype=np.int64), np.zeros(n)
    survived[order] = deaths_after
    survived_agree[order] = deaths_after - lower - equal / 2
    return PairCounts(outlived_by, agree, survived, survived_agree)


def _lower_and_equal(values: IntArray, length: IntArray, bound: IntArray) -> tuple[IntArray, IntArray]:
    """For each query, how many of the first ``length`` values lie below ``bound``, and how many equal it.

    A wavelet matrix: bit by bit from the highest, values with a 0 go to the front, and each query follows its bound.
    """
    first, last = np.zeros_like(length), length.copy()
    lower = np.zeros_like(length)
    for bit in reversed(range(max(int(values.max(initial=0)), int(bound.max(initial=0))).bit_length())):
        zero = (values >> bit) & 1 == 0
        zeros_before = np.concatenate(([0], np.cumsum(zero)))
        first_zero, last_zero = zeros_before[first], zeros_before[last]
        goes_up = (bound >> bit) & 1 == 1
        lower += np.where(goes_up, last_zero - first_zero, 0)
        first = np.where(goes_up, zeros_before[-1] + first - first_zero, first_zero)
        last = np.where(goes_up, zeros_before[-1] + last - last_zero, last_zero)
        values = np.concatenate((values[zero], values[~zero]))
    return lower, last - first
