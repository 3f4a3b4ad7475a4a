"""A Cox model fitted again by lifelines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from petct.survival.cohort.results import NORMAL_QUANTILE
from petct.survival.cox.fit import CoxFit
from petct.survival.cox.result import CoxResult
from petct.survival.likelihood.penalised import Firth
from petct.survival.with_lifelines.comparison import Comparing, LifelinesCheck
from petct.survival.with_lifelines.library import attempt, lifelines

_NEWTON = {"precision": 1e-14, "r_precision": 1e-16}
_ROBUST_TIES = "The robust variance of lifelines leaves tied event times out of account."
_ROBUST_ENTRY = "The robust variance of lifelines leaves late entries out of account."
_ENTRY = "The concordance of lifelines counts pairs that were never under observation together."
_EQUAL_RISKS = "Patients with equal covariates differ by rounding in lifelines: their pairs count fully, or not at all."
_PENALISED = "The log likelihood of lifelines includes the penalty."
_SCHOENFELD = (
    "lifelines has the approximation that R used before survival 3 (2019) and refers it to the chi-squared "
    "distribution; petlake has the score test of survival 3, referred to the F distribution."
)
_WALD = (
    "lifelines shows Wald's p, which is too small too often in small cohorts with skewed covariates; see the "
    "documentation of p-values (ADR 0021)."
)


def check_cox(fit: CoxFit, result: CoxResult) -> LifelinesCheck:
    """Fit a model by lifelines on the same design matrix, and compare.

    Parameters
    ----------
    fit, result
        The model as arrays, and what petlake says of it.
    """
    check = Comparing()
    if isinstance(fit.penalty, Firth):
        check.skip("the model", "lifelines has no Firth penalty.")
        return check.done()
    frame, options = _frame(fit)
    # lifelines multiplies by n, and standardises with n - 1.
    penalizer = fit.ridge * (fit.cohort.n - 1) / fit.cohort.n**2
    with check.may_stop("the model"):
        fitter = lifelines().CoxPHFitter(alpha=1 - result.confidence, penalizer=penalizer)
        robust = fit.standard_errors != "model"
        model = attempt(fitter.fit, frame, "duration", "event", robust=robust, fit_options=_NEWTON, **options)
        _compare_coefficients(check, fit, result, model)
        _compare_fit(check, fit, result, model)
        _compare_assumption(check, fit, result, model, frame)
    check.skip("p of hazard ratios", _WALD)
    return check.done()


def _frame(fit: CoxFit) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The model's rows with plain column names, and what the fitter has to know of them."""
    frame = pd.DataFrame({f"x{i}": column.values for i, column in enumerate(fit.design.columns)})
    frame["duration"], frame["event"] = fit.cohort.duration, fit.cohort.event
    options: dict[str, Any] = {}
    if fit.cohort.entry is not None:
        frame["entry"], options["entry_col"] = fit.cohort.entry, "entry"
    if fit.stratum is not None:
        frame["stratum"], options["strata"] = fit.stratum, ["stratum"]
    if fit.standard_errors == "clustered":
        frame.loc[fit.risk_sets.order, "cluster"] = fit.cluster
        options["cluster_col"] = "cluster"
    return frame, options


def _compare_coefficients(check: Comparing, fit: CoxFit, result: CoxResult, model: Any) -> None:
    errors = np.sqrt(np.diag(fit.covariance))
    known = _robust_reason(fit)
    limits = {(term.covariate, term.level): (term.lower, term.upper) for term in result.terms}
    z = NORMAL_QUANTILE
    for i, column in enumerate(fit.design.columns):
        of, error = f"{column.name}, {column.scale}", float(errors[i])
        beta, theirs = model.params_.iloc[i], model.standard_errors_.iloc[i]
        check.add("log hazard ratio", float(fit.coefficients[i]), beta, of=of, scale=error)
        check.add("standard error", error, theirs, of=of, known=known)
        if column.spline is None:
            lower, upper = limits[column.covariate, column.level]
            check.add("lower limit of the hazard ratio", lower, math.exp(beta - z * theirs), of=of, known=known)
            check.add("upper limit of the hazard ratio", upper, math.exp(beta + z * theirs), of=of, known=known)
    if any(column.spline for column in fit.design.columns):
        check.skip("ratio of the quartiles of a spline", "lifelines has no such ratio; its coefficients are compared.")


def _robust_reason(fit: CoxFit) -> str | None:
    if fit.standard_errors == "model":
        return None
    if fit.cohort.entry is not None:
        return _ROBUST_ENTRY
    times = fit.cohort.duration[fit.cohort.event == 1]
    return _ROBUST_TIES if len(np.unique(times)) < len(times) else None


def _compare_fit(check: Comparing, fit: CoxFit, result: CoxResult, model: Any) -> None:
    known = _PENALISED if fit.ridge else None
    test = attempt(model.log_likelihood_ratio_test)
    check.add("log likelihood", result.log_likelihood, model.log_likelihood_, known=known)
    check.add("likelihood ratio chi-squared", result.lr_chi_squared, test.test_statistic, known=known)
    equal = len(np.unique(fit.linear_predictor)) < fit.cohort.n
    reason = _ENTRY if fit.cohort.entry is not None else _EQUAL_RISKS if equal else None
    check.add("concordance", result.concordance, attempt(getattr, model, "concordance_index_"), known=reason)
    check.skip("standard error of the concordance", "lifelines has none.")


def _compare_assumption(check: Comparing, fit: CoxFit, result: CoxResult, model: Any, frame: pd.DataFrame) -> None:
    test = result.proportional_hazards
    with check.may_stop("test of proportional hazards"):
        found = attempt(
            lifelines().statistics.proportional_hazard_test, model, frame, time_transform=test.transform
        ).summary
        for (name, columns), term in zip(fit.design.covariates, test.terms, strict=True):
            if len(columns) == 1:
                statistic, p = found.iloc[columns[0]][["test_statistic", "p"]]
                check.add("proportional hazards chi-squared", term.chi_squared, statistic, of=name, known=_SCHOENFELD)
                check.add("proportional hazards p", term.p, p, of=name, known=_SCHOENFELD)
            else:
                check.skip(f"proportional hazards, {name}", "lifelines tests single coefficients only.")
        check.skip("proportional hazards, all covariates", "lifelines has no global test.")
