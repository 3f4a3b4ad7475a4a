"""What a negative result could have shown: the smallest hazard ratio that so many events detect (Schoenfeld).

Schoenfeld DA, Biometrika 1981;68:316 (two groups) and Hsieh FY, Lavori PW, Control Clin Trials 2000;21:552 (continuous
covariate).
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from petct.errors import SurvivalError

LEVEL, POWER = 0.05, 0.8
"""Two-sided level of the tests, and the probability to detect."""


def minimum_detectable_hazard_ratio(n_events: int, fraction: float = 0.5) -> float:
    """Smallest hazard ratio above 1 that a log-rank test of two groups detects.

    Parameters
    ----------
    n_events
        Events in both groups together.
    fraction
        Share of the patients in one of the groups.

    Returns
    -------
    float
        exp((z_a + z_b) / sqrt(events x fraction x (1 - fraction))); its reciprocal is as detectable.
    """
    if not 0 < fraction < 1:
        raise SurvivalError("POWER_INVALID", "The share of a group lies between 0 and 1", found=f"{fraction:g}")
    return _detectable(n_events * fraction * (1 - fraction))


def minimum_detectable_hazard_ratio_per_sd(n_events: int, level: float = LEVEL) -> float:
    """Smallest hazard ratio per standard deviation that a Cox model of one continuous covariate detects at a level."""
    return _detectable(n_events, level)


def minimum_detectable_from_error(standard_error: float) -> float:
    """Smallest hazard ratio above 1 that a Wald test detects whose log hazard ratio has this standard error.

    Bloom HS, Eval Rev 1995;19:547: exp((z_a + z_b) x standard error). It holds for every scale and category, and
    allows for the correlation with the other covariates; it does not depend on the estimate.
    """
    return math.exp(_quantiles(LEVEL) * standard_error)


def _detectable(information: float, level: float = LEVEL) -> float:
    if information <= 0 or not 0 < level < POWER:
        raise SurvivalError(
            "POWER_INVALID",
            "Power needs events, and a level below the probability to detect",
            found=f"information {information:g}, level {level:g}",
            expected=f"at least 1 event, 0 < level < {POWER:g}",
        )
    return math.exp(_quantiles(level) / math.sqrt(information))


def _quantiles(level: float) -> float:
    return float(ndtri(1 - level / 2) + ndtri(POWER))
