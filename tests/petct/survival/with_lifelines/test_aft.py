"""Accelerated failure time models: published numbers, a likelihood written here, the check, refusals and p-values."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import logistic, norm

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.with_lifelines.aft import accelerated_failure_time
from petct.survival.with_lifelines.aft_result import DISTRIBUTIONS, AftResult, Distribution, HazardCheck
from tests.petct.survival.reference import columns_of, load, outcome_of
from tests.some import some

N = 120
ROSSI = ("fin", "age", "race", "wexp", "mar", "paro", "prio")


def _as_is(values: FloatArray, name: str = "x") -> NumericCovariate:
    return NumericCovariate(name, values, scale="as_is")


@cache
def _cohort(distribution: Distribution, n: int = N, entered_late: bool = False) -> tuple[Outcome, FloatArray]:
    """Patients whose times are twice as long for each unit of x, with scale 0.6 of log time."""
    rng = np.random.default_rng(17)
    x = rng.normal(size=4 * n)
    errors = {
        "weibull": np.log(rng.exponential(size=4 * n)),
        "log_normal": rng.normal(size=4 * n),
        "log_logistic": rng.logistic(size=4 * n),
    }
    time = np.exp(6.0 + np.log(2.0) * x + 0.6 * errors[distribution])
    entry = rng.uniform(0, 400, 4 * n) if entered_late else np.zeros(4 * n)
    censored = entry + rng.uniform(200, 2500, 4 * n)
    seen = np.flatnonzero(np.minimum(time, censored) > entry)[:n]
    outcome = Outcome(
        np.minimum(time, censored)[seen],
        (time <= censored)[seen],
        entry=entry[seen] if entered_late else None,
    )
    return outcome, x[seen]


@cache
def _fitted(distribution: Distribution) -> AftResult:
    outcome, x = _cohort(distribution)
    return accelerated_failure_time(outcome, [_as_is(x)])


def test_the_weibull_model_of_rossi_is_that_of_the_documentation_of_lifelines(petlake_data: Path) -> None:
    reference = load(petlake_data)
    columns = columns_of(reference.table("rossi"), ROSSI)
    covariates = [_as_is(values, name) for name, values in columns.items()]
    (model,) = accelerated_failure_time(outcome_of(reference, "rossi"), covariates, distributions=["weibull"]).models
    assert [term.coefficient for term in model.terms] == pytest.approx(
        [0.27, 0.04, -0.22, 0.11, 0.31, 0.06, -0.07], abs=0.0051
    )
    assert [term.standard_error for term in model.terms] == pytest.approx(
        [0.14, 0.02, 0.22, 0.15, 0.27, 0.14, 0.02], abs=0.0051
    )
    assert (model.intercept, -np.log(model.scale)) == pytest.approx((3.99, 0.34), abs=0.0051)
    assert (model.log_likelihood, model.aic) == pytest.approx((-679.92, 1377.83), abs=0.0051)
    assert model.concordance == pytest.approx(0.64, abs=0.0051)
    assert model.tests[-1].question == "all covariates"
    assert model.tests[-1].chi_squared == pytest.approx(33.42, abs=0.0051)
    # R's survreg prints -696.6 for the intercept alone.
    assert model.tests[-1].chi_squared is not None
    assert model.log_likelihood - model.tests[-1].chi_squared / 2 == pytest.approx(-696.6, abs=0.051)


def test_the_weibull_model_of_lung_is_that_of_r(petlake_data: Path) -> None:
    reference = load(petlake_data)
    sex = reference.table("lung")["sex"].to_numpy(dtype=np.float64)
    (model,) = accelerated_failure_time(
        outcome_of(reference, "lung"), [_as_is(sex, "sex")], distributions=["weibull"]
    ).models
    # survreg(Surv(time, status) ~ sex, lung): coefficients, Scale, Loglik(model), Chisq on 1 degree of freedom.
    assert (model.intercept, model.terms[0].coefficient) == pytest.approx((5.488584, 0.395578), abs=2e-5)
    assert model.scale == pytest.approx(0.755088, abs=2e-5)
    assert model.log_likelihood == pytest.approx(-1148.7, abs=0.051)
    assert model.tests[0].chi_squared == pytest.approx(10.4, abs=0.051)


def _log_likelihood(name: Distribution, outcome: Outcome, x: FloatArray, at: FloatArray) -> float:
    """Log likelihood at intercept, coefficient and log scale, from the distribution of the errors of log time."""
    intercept, beta, log_scale = at
    z = (np.log(outcome.duration) - intercept - beta * x) / np.exp(log_scale)
    log_survival = {"weibull": -np.exp(z), "log_normal": norm.logsf(z), "log_logistic": logistic.logsf(z)}[name]
    log_density = {"weibull": z - np.exp(z), "log_normal": norm.logpdf(z), "log_logistic": logistic.logpdf(z)}[name]
    return float(np.where(outcome.event == 1, log_density - log_scale - np.log(outcome.duration), log_survival).sum())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_each_model_is_the_maximum_of_a_likelihood_written_here(name: Distribution) -> None:
    outcome, x = _cohort("weibull")
    (model,) = (model for model in _fitted("weibull").models if model.distribution == name)
    at = np.array([model.intercept, model.terms[0].coefficient, np.log(model.scale)])
    here = _log_likelihood(name, outcome, x, at)
    assert model.log_likelihood == pytest.approx(here, rel=1e-9)
    assert model.aic == pytest.approx(2 * 3 - 2 * here, rel=1e-9)
    for step in some(1e-3 * np.eye(3)):
        assert _log_likelihood(name, outcome, x, at + step) < here
        assert _log_likelihood(name, outcome, x, at - step) < here
    second = sum(_log_likelihood(name, outcome, x, at + step) - here for step in ([0, 1e-3, 0], [0, -1e-3, 0]))
    # With the other parameters held the error is smaller, never larger.
    assert (-second / 1e-6) ** -0.5 < model.terms[0].standard_error < 2 * (-second / 1e-6) ** -0.5


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_planted_time_ratio_is_found_and_the_planted_distribution_has_the_smallest_aic(name: Distribution) -> None:
    first = _fitted(name).models[0]
    assert first.distribution == name
    assert first.aic_difference == 0
    assert first.terms[0].lower < 2.0 < first.terms[0].upper
    assert first.terms[0].time_ratio == pytest.approx(2.0, rel=0.2)
    assert first.scale == pytest.approx(0.6, rel=0.2)
    assert [model.aic_difference for model in _fitted(name).models] == sorted(
        model.aic_difference for model in _fitted(name).models
    )


def _inside(check: HazardCheck) -> float:
    """Share of the events at which the diagonal lies within the limits."""
    inside = [low <= x <= high for low, x, high in zip(check.lower, check.expected, check.upper, strict=True)]
    return float(np.mean(inside))


def test_the_cumulative_hazard_lies_on_the_diagonal_where_the_distribution_fits() -> None:
    outcome, x = _cohort("weibull", 400)
    right, wrong = accelerated_failure_time(outcome, [_as_is(x)], distributions=["log_normal", "weibull"]).models
    assert (right.distribution, wrong.distribution) == ("weibull", "log_normal")
    assert _inside(right.check) > 0.95
    assert _inside(wrong.check) < 0.6
    # Cox-Snell residuals, written out for the Weibull distribution.
    hazard = (outcome.duration / np.exp(right.intercept + right.terms[0].coefficient * x)) ** (1 / right.scale)
    assert right.check.expected == pytest.approx(np.unique(hazard[outcome.event == 1]), rel=1e-6)


def test_late_entries_are_taken_into_account() -> None:
    outcome, x = _cohort("weibull", 300, True)
    covariates = [_as_is(x)]
    late = accelerated_failure_time(outcome, covariates, distributions=["weibull"]).models[0]
    blind = accelerated_failure_time(replace(outcome, entry=None), covariates, distributions=["weibull"]).models[0]
    assert late.terms[0].lower < 2.0 < late.terms[0].upper
    assert not blind.terms[0].lower < 2.0 < blind.terms[0].upper
    assert _inside(late.check) > 0.9


def test_the_p_is_that_of_a_likelihood_ratio_test_of_each_covariate() -> None:
    outcome, x = _cohort("log_normal")
    rng = np.random.default_rng(2)
    grade = CategoricalCovariate("grade", [str(level) for level in rng.choice(["G1", "G2", "G3"], N)])
    result = accelerated_failure_time(outcome, [_as_is(x), grade], distributions=["log_normal"])
    both, alone = result.models[0], next(m for m in _fitted("log_normal").models if m.distribution == "log_normal")
    of_grade = both.tests[1]
    assert (of_grade.covariate, of_grade.df, of_grade.test) == ("grade", 2, "likelihood ratio test")
    assert of_grade.chi_squared == pytest.approx(2 * (both.log_likelihood - alone.log_likelihood), abs=1e-4)
    assert of_grade.p is not None
    assert of_grade.p > 0.05
    assert both.tests[0].p is not None
    assert both.tests[0].p < 1e-6
    assert [(test.covariate, test.question) for test in both.tests] == [
        ("x", "association"),
        ("grade", "association"),
        ("all covariates", "all covariates"),
    ]
    assert [term.covariate for term in both.terms] == ["x", "grade", "grade"]
    assert both.terms[1].reference == both.terms[2].reference
    json.dumps(as_dict(result), allow_nan=False)


def test_p_is_withheld_for_a_small_arm() -> None:
    outcome, x = _cohort("weibull")
    rare = CategoricalCovariate("rare", ["yes"] * 8 + ["no"] * (N - 8))
    (model,) = accelerated_failure_time(outcome, [_as_is(x), rare], distributions=["weibull"]).models
    assert [test.p_suppressed and test.p_suppressed.code for test in model.tests] == [
        None,
        "ARM_TOO_SMALL",
        "ARM_TOO_SMALL",
    ]
    assert [test.p is None for test in model.tests] == [False, True, True]


def test_notes_say_what_a_reader_has_to_know() -> None:
    outcome, x = _cohort("weibull")
    missing = x.copy()
    missing[:3] = np.nan
    text = " ".join(accelerated_failure_time(outcome, [_as_is(missing)]).notes)
    assert f"3 patients with a missing value left out: n = {N - 3}." in text
    assert "Smallest AIC: Weibull (log-" in text
    assert "Each p-value holds only where its distribution does" in text


def test_refusals_have_codes() -> None:
    outcome, x = _cohort("weibull")
    few = Outcome(outcome.duration[:20], [1] * 9 + [0] * 11)
    noise = np.random.default_rng(1).normal(size=20)
    zero = outcome.duration.copy()
    zero[0] = 0.0
    # Nobody with the marker has the event.
    marker = (np.arange(N) % 2).astype(float)
    separated = Outcome(outcome.duration, np.where(marker == 1, 0, outcome.event))
    for code, patients, covariates in (
        ("AFT_TOO_FEW_EVENTS", few, [_as_is(noise), _as_is(noise**2, "y")]),
        ("AFT_TIME_NOT_POSITIVE", Outcome(zero, outcome.event), [_as_is(x)]),
        ("AFT_NOT_CONVERGED", separated, [_as_is(marker)]),
        ("COVARIATE_CONSTANT", outcome, [_as_is(np.ones(N))]),
    ):
        with pytest.raises(SurvivalError) as refused:
            accelerated_failure_time(patients, covariates, distributions=["weibull"])
        assert refused.value.code == code
    for names in ([], ["gamma"]):
        with pytest.raises(SurvivalError, match="AFT_DISTRIBUTION_UNKNOWN"):
            accelerated_failure_time(outcome, [_as_is(x)], distributions=names)  # type: ignore[arg-type]


def test_what_lifelines_raises_becomes_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    from petct.survival.with_lifelines.library import lifelines

    def fails(*_: object, **__: object) -> None:
        raise lifelines().exceptions.ConvergenceError("Fitting did not converge.\nTry the following")

    monkeypatch.setattr(lifelines().WeibullAFTFitter, "fit", fails)
    outcome, x = _cohort("weibull")
    with pytest.raises(SurvivalError, match=r"AFT_NOT_CONVERGED.*found Fitting did not converge\.\)"):
        accelerated_failure_time(outcome, [_as_is(x)])
