"""Competing risks: definitions from first principles, hard cases, properties, honesty. R's numbers are in the exam."""

from __future__ import annotations

import json
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.groups import split_at, split_by_category, split_by_median
from petct.survival.cohort.outcome import FloatArray, IntArray
from petct.survival.cohort.results import as_dict
from petct.survival.competing.cumulative import cumulative_incidence
from petct.survival.competing.fine_gray import fine_gray
from petct.survival.competing.incidence import aalen_johansen, gray
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.cox.model import cox
from petct.survival.kaplan_meier.curves import product_limit
from tests.some import some

ROWS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=2, max_size=40).filter(
    lambda rows: any(cause == 1 for _, cause in rows)
)


def _arrays(rows: list[tuple[int, int]]) -> tuple[FloatArray, IntArray]:
    duration, cause = zip(*rows, strict=True)
    return np.array(duration, dtype=float), np.array(cause)


def _cohort(seed: int, n: int = 120, ratio: float = 1.0) -> tuple[CompetingOutcome, FloatArray]:
    """A cohort whose hazard of the first event is multiplied by ``ratio`` per unit of the covariate."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    first, second, censoring = rng.exponential(ratio**-x), rng.exponential(1.0, n), rng.exponential(2.0, n)
    duration = np.minimum(np.minimum(first, second), censoring)
    return CompetingOutcome(duration, np.where(duration == first, 1, np.where(duration == second, 2, 0))), x


@given(ROWS)
def test_incidences_and_survival_add_up_to_one(rows: list[tuple[int, int]]) -> None:
    duration, cause = _arrays(rows)
    free = product_limit(duration, (cause > 0).astype(np.int64))
    first = aalen_johansen(duration, cause)
    second = aalen_johansen(duration, np.where(cause == 2, 1, np.where(cause == 1, 2, 0)))
    for time in range(13):
        i = free.index_at(time)
        survival = 1.0 if i < 0 else free.survival[i]
        assert first.at(time)[0] + second.at(time)[0] + survival == pytest.approx(1.0, abs=1e-12)


@given(ROWS)
def test_without_censoring_the_incidence_is_the_share_who_had_the_event(rows: list[tuple[int, int]]) -> None:
    duration, cause = _arrays([(time, cause or 2) for time, cause in rows])
    fit = aalen_johansen(duration, cause)
    shares = [np.mean((duration <= time) & (cause == 1)) for time in fit.times]
    assert fit.incidence == pytest.approx(shares, abs=1e-12)


def test_without_censoring_the_variance_is_nearly_that_of_a_share() -> None:
    # Aalen's variance leaves out a factor (n - 1) / n at each event.
    cause = np.random.default_rng(1).choice([1, 2], 500)
    fit = aalen_johansen(np.arange(500.0), cause)
    inner = fit.times < 450
    binomial = fit.incidence * (1 - fit.incidence) / 500
    assert fit.variance[inner] == pytest.approx(binomial[inner], rel=0.02)


@given(ROWS.filter(lambda rows: len(rows) >= 4), st.randoms(use_true_random=False))
def test_neither_order_nor_unit_nor_names_of_groups_matter(rows: list[tuple[int, int]], random: Random) -> None:
    labelled = [(time, cause, i % 2) for i, (time, cause) in enumerate(rows)]
    shuffled = list(labelled)
    random.shuffle(shuffled)
    found = []
    for order, scale, flip in ((labelled, 1.0, False), (shuffled, 365.25, True)):
        duration, cause, codes = (np.array(column) for column in zip(*order, strict=True))
        found.append(gray(duration * scale, cause, 1 - codes if flip else codes, 2).chi_squared)
    if found[0] is None or found[1] is None:
        assert found == [None, None]
    else:
        assert found[0] == pytest.approx(found[1], rel=1e-6, abs=1e-9)


def test_grays_test_keeps_its_level_and_sees_an_effect() -> None:
    cohorts = 300
    rejected = {1.0: 0, 3.0: 0}
    for ratio in rejected:
        for seed in range(cohorts):
            outcome, x = _cohort(seed, ratio=ratio)
            statistic = gray(outcome.duration, outcome.cause, (x > 0).astype(np.int64), 2).chi_squared
            assert statistic is not None
            rejected[ratio] += statistic > 3.841459
    low, high = binom.interval(0.999, cohorts, 0.05)
    assert low <= rejected[1.0] <= high
    assert rejected[3.0] > 0.9 * cohorts


def test_without_competing_events_the_subdistribution_hazard_is_the_hazard() -> None:
    outcome, x = _cohort(4, ratio=1.8)
    plain = CompetingOutcome(outcome.duration, np.where(outcome.cause == 1, 1, 0))
    covariates = [NumericCovariate("x", x, scale="as_is")]
    model, hazard = fine_gray(plain, covariates), cox(plain.cause_specific(), covariates)
    assert model.terms[0].coefficient == pytest.approx(hazard.terms[0].coefficient, rel=1e-8)
    assert model.log_likelihood == pytest.approx(hazard.log_likelihood, rel=1e-10)
    assert model.terms[0].standard_error == pytest.approx(hazard.terms[0].standard_error, rel=0.15)


def test_standard_errors_are_the_spread_of_the_estimates() -> None:
    estimates, errors = [], []
    for seed in range(150):
        outcome, x = _cohort(seed, n=150)
        term = fine_gray(outcome, [NumericCovariate("x", x, scale="as_is")]).terms[0]
        estimates.append(term.coefficient)
        errors.append(term.standard_error)
    # The standard deviation of 150 draws is itself known to about 6 %.
    assert np.mean(errors) == pytest.approx(np.std(estimates, ddof=1), rel=0.2)
    assert abs(np.mean(estimates)) < 3.3 * np.std(estimates) / np.sqrt(150)


def test_each_cause_can_be_the_one_of_interest() -> None:
    outcome, x = _cohort(7)
    death = outcome.of_interest(2)
    assert death.causes == ("competing event", "event")
    assert (death.n_events(1), death.n_events(2)) == (outcome.n_events(2), outcome.n_events(1))
    assert death.cause_specific().n_competing_censored == outcome.n_events(1)
    result = cumulative_incidence(outcome, split_by_median(x, "x"), landmarks=[0.5, 99.0])
    turned = cumulative_incidence(death, split_by_median(x, "x"), landmarks=[0.5, 99.0])
    assert result.gray_tests[1] == turned.gray_tests[0]
    assert result.curves[2] == turned.curves[0]
    assert result.curves[0].landmarks[1].n_at_risk == 0
    with pytest.raises(SurvivalError, match="CAUSE_UNKNOWN"):
        outcome.of_interest(3)


def test_a_small_arm_shows_no_p_value() -> None:
    outcome, x = _cohort(7)
    result = cumulative_incidence(outcome, split_at(x, [float(np.sort(x)[8])], "x"))
    for test in some(result.gray_tests):
        assert test.p is None
        assert test.p_suppressed is not None
        assert test.p_suppressed.message in result.notes
    levels = ["a"] * 5 + ["b"] * 115
    term = fine_gray(outcome, [CategoricalCovariate("arm", levels)]).terms[0]
    assert term.p is None


def test_hard_cohorts_are_drawn_and_not_tested() -> None:
    everyone_at_once = CompetingOutcome([5.0] * 30, [1] * 20 + [2] * 10)
    result = cumulative_incidence(everyone_at_once, split_by_category(["a", "b"] * 15, "arm"))
    assert result.curves[0].incidence == (pytest.approx(10 / 15),)
    json.dumps(as_dict(result), allow_nan=False)
    one = CompetingOutcome(np.arange(1, 31), [1, 2, 0] * 10)
    result = cumulative_incidence(one, split_by_category(["a"] * 29 + ["b"], "arm"))
    assert [test.p for test in result.gray_tests] == [None, None]
    nobody_competes = CompetingOutcome(np.arange(1, 31), [1] * 30)
    result = cumulative_incidence(nobody_competes)
    assert result.n_events == (30, 0)
    assert result.curves[1].times == ()
    assert any("Nobody had a competing event" in note for note in result.notes)
    json.dumps(as_dict(result), allow_nan=False)


@pytest.mark.parametrize(
    ("duration", "cause", "code"),
    [
        ([], [], "OUTCOME_EMPTY"),
        ([1, 2], [1], "OUTCOME_LENGTHS"),
        ([1, float("nan")], [1, 2], "TIME_MISSING"),
        ([1, float("inf")], [1, 2], "TIME_MISSING"),
        ([1, -1], [1, 2], "TIME_NEGATIVE"),
        ([1, 2], [1, float("nan")], "EVENT_MISSING"),
        ([1, 2], [1, 3], "CAUSE_INVALID"),
        ([1, 2], [1, 0.5], "CAUSE_INVALID"),
        ([1, 2], [0, 2], "NO_EVENTS"),
    ],
)
def test_outcomes_that_cannot_be_are_refused(duration: list[float], cause: list[float], code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        CompetingOutcome(duration, cause)  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("outcome", "values", "code"),
    [
        (CompetingOutcome(np.arange(1, 31), [1, 2, 0] * 10), [1.0] * 30, "COVARIATE_CONSTANT"),
        (CompetingOutcome(np.arange(1, 31), [1, 2] + [0] * 28), range(30), "FINE_GRAY_TOO_FEW_EVENTS"),
        (CompetingOutcome(np.arange(1, 31), [1] * 10 + [0] * 20), [1.0] * 10 + [0.0] * 20, "FINE_GRAY_SEPARATION"),
        (CompetingOutcome([5.0] * 30, [1] * 30), range(30), "FINE_GRAY_VARIANCE"),
    ],
)
def test_models_that_say_nothing_are_refused(outcome: CompetingOutcome, values: list[float], code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        fine_gray(outcome, [NumericCovariate("x", values, scale="as_is")])  # type: ignore[arg-type]
    assert caught.value.code == code
