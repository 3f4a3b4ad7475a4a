"""Kaplan-Meier analysis: worked examples, hard cases, properties, and its honesty."""

from __future__ import annotations

import itertools
import json
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from petct.errors import SurvivalError
from petct.survival.cohort.groups import split_at, split_by_category, split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict, chi_squared_p
from petct.survival.kaplan_meier.curves import product_limit
from petct.survival.kaplan_meier.estimate import kaplan_meier, round_times
from petct.survival.kaplan_meier.log_rank import log_rank
from petct.survival.kaplan_meier.result import MedianTime
from tests.some import some

COHORT = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=2, max_size=40).filter(
    lambda rows: any(event for _, event in rows)
)


def test_a_worked_example() -> None:
    # Remission times of the placebo arm of Freireich (1963) start 1, 1, 2, 2, 3: S = 19/21, 17/21, 16/21.
    times = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    result = kaplan_meier(Outcome(times, [1] * 21, "week"), landmarks=[2.5, 0, 8, 30])
    (curve,) = result.curves
    assert curve.survival[:3] == pytest.approx((19 / 21, 17 / 21, 16 / 21))
    assert [landmark.n_at_risk for landmark in curve.landmarks[1:]] == [21, 12, 0]
    assert curve.n_at_risk == tuple(sum(time >= at for time in times) for at in result.at_risk_times)
    assert curve.median.value == 8
    assert curve.landmarks[0].survival == pytest.approx(17 / 21)
    assert (curve.survival[-1], curve.lower[-1]) == (pytest.approx(0), None)
    assert result.follow_up == MedianTime(None, None, None)
    assert result.log_rank is None
    assert result.restricted_mean is not None
    assert result.restricted_mean.groups[0].mean == pytest.approx(np.mean(times))


def test_before_the_first_time_everyone_is_alive() -> None:
    (landmark,) = kaplan_meier(Outcome([1, 2, 3], [1, 0, 1]), landmarks=[0.5]).curves[0].landmarks
    assert (landmark.survival, landmark.lower, landmark.n_at_risk) == (1.0, None, 3)


def test_a_median_that_lies_on_a_flat_part_is_its_middle() -> None:
    # R: survfit(Surv(1:4, rep(1, 4)) ~ 1) has the median 2.5.
    assert kaplan_meier(Outcome([1, 2, 3, 4], [1, 1, 1, 1])).curves[0].median.value == 2.5


def test_a_median_that_is_not_reached_is_none() -> None:
    assert kaplan_meier(Outcome([1, 2, 3, 4], [1, 0, 0, 0])).curves[0].median == MedianTime(None, 1.0, None)


def test_an_arm_without_events_stays_at_one() -> None:
    outcome = Outcome(np.arange(1, 25), [1] * 12 + [0] * 12)
    result = kaplan_meier(outcome, split_at(np.arange(24), [11.5], "x"))
    assert (result.curves[1].times, result.curves[1].n_events) == ((), 0)
    assert result.log_rank is not None
    assert result.log_rank.p is not None
    assert result.restricted_mean is not None
    assert result.restricted_mean.groups[1].mean == result.restricted_mean.tau == 12


def test_a_small_arm_shows_no_p_value_and_says_why() -> None:
    outcome = Outcome(np.arange(1, 31), [1] * 30)
    for smallest, shown in ((9, False), (10, True)):
        result = kaplan_meier(outcome, split_at(np.arange(30), [smallest - 0.5], "volume", "ml"))
        assert result.log_rank is not None
        assert result.restricted_mean is not None
        for test in (result.log_rank, *result.restricted_mean.contrasts):
            assert (test.p is not None) == shown
            assert (test.p_suppressed is None) == shown
        if not shown:
            assert result.log_rank.p_suppressed is not None
            assert result.log_rank.p_suppressed.code == "ARM_TOO_SMALL"
            assert result.log_rank.p_suppressed.message in result.notes


def test_one_patient_in_an_arm_is_drawn_but_not_tested() -> None:
    result = kaplan_meier(Outcome(np.arange(1, 31), [1] * 30), split_by_category(["a"] * 29 + ["b"], "group"))
    assert [curve.n for curve in result.curves] == [29, 1]
    assert result.log_rank is not None
    assert result.log_rank.p is None


@pytest.mark.parametrize("time", [0.0, 5.0])
def test_all_events_at_one_time_leave_nothing_to_test(time: float) -> None:
    result = kaplan_meier(Outcome([time] * 30, [1] * 30), split_by_median(np.arange(30), "x"))
    assert result.log_rank is not None
    assert (result.log_rank.chi_squared, result.log_rank.p) == (None, None)
    assert result.log_rank.p_suppressed is not None
    assert result.log_rank.p_suppressed.code == "LOGRANK_UNDEFINED"
    assert result.minimum_detectable_hazard_ratio is None
    json.dumps(as_dict(result), allow_nan=False)


def test_ties_everywhere_are_no_trouble() -> None:
    rng = np.random.default_rng(0)
    outcome = Outcome(rng.integers(1, 4, 60), rng.integers(0, 2, 60))
    result = kaplan_meier(outcome, split_by_median(rng.normal(size=60), "x"))
    assert all(len(curve.times) <= 3 for curve in some(result.curves))
    assert result.log_rank is not None
    assert result.log_rank.p is not None


def test_patients_without_a_group_are_left_out_and_counted() -> None:
    values = np.arange(40.0)
    values[:3] = np.nan
    result = kaplan_meier(Outcome(np.arange(1, 41), [1] * 40), split_by_median(values, "volume"))
    assert (result.n, result.n_missing) == (37, 3)
    assert "3 patients without a value of volume left out: n = 37." in result.notes


