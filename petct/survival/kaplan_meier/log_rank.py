"""The log-rank statistic and its weighted relatives on plain arrays; definitions as in R's ``survdiff``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, IntArray


@dataclass(frozen=True)
class Weighting:
    """Weight of an event time in a log-rank test: n(t)^a S(t-)^rho (1 - S(t-))^gamma.

    S is the survival of all groups together just before t, n the number at risk.

    Parameters
    ----------
    name
        What the test is called.
    at_risk_power
        a: 1 is Gehan and Breslow, 0.5 Tarone and Ware.
    rho, gamma
        Fleming and Harrington: rho 1 weighs early differences (Peto and Peto; R's ``survdiff(rho=1)``), gamma 1 late
        ones.
    """

    name: str
    at_risk_power: float = 0.0
    rho: float = 0.0
    gamma: float = 0.0

    def __post_init__(self) -> None:
        powers = (self.at_risk_power, self.rho, self.gamma)
        if not all(np.isfinite(power) and power >= 0 for power in powers):
            raise SurvivalError(
                "WEIGHTING_INVALID",
                "The powers of a weighted log-rank test are numbers of at least 0",
                found=", ".join(f"{power:g}" for power in powers),
            )


LOG_RANK = Weighting("log-rank")
PETO_PETO = Weighting("Peto-Peto (Fleming-Harrington rho 1)", rho=1.0)
GEHAN_BRESLOW = Weighting("Gehan-Breslow", at_risk_power=1.0)
TARONE_WARE = Weighting("Tarone-Ware", at_risk_power=0.5)


@dataclass(frozen=True, eq=False)
class LogRankStatistic:
    """Observed and expected events of each group, weighted, and the statistic; None where its variance is singular.

    Parameters
    ----------
    observed, expected
        Shape (groups,).
    covariance
        Covariance of observed minus expected, shape (groups, groups).
    chi_squared, df
        Test of any difference.
    """

    observed: FloatArray
    expected: FloatArray
    covariance: FloatArray
    chi_squared: float | None
    df: int

    def trend(self, scores: FloatArray) -> float | None:
        """Standard normal statistic of a trend over ordered groups (Tarone RE, Biometrika 1975;62:679).

        Positive when higher scores, shape (groups,), have more events; None where its variance is 0.
        """
        variance = float(scores @ self.covariance @ scores)
        scale = float(np.diag(self.covariance).sum() * (scores**2).sum())
        if variance <= 1e-12 * scale:
            return None
        return float(scores @ (self.observed - self.expected)) / float(np.sqrt(variance))


def log_rank(
    duration: FloatArray,
    event: IntArray,
    codes: IntArray,
    n_groups: int,
    *,
    weighting: Weighting = LOG_RANK,
    entry: FloatArray | None = None,
) -> LogRankStatistic:
    """Log-rank test of ``n_groups`` groups.

    Parameters
    ----------
    duration, event
        Times and indicators, shape (n,).
    codes
        Group of each patient, 0 to ``n_groups`` - 1, shape (n,).
    n_groups
        Number of groups, all with patients.
    weighting
        Weights of the event times.
    entry
        Entry times, shape (n,), where patients came under observation late.
    """
    times = np.unique(duration[event == 1])
    died = np.empty((n_groups, len(times)))
    at_risk = np.empty((n_groups, len(times)))
    for group in range(n_groups):
        own = codes == group
        dead = np.searchsorted(times, duration[own & (event == 1)])
        died[group] = np.bincount(dead, minlength=len(times))
        at_risk[group] = _n_at_risk(times, duration[own], None if entry is None else entry[own])
    d, n = died.sum(axis=0), at_risk.sum(axis=0)
    before = np.concatenate(([1.0], np.cumprod(1 - d / n)[:-1]))
    weight = n**weighting.at_risk_power * before**weighting.rho * (1 - before) ** weighting.gamma
    share = at_risk / n
    observed, expected = (weight * died).sum(axis=1), (weight * d * share).sum(axis=1)
    factor = np.where(n > 1, weight**2 * d * (n - d) / np.maximum(n - 1, 1), 0.0)
    covariance = np.diag((factor * share).sum(axis=1)) - (factor * share) @ share.T
    # A group that left before the first event takes no part; one group is the complement of the others.
    kept = np.flatnonzero(expected > 0)[:-1]
    df = len(kept)
    part = covariance[np.ix_(kept, kept)]
    if df == 0 or np.linalg.matrix_rank(part, hermitian=True) < df:
        return LogRankStatistic(observed, expected, covariance, None, df)
    difference = (observed - expected)[kept]
    chi_squared = float(difference @ np.linalg.solve(part, difference))
    return LogRankStatistic(observed, expected, covariance, chi_squared, df)


def _n_at_risk(times: FloatArray, duration: FloatArray, entry: FloatArray | None) -> FloatArray:
    """Patients with entry < t <= duration at each of ``times``."""
    left = np.searchsorted(np.sort(duration), times, side="left")
    entered = len(duration) if entry is None else np.searchsorted(np.sort(entry), times, side="left")
    return np.asarray(entered - left, dtype=np.float64)
