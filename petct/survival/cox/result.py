"""What a Cox model says: terms, tests, fit."""

from __future__ import annotations

from dataclasses import dataclass

from petct.survival.cohort.results import Suppressed, chi_squared_p
from petct.survival.cox.schoenfeld import ProportionalHazardsTest


@dataclass(frozen=True)
class CovariateTest:
    """Test of some coefficients together.

    Parameters
    ----------
    covariate, question
        Whose; and which of ``association``, ``non-linearity``, ``all covariates``.
    test
        The test in words, with permutations and seed where it has some.
    df
        Coefficients tested.
    chi_squared
        The statistic; None where ``p`` is withheld.
    p
        None exactly when ``p_suppressed`` says why.
    """

    covariate: str
    question: str
    test: str
    df: int
    chi_squared: float | None
    p: float | None
    p_suppressed: Suppressed | None


@dataclass(frozen=True)
class CoxTerm:
    """One hazard ratio.

    Parameters
    ----------
    covariate, level, reference
        What it belongs to; level and reference of a category.
    scale
        What the hazard ratio compares, for example ``per SD (11.2 ml)`` or ``G3 vs G1``.
    coefficient, standard_error
        Log hazard ratio; the standard error is robust or clustered where the result says so.
    hazard_ratio, lower, upper
        Hazard ratio with its confidence limits: Wald's, or the profile's of a Firth model.
    z
        Coefficient over standard error.
    p, test
        From the test that ``test`` names (see ``cox``); ``p`` is None exactly when ``p_suppressed`` says why.
    minimum_detectable_hazard_ratio
        On this scale, what was detectable with 80 % power at a level of 5 % (from the standard error): to stand
        beside a null result.
    """

    covariate: str
    level: str | None
    reference: str | None
    scale: str
    coefficient: float
    standard_error: float
    hazard_ratio: float
    lower: float
    upper: float
    z: float
    p: float | None
    test: str
    p_suppressed: Suppressed | None
    minimum_detectable_hazard_ratio: float

    @property
    def label(self) -> str:
        """Covariate and scale in one text."""
        return f"{self.covariate}, {self.scale}"

    @property
    def wald_p(self) -> float:
        """Wald's p as R prints it: not shown, because it is too small too often with skewed covariates (ADR 0021)."""
        return chi_squared_p(self.z**2, 1)


@dataclass(frozen=True)
class CoxResult:
    """A fitted model.

    Parameters
    ----------
    unit
        Unit of the survival times.
    n, n_missing, n_events
        Patients in the model, rows left out for something missing, events in the model.
    n_rows
        Rows in the model: more than patients where follow-up is split at a change.
    n_parameters, events_per_parameter
        Size of the model.
    confidence
        Level of the intervals.
    ties
        Always ``efron``.
    strata, n_strata
        What the baseline hazard differs by, and how many there are (1 without strata).
    standard_errors
        ``model``, ``robust`` or ``clustered by ...``.
    penalty
        In words; None without one.
    terms
        The hazard ratios.
    tests
        Tests of covariates with more than one coefficient, and of non-linearity.
    overall
        Test of all covariates together.
    log_likelihood, log_likelihood_null
        With and without the covariates; penalised in a Firth model.
    lr_chi_squared, lr_df
        Likelihood ratio statistic of all covariates together.
    aic
        Akaike's criterion.
    concordance, concordance_standard_error
        Harrell's C in the patients of the fit: optimistic for new ones.
    proportional_hazards
        Score tests of the assumption.
    minimum_detectable_hazard_ratio_per_sd
        What so many events detect with 80 % power at a level of 5 % for one continuous covariate.
    notes
        Sentences a reader of the numbers has to know.
    """

    unit: str
    n: int
    n_missing: int
    n_events: int
    n_rows: int
    n_parameters: int
    events_per_parameter: float
    confidence: float
    ties: str
    strata: tuple[str, ...]
    n_strata: int
    standard_errors: str
    penalty: str | None
    terms: tuple[CoxTerm, ...]
    tests: tuple[CovariateTest, ...]
    overall: CovariateTest
    log_likelihood: float
    log_likelihood_null: float
    lr_chi_squared: float
    lr_df: float
    aic: float
    concordance: float
    concordance_standard_error: float
    proportional_hazards: ProportionalHazardsTest
    minimum_detectable_hazard_ratio_per_sd: float
    notes: tuple[str, ...]

    @property
    def lr_p(self) -> float:
        """Asymptotic p of the likelihood ratio test, as R prints it; what is shown is ``overall.p`` (ADR 0021)."""
        return chi_squared_p(self.lr_chi_squared, round(self.lr_df))
