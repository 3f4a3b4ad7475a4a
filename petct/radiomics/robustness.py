"""How well repeated measurements of a feature agree: intraclass correlations with confidence intervals, and QCD.

Shrout and Fleiss 1979 (doi 10.1037/0033-2909.86.2.420) define the three forms for single measurements; the confidence
intervals are theirs too (McGraw and Wong 1996, doi 10.1037/1082-989X.1.1.30, give the same).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from petct.errors import FeatureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPUTED = "COMPUTED"
TOO_FEW_TARGETS = "TOO_FEW_TARGETS"
NO_VARIANCE = "NO_VARIANCE"
LEAST_TARGETS = 3
"""With two targets the interval covers nearly all that is possible, and says nothing."""

# Of 95 % intervals.
_UPPER_TAIL = 0.975


@dataclass(frozen=True)
class Icc:
    """One intraclass correlation with the bounds of its confidence interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Agreement:
    """The agreement of repeated measurements of one feature.

    Attributes
    ----------
    status
        COMPUTED; TOO_FEW_TARGETS when fewer than three targets have all measurements; NO_VARIANCE when all measurements
        are equal. The correlations are None exactly when it is not COMPUTED.
    icc_1_1
        One-way: the measurements of a target are exchangeable, such as random perturbations.
    icc_2_1
        Two-way random, absolute agreement: measurement j is the same reader, scan or perturbation for every target.
    icc_3_1
        Two-way mixed, consistency: ignores a systematic shift between measurements, so no filter acts on it.
    qcd
        Quartile coefficient of dispersion within a target, (Q3 - Q1) / |Q3 + Q1|: the median over the targets for which
        it is defined (quartiles of one sign, and not both 0); None where there is none.
    """

    status: str
    n_targets: int
    n_measurements: int
    icc_1_1: Icc | None
    icc_2_1: Icc | None
    icc_3_1: Icc | None
    qcd: float | None


def agreement(ratings: NDArray[np.float64]) -> Agreement:
    """Agreement of repeated measurements.

    Parameters
    ----------
    ratings
        (targets, measurements); NaN where there is none. A target that lacks one of them does not enter.

    Raises
    ------
    FeatureError
        RATINGS_INVALID when there are not two measurements or more.
    """
    if ratings.ndim != 2 or ratings.shape[1] < 2:
        raise FeatureError(
            "RATINGS_INVALID",
            "Agreement needs a table of targets with two measurements or more each",
            found=str(ratings.shape),
        )
    complete = np.asarray(ratings[np.isfinite(ratings).all(axis=1)], dtype=np.float64)
    n, k = complete.shape
    if n < LEAST_TARGETS:
        return Agreement(TOO_FEW_TARGETS, n, k, None, None, None, _qcd(complete))
    if np.ptp(complete) == 0:
        return Agreement(NO_VARIANCE, n, k, None, None, None, _qcd(complete))
    squares = _MeanSquares.of(complete)
    return Agreement(
        COMPUTED,
        n,
        k,
        squares.one_way(),
        squares.two_way_agreement(),
        squares.two_way_consistency(),
        _qcd(complete),
    )


@dataclass(frozen=True)
class _MeanSquares:
    """Analysis of variance of n targets x k measurements: between targets, within, between measurements, residual."""

    n: int
    k: int
    targets: float
    within: float
    measurements: float
    residual: float

    @classmethod
    def of(cls, ratings: NDArray[np.float64]) -> _MeanSquares:
        n, k = ratings.shape
        # Differences from one value keep the sums of squares exact where the values are large and alike.
        centred = ratings - ratings.mean()
        of_targets = centred.mean(axis=1)
        of_measurements = centred.mean(axis=0)
        residual = centred - of_targets[:, None] - of_measurements[None]
        return cls(
            n,
            k,
            targets=float(k * np.sum(of_targets**2) / (n - 1)),
            within=float(np.sum((centred - of_targets[:, None]) ** 2) / (n * (k - 1))),
            measurements=float(n * np.sum(of_measurements**2) / (k - 1)),
            residual=float(np.sum(residual**2) / ((n - 1) * (k - 1))),
        )

    def one_way(self) -> Icc:
        return self._against(self.within, self.n * (self.k - 1))

    def two_way_consistency(self) -> Icc:
        return self._against(self.residual, (self.n - 1) * (self.k - 1))

    def _against(self, error: float, error_df: int) -> Icc:
        """(T - E) / (T + (k - 1) E), with the interval of the ratio of two mean squares."""
        value = _ratio(self.targets - error, self.targets + (self.k - 1) * error)
        if error == 0:
            return Icc(value, 1.0, 1.0)
        f = self.targets / error
        low = f / stats.f.ppf(_UPPER_TAIL, self.n - 1, error_df)
        high = f * stats.f.ppf(_UPPER_TAIL, error_df, self.n - 1)
        return Icc(value, float((low - 1) / (low + self.k - 1)), float((high - 1) / (high + self.k - 1)))

    def two_way_agreement(self) -> Icc:
        n, k = self.n, self.k
        rater_part = k * (self.measurements - self.residual) / n
        value = _ratio(self.targets - self.residual, self.targets + (k - 1) * self.residual + rater_part)
        if self.residual == 0 and self.measurements == 0:
            return Icc(value, 1.0, 1.0)
        df = self._satterthwaite(value)
        f_low = stats.f.ppf(_UPPER_TAIL, n - 1, df)
        f_high = stats.f.ppf(_UPPER_TAIL, df, n - 1)
        spread = k * self.measurements + (k * n - k - n) * self.residual
        lower = n * (self.targets - f_low * self.residual) / (f_low * spread + n * self.targets)
        upper = n * (f_high * self.targets - self.residual) / (spread + n * f_high * self.targets)
        return Icc(value, float(lower), float(upper))

    def _satterthwaite(self, value: float) -> float:
        """Degrees of freedom of the mixture of mean squares in the denominator (Shrout and Fleiss, equation 7)."""
        n, k = self.n, self.k
        a = k * value / (n * (1 - value)) if value < 1 else np.inf
        b = 1 + k * value * (n - 1) / (n * (1 - value)) if value < 1 else np.inf
        if not np.isfinite(a):
            return float(k - 1)
        mixture = a * self.measurements + b * self.residual
        parts = (a * self.measurements) ** 2 / (k - 1) + (b * self.residual) ** 2 / ((n - 1) * (k - 1))
        return float(mixture**2 / parts) if parts > 0 else float((n - 1) * (k - 1))


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator != 0 else 0.0


def _qcd(ratings: NDArray[np.float64]) -> float | None:
    if not len(ratings):
        return None
    low, high = np.percentile(ratings, (25, 75), axis=1)
    defined = (low * high >= 0) & (low + high != 0)
    if not defined.any():
        return None
    return float(np.median((high - low)[defined] / np.abs(low + high)[defined]))
