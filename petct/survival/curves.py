"""The product-limit estimate and the log-rank statistic on plain arrays; definitions as in R's ``survival``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.outcome import FloatArray, IntArray
from petct.survival.results import normal_quantile

_HALF_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, eq=False)
class ProductLimit:
    """Kaplan-Meier estimate at each distinct time, events and censorings alike.

    Parameters
    ----------
    times
        Distinct times, ascending, shape (m,).
    at_risk, events, censored
        Patients at risk just before each time, and how many leave at it.
    survival
        S(t) just after each time.
    greenwood
        Greenwood's sum at each time: the variance of S(t) is S(t)^2 times it; infinite once S(t) is 0.
    """

    times: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    survival: FloatArray
    greenwood: FloatArray

    def band(self, confidence: float) -> tuple[FloatArray, FloatArray]:
        """Log-log confidence limits of S(t), shape (m,) each; NaN where S(t) is 0 or 1 and there are none."""
        z = normal_quantile(confidence)
        lower = np.full(len(self.times), np.nan)
        upper = lower.copy()
        inside = (self.survival > 0) & (self.survival < 1)
        log_survival = np.log(self.survival[inside])
        width = z * np.sqrt(self.greenwood[inside]) / log_survival
        lower[inside] = np.exp(log_survival * np.exp(-width))
        upper[inside] = np.exp(log_survival * np.exp(width))
        return lower, upper

    def index_at(self, time: float) -> int:
        """Index of the last distinct time not after ``time``; -1 before the first."""
        return int(np.searchsorted(self.times, time, side="right")) - 1

    def n_at_risk(self, time: float) -> int:
        """Patients under observation just before ``time``."""
        later = int(np.searchsorted(self.times, time, side="left"))
        return int(self.at_risk[later]) if later < len(self.times) else 0

    def restricted_mean(self, tau: float) -> tuple[float, float]:
        """Area under S(t) up to ``tau``, and its standard error (Greenwood, as R's ``print.survfit``)."""
        inside = self.times < tau
        edges = np.concatenate(([0.0], self.times[inside], [tau]))
        areas = np.diff(edges) * np.concatenate(([1.0], self.survival[inside]))
        # Area to the right of each time; where the last patient at risk dies it is 0, and so is the term.
        right = np.cumsum(areas[::-1])[::-1][1:]
        n, d = self.at_risk[inside].astype(np.float64), self.events[inside].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(n > d, right**2 * d / (n * (n - d)), 0.0)
        return float(areas.sum()), float(np.sqrt(terms.sum()))


def product_limit(duration: FloatArray, event: IntArray) -> ProductLimit:
    """Kaplan-Meier estimate of times ``duration`` with indicators ``event``, shape (n,) each, n at least 1."""
    times, position = np.unique(duration, return_inverse=True)
    events = np.bincount(position, weights=event, minlength=len(times)).astype(np.int64)
    leaving = np.bincount(position, minlength=len(times)).astype(np.int64)
    at_risk = len(duration) - np.concatenate(([0], np.cumsum(leaving)[:-1])).astype(np.int64)
    survival = np.cumprod((at_risk - events) / at_risk).astype(np.float64)
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(events.astype(np.float64) / (at_risk * (at_risk - events)))
    return ProductLimit(times, at_risk, events, leaving - events, survival, greenwood)


def crossing_half(times: FloatArray, curve: FloatArray) -> float | None:
    """First time at which a curve is at or below one half, or None.

    Where the curve stays at exactly one half for a while the middle of that interval is returned, as R does; NaN values
    of a confidence limit are passed over.
    """
    below = ~np.isnan(curve) & (curve < 0.5 + _HALF_TOLERANCE)
    if not below.any():
        return None
    times, curve = times[below], curve[below]
    if abs(curve[0] - 0.5) < _HALF_TOLERANCE and np.any(curve < curve[0]):
        return float((times[0] + times[np.argmax(curve < curve[0])]) / 2)
    return float(times[0])


@dataclass(frozen=True, eq=False)
class LogRankStatistic:
    """Observed and expected events of each group, and the statistic; None where its variance is singular."""

    observed: FloatArray
    expected: FloatArray
    chi_squared: float | None
    df: int


def log_rank(duration: FloatArray, event: IntArray, codes: IntArray, n_groups: int) -> LogRankStatistic:
    """Log-rank test of ``n_groups`` groups, as R's ``survdiff``.

    Parameters
    ----------
    duration, event
        Times and indicators, shape (n,).
    codes
        Group of each patient, 0 to ``n_groups`` - 1, shape (n,).
    n_groups
        Number of groups, all with patients.
    """
    order = np.argsort(duration, kind="stable")
    ordered, group_of = duration[order], codes[order]
    times = np.unique(duration[event == 1])
    start = np.searchsorted(ordered, times, side="left")
    died = np.zeros((n_groups, len(times)))
    dead = event[order] == 1
    np.add.at(died, (group_of[dead], np.searchsorted(times, ordered[dead])), 1.0)
    at_risk = np.empty((n_groups, len(times)))
    for group in range(n_groups):
        before = np.concatenate(([0], np.cumsum(group_of == group)))
        at_risk[group] = before[-1] - before[start]
    d, n = died.sum(axis=0), at_risk.sum(axis=0)
    share = at_risk / n
    observed, expected = died.sum(axis=1), (d * share).sum(axis=1)
    factor = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag((factor * share).sum(axis=1)) - (factor * share) @ share.T
    # A group that left before the first event takes no part; one group is the complement of the others.
    kept = np.flatnonzero(expected > 0)[:-1]
    df = len(kept)
    if df == 0:
        return LogRankStatistic(observed, expected, None, 0)
    part = variance[np.ix_(kept, kept)]
    if np.linalg.matrix_rank(part, hermitian=True) < df:
        return LogRankStatistic(observed, expected, None, df)
    difference = (observed - expected)[kept]
    return LogRankStatistic(observed, expected, float(difference @ np.linalg.solve(part, difference)), df)
