"""The searched cut: its exact permutation test, what it never says, its hard cases and its properties."""

from __future__ import annotations

import itertools
import json
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from petct.errors import SurvivalError
from petct.survival.cohort.groups import split_at_chosen_cut
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.kaplan_meier.cut_points import CutPointResult, maximally_selected_cut
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.log_rank import PETO_PETO
from petct.survival.kaplan_meier.maximally_selected import lausen_1992, permutation_test, search_cuts


def _noise(seed: int, n: int = 67) -> tuple[Outcome, FloatArray]:
    rng = np.random.default_rng(seed)
    duration, censoring = rng.exponential(1.0, n), rng.exponential(0.57 / 0.43, n)
    return Outcome(np.minimum(duration, censoring), (duration <= censoring).astype(int)), rng.lognormal(size=n)


def _quick(outcome: Outcome, values: FloatArray, **arguments: int) -> CutPointResult:
    return maximally_selected_cut(outcome, values, "x", **{"n_permutations": 199, "n_resamples": 0, **arguments})


def test_the_permutation_p_is_that_of_all_permutations() -> None:
    # Seven patients: all 5,040 orders of the scores, counted one by one.
    duration = np.array([3.0, 1, 4, 1, 5, 9, 2])
    event = np.array([1, 1, 0, 1, 1, 0, 1])
    search = search_cuts(np.arange(7.0), duration, event, (0.1, 0.9))
    assert search is not None
    largest = search.statistics().max()
    orders = search.statistics(np.array(list(itertools.permutations(search.scores)))).max(axis=1)
    exact = np.mean(orders >= largest * (1 - 1e-9))
    drawn = permutation_test(search, 4999, seed=5)
    assert drawn.p == (drawn.n_as_large + 1) / 5000
    low, high = binom.interval(0.999, 4999, exact)
    assert low <= drawn.n_as_large <= high


def test_the_permutation_test_keeps_its_level_where_the_best_cut_alone_would_not() -> None:
    cohorts = 300
    results = [_quick(*_noise(seed)) for seed in range(cohorts)]
    rejected = sum(result.permutation is not None and result.permutation.p <= 0.05 for result in results)
    low, high = binom.interval(0.999, cohorts, 0.05)
    assert low <= rejected <= high
    # What nobody is shown: the same statistics read as normal deviates.
    naive = np.mean([result.statistic > 1.959964 for result in results])
    assert naive > 0.3
    # Lausen and Schumacher's approximation is conservative, not liberal.
    assert np.mean([result.p_lausen_1992 is not None and result.p_lausen_1992 <= 0.05 for result in results]) < 0.05


def test_a_real_cut_is_found_and_is_stable() -> None:
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 100, 120)
    duration = rng.exponential(np.where(values > 60, 1.0, 6.0))
    result = maximally_selected_cut(Outcome(duration, np.ones(120)), values, "volume", "ml", n_resamples=100)
    assert 55 < result.cut < 65
    assert result.permutation is not None
    assert result.permutation.p == 1 / 10_000
    assert result.stability is not None
    assert 50 < result.stability.lower <= result.stability.median <= result.stability.upper < 70
    assert any("separates survival" in note for note in result.notes)


def test_the_same_seed_gives_the_same_p_and_another_seed_another() -> None:
    outcome, values = _noise(1)
    first, again, other = (_quick(outcome, values, seed=seed).permutation for seed in (1, 1, 2))
    assert first == again
    assert first is not None
    assert other is not None
    assert first.n_as_large != other.n_as_large


