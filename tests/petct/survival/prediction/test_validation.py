"""Discrimination, calibration, optimism and frozen models: known answers, and the same model in another cohort."""

from __future__ import annotations

import json

import numpy as np
import pytest

from petct.errors import PetctError, SurvivalError
from petct.survival.accuracy.calibration import calibration
from petct.survival.accuracy.concordance import concordance, uno_concordance
from petct.survival.accuracy.discrimination import discrimination
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict, read_json, write_json
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.preparation import PreparationRules
from petct.survival.prediction.frozen_model import (
    FrozenModel,
    freeze,
    read_model,
    refuse_own_cohort,
    validate_externally,
)
from petct.survival.prediction.optimism import optimism_corrected
from petct.survival.prediction.procedures import AllFeatures, BestUnivariable, ElasticNet

RULES = PreparationRules(log1p="none", most_correlated=None)
BASE = 0.5
"""Hazard of a patient whose features are all 0."""


def _cohort(n: int, seed: int, effect: float = 1.0, p: int = 4) -> tuple[Outcome, FeatureTable]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    event_time = rng.exponential(np.exp(-effect * x[:, 0]) / BASE)
    censoring = rng.uniform(0, 6, size=n)
    outcome = Outcome(np.minimum(event_time, censoring), event_time <= censoring, "year")
    return outcome, FeatureTable(tuple(f"f{j}" for j in range(p)), x)


def _true_probability(table: FeatureTable, time: float) -> np.ndarray:
    return -np.expm1(-BASE * np.exp(table.values[:, 0]) * time)


def test_true_probabilities_are_calibrated_and_distorted_ones_are_not() -> None:
    outcome, table = _cohort(2000, 0)
    probability = _true_probability(table, 2.0)
    found = calibration(outcome, probability, 2.0)
    assert found.slope is not None
    assert found.slope_lower is not None
    assert found.slope_upper is not None
    assert found.slope_lower < 1 < found.slope_upper
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < found.predicted < found.upper
    assert sum(group.n for group in found.groups) == 2000
    inside = [g.lower < g.predicted < g.upper for g in found.groups if g.lower is not None and g.upper is not None]
    assert len(inside) == 5
    assert sum(inside) >= 4
    predicted = [group.predicted for group in found.groups]
    assert predicted == sorted(predicted)
    # Half the log hazard ratio: twice the slope, because the predictor only changes its scale.
    timid = -np.expm1(-np.sqrt(-np.log1p(-probability)))
    assert calibration(outcome, timid, 2.0).slope == pytest.approx(2 * found.slope, rel=1e-3)
    low = calibration(outcome, probability / 2, 2.0)
    assert low.observed_to_expected == pytest.approx(2 * found.observed_to_expected)
    json.dumps(as_dict(found), allow_nan=False)


def test_equal_predictions_have_one_group_and_no_slope() -> None:
    outcome, _ = _cohort(60, 1)
    found = calibration(outcome, np.full(60, 0.3), 2.0)
    assert (found.slope, len(found.groups)) == (None, 1)
    assert any("No calibration slope" in note for note in found.notes)
    assert found.groups[0].observed == found.observed


def test_limits_of_discrimination_hold_the_value_and_follow_the_seed() -> None:
    outcome, table = _cohort(120, 2)
    risk, probability = table.values[:, 0], _true_probability(table, 2.0)
    found = discrimination(outcome, risk, horizon=2.0, probability=probability, n_resamples=200)
    assert found.harrell.value == concordance(outcome, risk).value
    assert found.uno.value == uno_concordance(outcome, risk)
    assert found.auc is not None
    assert found.brier is not None
    assert found.at_horizon is not None
    for estimate in (found.harrell, found.uno, found.auc, found.brier):
        assert estimate.lower < estimate.value < estimate.upper
    # The bootstrap and the infinitesimal jackknife estimate the same spread.
    error = concordance(outcome, risk).standard_error
    assert (found.harrell.upper - found.harrell.lower) / (2 * 1.96) == pytest.approx(error, rel=0.2)
    assert found.at_horizon.ipa is not None
    assert 0 < found.at_horizon.ipa < 1
    assert found == discrimination(outcome, risk, horizon=2.0, probability=probability, n_resamples=200)
    other = discrimination(outcome, risk, n_resamples=200, seed=1)
    assert other.harrell.lower != found.harrell.lower
    assert other.at_horizon is None
    noise = discrimination(outcome, np.random.default_rng(0).normal(size=120), n_resamples=200)
    assert any("No evidence" in note for note in noise.notes)


