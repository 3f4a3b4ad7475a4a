"""Does imaging add to clinical? Two nested Cox models in the same patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.accuracy.concordance import paired_rows
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import NORMAL_QUANTILE, SIGNIFICANCE_LEVEL, IntervalResult, p_text
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import summarise
from petct.survival.cox.result import CovariateTest, CoxResult
from petct.survival.cox.tests import DEFAULT_SEED, CoxTests


@dataclass(frozen=True, kw_only=True)
class ModelComparison(IntervalResult):
    """A model, and the same model with covariates added, in the patients who have all of them.

    Parameters
    ----------
    n_missing
        Patients left out for something missing.
    base, added
        Names of the covariates.
    test
        Test that the added covariates say nothing beyond the base.
    lr_chi_squared, lr_df
        Likelihood ratio statistic of the two models, and the coefficients added.
    aic_base, aic_full
        Akaike's criterion: the smaller one is preferred.
    concordance_base, concordance_full
        Harrell's C of both, in the patients of the fit.
    concordance_change, change_standard_error, change_lower, change_upper
        Their difference with its limits (infinitesimal jackknife, coefficients taken as known).
    full
        The larger model.
    """

    n_missing: int
    base: tuple[str, ...]
    added: tuple[str, ...]
    test: CovariateTest
    lr_chi_squared: float
    lr_df: int
    aic_base: float
    aic_full: float
    concordance_base: float
    concordance_full: float
    concordance_change: float
    change_standard_error: float
    change_lower: float
    change_upper: float
    full: CoxResult


def compare_models(
    outcome: Outcome,
    base: Sequence[Covariate],
    added: Sequence[Covariate],
    *,
    strata: Sequence[CategoricalCovariate] = (),
    permutations: int | None = None,
    seed: int = DEFAULT_SEED,
) -> ModelComparison:
    """Compare the model of ``base`` with that of ``base`` and ``added``; the other parameters are those of ``cox``.

    Raises
    ------
    SurvivalError
        COMPARISON_EMPTY without covariates on either side, and the codes of ``cox``.
    """
    if not base or not added:
        raise SurvivalError(
            "COMPARISON_EMPTY",
            "Two models are compared: one with covariates, and one with more",
            found=f"{len(base)} in the base, {len(added)} added",
            expected="at least 1 of each",
        )
    fit = fit_cox(outcome, [*base, *added], strata=strata)
    names = {covariate.name for covariate in added}
    columns = tuple(i for i, column in enumerate(fit.design.columns) if column.covariate in names)
    kept = np.setdiff1d(np.arange(len(fit.names)), columns)
    without = fit.with_columns(kept)
    predictor = np.empty(fit.cohort.n)
    predictor[fit.risk_sets.order] = (without.terms.risk_sets.design * without.coefficients).sum(axis=1)
    full_pairs = paired_rows(fit.cohort, fit.linear_predictor, fit.stratum)
    base_pairs = paired_rows(fit.cohort, predictor, fit.stratum)
    change = full_pairs.value - base_pairs.value
    error = float(np.sqrt(((full_pairs.influence - base_pairs.influence) ** 2).sum()))
    half = NORMAL_QUANTILE * error
    full = summarise(fit, outcome.n, permutations, seed)
    test = CoxTests(fit, permutations, seed).of(columns)
    too_small = next((term.p_suppressed for term in full.terms if term.covariate in names and term.p_suppressed), None)
    comparison = test.about(", ".join(covariate.name for covariate in added), "added to the base", too_small)
    log_likelihood, base_log_likelihood = fit.maximum.terms.log_likelihood, without.terms.log_likelihood
    return ModelComparison(
        unit=fit.cohort.unit,
        n=full.n,
        n_missing=full.n_missing,
        n_events=full.n_events,
        base=tuple(covariate.name for covariate in base),
        added=tuple(covariate.name for covariate in added),
        test=comparison,
        lr_chi_squared=max(2 * (log_likelihood - base_log_likelihood), 0.0),
        lr_df=len(columns),
        aic_base=2 * len(kept) - 2 * base_log_likelihood,
        aic_full=full.aic,
        concordance_base=base_pairs.value,
        concordance_full=full_pairs.value,
        concordance_change=change,
        change_standard_error=error,
        change_lower=change - half,
        change_upper=change + half,
        full=full,
        notes=(*full.notes, *_notes(comparison)),
    )


def _notes(test: CovariateTest) -> tuple[str, ...]:
    said = (
        "Both concordances are those of the patients of the fit: a model with more covariates nearly always has the "
        "higher one. Whether it predicts new patients better, nested cross-validation says.",
    )
    if test.p is None or test.p < SIGNIFICANCE_LEVEL:
        return said
    return (f"No evidence that {test.covariate} adds to the base ({p_text(test.p)}).", *said)
