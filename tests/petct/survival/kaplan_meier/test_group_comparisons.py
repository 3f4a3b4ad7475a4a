"""Weighted log-rank tests, trends, pairs, contrasts of restricted means, late entries and landmarks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from petct.errors import SurvivalError
from petct.survival.accuracy.concordance import concordance, uno_concordance
from petct.survival.accuracy.prediction_error import brier_at
from petct.survival.cohort.groups import split_at, split_by_category, split_by_median, split_by_quantiles
from petct.survival.cohort.landmark import landmark_cohort
from petct.survival.cohort.multiplicity import adjusted_p_values
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import chi_squared_p
from petct.survival.kaplan_meier.curves import product_limit
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.log_rank import GEHAN_BRESLOW, LOG_RANK, PETO_PETO, TARONE_WARE, Weighting, log_rank
from tests.some import some

ROWS = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 1)), min_size=3, max_size=40).filter(
    lambda rows: any(event for _, event in rows)
)
TRUNCATED = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 8), st.integers(0, 1)), min_size=2, max_size=30
).filter(lambda rows: any(event for *_, event in rows))


def _trial(seed: int, groups: int, n: int = 150, ratio: float = 1.0) -> tuple[Outcome, FloatArray]:
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, groups, n)
    time, censoring = rng.exponential(10 * ratio**-arm), rng.uniform(5, 30, n)
    return Outcome(np.minimum(time, censoring), (time <= censoring).astype(int), "month"), arm


@given(ROWS)
def test_gehans_statistic_is_the_balance_of_all_pairs(rows: list[tuple[int, int]]) -> None:
    duration, event = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    codes = np.arange(len(rows)) % 2
    found = log_rank(duration, event.astype(np.int64), codes, 2, weighting=GEHAN_BRESLOW)
    # Gehan 1965: of each pair, +1 where the first certainly outlived the second, -1 the other way round.
    outlived = (duration[:, None] > duration[None, :]) | (
        (duration[:, None] == duration[None, :]) & (event[:, None] == 0)
    )
    outlived &= event[None, :] == 1
    np.fill_diagonal(outlived, val=False)
    balance = outlived.astype(int) - outlived.T.astype(int)
    assert (found.observed - found.expected)[1] == pytest.approx(-balance[codes == 1].sum(), abs=1e-9)


@given(ROWS, st.sampled_from([PETO_PETO, TARONE_WARE, Weighting("late", rho=0.5, gamma=1.0)]))
def test_weighted_statistics_are_sums_over_hypergeometric_tables(
    rows: list[tuple[int, int]], weighting: Weighting
) -> None:
    duration, event = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    codes = np.arange(len(rows)) % 2
    found = log_rank(duration, event.astype(np.int64), codes, 2, weighting=weighting)
    difference = variance = 0.0
    survival = 1.0
    for time in np.unique(duration[event == 1]):
        at_risk = duration >= time
        n, n1 = at_risk.sum(), (at_risk & (codes == 1)).sum()
        died = (duration == time) & (event == 1)
        d, d1 = died.sum(), (died & (codes == 1)).sum()
        w = n**weighting.at_risk_power * survival**weighting.rho * (1 - survival) ** weighting.gamma
        difference += w * (d1 - d * n1 / n)
        variance += w**2 * d * n1 / n * (1 - n1 / n) * (n - d) / (n - 1) if n > 1 else 0.0
        survival *= 1 - d / n
    assume(variance > 1e-6)
    assert found.chi_squared == pytest.approx(difference**2 / variance, rel=1e-9, abs=1e-9)


@given(TRUNCATED)
def test_late_entries_count_from_their_entry_on(rows: list[tuple[int, int, int]]) -> None:
    entry = np.array([start for start, _, _ in rows], dtype=float)
    duration = entry + np.array([length for _, length, _ in rows])
    event = np.array([seen for *_, seen in rows])
    fit = product_limit(duration, event, entry)
    survival = 1.0
    for i, time in some(enumerate(fit.times)):
        at_risk = int(((entry < time) & (time <= duration)).sum())
        died = int(((duration == time) & (event == 1)).sum())
        survival *= 1 - died / at_risk
        assert (fit.at_risk[i], fit.events[i]) == (at_risk, died)
        assert fit.survival[i] == pytest.approx(survival, abs=1e-12)
    for time in (0.5, 3.0, 7.5):
        assert fit.n_at_risk(time) == ((entry < time) & (time <= duration)).sum()
    assert fit.n_at_risk(0.0) == (entry == 0).sum()


@given(TRUNCATED)
def test_the_log_rank_test_of_late_entries_compares_those_under_observation(rows: list[tuple[int, int, int]]) -> None:
    entry = np.array([start for start, _, _ in rows], dtype=float)
    duration = entry + np.array([length for _, length, _ in rows])
    event = np.array([seen for *_, seen in rows])
    codes = np.arange(len(rows)) % 2
    found = log_rank(duration, event, codes, 2, entry=entry)
    difference = variance = 0.0
    for time in np.unique(duration[event == 1]):
        at_risk = (entry < time) & (time <= duration)
        n, n1 = at_risk.sum(), (at_risk & (codes == 1)).sum()
        died = (duration == time) & (event == 1)
        d, d1 = died.sum(), (died & (codes == 1)).sum()
        difference += d1 - d * n1 / n
        variance += d * n1 / n * (1 - n1 / n) * (n - d) / (n - 1) if n > 1 else 0.0
    assert (found.observed - found.expected)[1] == pytest.approx(difference, abs=1e-9)
    if variance > 1e-6:
        assert found.chi_squared == pytest.approx(difference**2 / variance, rel=1e-9, abs=1e-9)


@given(TRUNCATED)
def test_entries_at_the_origin_change_nothing(rows: list[tuple[int, int, int]]) -> None:
    duration, event = (np.array(column) for column in list(zip(*rows, strict=True))[1:])
    plain = kaplan_meier(Outcome(duration, event), split_by_category(_alternating(len(rows)), "arm"), landmarks=[3])
    late = kaplan_meier(
        Outcome(duration, event, entry=np.zeros(len(rows))),
        split_by_category(_alternating(len(rows)), "arm"),
        landmarks=[3],
    )
    assert (plain.curves, plain.log_rank, plain.restricted_mean) == (late.curves, late.log_rank, late.restricted_mean)


def _alternating(n: int) -> list[str | None]:
    return ["ab"[i % 2] for i in range(n)]


def test_truncation_is_what_makes_a_truncated_cohort_right() -> None:
    # Only those who live to their entry are seen; without the entries survival looks better than it is.
    rng = np.random.default_rng(8)
    time, entry = rng.exponential(10.0, 4000), rng.uniform(0, 15, 4000)
    seen = time > entry
    right = product_limit(time[seen], np.ones(seen.sum(), dtype=np.int64), entry[seen])
    wrong = product_limit(time[seen], np.ones(seen.sum(), dtype=np.int64))
    truth = math.exp(-1.0)
    assert right.survival[right.index_at(10.0)] == pytest.approx(truth, abs=0.04)
    assert wrong.survival[wrong.index_at(10.0)] > truth + 0.2


def test_an_emptied_early_risk_set_is_pointed_out() -> None:
    outcome = Outcome([2, 8, 9, 10], [1, 1, 0, 1], entry=np.array([0.0, 3, 4, 5]))
    result = kaplan_meier(outcome)
    assert result.curves[0].survival[0] == 0
    assert any("S(t) is 0 from there on" in note for note in result.notes)
    assert any("left truncation" in note for note in result.notes)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ([0.0], "ENTRY_LENGTH"),
        ([0.0, float("nan")], "ENTRY_MISSING"),
        ([0.0, 2.0], "ENTRY_NOT_BEFORE_EXIT"),
    ],
)
def test_entries_that_cannot_be_are_refused(entry: list[float], code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        Outcome([1, 2], [1, 1], entry=np.array(entry))
    assert caught.value.code == code


def test_what_knows_no_late_entries_refuses_them() -> None:
    outcome = Outcome([3, 4, 5, 6], [1, 1, 0, 1], entry=np.array([0.0, 1, 0, 0]))
    risk = np.arange(4.0)
    for ignorant in (
        lambda: concordance(outcome, risk),
        lambda: uno_concordance(outcome, risk),
        lambda: brier_at(outcome, risk / 4, 4.5),
    ):
        with pytest.raises(SurvivalError, match="LEFT_TRUNCATION_UNSUPPORTED"):
            ignorant()


def test_a_trend_is_seen_only_where_groups_have_an_order() -> None:
    outcome, arm = _trial(5, groups=3, ratio=1.6)
    labels = [f"G{i + 1}" for i in arm]
    result = kaplan_meier(outcome, split_by_category(labels, "grade", order=["G1", "G2", "G3"]), trend=True)
    backwards = kaplan_meier(outcome, split_by_category(labels, "grade", order=["G3", "G2", "G1"]), trend=True)
    assert result.trend is not None
    assert backwards.trend is not None
    assert result.log_rank is not None
    assert result.log_rank.chi_squared is not None
    assert result.trend.z is not None
    assert backwards.trend.z == pytest.approx(-result.trend.z)
    assert 0 < result.trend.z**2 <= result.log_rank.chi_squared + 1e-9
    assert result.trend.p == pytest.approx(chi_squared_p(result.trend.z**2, 1))
    two = kaplan_meier(outcome, split_by_median(arm + np.arange(150) / 1000, "x"), trend=True)
    assert two.trend is not None
    assert two.log_rank is not None
    assert two.trend.p == pytest.approx(two.log_rank.p)
    with pytest.raises(SurvivalError, match="TREND_UNORDERED"):
        kaplan_meier(outcome, split_by_category(labels, "grade"), trend=True)


def test_pairs_are_tested_and_corrected_and_small_arms_are_no_tests() -> None:
    outcome, arm = _trial(6, groups=3, ratio=1.5)
    labels = ["rare" if i < 6 else f"G{code + 1}" for i, code in enumerate(arm)]
    result = kaplan_meier(outcome, split_by_category(labels, "grade"), pairwise=True, weightings=[PETO_PETO])
    assert len(result.pairwise) == 6
    shown = [test for test in result.pairwise if test.p is not None]
    assert len(shown) == 3
    assert all(test.p_suppressed for test in some(test for test in result.pairwise if test.p is None))
    assert [test.p_adjusted for test in shown] == pytest.approx(adjusted_p_values([test.p for test in shown], "holm"))
    pair = np.array([label in ("G1", "G2") for label in labels])
    alone = kaplan_meier(outcome.subset(pair), split_by_category([x for x in labels if x in ("G1", "G2")], "grade"))
    assert alone.log_rank is not None
    assert shown[0].chi_squared == pytest.approx(alone.log_rank.chi_squared)
    assert result.weighted_tests[0].p is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_what_they_are_defined_as(p: list[float]) -> None:
    m = len(p)
    holm, bh = adjusted_p_values(p, "holm"), adjusted_p_values(p, "benjamini_hochberg")
    assert bh == pytest.approx(false_discovery_control(p))
    # Holm's closed form: the largest of (m - rank + 1) p over all tests with a p not above this one.
    order = sorted(range(m), key=lambda i: p[i])
    running = 0.0
    for rank, i in some(enumerate(order)):
        running = max(running, min((m - rank) * p[i], 1.0))
        assert holm[i] == pytest.approx(running)
    bonferroni = adjusted_p_values(p, "bonferroni")
    assert np.all(np.array(p) <= bh + 1e-15)
    assert np.all(bh <= holm + 1e-12)
    assert np.all(holm <= bonferroni + 1e-12)


def test_a_p_value_that_is_none_is_refused() -> None:
    with pytest.raises(SurvivalError, match="P_VALUE_INVALID"):
        adjusted_p_values([0.5, 1.5], "holm")
    with pytest.raises(SurvivalError, match="CORRECTION_UNKNOWN"):
        adjusted_p_values([0.5], "sidak")  # type: ignore[arg-type]


def test_contrasts_of_restricted_means_turn_around_with_the_groups() -> None:
    outcome, arm = _trial(7, groups=2, ratio=1.5)
    there = kaplan_meier(outcome, split_by_category([str(a) for a in arm], "arm"), tau=5.0).restricted_mean
    back = kaplan_meier(outcome, split_by_category([str(1 - a) for a in arm], "arm"), tau=5.0).restricted_mean
    assert there is not None
    assert back is not None
    (one,), (other,) = there.contrasts, back.contrasts
    assert one.difference == pytest.approx(-other.difference)
    assert (one.lower, one.upper) == pytest.approx((-other.upper, -other.lower))
    assert one.ratio is not None
    assert other.ratio is not None
    assert one.ratio == pytest.approx(1 / other.ratio)
    assert one.ratio_lower == pytest.approx(1 / (other.ratio_upper or 0))
    assert one.p == one.p_adjusted == pytest.approx(other.p)


def test_limits_of_the_difference_hold_the_truth_in_nineteen_of_twenty() -> None:
    tau, scale = 10.0, 10.0
    truth = scale * (1 - math.exp(-tau / scale))
    held = 0
    for seed in range(300):
        outcome, arm = _trial(seed, groups=2, n=100)
        means = kaplan_meier(outcome, split_by_category([str(a) for a in arm], "arm"), tau=tau).restricted_mean
        assert means is not None
        held += means.contrasts[0].lower <= 0 <= means.contrasts[0].upper
        if seed == 0:
            assert means.groups[0].mean == pytest.approx(truth, rel=0.2)
    assert 270 <= held <= 297


def test_a_third_group_is_contrasted_and_corrected() -> None:
    outcome, arm = _trial(9, groups=3)
    means = kaplan_meier(
        outcome, split_by_category([str(a) for a in arm], "arm"), correction="bonferroni"
    ).restricted_mean
    assert means is not None
    assert [contrast.group for contrast in means.contrasts] == ["1", "2"]
    for contrast in some(means.contrasts):
        assert contrast.p is not None
        assert contrast.p_adjusted == pytest.approx(min(2 * contrast.p, 1))


def test_quantile_groups_are_named_and_even() -> None:
    grouping = split_by_quantiles(np.arange(100.0), 4, "x")
    assert (grouping.rule, np.bincount(grouping.codes).tolist()) == ("quartiles", [25] * 4)
    assert split_by_quantiles(np.arange(100.0), 7, "x").rule == "7 quantile groups"
    with pytest.raises(SurvivalError, match="SPLIT_QUANTILES_INVALID"):
        split_by_quantiles(np.arange(100.0), 1, "x")
    with pytest.raises(SurvivalError, match="SPLIT_EMPTY_GROUP"):
        split_by_quantiles([0.0] * 99 + [1.0], 4, "x")


def test_a_landmark_counts_from_itself_and_says_who_is_left_out() -> None:
    outcome = Outcome([1, 2, 3, 4, 5], [1, 0, 1, 0, 1], "month")
    found = landmark_cohort(outcome, 2.0)
    assert found.kept.tolist() == [False, False, True, True, True]
    assert found.outcome.duration.tolist() == [1, 2, 3]
    assert (found.n_events_before, found.n_censored_before) == (1, 1)
    assert "1 patient with the event and 1 censored" in found.note
    # S(t | alive at the landmark) = S(landmark + t) / S(landmark).
    whole, after = (
        product_limit(outcome.duration, outcome.event),
        product_limit(found.outcome.duration, found.outcome.event),
    )
    assert after.survival[-1] == pytest.approx(whole.survival[-1] / whole.survival[whole.index_at(2.0)])


def test_late_entries_stay_late_after_a_landmark() -> None:
    outcome = Outcome([5, 6, 7], [1, 1, 1], entry=np.array([0.0, 1.0, 4.0]))
    assert landmark_cohort(outcome, 2.0).outcome.entry is not None
    assert landmark_cohort(outcome, 2.0).outcome.entry.tolist() == [0, 0, 2]  # type: ignore[union-attr]
    assert landmark_cohort(outcome, 4.0).outcome.entry is None


@pytest.mark.parametrize(
    ("landmark", "code"),
    [(-1.0, "LANDMARK_INVALID"), (float("nan"), "LANDMARK_INVALID"), (9.0, "LANDMARK_NOBODY"), (3.0, "NO_EVENTS")],
)
def test_landmarks_that_leave_nothing_are_refused(landmark: float, code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        landmark_cohort(Outcome([1, 2, 3, 4], [1, 1, 1, 0]), landmark)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (lambda: Weighting("odd", rho=-1.0), "WEIGHTING_INVALID"),
        (lambda: kaplan_meier(Outcome([1, 2], [1, 1]), tau=0.0), "TAU_INVALID"),
    ],
)
def test_impossible_comparisons_are_refused(request_: Callable[[], object], code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        request_()
    assert caught.value.code == code


@given(ROWS, st.floats(1e-3, 1e3))
def test_the_unit_of_time_changes_no_test(rows: list[tuple[int, int]], factor: float) -> None:
    duration, event = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    grouping = split_at(np.arange(len(rows)), [len(rows) // 2 - 0.5], "x")
    one, other = (kaplan_meier(Outcome(duration * k, event), grouping) for k in (1.0, factor))
    assert one.log_rank == other.log_rank
    assert LOG_RANK.name == "log-rank"
    assert one.restricted_mean is not None
    assert other.restricted_mean is not None
    for mean, scaled in some(zip(one.restricted_mean.groups, other.restricted_mean.groups, strict=True)):
        assert scaled.mean == pytest.approx(mean.mean * factor)
