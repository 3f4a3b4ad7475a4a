"""What a Cox model says: terms, tests, fit."""

from __future__ import annotations

from dataclasses import dataclass

from petct.survival.cohort.results import IntervalResult, Suppressed, TermWithTest, chi_squared_p
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


@dataclass(frozen=True, kw_only=True)
class CoxTerm(TermWithTest):
    """One hazard ratio.

    Parameters
    ----------
    hazard_ratio
        Its limits are Wald's, or the profile's of a Firth model; the standard error is robust or clustered where the
        result says so.
    test
        The test that gives ``p`` (see ``cox``).
    minimum_detectable_hazard_ratio
        On this scale, what was detectable with 80 % power at a level of 5 % (from the standard error): to stand
        beside a null result.
    """

    hazard_ratio: float
    test: str
    minimum_detectable_hazard_ratio: float

    @property
    def label(self) -> str:
        """Covariate and scale in one text."""
        return f"{self.covariate}, {self.scale}"


@dataclass(frozen=True, kw_only=True)
class CoxResult(IntervalResult):
    """A fitted model.

    Parameters
    ----------
    n_missing
        Rows left out for something missing.
    n_rows
        Rows in the model: more than patients where follow-up is split at a change.
    ties
        Always ``efron``.
    strata, n_strata
        What the baseline hazard differs by, and how many there are (1 without strata).
    standard_errors
        ``model``, ``robust`` or ``clustered by ...``.
    penalty
        In words; None without one.
    tests
        Tests of covariates with more than one coefficient, and of non-linearity.
    overall
        Test of all covariates together.
    log_likelihood, log_likelihood_null
        With and without the covariates; penalised in a Firth model.
    lr_chi_squared, lr_df
        Likelihood ratio statistic of all covariates together.
    concordance, concordance_standard_error
        Harrell's C in the patients of the fit: optimistic for new ones.
    proportional_hazards
        Score tests of the assumption.
    minimum_detectable_hazard_ratio_per_sd
        What so many events detect with 80 % power at a level of 5 % for one continuous covariate.
    """

    n_missing: int
    n_rows: int
    n_parameters: int
    events_per_parameter: float
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

    @property
    def lr_p(self) -> float:
        """Asymptotic p of the likelihood ratio test, as R prints it; what is shown is ``overall.p`` (ADR 0021)."""
        return chi_squared_p(self.lr_chi_squared, round(self.lr_df))
