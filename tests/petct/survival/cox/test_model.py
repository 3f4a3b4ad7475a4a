"""Cox model: scales, refusals, properties, an independent implementation, and its honesty."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate, design_of
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.cox.model import cox
from petct.survival.likelihood.partial_likelihood import RiskSets
from tests.petct.survival.reference import columns_of, load, outcome_of
from tests.some import some

N = 67


def _cohort(seed: int = 1, n: int = N, log_ratio: float = 0.0) -> tuple[Outcome, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    duration = np.ceil(1400 * rng.exponential(size=n) * np.exp(-log_ratio * x))
    return Outcome(duration, (rng.random(n) < 0.6).astype(int)), x


def test_a_scale_changes_the_coefficient_and_nothing_else() -> None:
    outcome, x = _cohort(log_ratio=0.5)
    values = np.exp(x)
    as_is = cox(outcome, [NumericCovariate("v", values, "ml", "as_is")])
    per_sd = cox(outcome, [NumericCovariate("v", values, "ml")])
    sd = values.std(ddof=1)
    assert per_sd.terms[0].scale == f"per SD ({sd:.3g} ml)"
    assert as_is.terms[0].scale == "per 1 ml"
    assert per_sd.terms[0].coefficient == pytest.approx(as_is.terms[0].coefficient * sd, rel=1e-9)
    assert per_sd.terms[0].p == pytest.approx(as_is.terms[0].p, rel=1e-9)
    doubling = cox(outcome, [NumericCovariate("v", values, "ml", "per_doubling")])
    logarithm = cox(outcome, [NumericCovariate("v", np.log2(values), None, "as_is")])
    assert doubling.terms[0].scale == "per doubling"
    assert doubling.terms[0].hazard_ratio == pytest.approx(logarithm.terms[0].hazard_ratio, rel=1e-9)


def test_zeros_have_no_doubling_unless_a_rule_is_stated() -> None:
    outcome, x = _cohort()
    values = np.exp(x)
    values[:4] = 0.0
    with pytest.raises(SurvivalError) as caught:
        cox(outcome, [NumericCovariate("volume", values, "ml", "per_doubling")])
    assert (caught.value.code, caught.value.keyword) == ("COVARIATE_NOT_POSITIVE", "volume")
    result = cox(outcome, [NumericCovariate("volume", values, "ml", "per_doubling", "half_minimum")])
    assert result.notes[0].startswith("volume: 4 zeros put at half the smallest positive value")
    with pytest.raises(SurvivalError, match="COVARIATE_NOT_POSITIVE"):
        cox(outcome, [NumericCovariate("volume", x, "ml", "per_doubling", "half_minimum")])


def test_categories_have_a_reference_level() -> None:
    outcome, _ = _cohort(n=90)
    grades = ["G1"] * 30 + ["G2"] * 40 + ["G3"] * 20
    result = cox(outcome, [CategoricalCovariate("grade", grades)])
    assert [term.scale for term in result.terms] == ["G1 vs G2", "G3 vs G2"]
    chosen = cox(outcome, [CategoricalCovariate("grade", grades, "G1")])
    assert [term.level for term in chosen.terms] == ["G2", "G3"]
    assert chosen.terms[0].coefficient == pytest.approx(-result.terms[0].coefficient, rel=1e-8)
    assert chosen.log_likelihood == pytest.approx(result.log_likelihood, rel=1e-12)
    (test,) = chosen.proportional_hazards.terms
    assert test.df == 2
    assert test.chi_squared == pytest.approx(chosen.proportional_hazards.global_test.chi_squared)


def test_a_small_level_shows_no_p_value() -> None:
    outcome, x = _cohort(n=90)
    result = cox(outcome, [CategoricalCovariate("site", ["a"] * 81 + ["b"] * 9), NumericCovariate("x", x)])
    assert [term.p is None for term in result.terms] == [True, False]
    assert result.terms[0].p_suppressed is not None
    assert result.terms[0].p_suppressed.code == "ARM_TOO_SMALL"
    assert result.overall.p is None
    binary = (np.arange(90) < 9).astype(float)
    assert cox(outcome, [NumericCovariate("b", binary)]).terms[0].p is None


def test_missing_covariates_leave_complete_cases_and_say_how_many() -> None:
    outcome, x = _cohort()
    gaps, grades = x.copy(), ["a", "b"] * 33 + [None]
    gaps[:5] = np.nan
    result = cox(outcome, [NumericCovariate("x", gaps), CategoricalCovariate("g", grades)])
    assert (result.n, result.n_missing) == (61, 6)
    assert "6 patients without all covariates left out (complete cases): n = 61." in result.notes


def test_few_events_per_parameter_are_noted_and_fewer_refused() -> None:
    rng = np.random.default_rng(3)
    for n_events, refused in ((14, True), (15, False)):
        outcome = Outcome(rng.exponential(size=60), [1] * n_events + [0] * (60 - n_events))
        covariates = [NumericCovariate(name, rng.normal(size=60)) for name in "abc"]
        if refused:
            with pytest.raises(SurvivalError) as caught:
                cox(outcome, covariates)
            assert (caught.value.code, caught.value.found) == ("COX_TOO_FEW_EVENTS", "14 events for 3 parameters")
        else:
            assert any("5.0 events per parameter" in note for note in cox(outcome, covariates).notes)


def _separated(kind: str) -> list[NumericCovariate]:
    outcome, x = _cohort()
    order = np.argsort(np.argsort(outcome.duration))
    half = (order < N // 2).astype(float)
    return {
        "binary": [NumericCovariate("s", half)],
        "continuous": [NumericCovariate("s", -outcome.duration)],
        "with noise": [NumericCovariate("s", half), NumericCovariate("x", x)],
        "wide scale": [NumericCovariate("s", 1e9 * half, scale="as_is")],
    }[kind]


@pytest.mark.parametrize("kind", ["binary", "continuous", "with noise", "wide scale"])
def test_perfect_separation_is_refused(kind: str) -> None:
    outcome, _ = _cohort()
    with pytest.raises(SurvivalError) as caught:
        cox(Outcome(outcome.duration, np.ones(N)), _separated(kind))
    assert (caught.value.code, caught.value.keyword) == ("COX_SEPARATION", "s")


def test_a_level_without_events_is_refused() -> None:
    outcome, _ = _cohort()
    with pytest.raises(SurvivalError) as caught:
        cox(
            Outcome(outcome.duration, [0] * 20 + [1] * 47),
            [CategoricalCovariate("site", ["liver"] * 20 + ["bone"] * 47)],
        )
    assert (caught.value.code, caught.value.keyword) == ("COX_SEPARATION", "site: liver")


def test_a_strong_but_finite_effect_is_not_taken_for_separation() -> None:
    outcome, x = _cohort(log_ratio=3.0)
    result = cox(outcome, [NumericCovariate("x", x, scale="as_is")])
    assert 2.0 < result.terms[0].coefficient < 4.5


@pytest.mark.parametrize(
    ("covariates", "code", "keyword"),
    [
        ([], "COX_NO_COVARIATES", None),
        ([NumericCovariate("a", np.ones(N))], "COVARIATE_CONSTANT", "a"),
        ([CategoricalCovariate("a", ["x"] * N)], "COVARIATE_CONSTANT", "a"),
        ([NumericCovariate("a", np.full(N, np.nan))], "COX_NO_COMPLETE_CASES", None),
        ([NumericCovariate("a", np.full(N, np.inf))], "COVARIATE_NOT_FINITE", "a"),
        ([NumericCovariate("a", np.arange(5.0))], "COVARIATE_LENGTH", "a"),
        ([NumericCovariate("a", np.arange(N)), NumericCovariate("a", np.arange(N))], "COVARIATE_DUPLICATE", "a"),
        ([NumericCovariate("a", np.arange(N)), NumericCovariate("b", 3 - np.arange(N))], "COVARIATE_COLLINEAR", "b"),
        ([CategoricalCovariate("a", ["x", *"y" * (N - 1)], "z")], "COVARIATE_REFERENCE_UNKNOWN", "a"),
    ],
)
def test_models_that_cannot_be_are_refused(covariates: list, code: str, keyword: str | None) -> None:  # type: ignore[type-arg]
    with pytest.raises(SurvivalError) as caught:
        cox(_cohort()[0], covariates)
    assert (caught.value.code, caught.value.keyword) == (code, keyword)


def test_all_events_at_one_time_are_refused() -> None:
    with pytest.raises(SurvivalError, match="NO_COMPARABLE_PAIRS"):
        cox(Outcome([5.0] * 30, [1] * 30), [NumericCovariate("x", np.arange(30))])


def test_an_unknown_transform_is_refused() -> None:
    outcome, x = _cohort()
    with pytest.raises(SurvivalError, match="TRANSFORM_UNKNOWN"):
        cox(outcome, [NumericCovariate("x", x)], transform="log")  # type: ignore[arg-type]


def test_the_score_is_the_slope_of_the_likelihood() -> None:
    rng = np.random.default_rng(2)
    design = rng.normal(size=(40, 3))
    sets = RiskSets.of(rng.integers(1, 6, 40).astype(float), rng.integers(0, 2, 40), design)
    beta, h = np.array([0.3, -0.2, 0.1]), 1e-5
    at = sets.evaluate(beta)
    for j, unit in some(enumerate(np.eye(3))):
        up, down = sets.evaluate(beta + h * unit), sets.evaluate(beta - h * unit)
        assert at.score[j] == pytest.approx((up.log_likelihood - down.log_likelihood) / (2 * h), rel=1e-6)
        assert at.information[j] == pytest.approx(-(up.score - down.score) / (2 * h), rel=1e-6)


def test_the_order_of_patients_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    duration, event, x = rng.integers(1, 9, N), rng.integers(0, 2, N), rng.normal(size=N)
    order = rng.permutation(N)
    one = cox(Outcome(duration, event), [NumericCovariate("x", x)])
    other = cox(Outcome(duration[order], event[order]), [NumericCovariate("x", x[order])])
    assert one.terms[0].coefficient == pytest.approx(other.terms[0].coefficient, rel=1e-9)
    assert one.concordance == pytest.approx(other.concordance, abs=1e-12)
    assert one.proportional_hazards.global_test.chi_squared == pytest.approx(
        other.proportional_hazards.global_test.chi_squared, rel=1e-8
    )


def test_lifelines_finds_the_same_model(petlake_data: Path) -> None:
    with warnings.catch_warnings():
        # lifelines reaches deprecated names of pandas and numpy while it is imported and while it fits.
        warnings.simplefilter("ignore")
        from lifelines import CoxPHFitter

        reference = load(petlake_data)
        columns = columns_of(reference.table("rossi"), ["fin", "age", "prio"])
        outcome = outcome_of(reference, "rossi")
        frame = pd.DataFrame({**columns, "t": outcome.duration, "e": outcome.event})
        fitter = CoxPHFitter().fit(frame, "t", "e", fit_options={"precision": 1e-10})
    result = cox(outcome, [NumericCovariate(name, values, scale="as_is") for name, values in columns.items()])
    assert [term.coefficient for term in result.terms] == pytest.approx(list(fitter.params_), rel=1e-7)
    assert [term.standard_error for term in result.terms] == pytest.approx(list(fitter.standard_errors_), rel=1e-7)
    assert result.log_likelihood == pytest.approx(fitter.log_likelihood_, rel=1e-10)
    assert result.concordance == pytest.approx(fitter.concordance_index_, rel=1e-10)


def test_a_null_result_says_no_evidence_and_what_could_have_been_seen() -> None:
    rng = np.random.default_rng(8)
    outcome = Outcome(rng.exponential(size=N), [1] * 38 + [0] * 29)
    result = cox(outcome, [NumericCovariate("uptake", rng.normal(size=N))])
    text = " ".join(result.notes)
    assert "No evidence of an association of uptake" in text
    assert "no effect" not in text.lower()
    assert "38 events detect a hazard ratio per SD of 1.58 or more" in text
    json.dumps(as_dict(result), allow_nan=False)


def test_a_planted_effect_is_covered_by_its_interval() -> None:
    covered = 0
    for seed in range(200):
        outcome, x = _cohort(seed, log_ratio=np.log(1.8))
        (term,) = cox(outcome, [NumericCovariate("x", x, scale="as_is")], permutations=0).terms
        covered += term.lower <= 1.8 <= term.upper
    assert covered >= 178  # 99.9 % of binomial(200, 0.95) lie above


def test_a_design_says_what_each_column_is() -> None:
    design = design_of([NumericCovariate("a", [1.0, 2.0, 4.0]), CategoricalCovariate("g", ["x", "y", "x"])], 3)
    assert [column.name for column in design.columns] == ["a", "g: y"]
    assert design.matrix[:, 1].tolist() == [0.0, 1.0, 0.0]
