"""What is built on the Cox model: nested models, subgroups, time-varying therapy, imputation, curves, forest table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.multiple_imputation import Incomplete, impute
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.cox.curves import baseline_hazards, functional_form, schoenfeld_curves
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.time_varying import cox_with_therapy, split_at
from petct.survival.cox_repeated.forest_table import forest_table
from petct.survival.cox_repeated.model_comparison import compare_models
from petct.survival.cox_repeated.pooled import cox_imputed
from petct.survival.cox_repeated.subgroups import subgroup_table
from petct.survival.likelihood.baseline import baseline_hazard
from petct.survival.likelihood.penalised import Firth
from tests.some import some

N = 160


def _cohort(seed: int = 1, n: int = N, log_ratio: float = 0.0) -> tuple[Outcome, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    survival, censoring = rng.exponential(size=n) * np.exp(-log_ratio * x), rng.uniform(0.3, 1.5, n)
    duration = np.ceil(1000 * np.minimum(survival, censoring))
    return Outcome(duration, survival <= censoring), x, [str(v) for v in rng.choice(["f", "m"], n)]


def test_a_nested_model_gains_what_the_likelihood_says() -> None:
    outcome, x, sex = _cohort(log_ratio=0.6)
    base, added = [CategoricalCovariate("sex", sex)], [NumericCovariate("uptake", x)]
    found = compare_models(outcome, base, added, permutations=199)
    small, large = (cox(outcome, covariates, permutations=0) for covariates in (base, [*base, *added]))
    assert found.lr_chi_squared == pytest.approx(2 * (large.log_likelihood - small.log_likelihood), rel=1e-9)
    assert (found.aic_base, found.aic_full) == pytest.approx((small.aic, large.aic))
    assert found.concordance_change == pytest.approx(large.concordance - small.concordance, abs=1e-12)
    assert found.change_lower > 0
    assert found.test.p is not None
    assert found.test.p < 0.01
    nothing = compare_models(
        outcome, added, [NumericCovariate("noise", np.random.default_rng(2).normal(size=N))], permutations=199
    )
    assert nothing.change_lower < 0 < nothing.change_upper
    assert any("No evidence that noise adds to the base" in note for note in nothing.notes)
    gaps = np.where(np.arange(N) < 10, np.nan, x)
    assert compare_models(outcome, base, [NumericCovariate("uptake", gaps)], permutations=0).n == N - 10
    with pytest.raises(SurvivalError, match="COMPARISON_EMPTY"):
        compare_models(outcome, [], added)
    json.dumps(as_dict(found), allow_nan=False)


def test_the_change_of_concordance_has_the_error_of_its_bootstrap() -> None:
    outcome, x, _ = _cohort(3, log_ratio=0.5)
    rng = np.random.default_rng(4)
    y = x + rng.normal(size=N)
    found = compare_models(outcome, [NumericCovariate("y", y)], [NumericCovariate("x", x)], permutations=0)
    from petct.survival.accuracy.concordance import concordance

    full, base = (fit_cox(outcome, [NumericCovariate(str(i), v) for i, v in enumerate(c)]) for c in ([y, x], [y]))
    changes = []
    for _ in range(120):
        rows = rng.integers(0, N, N)
        part = Outcome(outcome.duration[rows], outcome.event[rows])
        pair = [concordance(part, fit.linear_predictor[rows]).value for fit in (full, base)]
        changes.append(pair[0] - pair[1])
    assert found.change_standard_error == pytest.approx(np.std(changes), rel=0.2)


def test_subgroups_show_ratios_without_p_values_and_the_interaction_with_one() -> None:
    rng = np.random.default_rng(5)
    sex = [str(v) for v in rng.choice(["f", "m"], 400)]
    x = rng.normal(size=400)
    opposite = np.where(np.array(sex) == "f", 0.7, -0.7) * x
    outcome = Outcome(rng.exponential(size=400) * np.exp(-opposite), np.ones(400))
    rare = ["a"] * 395 + ["b"] * 5
    table = subgroup_table(
        outcome, NumericCovariate("x", x), [CategoricalCovariate("sex", sex), CategoricalCovariate("rare", rare)]
    )
    first, second = table.variables
    assert first.interaction.p is not None
    assert first.interaction.p < 1e-6
    women, men = first.subgroups
    assert women.hazard_ratio is not None
    assert men.hazard_ratio is not None
    assert women.hazard_ratio > 1.5 > 0.7 > men.hazard_ratio
    # One scale for all: the SD of everyone, not of the subgroup.
    assert table.effect.scale.startswith("per SD")
    alone = cox(
        outcome.subset(np.array(sex) == "f"),
        [NumericCovariate("x", x[np.array(sex) == "f"] / x.std(ddof=1), scale="as_is")],
    )
    assert women.hazard_ratio == pytest.approx(alone.terms[0].hazard_ratio, rel=1e-9)
    assert (women.n + men.n, women.n_events + men.n_events) == (400, 400)
    assert second.interaction.p_suppressed is not None
    assert second.interaction.p_suppressed.code == "ARM_TOO_SMALL"
    assert second.subgroups[1].withheld is not None
    assert table.n_interaction_tests == 1
    json.dumps(as_dict(table), allow_nan=False)


def test_subgroups_refuse_per_row_and_only_then_as_a_whole() -> None:
    outcome, x, sex = _cohort()
    late = np.where(np.arange(N) < 15, outcome.duration + 1e6, outcome.duration)
    quiet = Outcome(late, outcome.event * (np.arange(N) >= 15))
    groups = CategoricalCovariate("site", ["a"] * 15 + ["b"] * (N - 15))
    table = subgroup_table(quiet, NumericCovariate("x", x), [groups])
    assert table.variables[0].subgroups[0].withheld is not None
    assert table.variables[0].subgroups[0].withheld.code == "NO_EVENTS"
    assert table.variables[0].subgroups[1].hazard_ratio is not None
    single = subgroup_table(outcome, NumericCovariate("x", x), [CategoricalCovariate("one", ["a"] * N)])
    assert single.variables[0].interaction.p_suppressed is not None
    assert single.variables[0].interaction.p_suppressed.code == "SUBGROUP_SINGLE"
    for effect, variables, code in (
        (NumericCovariate("x", x), [], "SUBGROUPS_NONE"),
        (
            CategoricalCovariate("g", ["a", "b", "c", "d"] * (N // 4)),
            [CategoricalCovariate("s", sex)],
            "SUBGROUP_EFFECT",
        ),
    ):
        with pytest.raises(SurvivalError, match=code):
            subgroup_table(outcome, effect, variables)


def test_a_later_therapy_without_effect_shows_none_and_as_a_baseline_value_it_would() -> None:
    rng = np.random.default_rng(6)
    n = 600
    outcome = Outcome(rng.exponential(1000, n), np.ones(n))
    begin = rng.exponential(500, n)
    begin = np.where(begin < outcome.duration, begin, np.nan)
    naive = cox(outcome, [NumericCovariate("ever", (~np.isnan(begin)).astype(float), scale="as_is")])
    assert naive.terms[0].upper < 0.8
    result = cox_with_therapy(outcome, begin, [NumericCovariate("x", rng.normal(size=n))], name="second line")
    assert result.terms[0].lower < 1 < result.terms[0].upper
    assert (result.n, result.n_rows, result.n_events) == (n, n + np.count_nonzero(~np.isnan(begin)), n)
    assert "no immortal time" in result.notes[0]
    assert not any("left truncation" in note for note in some(result.notes))
    assert result.terms[0].test == "likelihood ratio test"


def test_splitting_follow_up_without_a_change_changes_nothing() -> None:
    outcome, x, _ = _cohort(log_ratio=0.5)
    rows, state = split_at(outcome, np.where(np.arange(N) % 3 == 0, outcome.duration / 2, np.nan))
    split = cox(rows.outcome, [rows.values(NumericCovariate("x", x, scale="as_is"))], patients=rows.patients)
    whole = cox(outcome, [NumericCovariate("x", x, scale="as_is")])
    per_sd = cox(rows.outcome, [rows.values(NumericCovariate("x", x))], patients=rows.patients).terms[0]
    assert per_sd.scale == f"per SD ({x.std(ddof=1):.3g})"
    assert split.terms[0].coefficient == pytest.approx(whole.terms[0].coefficient, rel=1e-9)
    assert split.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    assert split.concordance == pytest.approx(whole.concordance, abs=1e-12)
    assert split.concordance_standard_error == pytest.approx(whole.concordance_standard_error, rel=1e-9)
    assert (split.n, split.n_rows) == (N, N + int(state.sum()))
    with pytest.raises(SurvivalError, match="patients in several rows"):
        cox(rows.outcome, [rows.values(NumericCovariate("x", x))], patients=rows.patients, permutations=99)


def test_a_therapy_counts_from_its_start_on() -> None:
    outcome = Outcome([10.0, 20, 30, 40], [1, 1, 0, 1])
    rows, state = split_at(outcome, [np.nan, 5, 0, 45], ["a", "b", "c", "d"])
    assert rows.outcome.entry is not None
    found = sorted(
        zip(rows.patients, rows.outcome.entry, rows.outcome.duration, rows.outcome.event, state, strict=True)
    )
    assert found == [
        ("a", 0, 10, 1, 0),
        ("b", 0, 5, 0, 0),
        ("b", 5, 20, 1, 1),
        ("c", 0, 30, 0, 1),
        ("d", 0, 40, 1, 0),
    ]
    with pytest.raises(SurvivalError, match="THERAPY_NEVER"):
        cox_with_therapy(outcome, [np.nan] * 4)
    for started, code in (([1.0], "START_LENGTH"), ([np.inf] * 4, "START_NOT_FINITE")):
        with pytest.raises(SurvivalError, match=code):
            split_at(outcome, started)


def test_imputed_values_are_measured_ones_and_follow_what_predicts_them() -> None:
    rng = np.random.default_rng(7)
    n = 300
    x = rng.normal(size=n)
    group = (x > 0).astype(float)
    outcome = Outcome(rng.exponential(size=n) * np.exp(-x), np.ones(n))
    gone_x, gone_g = rng.random(n) < 0.2, rng.random(n) < 0.2
    parts = [
        Incomplete("x", np.where(gone_x, np.nan, x), None),
        Incomplete("g", np.where(gone_g, np.nan, group), 2),
    ]
    sets = impute(outcome, parts, 5, 1)
    assert len(sets) == 5
    for values, groups in some(sets):
        assert np.array_equal(values[~gone_x], x[~gone_x])
        assert set(values[gone_x]) <= set(x[~gone_x])
        assert np.corrcoef(values[gone_x], x[gone_x])[0, 1] > 0.5
        assert np.mean(groups[gone_g] == group[gone_g]) > 0.75
    assert not np.array_equal(sets[0][0], sets[1][0])
    again = impute(outcome, parts, 5, 1)
    assert all(
        np.array_equal(a, b)
        for one, other in some(zip(sets, again, strict=True))
        for a, b in some(zip(one, other, strict=True))
    )


def test_pooled_results_are_less_biased_than_complete_cases_and_wider_than_no_gaps() -> None:
    rng = np.random.default_rng(8)
    n = 600
    y = rng.normal(size=n)
    x = 0.7 * y + rng.normal(size=n)
    outcome = Outcome(rng.exponential(size=n) * np.exp(-0.5 * x), np.ones(n))
    # Missing where y is high and death was early: complete cases are a selection.
    early = outcome.duration < np.median(outcome.duration)
    gaps = np.where((rng.random(n) < 0.6) & (y > 0) & early, np.nan, x)
    covariates = [NumericCovariate("x", gaps, scale="as_is"), NumericCovariate("y", y, scale="as_is")]
    pooled = cox_imputed(outcome, covariates, n_imputations=10)
    complete = cox(outcome, covariates)
    whole = cox(outcome, [NumericCovariate("x", x, scale="as_is"), NumericCovariate("y", y, scale="as_is")])
    wanted = [term.coefficient for term in whole.terms]
    bias = [np.abs(np.subtract([t.coefficient for t in found.terms], wanted)).sum() for found in (pooled, complete)]
    assert bias[0] < 0.6 * bias[1]
    assert pooled.terms[0].standard_error > whole.terms[0].standard_error
    assert 0 < pooled.terms[0].fraction_missing < 0.6
    assert pooled.terms[0].p is not None
    assert pooled.terms[0].p < 0.001
    assert (pooled.n, pooled.n_complete_cases) == (n, complete.n)
    assert pooled == cox_imputed(outcome, covariates, n_imputations=10)
    json.dumps(as_dict(pooled), allow_nan=False)


def test_rubins_rules_on_a_single_gap_are_nearly_the_model_without_it() -> None:
    outcome, x, sex = _cohort(log_ratio=0.5)
    gaps = x.copy()
    gaps[3] = np.nan
    pooled = cox_imputed(outcome, [NumericCovariate("x", gaps), CategoricalCovariate("sex", sex)])
    whole = cox(outcome, [NumericCovariate("x", x), CategoricalCovariate("sex", sex)], permutations=0)
    for found, expected in some(zip(pooled.terms, whole.terms, strict=True)):
        assert found.coefficient == pytest.approx(expected.coefficient, abs=0.05)
        assert found.standard_error == pytest.approx(expected.standard_error, rel=0.05)
        assert found.p == pytest.approx(expected.p, abs=0.05)
    assert pooled.overall.p == pytest.approx(whole.overall.p, abs=0.02)


def test_imputation_refuses_what_it_cannot_do() -> None:
    outcome, x, sex = _cohort()
    gaps = np.where(np.arange(N) % 4 == 0, np.nan, x)
    half = np.where(np.arange(N) % 5 < 3, np.nan, x)
    for covariates, options, code in (
        ([NumericCovariate("x", x)], {}, "IMPUTATION_NOTHING_MISSING"),
        ([NumericCovariate("x", half)], {}, "IMPUTATION_TOO_MUCH_MISSING"),
        ([NumericCovariate("x", gaps, scale="spline")], {}, "IMPUTATION_SPLINE"),
        ([NumericCovariate("x", gaps)], {"n_imputations": 1}, "IMPUTATIONS_TOO_FEW"),
        (
            [NumericCovariate("x", gaps)],
            {"strata": [CategoricalCovariate("s", [None, *sex[1:]])]},
            "IMPUTATION_STRATA_MISSING",
        ),
    ):
        with pytest.raises(SurvivalError, match=code):
            cox_imputed(outcome, covariates, **options)  # type: ignore[arg-type]


def test_baselines_of_strata_are_those_of_their_patients() -> None:
    outcome, x, sex = _cohort(log_ratio=0.5)
    fit = fit_cox(outcome, [NumericCovariate("x", x, scale="as_is")], strata=[CategoricalCovariate("sex", sex)])
    for found, label in some(zip(baseline_hazards(fit), ("f", "m"), strict=True)):
        own = np.array(sex) == label
        expected = baseline_hazard(outcome.subset(own), x[own] * fit.coefficients[0])
        assert found.stratum == label
        assert found.hazard.times == pytest.approx(expected.times)
        assert found.hazard.cumulative == pytest.approx(expected.cumulative, rel=1e-9)
    (centred,) = baseline_hazards(fit_cox(outcome, [NumericCovariate("x", x)]), at="mean")
    assert centred.stratum == "all"
    far = fit_cox(outcome, [NumericCovariate("x", x * 1e-4 + 1e3, scale="as_is")])
    with pytest.raises(SurvivalError, match="COX_SCALE"):
        baseline_hazards(far)


def test_schoenfeld_residuals_show_an_effect_that_fades() -> None:
    rng = np.random.default_rng(9)
    n = 900
    x = (rng.random(n) < 0.5).astype(float)
    # Piecewise: hazard ratio 4 before time 0.5, 1 after.
    early = rng.exponential(size=n) / np.where(x == 1, 4.0, 1.0)
    duration = np.where(early < 0.5, early, 0.5 + rng.exponential(size=n))
    fit = fit_cox(Outcome(duration, np.ones(n)), [NumericCovariate("x", x, scale="as_is")])
    (curve,) = schoenfeld_curves(fit, "identity")
    smooth = np.interp([0.15, 2.5], curve.smooth_x, curve.smooth_y)
    assert smooth[0] == pytest.approx(np.log(4), abs=0.35)
    assert smooth[1] < 0.5
    assert len(curve.x) == curve.n_events == n
    assert np.mean(curve.y) == pytest.approx(fit.coefficients[0], rel=1e-6)
    few = fit_cox(Outcome([1.0, 2, 3, 4, 5] * 6, np.ones(30)), [NumericCovariate("x", np.arange(30))])
    with pytest.raises(SurvivalError, match="TOO_FEW_EVENTS_TO_SMOOTH"):
        schoenfeld_curves(few)


def test_martingale_residuals_show_the_form_of_a_covariate() -> None:
    rng = np.random.default_rng(10)
    x, z = rng.uniform(-2, 2, 500), rng.normal(size=500)
    outcome = Outcome(rng.exponential(size=500) * np.exp(-np.maximum(x, 0) - 0.5 * z), np.ones(500))
    curve = functional_form(outcome, NumericCovariate("x", x, "ml"), [NumericCovariate("z", z)])
    slope = np.gradient(np.array(curve.smooth_y), np.array(curve.smooth_x))
    grid = np.array(curve.smooth_x)
    assert abs(slope[(grid > -1.7) & (grid < -0.5)].mean()) < 0.25
    assert slope[(grid > 0.5) & (grid < 1.7)].mean() > 0.35
    assert curve.x_label == "x (ml)"
    assert sum(curve.y) == pytest.approx(0, abs=1e-8)
    json.dumps(as_dict(curve), allow_nan=False)


def test_the_forest_table_has_every_level_and_both_models() -> None:
    outcome, x, sex = _cohort(log_ratio=0.5)
    grade: list[str | None] = [["G1", "G2", "G3"][i % 3] for i in range(N)]
    grade[0] = None
    covariates = [NumericCovariate("x", x), CategoricalCovariate("grade", grade, "G1")]
    table = forest_table(outcome, covariates, permutations=99)
    assert [(row.covariate, row.level) for row in table.rows] == [
        ("x", None),
        ("grade", "G1"),
        ("grade", "G2"),
        ("grade", "G3"),
    ]
    assert table.rows[1].univariable is None
    assert sum(row.n for row in table.rows[1:]) == table.n == N - 1
    assert sum(row.n_events for row in table.rows[1:]) == table.n_events
    kept = np.arange(N) > 0
    alone = cox(outcome.subset(kept), [NumericCovariate("x", x[kept])], permutations=99)
    assert table.rows[0].univariable == alone.terms[0]
    assert table.rows[0].multivariable == table.model.terms[0]
    assert forest_table(outcome, [CategoricalCovariate("sex", sex)], penalty=Firth()).rows[1].multivariable is not None
    json.dumps(as_dict(table), allow_nan=False)
