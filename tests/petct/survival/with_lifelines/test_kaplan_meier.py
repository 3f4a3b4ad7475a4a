"""Kaplan-Meier by lifelines beside ours: the same numbers, reasons for those that differ, and nothing in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from petct.survival.cohort.groups import Grouping, everyone, split_at_chosen_cut, split_by_category, split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.log_rank import GEHAN_BRESLOW, PETO_PETO, TARONE_WARE, Weighting
from petct.survival.with_lifelines.comparison import UNEXPLAINED, Compared, LifelinesCheck
from petct.survival.with_lifelines.kaplan_meier import check_kaplan_meier
from tests.petct.survival.reference import load, outcome_of
from tests.some import some

WEIGHTINGS = (PETO_PETO, GEHAN_BRESLOW, TARONE_WARE, Weighting("late", gamma=1.0))


def _checked(outcome: Outcome, grouping: Grouping | None, **options: object) -> LifelinesCheck:
    result = kaplan_meier(outcome, grouping, weightings=WEIGHTINGS, pairwise=True, **options)  # type: ignore[arg-type]
    return check_kaplan_meier(outcome, grouping, result, WEIGHTINGS)


def _rows(check: LifelinesCheck, quantity: str, of: str = "") -> list[Compared]:
    return [row for row in some(check.compared) if row.quantity == quantity and row.of.startswith(of)]


def _groups(petlake_data: Path, dataset: str, variable: str) -> tuple[Outcome, Grouping]:
    reference = load(petlake_data)
    values = reference.table(dataset)[variable]
    return outcome_of(reference, dataset), split_by_category([str(value) for value in values], variable)


@pytest.mark.parametrize(
    ("dataset", "variable", "n_rows"), [("rossi", "fin", 30), ("lung", "sex", 30), ("gbsg2", "tgrade", 46)]
)
def test_every_number_agrees_or_differs_for_a_known_reason(
    petlake_data: Path, dataset: str, variable: str, n_rows: int
) -> None:
    outcome, grouping = _groups(petlake_data, dataset, variable)
    check = _checked(outcome, grouping)
    assert len(check.compared) == n_rows
    different = [row for row in some(check.compared) if not row.agrees]
    # Only limits of the follow-up, where the curve of the censored ends at 0.
    assert {row.quantity for row in different} <= {
        "lower limit of median follow-up",
        "upper limit of median follow-up",
    }
    assert {row.reason for row in different}.isdisjoint({None, "", UNEXPLAINED})
    assert all(row.reason is None for row in some(row for row in check.compared if row.agrees))
    json.dumps(as_dict(check), allow_nan=False)


def test_lifelines_has_the_numbers_of_r(petlake_data: Path) -> None:
    check = _checked(*_groups(petlake_data, "rossi", "fin"), tau=52.0)
    (statistic,) = _rows(check, "log-rank chi-squared")
    (p,) = _rows(check, "log-rank p")
    means = _rows(check, "restricted mean to 52")
    # r_survival_shared.csv: survdiff and print.survfit of R's survival.
    assert (statistic.lifelines, p.lifelines) == pytest.approx((3.83756957654905, 0.0501161174090057), rel=1e-9)
    assert [row.lifelines for row in means] == pytest.approx([44.8333333333333, 46.875], rel=1e-9)


def test_a_row_of_a_curve_shows_the_time_of_the_largest_difference(petlake_data: Path) -> None:
    outcome, grouping = _groups(petlake_data, "rossi", "fin")
    result = kaplan_meier(outcome, grouping)
    first = result.curves[0]
    survival = list(first.survival)
    survival[5] += 0.01
    wrong = replace(result, curves=(replace(first, survival=tuple(survival)), *result.curves[1:]))
    row = _rows(check_kaplan_meier(outcome, grouping, wrong), "S(t)", "0")[0]
    assert row.of == f"0, 41 event times, largest difference at {first.times[5]:g}"
    assert row.difference == pytest.approx(-0.01)
    assert (row.agrees, row.reason) == (False, UNEXPLAINED)


def test_a_wrong_number_of_ours_would_be_seen(petlake_data: Path) -> None:
    outcome, grouping = _groups(petlake_data, "lung", "sex")
    result = kaplan_meier(outcome, grouping)
    assert result.log_rank is not None
    assert result.log_rank.chi_squared is not None
    curve = result.curves[0]
    moved = replace(
        result,
        log_rank=replace(result.log_rank, chi_squared=result.log_rank.chi_squared * 1.00001),
        curves=(replace(curve, median=replace(curve.median, value=271.0)), *result.curves[1:]),
    )
    check = check_kaplan_meier(outcome, grouping, moved)
    assert {row.quantity for row in some(check.compared) if row.reason == UNEXPLAINED} == {
        "log-rank chi-squared",
        "median survival",
    }
    assert check.sentence.endswith("; 2 differ without a known reason.")


def test_a_median_of_a_level_half_differs_and_says_why() -> None:
    (row,) = _rows(_checked(Outcome([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 0]), everyone(4)), "median survival")
    assert (row.petlake, row.lifelines) == (2.5, 2.0)
    assert row.reason is not None
    assert "one half" in row.reason


def test_a_withheld_p_is_not_shown_by_the_back_door() -> None:
    rng = np.random.default_rng(3)
    outcome = Outcome(rng.exponential(size=60), np.ones(60))
    values = rng.normal(size=60)
    small = split_by_category(["few"] * 5 + ["many"] * 55, "arm")
    for check, reason in (
        (_checked(outcome, small), "fewer than the minimum of 10"),
        (_checked(outcome, split_at_chosen_cut(values, 0.2, "x")), "the cut was chosen to make the groups differ"),
    ):
        assert not [row for row in some(check.compared) if row.quantity.endswith(" p")]
        withheld = [row for row in check.not_compared if "log-rank test" in row.quantity]
        assert withheld
        assert all(reason in row.reason for row in some(withheld))
    chosen = _checked(outcome, split_at_chosen_cut(values, 0.2, "x"))
    assert not [row for row in some(chosen.compared) if "chi-squared" in row.quantity]
    assert "search for the cut" in [row.quantity for row in chosen.not_compared]


def test_what_lifelines_has_no_match_for_is_named() -> None:
    rng = np.random.default_rng(4)
    outcome, codes = Outcome(rng.exponential(size=90), np.ones(90)), ["a", "b", "c"] * 30
    grouping = split_by_category(codes, "grade", order=("a", "b", "c"))
    named = [row.quantity for row in _checked(outcome, grouping, trend=True).not_compared]
    assert named == [
        "adjusted p of pairs",
        "limits of restricted means, and their differences",
        "trend over the groups",
    ]


def test_late_entries_are_compared_where_lifelines_knows_them() -> None:
    rng = np.random.default_rng(5)
    duration = rng.exponential(10, size=200) + 1
    outcome = Outcome(duration, rng.integers(0, 2, 200), entry=duration * rng.uniform(0, 0.4, 200))
    check = _checked(outcome, split_by_median(rng.normal(size=200), "x"))
    different = [row for row in some(check.compared) if not row.agrees]
    assert {row.reason for row in some(different)} == {
        "With late entries lifelines measures the area from the first entry on; petlake from the origin."
    }
    assert outcome.entry is not None
    assert sorted(row.difference or 0.0 for row in some(different))[-1] == pytest.approx(-outcome.entry.min())
    assert len(_rows(check, "S(t)")) == 2
    assert [row.quantity for row in check.not_compared][:2] == ["log-rank test", f"{PETO_PETO.name} test"]
    assert "late entries" in check.not_compared[0].reason


def test_a_curve_that_lifelines_refuses_is_named() -> None:
    # The only one at risk dies at 2, before the others come.
    outcome = Outcome([2.0, 5.0, 6.0, 7.0, 8.0, 9.0], [1, 1, 1, 1, 0, 1], entry=[0.0, 3.0, 3.0, 3.0, 3.0, 3.0])
    check = _checked(outcome, None)
    assert check.not_compared[0].quantity == "curve of all"
    assert check.not_compared[0].reason.startswith("lifelines stops: There are too few early truncation times")
