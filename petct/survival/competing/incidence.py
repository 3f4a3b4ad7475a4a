"""Cumulative incidence under competing risks, and Gray's test, on plain arrays; equal to R's ``cmprsk::cuminc``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.outcome import FloatArray, IntArray
from petct.survival.cohort.results import NORMAL_QUANTILE


@dataclass(frozen=True, eq=False)
class Incidence:
    """Aalen-Johansen estimate of the cumulative incidence of one event, at the times at which it happened.

    Parameters
    ----------
    times
        Distinct times of the event, ascending, shape (m,).
    incidence
        F(t) from there on: the probability that it has happened, in a world in which the others happen, too.
    variance
        Variance of F(t) (Aalen's, with the correction for tied events that cmprsk makes).
    """

    times: FloatArray
    incidence: FloatArray
    variance: FloatArray

    def at(self, time: float) -> tuple[float, float]:
        """F and its variance at a time; (0, 0) before the first event."""
        i = int(np.searchsorted(self.times, time, side="right")) - 1
        return (0.0, 0.0) if i < 0 else (float(self.incidence[i]), float(self.variance[i]))


def band(incidence: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Limits of a cumulative incidence on the scale of log(-log F), shape (m,) each; NaN where F is 0 or 1."""
    lower = np.full(len(incidence), np.nan)
    upper = lower.copy()
    # A sum of steps that ends at 1 may miss it by its last digits.
    inside = (incidence > 0) & (incidence < 1 - 1e-12)
    log_incidence = np.log(incidence[inside])
    width = NORMAL_QUANTILE * np.sqrt(variance[inside]) / (incidence[inside] * np.abs(log_incidence))
    with np.errstate(over="ignore"):
        lower[inside] = np.exp(log_incidence * np.exp(width))
    upper[inside] = np.exp(log_incidence * np.exp(-width))
    return lower, upper


@dataclass(frozen=True, eq=False)
class _Table:
    """Counts at each of ``times``: at risk, events of interest, competing events; and S(t) before and after it."""

    at_risk: FloatArray
    events: FloatArray
    competing: FloatArray
    before: FloatArray
    after: FloatArray

    @property
    def incidence(self) -> FloatArray:
        return np.cumsum(self.before * self.events / np.maximum(self.at_risk, 1))


def _table(times: FloatArray, duration: FloatArray, cause: IntArray) -> _Table:
    ordered = np.sort(duration)
    at_risk = (len(ordered) - np.searchsorted(ordered, times, side="left")).astype(np.float64)
    events, competing = (
        np.bincount(np.searchsorted(times, duration[chosen]), minlength=len(times)).astype(np.float64)
        for chosen in (cause == 1, cause > 1)
    )
    after = np.cumprod(1 - (events + competing) / np.maximum(at_risk, 1)).astype(np.float64)
    # A product that ends in a patient's last event is 0 and not nearly 0.
    after[np.cumsum((events + competing == at_risk) & (at_risk > 0)) > 0] = 0.0
    return _Table(at_risk, events, competing, np.concatenate(([1.0], after[:-1])), after)


def _tie_correction(events: FloatArray, at_risk: FloatArray) -> FloatArray:
    """1 for a single event, (n - d) / (n - 1) for d tied ones of n at risk."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(events > 1, 1 - (events - 1) / (at_risk - 1), 1.0)


def aalen_johansen(duration: FloatArray, cause: IntArray) -> Incidence:
    """Cumulative incidence of cause 1 against all others.

    Parameters
    ----------
    duration, cause
        Times, and 0 for censored, 1 for the event, 2 and more for competing ones, shape (n,), n at least 1.
    """
    times = np.unique(duration[cause > 0])
    table = _table(times, duration, cause)
    incidence = table.incidence
    # How a step at s moves F(t): by itself (the event), and through the survivors who are left to have it later.
    with np.errstate(divide="ignore"):
        inverse = np.where(table.after > 0, 1 / table.after, 0.0)
    scale = (table.before / np.maximum(table.at_risk, 1)) ** 2
    own = scale * table.events * _tie_correction(table.events, table.at_risk)
    other = scale * table.competing * _tie_correction(table.competing, table.at_risk) * (table.after > 0)
    own_now, other_now = 1 + incidence * inverse, incidence * inverse
    constant = np.cumsum(own * own_now**2 + other * other_now**2)
    linear = np.cumsum((own * own_now + other * other_now) * inverse)
    square = np.cumsum((own + other) * inverse**2)
    variance = constant - 2 * incidence * linear + incidence**2 * square
    seen = table.events > 0
    return Incidence(times[seen], incidence[seen], np.maximum(variance[seen], 0.0))


@dataclass(frozen=True, eq=False)
class GrayStatistic:
    """Gray's statistic; None where its variance is singular."""

    chi_squared: float | None
    df: int


def gray(duration: FloatArray, cause: IntArray, codes: IntArray, n_groups: int) -> GrayStatistic:
    """Test that the cumulative incidence of cause 1 is the same in all groups.

    Gray RJ, Ann Stat 1988;16:1141, with weight 1 (rho 0).

    Parameters
    ----------
    duration, cause
        Times, and 0 for censored, 1 for the event, 2 and more for competing ones, shape (n,).
    codes
        Group of each patient, 0 to ``n_groups`` - 1, shape (n,).
    n_groups
        Number of groups, all with patients.
    """
    times = np.unique(duration[cause > 0])
    tables = [_table(times, duration[codes == k], cause[codes == k]) for k in range(n_groups)]
    at_risk, events, competing, before, after, incidence = (
        np.array([getattr(table, name) for table in tables])
        for name in ("at_risk", "events", "competing", "before", "after", "incidence")
    )
    there = at_risk > 0
    incidence_before = np.concatenate((np.zeros((n_groups, 1)), incidence[:, :-1]), axis=1)
    # Patients at risk of the event as if nobody had had another one: n / S(t-), and those of them not yet with it.
    reach = np.where(there, at_risk / np.where(there, before, 1.0), 0.0)
    total = reach.sum(axis=0)
    susceptible = reach * (1 - incidence_before)
    d = events.sum(axis=0)
    score = (events - d * susceptible / susceptible.sum(axis=0)).sum(axis=1)

    pooled = np.cumsum(d / total)
    pooled_before = np.concatenate(([0.0], pooled[:-1]))
    # a[i, k, t]: weight of group k's increments in the score of group i; c: the same through the pooled estimate.
    a = reach[:, None, :] * (np.eye(n_groups)[:, :, None] - reach[None, :, :] / total)
    c = np.cumsum(a * (d / (total * (1 - pooled_before))), axis=2)
    later = c[:, :, -1:] - c
    alive = after > 0
    ratio = np.where(alive, (1 - pooled) / np.where(alive, after, 1.0), 0.0)
    variance = np.zeros((n_groups, n_groups))
    increments = np.where(
        there,
        _tie_correction(np.where(there, d, 0.0), total * before) * before * d / np.where(there, total * at_risk, 1.0),
        0.0,
    )
    weight = a + (1 - ratio) * later
    variance += np.einsum("ikt,jkt,kt->ij", weight, weight, increments)
    increments = _tie_correction(competing, at_risk) * before**2 * competing / np.maximum(at_risk, 1) ** 2 * alive
    weight = ratio * later
    variance += np.einsum("ikt,jkt,kt->ij", weight, weight, increments)

    df = n_groups - 1
    part = variance[:df, :df]
    if not np.isfinite(part).all() or np.linalg.matrix_rank(part, hermitian=True) < df:
        return GrayStatistic(None, df)
    return GrayStatistic(float(score[:df] @ np.linalg.solve(part, score[:df])), df)
