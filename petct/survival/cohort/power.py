"""What a negative result could have shown: the smallest hazard ratio that so many events detect (Schoenfeld).

Schoenfeld DA, Biometrika 1981;68:316 (two groups) and Hsieh FY, Lavori PW, Control Clin Trials 2000;21:552 (continuous
covariate).
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from petct.errors import SurvivalError


def minimum_detectable_hazard_ratio(
    n_events: int, fraction: float = 0.5, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Smallest hazard ratio above 1 that a log-rank test of two groups detects.

    Parameters
    ----------
    n_events
        Events in both groups together.
    fraction
        Share of the patients in one of the groups.
    alpha, power
        Two-sided level of the test, and the probability to detect.

    Returns
    -------
    float
        exp((z_a + z_b) / sqrt(events x fraction x (1 - fraction))); its reciprocal is as detectable.
    """
    _check(n_events, alpha, power)
    if not 0 < fraction < 1:
        raise SurvivalError("POWER_INVALID", "The share of a group lies between 0 and 1", found=f"{fraction:g}")
    return math.exp(_quantiles(alpha, power) / math.sqrt(n_events * fraction * (1 - fraction)))


def minimum_detectable_hazard_ratio_per_sd(n_events: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest hazard ratio per standard deviation that a Cox model of one continuous covariate detects.

    Parameters
    ----------
    n_events
        Events in the cohort.
    alpha, power
        Two-sided level of the test, and the probability to detect.
    """
    _check(n_events, alpha, power)
    return math.exp(_quantiles(alpha, power) / math.sqrt(n_events))


def minimum_detectable_from_error(standard_error: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest hazard ratio above 1 that a Wald test detects whose log hazard ratio has this standard error.

    Bloom HS, Eval Rev 1995;19:547: exp((z_a + z_b) x standard error). It holds for every scale and category, and
    allows for the correlation with the other covariates; it does not depend on the estimate.
    """
    _check(1, alpha, power)
    return math.exp(_quantiles(alpha, power) * standard_error)


def _quantiles(alpha: float, power: float) -> float:
    return float(ndtri(1 - alpha / 2) + ndtri(power))


def _check(n_events: int, alpha: float, power: float) -> None:
    if n_events < 1 or not 0 < alpha < 1 or not alpha < power < 1:
        raise SurvivalError(
            "POWER_INVALID",
            "Power needs events, a level and a larger probability to detect",
            found=f"{n_events} events, level {alpha:g}, power {power:g}",
            expected="at least 1 event, 0 < level < power < 1",
        )
