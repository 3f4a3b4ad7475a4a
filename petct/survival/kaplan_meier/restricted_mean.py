"""Restricted mean survival times of groups, and how they differ.

Royston P, Parmar MKB, BMC Med Res Methodol 2013;13:152; Uno H et al., J Clin Oncol 2014;32:2380 (difference and ratio).
The variance is Greenwood's, as in R's ``print.survfit(rmean=)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from petct.errors import SurvivalError
from petct.survival.cohort.multiplicity import Correction, adjusted_p_values
from petct.survival.cohort.results import NORMAL_QUANTILE, Suppressed, chi_squared_p
from petct.survival.kaplan_meier.curves import ProductLimit


@dataclass(frozen=True)
class GroupMean:
    """Restricted mean survival time of a group, in the outcome's unit; the upper limit is at most tau."""

    group: str
    mean: float
    standard_error: float
    lower: float
    upper: float


@dataclass(frozen=True)
class MeanContrast:
    """A group's restricted mean against that of the first group.

    Parameters
    ----------
    difference, standard_error, lower, upper
        ``group`` minus ``reference``, in the outcome's unit, with its confidence limits.
    ratio, ratio_lower, ratio_upper
        ``group`` over ``reference``, limits on the log scale; None when one of the means is 0.
    p, p_adjusted
        Test that the means are equal, and the same adjusted for the number of contrasts; None exactly when
        ``p_suppressed`` says why.
    """

    group: str
    reference: str
    difference: float
    standard_error: float
    lower: float
    upper: float
    ratio: float | None
    ratio_lower: float | None
    ratio_upper: float | None
    p: float | None
    p_adjusted: float | None
    p_suppressed: Suppressed | None


@dataclass(frozen=True)
class RestrictedMean:
    """Restricted mean survival times up to ``tau``; contrasts of every other group with the first.

    There are no contrasts of groups that were chosen by looking at the outcome: their limits would be too narrow.
    """

    tau: float
    groups: tuple[GroupMean, ...]
    contrasts: tuple[MeanContrast, ...]
    correction: Correction


def restricted_means(
    fits: Sequence[ProductLimit],
    labels: Sequence[str],
    *,
    tau: float | None,
    unit: str,
    withheld: Suppressed | None,
    contrasts: bool,
    correction: Correction,
) -> RestrictedMean | None:
    """Restricted means of groups; None when nobody was followed at all.

    Parameters
    ----------
    tau
        Horizon; the largest time observed in every group when None.
    withheld
        Why no p-value may be shown, if so.
    contrasts
        Whether to compare the groups at all.
    correction
        How the p-values of several contrasts are adjusted.

    Raises
    ------
    SurvivalError
        TAU_BEYOND_FOLLOW_UP, TAU_INVALID.
    """
    common = min(float(fit.times[-1]) for fit in fits)
    if tau is not None and tau > common:
        raise SurvivalError(
            "TAU_BEYOND_FOLLOW_UP",
            "The restricted mean cannot reach beyond the follow-up of a group",
            found=f"{tau:g} {unit}",
            expected=f"at most {common:g} {unit}",
        )
    if tau is not None and not tau > 0:
        raise SurvivalError(
            "TAU_INVALID", "The horizon of a restricted mean lies after the origin", found=f"{tau:g} {unit}"
        )
    horizon = common if tau is None else float(tau)
    if horizon <= 0:
        return None
    means = []
    for fit, label in zip(fits, labels, strict=True):
        mean, error = fit.restricted_mean(horizon)
        half = NORMAL_QUANTILE * error
        means.append(GroupMean(label, mean, error, max(mean - half, 0.0), min(mean + half, horizon)))
    found = _contrasts(means, withheld, correction) if contrasts else ()
    return RestrictedMean(horizon, tuple(means), found, correction)


def _contrasts(
    means: Sequence[GroupMean], withheld: Suppressed | None, correction: Correction
) -> tuple[MeanContrast, ...]:
    first, *others = means
    errors = [math.hypot(first.standard_error, other.standard_error) for other in others]
    reasons = [
        withheld
        or (Suppressed("VARIANCE_ZERO", "No p-value: the restricted means have no variance.") if error == 0 else None)
        for error in errors
    ]
    p_values = [
        None if reason else chi_squared_p(((other.mean - first.mean) / error) ** 2, 1)
        for other, error, reason in zip(others, errors, reasons, strict=True)
    ]
    adjusted = iter(adjusted_p_values([p for p in p_values if p is not None], correction))
    contrasts = []
    for other, error, reason, p in zip(others, errors, reasons, p_values, strict=True):
        difference = other.mean - first.mean
        contrasts.append(
            MeanContrast(
                other.group,
                first.group,
                difference,
                error,
                difference - NORMAL_QUANTILE * error,
                difference + NORMAL_QUANTILE * error,
                *_ratio(other, first),
                p,
                None if p is None else float(next(adjusted)),
                reason,
            )
        )
    return tuple(contrasts)


def _ratio(group: GroupMean, reference: GroupMean) -> tuple[float | None, float | None, float | None]:
    if group.mean <= 0 or reference.mean <= 0:
        return None, None, None
    ratio = group.mean / reference.mean
    error = math.hypot(group.standard_error / group.mean, reference.standard_error / reference.mean)
    return ratio, ratio * math.exp(-NORMAL_QUANTILE * error), ratio * math.exp(NORMAL_QUANTILE * error)
