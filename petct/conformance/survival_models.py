"""Cox models of the survival exam: coefficients, fit, tests of proportional hazards, robust errors, residuals.

And how well they discriminate and predict: concordance, AUC(t), Brier(t).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np

from petct.conformance.survival_curves import outcome_of
from petct.conformance.survival_reference import Found, Statistic, Table
from petct.survival.accuracy.concordance import concordance, uno_concordance
from petct.survival.accuracy.prediction_error import auc_at, brier_at
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cox.curves import baseline_hazards
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.residuals import martingale_residuals
from petct.survival.cox.result import CoxResult
from petct.survival.cox.schoenfeld import Transform

# The models whose predictions and residuals R judged.
_FORMULAS = {"gbsg2": "age+tsize+pnodes+progrec+estrec", "lung": "age+sex+ph.ecog"}


def _covariates(table: Table, formula: str) -> list[NumericCovariate]:
    """Return the covariates of a formula as they are, one unit of the column each."""
    return [NumericCovariate(name, table.numbers(name), scale="as_is") for name in formula.split("+")]


def _model_of(table: Table) -> CoxFit:
    """Return the model of a data set whose predictions R judged."""
    return fit_cox(outcome_of(table), _covariates(table, _FORMULAS[table.name]))


def _estimates(result: CoxResult) -> Found:
    found: Found = {("", "", "loglik"): result.log_likelihood}
    for term in result.terms:
        found["", term.covariate, "coef"] = term.coefficient
        found["", term.covariate, "se"] = term.standard_error
    return found


def cox_model(table: Table, formula: str, _: Sequence[Statistic]) -> Found:
    """``coxph(ties="efron")`` with R's asymptotic p-values, not the ones petlake shows (ADR 0021)."""
    result = cox(outcome_of(table), _covariates(table, formula), permutations=0)
    found = _estimates(result)
    found["", "", "n"] = result.n
    found["", "", "events"] = result.n_events
    found["", "", "lr_chisq"] = result.lr_chi_squared
    found["", "", "lr_p"] = result.lr_p
    found["", "", "concordance"] = result.concordance
    found["", "", "concordance_se"] = result.concordance_standard_error
    found["", "", "aic"] = result.aic
    for term in result.terms:
        found["", term.covariate, "p"] = term.wald_p
        found["", term.covariate, "hr"] = term.hazard_ratio
        found["", term.covariate, "hr_lower"] = term.lower
        found["", term.covariate, "hr_upper"] = term.upper
    return found


def proportional_hazards_tests(table: Table, formula_and_transform: str, _: Sequence[Statistic]) -> Found:
    """``cox.zph`` of survival 3, by its transform of time, with R's asymptotic p-values."""
    formula, name = formula_and_transform.split(";zph:")
    (transform,) = (known for known in get_args(Transform) if known == name)
    result = cox(outcome_of(table), _covariates(table, formula), permutations=0, transform=transform)
    found: Found = {}
    for term in (*result.proportional_hazards.terms, result.proportional_hazards.global_test):
        found["", term.covariate, "chisq"] = term.chi_squared
        found["", term.covariate, "p"] = term.asymptotic_p
    return found


def stratified_model(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``coxph`` with ``strata(menostat)``."""
    strata = [CategoricalCovariate("menostat", table.texts("menostat"))]
    return _estimates(cox(outcome_of(table), _covariates(table, "age+pnodes"), strata=strata, permutations=0))


def robust_model(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``coxph`` with ``robust=TRUE``."""
    return _estimates(cox(outcome_of(table), _covariates(table, "age+pnodes"), robust=True))


def clustered_model(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``coxph`` with ``cluster=inst``."""
    cluster = CategoricalCovariate("inst", table.texts("inst"))
    return _estimates(cox(outcome_of(table), _covariates(table, "age+sex"), cluster=cluster))


def truncated_model(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``coxph(Surv(entry, time, event))`` with the entry min(time - 1, age)."""
    outcome = outcome_of(table)
    outcome = replace(outcome, entry=np.minimum(outcome.duration - 1, table.numbers("age")))
    return _estimates(cox(outcome, _covariates(table, "tsize+pnodes"), permutations=0))


def baseline(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """``basehaz(centered=FALSE)``."""
    (whole,) = baseline_hazards(_model_of(table))
    return {("", s.term, "cumhaz0"): float(whole.hazard.at(np.array([float(s.term)]))[0]) for s in statistics}


def martingale(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """Sum of the absolute ``residuals(type="martingale")``."""
    return {("", "", "sum_abs"): float(np.abs(martingale_residuals(_model_of(table).maximum.terms)).sum())}


def harrell_concordance(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``concordance`` of the fit."""
    fit = _model_of(table)
    found = concordance(fit.cohort, fit.linear_predictor)
    return {("", "", "concordance"): found.value, ("", "", "se"): found.standard_error}


def uno_concordance_of_model(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``concordance(timewt="n/G2")``."""
    fit = _model_of(table)
    return {("", "", "concordance"): uno_concordance(fit.cohort, fit.linear_predictor)}


def area_under_curve(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """AUC(t) of ``riskRegression::Score(cens.model="km")``."""
    fit = _model_of(table)
    return {("", s.term, "auc"): auc_at(fit.cohort, fit.linear_predictor, float(s.term)) for s in statistics}


def brier_score(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """Brier(t) of ``riskRegression::Score(cens.model="km")``."""
    fit = _model_of(table)
    (whole,) = baseline_hazards(fit, at="mean")
    found: Found = {}
    for term in {s.term for s in statistics}:
        probability = whole.hazard.event_probability(fit.linear_predictor, np.array([float(term)]))[:, 0]
        found["", term, "brier"] = brier_at(fit.cohort, probability, float(term))
    return found