def test_the_optimism_of_noise_is_taken_back() -> None:
    corrected, apparent, notes = [], [], []
    for seed in range(4):
        outcome, table = _cohort(70, seed, effect=0.0, p=4)
        found = optimism_corrected(outcome, table, AllFeatures(RULES))
        corrected.append(found.concordance)
        apparent.append(found.apparent_concordance)
        assert found.concordance == pytest.approx(found.apparent_concordance - found.optimism)
        assert found.lower <= found.concordance <= found.upper
        assert found.optimism > 0.02
        assert found.shrinkage is not None
        assert found.shrinkage < 0.9
        assert any("nested cross-validation" in note for note in found.notes)
        notes += found.notes
    assert abs(np.mean(corrected) - 0.5) < 0.03 < np.mean(apparent) - 0.5
    assert any("No evidence" in note for note in notes)


def test_a_single_covariate_has_next_to_no_optimism() -> None:
    outcome, table = _cohort(150, 3)
    found = optimism_corrected(outcome, table.columns(["f0"]), AllFeatures(RULES))
    assert abs(found.optimism) < 0.01
    assert found.shrinkage == pytest.approx(1.0, abs=0.05)
    assert found.lower > 0.6


def test_a_frozen_model_is_the_same_model_elsewhere() -> None:
    outcome, table = _cohort(200, 4)
    model = freeze(
        outcome,
        table,
        ElasticNet(rules=RULES),
        endpoint="OS",
        snapshot_id="abc",
        quantiles=(1 / 3, 2 / 3),
        petlake_version="1",
    )
    text = write_json(model)
    back = read_model(text)
    assert back == model
    assert back.digest == model.digest
    assert "f0" in model.preparation.names
    other, features = _cohort(150, 5)
    assert np.array_equal(back.predictor(features), model.predictor(features))
    refuse_own_cohort(back, "another")
    refuse_own_cohort(back, None)
    with pytest.raises(SurvivalError, match="MODEL_OWN_COHORT"):
        refuse_own_cohort(back, "abc")
    found = validate_externally(back, other, features, 2.0, n_resamples=200)
    assert found.model_digest == model.digest
    assert found.discrimination.harrell.lower > 0.6
    assert found.groups.cut_points == model.cuts
    assert [curve.n for curve in found.groups.curves] == np.bincount(
        np.searchsorted(model.cuts, model.predictor(features))
    ).tolist()
    # What a patient is told does not depend on who else is in the cohort.
    some = features.rows(np.arange(10))
    assert np.array_equal(
        model.event_probability(some, np.array([1.0, 2.0])),
        model.event_probability(features, np.array([1.0, 2.0]))[:10],
    )
    probability = model.event_probability(features, np.array([0.0, 1.0, 2.0, 99.0]))
    assert np.all(probability[:, 0] == 0)
    assert np.all(np.diff(probability, axis=1) >= 0)
    assert np.abs(probability[:, 2] - _true_probability(features, 2.0)).mean() < 0.06
    json.dumps(as_dict(found), allow_nan=False)


