"""Strata, entry times, robust and clustered errors, baseline hazard and residuals against R's survival 3.5-3."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from petct.survival.cox import CategoricalCovariate, CoxResult, NumericCovariate, cox, fit_cox
from petct.survival.cox_curves import baseline_hazards
from petct.survival.cox_residuals import martingale_residuals
from petct.survival.outcome import Outcome
from tests.petct.survival.reference import Reference, columns_of, load, outcome_of

BASELINES = {"gbsg2": "age+tsize+pnodes+progrec+estrec", "lung": "age+sex+ph.ecog"}


def _reference(data: Path) -> Reference:
    return load(data, "r_survival_more_shared.csv")


def _covariates(reference: Reference, dataset: str, names: str) -> list[NumericCovariate]:
    columns = columns_of(reference.table(dataset), names.split("+"))
    return [NumericCovariate(name, values, scale="as_is") for name, values in columns.items()]


def _model(reference: Reference, analysis: str) -> CoxResult:
    dataset = "lung" if analysis == "cox_cluster" else "gbsg2"
    table, outcome = reference.table(dataset), outcome_of(reference, dataset)
    if analysis == "cox_cluster":
        inst = [None if np.isnan(value) else f"{value:g}" for value in table["inst"]]
        covariates = _covariates(reference, dataset, "age+sex")
        return cox(outcome, covariates, cluster=CategoricalCovariate("inst", inst))
    if analysis == "cox_strata":
        strata = [CategoricalCovariate("menostat", table["menostat"].tolist())]
        return cox(outcome, _covariates(reference, dataset, "age+pnodes"), strata=strata)
    if analysis == "cox_robust":
        return cox(outcome, _covariates(reference, dataset, "age+pnodes"), robust=True)
    entry = np.minimum(outcome.duration - 1, table["age"].to_numpy(dtype=np.float64))
    truncated = Outcome(outcome.duration, outcome.event, outcome.unit, entry=entry)
    return cox(truncated, _covariates(reference, dataset, "tsize+pnodes"))


@pytest.mark.parametrize("analysis", ["cox_strata", "cox_robust", "cox_truncated", "cox_cluster"])
def test_strata_robust_errors_entry_times_and_clusters_equal_r(petlake_data: Path, analysis: str) -> None:
    reference = _reference(petlake_data)
    result = _model(reference, analysis)
    terms = {term.covariate: term for term in result.terms}
    rows = [row for row in reference.all_rows if row.analysis == analysis]
    assert len(rows) == 5
    for row in rows:
        if row.statistic == "loglik":
            row.check(result.log_likelihood)
        else:
            term = terms[row.term]
            row.check({"coef": term.coefficient, "se": term.standard_error}[row.statistic])


@pytest.mark.parametrize(("dataset", "formula"), BASELINES.items())
def test_the_uncentred_baseline_hazard_and_martingale_residuals_equal_r(
    petlake_data: Path, dataset: str, formula: str
) -> None:
    reference = _reference(petlake_data)
    fit = fit_cox(outcome_of(reference, dataset), _covariates(reference, dataset, formula))
    (baseline,) = baseline_hazards(fit)
    (hazard,) = reference.rows(dataset, "baseline")
    hazard.check(float(baseline.hazard.at(np.array([float(hazard.term)]))[0]))
    (residuals,) = reference.rows(dataset, "martingale")
    residuals.check(float(np.abs(martingale_residuals(fit.maximum.terms)).sum()))
