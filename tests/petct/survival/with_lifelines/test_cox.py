"""Cox models by lifelines beside ours: the same numbers, reasons for those that differ, and nothing in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.cox.model import summarise
from petct.survival.cox.result import CoxResult
from petct.survival.likelihood.penalised import Firth, Ridge
from petct.survival.with_lifelines.comparison import UNEXPLAINED, LifelinesCheck
from petct.survival.with_lifelines.cox import check_cox
from tests.petct.survival.reference import columns_of, load, outcome_of
from tests.some import some

ROSSI = ("fin", "age", "race", "wexp", "mar", "paro", "prio")
N = 150


def _model(outcome: Outcome, covariates: list[Any], **options: Any) -> tuple[CoxFit, CoxResult]:
    fit = fit_cox(outcome, covariates, **options)
    return fit, summarise(fit, outcome.n, permutations=0)


def _rossi(petlake_data: Path) -> tuple[CoxFit, CoxResult]:
    reference = load(petlake_data)
    columns = columns_of(reference.table("rossi"), ROSSI)
    covariates = [NumericCovariate(name, values, scale="as_is") for name, values in columns.items()]
    return _model(outcome_of(reference, "rossi"), covariates)


def _found(check: LifelinesCheck, quantity: str) -> list[float | None]:
    return [row.lifelines for row in some(check.compared) if row.quantity == quantity]


def test_the_example_of_lifelines_gives_the_numbers_of_its_documentation_and_of_r(petlake_data: Path) -> None:
    check = check_cox(*_rossi(petlake_data))
    # lifelines' documentation, Survival Regression, print_summary of the model of rossi.
    documented = {
        "log hazard ratio": [-0.38, -0.06, 0.31, -0.15, -0.43, -0.08, 0.09],
        "standard error": [0.19, 0.02, 0.31, 0.21, 0.38, 0.20, 0.03],
        "lower limit of the hazard ratio": [0.47, 0.90, 0.75, 0.57, 0.31, 0.63, 1.04],
        "upper limit of the hazard ratio": [1.00, 0.99, 2.50, 1.30, 1.37, 1.35, 1.16],
        "log likelihood": [-658.75],
        "likelihood ratio chi-squared": [33.27],
        "concordance": [0.64],
    }
    for quantity, numbers in documented.items():
        assert _found(check, quantity) == pytest.approx(numbers, abs=0.0051), quantity
    # r_survival_shared.csv: coxph of R's survival.
    assert _found(check, "log hazard ratio")[0] == pytest.approx(-0.379422166485887, rel=1e-6)
    assert _found(check, "standard error")[0] == pytest.approx(0.191379480713543, rel=1e-6)
    assert all(row.agrees for row in some(row for row in check.compared if "proportional hazards" not in row.quantity))
    json.dumps(as_dict(check), allow_nan=False)


def test_the_other_test_of_proportional_hazards_is_shown_with_its_reason(petlake_data: Path) -> None:
    check = check_cox(*_rossi(petlake_data))
    (age,) = (
        row for row in some(check.compared) if row.quantity == "proportional hazards chi-squared" and row.of == "age"
    )
    # cox.zph of R's survival 3, and lifelines (its documentation: 11.03).
    assert age.petlake == pytest.approx(5.97, abs=0.01)
    assert age.lifelines == pytest.approx(11.03, abs=0.01)
    assert age.reason is not None
    assert "before survival 3" in age.reason


def _cohort(ties: bool = False) -> tuple[Outcome, list[Any], dict[str, CategoricalCovariate]]:
    rng = np.random.default_rng(11)
    x, z = rng.normal(size=(2, N))
    duration = rng.exponential(10 * np.exp(-0.4 * x)) + 0.5
    if ties:
        duration = np.ceil(duration)
    grade = [str(level) for level in rng.choice(["G1", "G2", "G3"], N)]
    groups = {
        "sex": CategoricalCovariate("sex", [str(sex) for sex in rng.choice(["f", "m"], N)]),
        "centre": CategoricalCovariate("centre", [str(i // 3) for i in range(N)]),
    }
    covariates = [
        NumericCovariate("x", x),
        NumericCovariate("z", z, scale="as_is"),
        CategoricalCovariate("grade", grade),
    ]
    return Outcome(duration, (rng.random(N) < 0.7).astype(int)), covariates, groups


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("option", ["plain", "strata", "robust", "cluster", "ridge", "entry", "spline"])
def test_options_that_lifelines_has_give_the_same_numbers(option: str, ties: bool) -> None:
    outcome, covariates, groups = _cohort(ties)
    options: dict[str, dict[str, Any]] = {
        "strata": {"strata": [groups["sex"]]},
        "robust": {"robust": True},
        "cluster": {"cluster": groups["centre"]},
        "ridge": {"penalty": Ridge(4.0)},
    }
    if option == "entry":
        outcome = replace(outcome, entry=outcome.duration * np.random.default_rng(1).uniform(0, 0.6, N))
    if option == "spline":
        covariates[0] = replace(covariates[0], scale="spline")
    check = check_cox(*_model(outcome, covariates, **options.get(option, {})))
    different = {row.quantity for row in some(check.compared) if not row.agrees}
    known = {"proportional hazards chi-squared", "proportional hazards p"}
    if option == "ridge":
        known |= {"log likelihood", "likelihood ratio chi-squared"}
    if option == "entry":
        known |= {"concordance"}
    if option in ("robust", "cluster") and ties:
        known |= {"standard error", "lower limit of the hazard ratio", "upper limit of the hazard ratio"}
    assert different <= known
    assert not [row for row in some(check.compared) if row.reason == UNEXPLAINED]
    coefficients = [row for row in some(check.compared) if row.quantity == "log hazard ratio"]
    assert len(coefficients) == (5 if option == "spline" else 4)
    assert all(row.agrees for row in some(coefficients))


def test_patients_left_out_by_us_are_left_out_there() -> None:
    outcome, covariates, _ = _cohort()
    values = np.array(covariates[0].values)
    values[:7] = np.nan
    check = check_cox(*_model(outcome, [replace(covariates[0], values=values), covariates[1]]))
    assert all(row.agrees for row in some(row for row in check.compared if "proportional" not in row.quantity))


def test_a_wrong_number_of_ours_would_be_seen() -> None:
    outcome, covariates, _ = _cohort()
    fit, result = _model(outcome, covariates)
    term = replace(result.terms[0], upper=result.terms[0].upper * 1.0001)
    moved = replace(result, terms=(term, *result.terms[1:]), concordance=result.concordance + 1e-4)
    unexplained = {row.quantity for row in check_cox(fit, moved).compared if row.reason == UNEXPLAINED}
    assert unexplained == {"upper limit of the hazard ratio", "concordance"}


def test_what_lifelines_has_no_match_for_is_named() -> None:
    outcome, covariates, _ = _cohort()
    named = {row.quantity for row in check_cox(*_model(outcome, covariates)).not_compared}
    assert named == {
        "standard error of the concordance",
        "proportional hazards, grade",
        "proportional hazards, all covariates",
        "p of hazard ratios",
    }
    firth = check_cox(*_model(outcome, covariates, penalty=Firth()))
    assert not firth.compared
    assert [(row.quantity, row.reason) for row in firth.not_compared] == [
        ("the model", "lifelines has no Firth penalty.")
    ]
    entry = check_cox(*_model(replace(outcome, entry=outcome.duration / 2), covariates))
    (zph,) = (row for row in entry.not_compared if row.quantity == "test of proportional hazards")
    assert zph.reason == "lifelines stops: Residuals for entries not implemented."
