"""A Cox model judged at a horizon: the bootstrap's correction against an independent one, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate, NumericCovariate
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cox_repeated.validation import validate_cox
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.preparation import PreparationRules
from petct.survival.likelihood.penalised import Firth
from petct.survival.prediction.optimism import optimism_corrected
from petct.survival.prediction.procedures import AllFeatures
from tests.some import some


def _cohort(n: int, effect: float, n_noise: int, seed: int = 4) -> tuple[Outcome, FloatArray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1 + n_noise))
    survival, censoring = rng.exponential(size=n) * np.exp(-effect * x[:, 0]), rng.exponential(1.5, n)
    return Outcome(100 * np.minimum(survival, censoring), (survival <= censoring).astype(int)), x


def _covariates(x: FloatArray) -> list[Covariate]:
    return [NumericCovariate(f"x{j}", column) for j, column in enumerate(x.T)]


def test_concordance_and_slope_are_those_of_the_other_bootstrap() -> None:
    outcome, x = _cohort(70, 0.5, 2)
    found = validate_cox(outcome, _covariates(x), 60.0, seed=3)
    rules = PreparationRules(log1p="none", most_correlated=1.0)
    other = optimism_corrected(outcome, FeatureTable(("x0", "x1", "x2"), x), AllFeatures(rules), seed=3)
    assert found.concordance.apparent == pytest.approx(other.apparent_concordance, rel=1e-12)
    assert found.concordance.value == pytest.approx(other.concordance, rel=1e-9)
    assert (found.lower, found.upper) == pytest.approx((other.lower, other.upper), rel=1e-9)
    assert found.slope is not None
    assert found.slope.value == pytest.approx(other.shrinkage, rel=1e-6)
    assert found.slope.apparent == pytest.approx(1.0, rel=1e-6)


def test_a_model_of_noise_is_seen_through_and_a_true_one_is_not_hurt() -> None:
    outcome, x = _cohort(60, 0.0, 5)
    noise = validate_cox(outcome, _covariates(x), 60.0)
    assert noise.slope is not None
    assert noise.slope.value < 0.6
    assert noise.concordance.apparent - noise.concordance.value > 0.03
    assert any("No evidence that the model discriminates" in note for note in noise.notes)

    outcome, x = _cohort(400, 0.8, 0)
    true = validate_cox(outcome, _covariates(x), 60.0)
    assert true.slope is not None
    assert true.slope.value == pytest.approx(1.0, abs=0.03)
    assert true.concordance.optimism < 0.01
    for group in some(true.groups):
        assert group.corrected == pytest.approx(group.predicted, abs=0.12)
    # The extremes regress: what the fit promises the best and the worst group is corrected towards the middle.
    spread = [noise.groups[-1].corrected, noise.groups[0].corrected]
    seen = [noise.groups[-1].observed, noise.groups[0].observed]
    assert None not in (*spread, *seen)
    assert spread[0] - spread[1] < seen[0] - seen[1]  # type: ignore[operator]


def test_groups_hold_all_patients_and_the_seed_decides_the_resamples() -> None:
    outcome, x = _cohort(48, 0.5, 0)
    covariates = [*_covariates(x), CategoricalCovariate("sex", ["f", "m", "m"] * 16)]
    found = validate_cox(outcome, covariates, 60.0, penalty=Firth())
    assert sum(group.n for group in found.groups) == found.n == 48
    predicted = [group.predicted for group in found.groups]
    assert predicted == sorted(predicted)
    assert all(group.corrected is None or 0 <= group.corrected <= 1 for group in some(found.groups))
    assert found == validate_cox(outcome, covariates, 60.0, penalty=Firth())
    assert found != validate_cox(outcome, covariates, 60.0, penalty=Firth(), seed=1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"time": 1e6}, "HORIZON_BEYOND_FOLLOW_UP"),
        ({"n_resamples": 10}, "BOOTSTRAP_INVALID"),
        ({"entry": True}, "LEFT_TRUNCATION_UNSUPPORTED"),
        ({"events": 3}, "COX_TOO_FEW_EVENTS"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_a_code(change: dict[str, float], code: str) -> None:
    outcome, x = _cohort(60, 0.5, 0)
    if "entry" in change:
        outcome = Outcome(outcome.duration, outcome.event, entry=outcome.duration / 2)
    if "events" in change:
        outcome = Outcome(outcome.duration, (np.arange(60) < change["events"]).astype(int))
    with pytest.raises(SurvivalError) as caught:
        validate_cox(outcome, _covariates(x), change.get("time", 60.0), n_resamples=int(change.get("n_resamples", 200)))
    assert caught.value.code == code
