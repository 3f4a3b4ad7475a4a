"""Nested cross-validation and the procedures it repeats: nothing leaks, a signal is found, noise is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from petct.errors import FeatureError, SurvivalError
from petct.survival.accuracy.concordance import concordance
from petct.survival.cohort.outcome import Outcome, event_stratified_folds
from petct.survival.cohort.results import as_dict
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.preparation import PreparationRules
from petct.survival.likelihood.marginal import log_rank_scores, marginal_z
from petct.survival.likelihood.partial_likelihood import RiskSets
from petct.survival.prediction.cross_validation import nested_cross_validation
from petct.survival.prediction.procedures import (
    AllFeatures,
    BestUnivariable,
    ElasticNet,
    LinearRisk,
    PrincipalComponents,
    Procedure,
)

PLAIN = PreparationRules(log1p="none", most_correlated=None)
PROCEDURES: list[Procedure] = [
    BestUnivariable(3, PLAIN),
    ElasticNet(rules=PLAIN, n_penalties=12),
    ElasticNet(l1_ratio=0.5, penalty="1se", rules=PLAIN, n_penalties=12),
    PrincipalComponents(2, PLAIN),
]


def _cohort(effect: float, n: int = 80, p: int = 40, seed: int = 0) -> tuple[Outcome, FeatureTable]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    event_time, censoring = rng.exponential(np.exp(-effect * x[:, 0])), rng.exponential(1.5, size=n)
    outcome = Outcome(np.minimum(event_time, censoring), event_time <= censoring)
    return outcome, FeatureTable(tuple(f"f{j}" for j in range(p)), x)


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda each: each.description)
def test_a_planted_effect_is_found_and_the_result_is_plain(procedure: Procedure) -> None:
    outcome, table = _cohort(1.5)
    if isinstance(procedure, PrincipalComponents):
        # A component of many features carries the signal here.
        values = table.values.copy()
        values[:, 1:20] = values[:, [0]] + 0.5 * values[:, 1:20]
        table = FeatureTable(table.names, values)
    found = nested_cross_validation(outcome, table, procedure, n_repeats=1)
    assert found.concordance > 0.7
    assert found.lower < found.concordance < found.upper
    assert found.selected[0].share == 1.0
    assert any(each.name == "f0" and each.share == 1.0 for each in found.selected)
    assert json.loads(json.dumps(as_dict(found)))["n_features"] == 40
    assert found == nested_cross_validation(outcome, table, procedure, n_repeats=1)


def test_probabilities_of_patients_left_out_are_judged_at_a_horizon() -> None:
    outcome, table = _cohort(1.2, n=120, p=4)
    real = nested_cross_validation(outcome, table, AllFeatures(PLAIN), n_repeats=2, horizon=1.0).accuracy
    assert real is not None
    assert real.n_repeats == 2
    assert real.ipa is not None
    assert real.ipa > 0.1
    assert real.predicted == pytest.approx(real.observed, abs=0.03)
    noise, features = _cohort(0.0, n=120, p=4)
    null = nested_cross_validation(noise, features, AllFeatures(PLAIN), n_repeats=2, horizon=1.0).accuracy
    assert null is not None
    assert null.ipa is not None
    assert null.ipa < 0
    empty = nested_cross_validation(
        noise, features, ElasticNet(penalty="1se", rules=PLAIN, n_penalties=6), n_repeats=1, horizon=1.0
    )
    assert empty.accuracy is not None
    # Nothing selected: everyone gets the training parts' curve (Breslow's and the product-limit estimate differ a
    # little).
    assert empty.accuracy.brier == pytest.approx(empty.accuracy.brier_null, rel=0.01)
    with pytest.raises(SurvivalError, match="HORIZON_NO_CONTROLS"):
        nested_cross_validation(noise, features, AllFeatures(PLAIN), horizon=1e6)


class _Memory:
    """A procedure that remembers the training patients, to see what reaches it."""

    description = "memory"

    def __init__(self) -> None:
        self.seen: list[set[float]] = []

    def fit(self, outcome: Outcome, table: FeatureTable, seed: int) -> LinearRisk:
        assert np.array_equal(outcome.duration, table.values[:, 0])
        self.seen.append(set(table.values[:, 0].tolist()))
        return AllFeatures(PLAIN).fit(outcome, table.columns(["f1"]), seed)


def test_training_parts_never_hold_the_patients_they_are_tested_on() -> None:
    outcome, table = _cohort(0.0, n=40, p=3)
    values = table.values.copy()
    values[:, 0] = outcome.duration
    procedure = _Memory()
    nested_cross_validation(outcome, FeatureTable(table.names, values), procedure, n_folds=4, n_repeats=2)
    everyone = set(outcome.duration.tolist())
    assert procedure.seen[0] == everyone
    for repeat in (procedure.seen[1:5], procedure.seen[5:9]):
        left_out = [everyone - part for part in repeat]
        assert sorted(len(part) for part in left_out) == [10] * 4
        assert set().union(*left_out) == everyone


def test_on_noise_the_naive_concordance_is_high_and_the_nested_one_is_not() -> None:
    nested, naive = [], []
    for seed in range(12):
        outcome, table = _cohort(0.0, n=67, p=100, seed=seed)
        found = nested_cross_validation(outcome, table, BestUnivariable(5, PLAIN), n_repeats=1, seed=seed)
        nested.append(found.concordance)
        naive.append(found.apparent_concordance)
    assert np.mean(naive) > 0.7
    assert abs(np.mean(nested) - 0.5) < 2 * np.std(nested, ddof=1) / np.sqrt(12)


def test_where_nothing_is_selected_the_concordance_is_one_half() -> None:
    outcome, table = _cohort(0.0, seed=1)
    found = nested_cross_validation(outcome, table, ElasticNet(penalty="1se", rules=PLAIN, n_penalties=6), n_repeats=1)
    assert found.n_empty == found.n_fits == 5
    assert found.concordance == 0.5
    assert found.selected == ()
    assert any("Nothing was selected in 5 of 5" in note for note in found.notes)
    assert any("No evidence" in note for note in found.notes)


def test_a_procedure_that_fails_in_the_folds_is_refused_and_one_failure_is_told() -> None:
    outcome, table = _cohort(0.0, n=60, p=4)
    values = table.values.copy()
    values[:, 0] = np.where(np.arange(60) == int(np.flatnonzero(outcome.event)[0]), 1.0, 0.0)
    rare = FeatureTable(table.names, values)
    rules = PreparationRules(log1p="none", most_correlated=None, frequency_ratio=1e9)
    with pytest.raises(SurvivalError) as caught:
        nested_cross_validation(outcome, FeatureTable(("f0",), values[:, :1]), AllFeatures(rules), n_repeats=1)
    assert caught.value.code == "CROSS_VALIDATION_REFUSED"
    assert "PREPARATION_NOTHING_LEFT" in (caught.value.found or "")
    assert nested_cross_validation(outcome, rare, AllFeatures(rules), n_repeats=1).n_refused == 0
    few = Outcome(np.arange(1.0, 61), np.arange(60) < 3)
    for ask, code in (
        (lambda: nested_cross_validation(few, table, BestUnivariable(1)), "FOLDS_INVALID"),
        (lambda: nested_cross_validation(outcome, table.rows(np.arange(10)), AllFeatures()), "TABLE_LENGTH"),
        (lambda: nested_cross_validation(few, table, BestUnivariable(1), n_folds=1), "FOLDS_INVALID"),
        (lambda: nested_cross_validation(few, table, AllFeatures()), "COX_TOO_FEW_EVENTS"),
    ):
        with pytest.raises(SurvivalError) as caught:
            ask()
        assert caught.value.code == code


def test_duplicated_features_are_one_in_a_penalised_model_and_refused_in_a_plain_one() -> None:
    outcome, table = _cohort(1.0, p=3)
    doubled = FeatureTable((*table.names, "again"), np.column_stack([table.values, table.values[:, 0]]))
    with pytest.raises(SurvivalError, match="COVARIATE_COLLINEAR"):
        AllFeatures(PLAIN).fit(outcome, doubled, 0)
    once = ElasticNet(rules=PLAIN, n_penalties=8).fit(outcome, table, 0).predictor(table)
    twice = ElasticNet(rules=PLAIN, n_penalties=8).fit(outcome, doubled, 0).predictor(doubled)
    assert twice == pytest.approx(once, abs=1e-5)
    assert AllFeatures(PreparationRules(log1p="none")).fit(outcome, doubled, 0).preparation.names == table.names


def test_scanners_that_differ_in_survival_are_not_harmonised() -> None:
    outcome, table = _cohort(0.0)
    early = outcome.duration < np.median(outcome.duration)
    rules = PreparationRules(log1p="none", harmonise=True)
    by_outcome = FeatureTable(table.names, table.values, tuple("A" if each else "B" for each in early))
    with pytest.raises(FeatureError, match="HARMONISATION_CONFOUNDED"):
        nested_cross_validation(outcome, by_outcome, BestUnivariable(2, rules), n_repeats=1)
    shifted = table.values + 5.0 * (np.arange(table.n) % 2)[:, None]
    by_chance = FeatureTable(table.names, shifted, tuple("AB"[i % 2] for i in range(table.n)))
    assert nested_cross_validation(outcome, by_chance, BestUnivariable(2, rules), n_repeats=1).n_refused == 0


def test_folds_share_events_and_patients_evenly() -> None:
    outcome, _ = _cohort(0.0, n=67)
    fold = event_stratified_folds(outcome, 5, np.random.default_rng(0))
    assert np.ptp(np.bincount(fold)) <= 1
    assert np.ptp(np.bincount(fold[outcome.event == 1])) <= 1


def test_marginal_statistics_are_those_of_the_score_test() -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([rng.normal(size=(50, 3)), np.ones(50)])
    outcome = Outcome(rng.integers(1, 9, 50).astype(float), rng.random(50) < 0.6)
    z = marginal_z(outcome, x)
    for j in range(3):
        terms = RiskSets.of(outcome.duration, outcome.event, x[:, [j]]).evaluate(np.zeros(1))
        assert z[j] == pytest.approx(terms.score[0] / np.sqrt(terms.information[0, 0]), rel=1e-10)
    assert z[3] == 0
    scores = log_rank_scores(outcome)
    assert scores.sum() == pytest.approx(0, abs=1e-12)
    assert (scores @ x[:, 0]) == pytest.approx(
        RiskSets.of(outcome.duration, outcome.event, x[:, [0]]).evaluate(np.zeros(1)).score[0]
    )


def test_components_and_coefficients_of_features_are_one_model() -> None:
    outcome, table = _cohort(0.8, p=6)
    whole = PrincipalComponents(6, PLAIN).fit(outcome, table, 0)
    plain = AllFeatures(PLAIN).fit(outcome, table, 0)
    assert whole.coefficients == pytest.approx(plain.coefficients, abs=1e-8)
    assert concordance(outcome, plain.predictor(table)).value > 0.6
