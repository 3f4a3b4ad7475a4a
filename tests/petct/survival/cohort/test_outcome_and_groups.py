"""The outcome type and the splits: what is valid, and what is refused with which code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.errors import SurvivalError
from petct.survival.cohort.groups import (
    Grouping,
    everyone,
    number_text,
    split_at,
    split_by_category,
    split_by_eye,
    split_by_median,
    split_by_quantiles,
)
from petct.survival.cohort.outcome import Outcome, cause_specific
from petct.survival.kaplan_meier.estimate import kaplan_meier


@pytest.mark.parametrize(
    ("duration", "event", "code"),
    [
        ([], [], "OUTCOME_EMPTY"),
        ([1, 2], [1], "OUTCOME_LENGTHS"),
        ([[1, 2]], [1, 0], "OUTCOME_LENGTHS"),
        ([1, float("nan")], [1, 0], "TIME_MISSING"),
        ([1, float("inf")], [1, 0], "TIME_MISSING"),
        ([1, None], [1, 0], "TIME_MISSING"),
        (["a", "b"], [1, 0], "TIME_MISSING"),
        ([1, -1], [1, 0], "TIME_NEGATIVE"),
        ([1, 1e200], [1, 0], "TIME_TOO_LARGE"),
        ([1, 2], [1, float("nan")], "EVENT_MISSING"),
        ([1, 2], [1, 3], "EVENT_INVALID"),
        ([1, 2], [0.5, 1], "EVENT_INVALID"),
        ([1, 2], [1, 2], "EVENT_COMPETING"),
        ([1, 2], [0, 0], "NO_EVENTS"),
    ],
)
def test_outcomes_that_cannot_be_are_refused(duration: list[float], event: list[float], code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        Outcome(duration, event)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert caught.value.sentence().startswith(f"{code}: ")


def test_an_outcome_does_not_change_with_the_arrays_it_came_from() -> None:
    duration = np.array([1.0, 2.0])
    outcome = Outcome(duration, np.array([True, False]))
    duration[0] = -5
    assert outcome.duration[0] == 1.0
    assert (outcome.n, outcome.n_events) == (2, 1)
    with pytest.raises(ValueError, match="read-only"):
        outcome.duration[0] = 3.0


def test_competing_events_are_censored_only_when_asked_and_noted() -> None:
    outcome = cause_specific([5, 6, 7], [1, 2, 0], "month")
    assert outcome.event.tolist() == [1, 0, 0]
    assert outcome.n_competing_censored == 1
    assert "1 competing event censored" in kaplan_meier(outcome).notes[0]


def test_a_value_equal_to_the_cut_belongs_below() -> None:
    grouping = split_by_median([1.0, 2.0, 3.0, float("nan")], "volume", "ml")
    assert grouping.labels == ("<= 2", "> 2")
    assert grouping.codes.tolist() == [0, 0, 1, -1]
    assert (grouping.cut_points, grouping.n_missing, grouping.rule) == ((2.0,), 1, "median split")


def test_tertiles_and_fixed_cuts_are_labelled_without_exponents() -> None:
    assert split_by_quantiles(range(1, 10), 3, "x").labels == ("<= 3.67", "> 3.67 to 6.33", "> 6.33")
    assert split_at([1, 5000, 12.34], [12.34], "x").labels == ("<= 12.3", "> 12.3")
    assert split_at([1, 5000, 20000], [12345.6], "x").labels == ("<= 12346", "> 12346")
    assert split_at([1, 1.5, 3], [1.4999, 1.4998 + 1], "x").labels == ("<= 1.5", "> 1.5 to 2.5", "> 2.5")
    assert split_at([1, 1.00015, 3], [1.0001, 1.0002], "x").labels == ("<= 1.0001", "> 1.0001 to 1.0002", "> 1.0002")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.00001234, "1.23e-05"), (0.01234, "0.0123"), (-4.5, "-4.5"), (1e12, "1e+12")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number_text(value) == text


def test_categories_keep_the_declared_order() -> None:
    grouping = split_by_category(["G2", None, "G1", "G10"], "grade", ["G1", "G2", "G10"])
    assert grouping.labels == ("G1", "G2", "G10")
    assert grouping.codes.tolist() == [1, -1, 0, 2]


@pytest.mark.parametrize(
    ("split", "code"),
    [
        (lambda: split_by_median([3.0] * 5, "x"), "SPLIT_CONSTANT"),
        (lambda: split_by_median([float("nan")] * 5, "x"), "SPLIT_NO_VALUES"),
        (lambda: split_by_median([], "x"), "SPLIT_NO_VALUES"),
        (lambda: split_by_median([1.0, float("inf")], "x"), "SPLIT_NOT_FINITE"),
        (lambda: split_by_median([0.0, 1.0, 1.0, 1.0], "x"), "SPLIT_EMPTY_GROUP"),
        (lambda: split_by_quantiles([0.0, 0.0, 0.0, 0.0, 1.0], 3, "x"), "SPLIT_EMPTY_GROUP"),
        (lambda: split_at([1.0, 2.0], [5.0], "x"), "SPLIT_EMPTY_GROUP"),
        (lambda: split_at([1.0, 2.0], [], "x"), "SPLIT_CUTS_INVALID"),
        (lambda: split_at([1.0, 2.0], [2.0, 1.0], "x"), "SPLIT_CUTS_INVALID"),
        (lambda: split_at([1.0, 2.0], [float("nan")], "x"), "SPLIT_CUTS_INVALID"),
        (lambda: split_by_category(["a", "a", None], "x"), "SPLIT_CONSTANT"),
        (lambda: split_by_category([None], "x"), "SPLIT_NO_VALUES"),
        (lambda: split_by_category(["a", "b"], "x", ["a"]), "SPLIT_CATEGORY_UNKNOWN"),
        (lambda: split_by_category(["a", "b"], "x", ["a", "b", "c"]), "SPLIT_EMPTY_GROUP"),
    ],
)
def test_splits_that_cannot_be_are_refused(split: Callable[[], object], code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        split()
    assert (caught.value.code, caught.value.keyword) == (code, "x")


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40, unique=True))
def test_a_median_split_halves_distinct_values(values: list[float]) -> None:
    grouping: Grouping = split_by_median(values, "x")
    below = int(np.sum(grouping.codes == 0))
    assert 0 <= below - (len(values) - below) <= 1


def test_an_empty_group_is_refused_with_what_to_do_about_this_split() -> None:
    for split, hint in (
        (lambda: split_at([1.0, 2.5], [5.0], "x", "ml"), "The values lie between 1 and 2.5 ml."),
        (lambda: split_by_median([0.0, 1.0, 1.0, 1.0], "x"), "Many patients share one value"),
        (lambda: split_by_category(["a", "b"], "x", ["a", "b", "c"]), "Leave it out of the order."),
    ):
        with pytest.raises(SurvivalError, match=hint):
            split()


def test_who_is_picked_by_eye_is_a_group_and_all_others_are_another() -> None:
    grouping = split_by_eye(np.array([False, True, True]), "scores")
    assert (grouping.labels, list(grouping.codes), grouping.ordered) == (("selected", "others"), [1, 0, 0], False)
    for picked in ([True, True], [False, False]):
        with pytest.raises(SurvivalError, match=r"SPLIT_EMPTY_GROUP.*Select some"):
            split_by_eye(picked, "scores")


def test_everyone_is_one_group() -> None:
    grouping = everyone(3)
    assert (grouping.labels, grouping.codes.tolist(), grouping.variable) == (("all",), [0, 0, 0], None)
