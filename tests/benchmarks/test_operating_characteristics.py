"""What the tests find in noise and in signal: the short form of ``make simulate``, and the judge that reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.operating_characteristics import (
    Procedure,
    broken,
    clopper_pearson,
    null_cohorts,
    rates,
    schoenfeld_power,
    verdict,
)
from benchmarks.simulate import COMPUTE, PROCEDURES, cox_of_one, powers, report, write_section
from petct.errors import SurvivalError
from tests.some import some


def test_null_cohorts_are_what_they_are_said_to_be() -> None:
    cohorts = list(null_cohorts(300, 1, "lognormal"))
    censored = np.mean([1 - cohort.outcome.n_events / cohort.outcome.n for cohort in cohorts])
    assert censored == pytest.approx(0.43, abs=0.015)
    assert all(cohort.outcome.n == 67 and cohort.features.shape == (67, 200) for cohort in some(cohorts))
    logs = np.log(np.concatenate([np.column_stack([cohort.covariate, cohort.others]) for cohort in cohorts]))
    assert logs.std(axis=0) == pytest.approx([1, 1, 1], abs=0.03)
    assert np.corrcoef(logs.T)[0, 1:] == pytest.approx([0.5, 0.5], abs=0.03)
    assert 0.55 < np.mean(np.concatenate([c.cause[c.cause > 0] for c in cohorts]) == 1) < 0.65
    again = next(null_cohorts(1, 1, "lognormal"))
    assert np.array_equal(again.outcome.duration, cohorts[0].outcome.duration)


def test_no_shown_p_value_breaks_its_promise_in_a_short_run() -> None:
    found = tuple(
        rate
        for shape in ("normal", "lognormal")
        for rate in rates(null_cohorts(40, 8, shape), PROCEDURES, COMPUTE, shape)
    )
    assert broken(found) == []
    assert all(rate.n_refused == 0 for rate in some(found))
    uncorrected = [rate for rate in found if rate.procedure.name == "best of all cuts, uncorrected"]
    assert all(rate.rate > 0.25 and not rate.kept for rate in some(uncorrected))
    text = report(found, powers(3, 1), "make simulate", 8, 60.0)
    assert text.count("\n| ") == len(found) + 4 + 2


def test_a_test_that_finds_too_much_or_too_little_is_caught() -> None:
    procedures = [
        Procedure("coin", "exact"),
        Procedure("blind", "asymptotic"),
        Procedure("hidden", "exact", shown=False),
    ]
    found = rates(
        null_cohorts(300, 1, "normal"),
        procedures,
        [lambda cohort: {"coin": 0.01 if cohort.seed % 2 else 0.5, "blind": None, "hidden": 0.0}],
        "normal",
    )
    assert [(rate.n_significant, rate.n_refused, rate.kept) for rate in found] == [
        (150, 0, False),
        (0, 300, False),
        (300, 0, False),
    ]
    assert [sentence.split(" (")[0] for sentence in broken(found)] == ["coin", "blind"]
    with pytest.raises(SurvivalError, match="SIMULATION_INCOMPLETE"):
        rates(null_cohorts(1, 1, "normal"), procedures, [cox_of_one], "normal")


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 40), (100, 2000), (40, 40)])
def test_limits_of_a_rate_are_clopper_and_pearsons(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(0.95, method="exact")
    assert clopper_pearson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_judge_allows_chance_and_no_more() -> None:
    assert [verdict("exact", k, 2000) for k in (67, 69, 100, 133, 135)] == [False, True, True, True, False]
    assert [verdict("asymptotic", k, 2000) for k in (35, 60, 133, 140)] == [False, True, True, False]
    assert [verdict("conservative", k, 2000) for k in (0, 133, 140)] == [True, True, False]


def test_schoenfelds_formula_is_the_inverse_of_the_events_required() -> None:
    # 38 events: hazard ratio 2.5 between two groups, 1.58 per SD, at 80 % power.
    assert schoenfeld_power(np.log(2.5), 38, 0.25) == pytest.approx(0.80, abs=0.01)
    assert schoenfeld_power(-np.log(1.58), 38, 1.0) == pytest.approx(0.80, abs=0.01)


def test_a_section_is_replaced_and_others_stay(tmp_path: Path) -> None:
    document = tmp_path / "validation.md"
    document.write_text("# Validation\n\nMine.\n", encoding="utf-8")
    write_section(document, "one")
    document.write_text(document.read_text(encoding="utf-8") + "\n## After\n", encoding="utf-8")
    write_section(document, "two")
    text = document.read_text(encoding="utf-8")
    assert "Mine." in text
    assert "## After" in text
    assert "two" in text
    assert "one" not in text
