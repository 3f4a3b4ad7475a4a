"""What accelerated failure time models say: time ratios, tests, fit, and a check of each distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from petct.survival.cohort.results import IntervalResult, Term
from petct.survival.cox.result import CovariateTest

Distribution = Literal["weibull", "log_normal", "log_logistic"]
DISTRIBUTIONS: tuple[Distribution, ...] = get_args(Distribution)
TITLES: dict[Distribution, str] = {
    "weibull": "Weibull",
    "log_normal": "log-normal",
    "log_logistic": "log-logistic",
}


@dataclass(frozen=True, kw_only=True)
class AftTerm(Term):
    """One time ratio, with Wald's confidence limits; above 1 the event comes later."""

    time_ratio: float


@dataclass(frozen=True)
class HazardCheck:
    """Cumulative hazard of the Cox-Snell residuals: on the diagonal where the distribution fits.

    Parameters
    ----------
    expected
        Cumulative hazard that the model gives a patient at the time of the event, ascending.
    observed, lower, upper
        Nelson-Aalen estimate of the same, with its confidence limits.
    """

    expected: tuple[float, ...]
    observed: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True)
class AftModel:
    """The model of one distribution.

    Parameters
    ----------
    tests
        Likelihood ratio test of each covariate, then of all together where there are several.
    intercept, scale
        Intercept and scale of log time, as in R's ``survreg``.
    log_likelihood, aic, aic_difference
        Fit, Akaike's criterion, and the same less the smallest of the models.
    concordance
        Harrell's C as lifelines has it; late entries are left out of account.
    check
        Cumulative hazard against what the model expects.
    """

    distribution: Distribution
    terms: tuple[AftTerm, ...]
    tests: tuple[CovariateTest, ...]
    intercept: float
    scale: float
    log_likelihood: float
    aic: float
    aic_difference: float
    concordance: float
    check: HazardCheck


@dataclass(frozen=True, kw_only=True)
class AftResult(IntervalResult):
    """Accelerated failure time models of the same patients.

    Parameters
    ----------
    n_missing
        Patients left out for something missing.
    n_parameters, events_per_parameter
        Coefficients of the covariates, and events for each.
    lifelines_version
        What fitted the models.
    models
        One for each distribution, the smallest AIC first.
    """

    n_missing: int
    n_parameters: int
    events_per_parameter: float
    lifelines_version: str
    models: tuple[AftModel, ...]
