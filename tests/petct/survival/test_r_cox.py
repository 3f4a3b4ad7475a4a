"""Cox models and the score test of proportional hazards against R's survival 3.5-3."""

from __future__ import annotations

from pathlib import Path

import pytest

from petct.survival.cox import CoxResult, NumericCovariate, cox
from tests.petct.survival.reference import Reference, columns_of, load, outcome_of

DATASETS = ("rossi", "larynx", "gbsg2", "lung")


def _fit(reference: Reference, dataset: str, formula: str, transform: str = "km") -> CoxResult:
    columns = columns_of(reference.table(dataset), formula.split("+"))
    covariates = [NumericCovariate(name, values, scale="as_is") for name, values in columns.items()]
    return cox(outcome_of(reference, dataset), covariates, permutations=0, transform=transform)  # type: ignore[arg-type]


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_cox_number_equals_r(petlake_data: Path, dataset: str) -> None:
    reference = load(petlake_data)
    (formula,) = (name for name in reference.analyses(dataset, "cox:") if ";" not in name)
    result = _fit(reference, dataset, formula)
    terms = {term.covariate: term for term in result.terms}
    rows = reference.rows(dataset, f"cox:{formula}")
    assert len(rows) == 6 * len(terms) + 8
    for row in rows:
        if row.term:
            term = terms[row.term]
            found: dict[str, object] = {
                "coef": term.coefficient,
                "se": term.standard_error,
                "p": term.wald_p,
                "hr": term.hazard_ratio,
                "hr_lower": term.lower,
                "hr_upper": term.upper,
            }
        else:
            found = {
                "n": result.n,
                "events": result.n_events,
                "loglik": result.log_likelihood,
                "lr_chisq": result.lr_chi_squared,
                "lr_p": result.lr_p,
                "concordance": result.concordance,
                "concordance_se": result.concordance_standard_error,
                "aic": result.aic,
            }
        row.check(found[row.statistic])


@pytest.mark.parametrize("transform", ["km", "rank", "identity"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_score_test_of_proportional_hazards_equals_r(petlake_data: Path, dataset: str, transform: str) -> None:
    reference = load(petlake_data)
    (formula,) = (name for name in reference.analyses(dataset, "cox:") if ";" not in name)
    test = _fit(reference, dataset, formula, transform).proportional_hazards
    found = {term.covariate: term for term in (*test.terms, test.global_test)}
    rows = reference.rows(dataset, f"cox:{formula};zph:{transform}")
    assert len(rows) == 2 * len(found)
    for row in rows:
        row.check({"chisq": found[row.term].chi_squared, "p": found[row.term].asymptotic_p}[row.statistic])
