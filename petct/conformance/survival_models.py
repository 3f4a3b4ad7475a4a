"""Cox models and their tests of proportional hazards in the survival exam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from petct.conformance.survival_curves import outcome_of
from petct.conformance.survival_reference import Found, Statistic, Table
from petct.survival.cox import CoxResult, NumericCovariate, cox
from petct.survival.results import chi_squared_p
from petct.survival.schoenfeld import Transform


def covariates_of(table: Table, formula: str) -> list[NumericCovariate]:
    """Return the covariates of a formula as they are, one unit of the column each."""
    return [NumericCovariate(name, table.numbers(name), scale="as_is") for name in formula.split("+")]


def _fit(table: Table, formula: str, transform: Transform = "km") -> CoxResult:
    return cox(outcome_of(table), covariates_of(table, formula), transform=transform)


def cox_model(table: Table, formula: str, _: Sequence[Statistic]) -> Found:
    """``coxph(ties="efron")``; its p-values are Wald's."""
    result = _fit(table, formula)
    found: Found = {
        ("", "", "n"): result.n,
        ("", "", "events"): result.n_events,
        ("", "", "loglik"): result.log_likelihood,
        ("", "", "lr_chisq"): result.lr_chi_squared,
        ("", "", "lr_p"): chi_squared_p(result.lr_chi_squared, result.lr_df),
        ("", "", "concordance"): result.concordance,
        ("", "", "concordance_se"): result.concordance_standard_error,
        ("", "", "aic"): result.aic,
    }
    for term in result.terms:
        found["", term.covariate, "coef"] = term.coefficient
        found["", term.covariate, "se"] = term.standard_error
        found["", term.covariate, "p"] = chi_squared_p(term.z**2, 1)
        found["", term.covariate, "hr"] = term.hazard_ratio
        found["", term.covariate, "hr_lower"] = term.lower
        found["", term.covariate, "hr_upper"] = term.upper
    return found


def proportional_hazards_tests(table: Table, formula_and_transform: str, _: Sequence[Statistic]) -> Found:
    """``cox.zph`` of survival 3, by its transform of time."""
    formula, name = formula_and_transform.split(";zph:")
    (transform,) = (known for known in get_args(Transform) if known == name)
    test = _fit(table, formula, transform).proportional_hazards
    found: Found = {}
    for term in (*test.terms, test.global_test):
        found["", term.covariate, "chisq"] = term.chi_squared
        found["", term.covariate, "p"] = term.p
    return found