def test_no_uncorrected_p_leaves_the_house() -> None:
    outcome, values = _noise(1)
    cut = _quick(outcome, values)
    km = kaplan_meier(
        outcome,
        split_at_chosen_cut(values, cut.cut, "x"),
        weightings=[PETO_PETO],
        trend=True,
        pairwise=True,
    )
    assert km.log_rank is not None
    assert km.trend is not None
    for test in (km.log_rank, *km.weighted_tests):
        assert (test.chi_squared, test.p) == (None, None)
        assert test.p_suppressed is not None
        assert test.p_suppressed.code == "CUT_CHOSEN_BY_OUTCOME"
    assert (km.trend.z, km.trend.p) == (None, None)
    assert km.pairwise == ()
    assert km.restricted_mean is not None
    assert km.restricted_mean.contrasts == ()
    keys = [key for key in _keys(as_dict(cut)) if key == "p" or key.startswith("p_")]
    assert sorted(keys) == ["p", "p_lausen_1992", "p_lausen_1994", "p_suppressed"]
    json.dumps(as_dict(km), allow_nan=False)


def _keys(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for item in value.values() for key in _keys(item))]
    return []


def test_fewer_than_twenty_patients_show_no_p() -> None:
    outcome, values = _noise(2, n=19)
    result = _quick(outcome, values)
    assert (result.permutation, result.p_lausen_1992, result.p_lausen_1994) == (None, None, None)
    assert result.p_suppressed is not None
    assert result.p_suppressed.message in result.notes


def test_missing_values_are_left_out_and_counted() -> None:
    outcome, values = _noise(4)
    values[:5] = np.nan
    result = _quick(outcome, values)
    assert (result.n, result.n_missing, result.n_below + result.n_above) == (62, 5, 62)


@pytest.mark.parametrize(
    ("values", "outcome", "code"),
    [
        ([1.0] * 30, Outcome(np.arange(30), [1] * 30), "SPLIT_CONSTANT"),
        ([float("nan")] * 30, Outcome(np.arange(30), [1] * 30), "SPLIT_NO_VALUES"),
        ([float("inf"), *range(29)], Outcome(np.arange(30), [1] * 30), "SPLIT_NOT_FINITE"),
        (["high"] * 30, Outcome(np.arange(30), [1] * 30), "SPLIT_NOT_NUMERIC"),
        ([1.0, 2.0], Outcome(np.arange(30), [1] * 30), "CUT_LENGTH"),
        ([0.0] * 29 + [1.0], Outcome(np.arange(30), [1] * 30), "CUT_NONE"),
        (range(30), Outcome([5.0] * 30, [1] * 30), "CUT_SCORES_CONSTANT"),
        (range(30), Outcome(np.arange(2, 32), [1] * 30, entry=np.ones(30)), "LEFT_TRUNCATION_UNSUPPORTED"),
        ([1.0] * 2 + [float("nan")] * 28, Outcome(np.arange(30), [1] * 30), "SPLIT_CONSTANT"),
        ([float("nan")] * 5 + [1.0, 2.0], Outcome(range(7), [1] * 5 + [0] * 2), "NO_EVENTS"),
    ],
)
def test_what_cannot_be_cut_is_refused(values: list[float], outcome: Outcome, code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        maximally_selected_cut(outcome, values, "x")
    assert caught.value.code == code


def test_a_search_needs_permutations() -> None:
    with pytest.raises(SurvivalError, match="CUT_PERMUTATIONS_TOO_FEW"):
        maximally_selected_cut(*_noise(0), "x", n_permutations=10)


def test_a_statistic_below_one_has_p_one() -> None:
    assert lausen_1992(0.9, 0.1, 0.9) == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(0, 9)), min_size=8, max_size=40),
    st.randoms(use_true_random=False),
)
def test_the_search_depends_on_ranks_only(rows: list[tuple[int, int, int]], random: Random) -> None:
    def search(order: list[tuple[int, int, int]], scale: float) -> Any:
        duration, event, values = (np.array(column, dtype=float) for column in zip(*order, strict=True))
        return search_cuts(np.exp(values), duration * scale, event.astype(np.int64), (0.1, 0.9))

    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = search(rows, 1.0), search(shuffled, 365.25)
    assert (one is None) == (other is None)
    if one is not None:
        assert one.statistics() == pytest.approx(other.statistics(), rel=1e-9, abs=1e-9)
        assert one.cuts.tolist() == other.cuts.tolist()