def test_a_frozen_model_takes_its_harmonisation_along() -> None:
    outcome, table = _cohort(120, 10)
    scanner = tuple("AB"[i % 2] for i in range(120))
    shifted = FeatureTable(table.names, table.values + 3.0 * (np.arange(120) % 2)[:, None], scanner)
    procedure = BestUnivariable(1, PreparationRules(log1p="none", most_correlated=None, harmonise=True))
    model = read_model(write_json(freeze(outcome, shifted, procedure, petlake_version="1")))
    assert model.preparation.names == ("f0",)
    whole = procedure.fit(outcome, shifted, 0)
    assert model.predictor(shifted) == pytest.approx(whole.predictor(shifted), abs=1e-12)
    # The shift between the scanners is gone from the score.
    score = model.predictor(shifted)
    assert abs(score[::2].mean() - score[1::2].mean()) < 0.2 * score.std()
    with pytest.raises(PetctError, match="HARMONISATION_BATCH_MISSING"):
        model.predictor(table)


def test_predictions_of_the_fit_are_calibrated_in_the_fit() -> None:
    outcome, table = _cohort(300, 6)
    model = freeze(outcome, table, AllFeatures(RULES), petlake_version="1")
    found = calibration(outcome, model.event_probability(table, np.array([2.0]))[:, 0], 2.0)
    # Cox's own equation: the coefficient of its own predictor is 1.
    assert found.slope == pytest.approx(1.0, abs=1e-6)


def test_new_patients_with_gaps_are_filled_and_counted() -> None:
    outcome, table = _cohort(100, 7)
    model = freeze(outcome, table, AllFeatures(RULES), petlake_version="1")
    other, features = _cohort(80, 8)
    holes = features.values.copy()
    holes[:3, 0] = np.nan
    found = validate_externally(model, other, FeatureTable(features.names, holes), 2.0, n_resamples=200)
    assert found.n_filled == 3
    assert any("3 missing values" in note for note in found.notes)


def test_what_cannot_be_validated_is_refused() -> None:
    outcome, table = _cohort(60, 9)
    wide = FeatureTable(tuple(f"g{j}" for j in range(60)), np.random.default_rng(0).normal(size=(60, 60)))
    model = freeze(outcome, table, AllFeatures(RULES), petlake_version="1")
    days = Outcome(outcome.duration, outcome.event, "day")
    rare = Outcome(np.arange(1.0, 61), np.arange(60) < 1)
    later = write_json(model).replace('"format": 1', '"format": 2')
    half = np.full(60, 0.5)
    cases = [
        (lambda: optimism_corrected(outcome, wide, ElasticNet(rules=RULES)), "OPTIMISM_TOO_MANY_FEATURES"),
        (lambda: optimism_corrected(outcome, table, AllFeatures(RULES), n_resamples=199), "BOOTSTRAP_INVALID"),
        (lambda: discrimination(rare, table.values[:, 0]), "BOOTSTRAP_REFUSED"),
        (lambda: discrimination(outcome, half, horizon=1.0), "HORIZON_WITHOUT_PROBABILITY"),
        (lambda: calibration(outcome, np.zeros(60), 1.0), "PROBABILITY_INVALID"),
        (lambda: calibration(outcome, half, 99.0), "HORIZON_BEYOND_FOLLOW_UP"),
        (lambda: validate_externally(model, days, table, 1.0), "MODEL_UNIT"),
        (lambda: validate_externally(model, outcome, table.columns(["f0"]), 1.0), "FEATURE_UNKNOWN"),
        (lambda: freeze(outcome, table, AllFeatures(RULES), quantiles=(0.0,), petlake_version="1"), "CUTS_INVALID"),
        (lambda: read_model(later), "MODEL_FORMAT"),
        (lambda: read_model("[]"), "JSON_INVALID"),
        (lambda: read_json(FrozenModel, write_json(model)[:-20]), "JSON_INVALID"),
    ]
    for ask, code in cases:
        with pytest.raises(PetctError) as caught:
            ask()
        assert caught.value.code == code
    noise, features = _cohort(70, 1, effect=0.0, p=30)
    with pytest.raises(SurvivalError, match="MODEL_EMPTY"):
        freeze(noise, features, ElasticNet(penalty="1se", rules=RULES), petlake_version="1")