def test_only_censored_patients_left_is_refused() -> None:
    values = [float("nan")] * 5 + [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(SurvivalError, match="NO_EVENTS"):
        kaplan_meier(Outcome(range(1, 10), [1] * 5 + [0] * 4), split_by_median(values, "x"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"grouping": split_by_median([1, 2, 3], "x")}, "GROUPING_LENGTH"),
        ({"landmarks": [-1.0]}, "TIME_GRID_INVALID"),
        ({"landmarks": [float("nan")]}, "TIME_GRID_INVALID"),
        ({"tau": 5.0}, "TAU_BEYOND_FOLLOW_UP"),
    ],
)
def test_impossible_requests_are_refused(arguments: dict, code: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(SurvivalError) as caught:
        kaplan_meier(Outcome([1, 2, 3, 4], [1, 1, 1, 1]), **arguments)
    assert caught.value.code == code


def test_a_null_result_says_no_evidence_and_what_could_have_been_seen() -> None:
    rng = np.random.default_rng(5)
    result = kaplan_meier(Outcome(rng.exponential(size=76), [1, 0] * 38), split_by_median(rng.normal(size=76), "x"))
    text = " ".join(result.notes)
    assert "No evidence of a difference" in text
    assert "no effect" not in text.lower()
    assert result.minimum_detectable_hazard_ratio == pytest.approx(2.48, abs=0.005)
    assert "detect a hazard ratio of 2.48 or more with 80 % power" in text


@given(COHORT)
def test_curves_fall_and_stay_within_their_limits(rows: list[tuple[int, int]]) -> None:
    duration, event = zip(*rows, strict=True)
    (curve,) = kaplan_meier(Outcome(duration, event)).curves
    steps = (1.0, *curve.survival)
    assert all(after < before for before, after in some(itertools.pairwise(steps)))
    for survival, lower, upper in some(zip(curve.survival, curve.lower, curve.upper, strict=True)):
        assert (lower is None) == (upper is None) == (survival == 0)
        if lower is not None and upper is not None:
            assert 0 <= lower <= survival <= upper <= 1
    assert curve.n == curve.n_events + curve.n_censored == len(rows)
    for time in range(14):
        assert curve.n_at_risk_at(time) == sum(each >= time for each in duration)


@given(COHORT, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(rows: list[tuple[int, int]], random: Random) -> None:
    labels = ["ab"[i % 2] for i in range(len(rows))]
    shuffled = list(zip(rows, labels, strict=True))
    random.shuffle(shuffled)
    results = []
    for order in (list(zip(rows, labels, strict=True)), shuffled):
        duration, event = zip(*(row for row, _ in order), strict=True)
        results.append(kaplan_meier(Outcome(duration, event), split_by_category([label for _, label in order], "x")))
    assert results[0] == results[1]


@given(COHORT)
def test_the_log_rank_statistic_is_that_of_the_hypergeometric_tables(rows: list[tuple[int, int]]) -> None:
    duration, event = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    codes = np.arange(len(rows)) % 2
    found = log_rank(duration, event.astype(np.int64), codes, 2)
    difference = variance = 0.0
    for time in np.unique(duration[event == 1]):
        at_risk = duration >= time
        n, n1 = at_risk.sum(), (at_risk & (codes == 1)).sum()
        d = ((duration == time) & (event == 1)).sum()
        difference += ((duration == time) & (event == 1) & (codes == 1)).sum() - d * n1 / n
        variance += d * n1 / n * (1 - n1 / n) * (n - d) / (n - 1) if n > 1 else 0.0
    if variance > 1e-9:
        assert found.chi_squared == pytest.approx(difference**2 / variance, rel=1e-9, abs=1e-12)
    else:
        assert found.chi_squared is None


@given(COHORT)
def test_without_censoring_the_curve_is_the_share_still_alive(rows: list[tuple[int, int]]) -> None:
    duration = np.array([time for time, _ in rows], dtype=float)
    fit = product_limit(duration, np.ones(len(rows), dtype=np.int64))
    alive = [(duration > time).mean() for time in fit.times]
    assert fit.survival == pytest.approx(alive, abs=1e-12)


def test_a_median_split_of_noise_is_significant_in_one_of_twenty() -> None:
    """Null cohorts like the study's: n = 67, 43 % censored, lognormal covariate; log-rank rejects at its level."""
    rng = np.random.default_rng(20251123)
    cohorts, rejected = 400, 0
    for _ in some(range(cohorts)):
        duration, censoring = rng.exponential(1.0, 67), rng.exponential(0.57 / 0.43, 67)
        event = (duration <= censoring).astype(np.int64)
        codes = split_by_median(rng.lognormal(size=67), "x").codes
        statistic = log_rank(np.minimum(duration, censoring), event, codes, 2).chi_squared
        assert statistic is not None
        rejected += chi_squared_p(statistic, 1) < 0.05
    low, high = binom.interval(0.999, cohorts, 0.05)
    assert low <= rejected <= high


@pytest.mark.parametrize(
    ("longest", "unit", "expected"),
    [
        (0, "day", (0,)),
        (1000, "day", (0, 200, 400, 600, 800, 1000)),
        (17.6, "year", (0, 2, 4, 6, 8, 10, 12, 14, 16)),
        (60, "month", (0, 12, 24, 36, 48, 60)),
        (0.6, "year", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
    ],
)
def test_ticks_are_round(longest: float, unit: str, expected: tuple[float, ...]) -> None:
    assert round_times(longest, unit) == pytest.approx(expected)
