"""The product-limit estimate on plain arrays; definitions as in R's ``survival``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.outcome import FloatArray, IntArray
from petct.survival.cohort.results import NORMAL_QUANTILE

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
    entries
        Entry times, ascending, shape (n,); None when everyone was observed from the origin on.
    """

    times: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    survival: FloatArray
    greenwood: FloatArray
    entries: FloatArray | None = None

    def band(self) -> tuple[FloatArray, FloatArray]:
        """Log-log confidence limits of S(t), shape (m,) each; NaN where S(t) is 0 or 1 and there are none."""
        z = NORMAL_QUANTILE
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

    def event_probability(self, time: float) -> float:
        """1 - S(t) at ``time``; 0 before the first distinct time."""
        at = self.index_at(time)
        return 0.0 if at < 0 else float(1 - self.survival[at])

    @property
    def n(self) -> int:
        """Number of patients."""
        return int(self.events.sum() + self.censored.sum())

    def n_at_risk(self, time: float) -> int:
        """Patients under observation just before ``time``; at 0, those who were from the origin on."""
        earlier = int(np.searchsorted(self.times, time, side="left"))
        left = int(self.events[:earlier].sum() + self.censored[:earlier].sum())
        if self.entries is None:
            return self.n - left
        return int(np.searchsorted(self.entries, time, side="left" if time > 0 else "right")) - left

    def emptied_at(self) -> float | None:
        """Time at which the last patient at risk had the event although others came or stayed later; None if never.

        S(t) is 0 from there on whatever happens to those who come later: an artefact of small early risk sets.
        """
        emptied = (self.at_risk == self.events) & (self.times < self.times[-1])
        return float(self.times[np.argmax(emptied)]) if emptied.any() else None

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


def product_limit(duration: FloatArray, event: IntArray, entry: FloatArray | None = None) -> ProductLimit:
    """Kaplan-Meier estimate of times ``duration`` with indicators ``event``, shape (n,) each, n at least 1.

    ``entry``, shape (n,), says when patients came under observation late: at risk at t when entry < t <= duration.
    """
    times, position = np.unique(duration, return_inverse=True)
    events = np.bincount(position, weights=event, minlength=len(times)).astype(np.int64)
    leaving = np.bincount(position, minlength=len(times)).astype(np.int64)
    left = np.concatenate(([0], np.cumsum(leaving)[:-1])).astype(np.int64)
    entries = None if entry is None else np.sort(entry)
    entered = len(duration) if entries is None else np.searchsorted(entries, times, side="left")
    at_risk = np.asarray(entered - left, dtype=np.int64)
    survival = np.cumprod((at_risk - events) / at_risk).astype(np.float64)
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(events.astype(np.float64) / (at_risk * (at_risk - events)))
    return ProductLimit(times, at_risk, events, leaving - events, survival, greenwood, entries)


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
