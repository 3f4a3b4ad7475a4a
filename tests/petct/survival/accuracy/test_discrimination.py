"""Concordance, AUC(t) and Brier(t) by definition on small cohorts; R's numbers are in the survival exam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.errors import SurvivalError
from petct.survival.accuracy.concordance import concordance, uno_concordance
from petct.survival.accuracy.pair_counts import pair_counts
from petct.survival.accuracy.prediction_error import auc_at, brier_at, horizon_score, integrated_brier
from petct.survival.cohort.outcome import Outcome
from petct.survival.likelihood.baseline import baseline_hazard
from tests.petct.survival.reference import load, outcome_of


def test_a_score_at_a_horizon_counts_its_cases_and_controls(petlake_data: Path) -> None:
    # The numbers themselves are R's, in the survival exam.
    reference = load(petlake_data)
    outcome = outcome_of(reference, "gbsg2")
    risk = reference.table("gbsg2")["pnodes"].to_numpy(dtype=np.float64)
    probability = baseline_hazard(outcome, risk / 20).event_probability(risk / 20, np.array([1095.0]))[:, 0]
    score = horizon_score(outcome, risk, probability, 1095.0)
    assert score.n_cases + score.n_controls + score.n_censored == outcome.n == score.n
    assert score.auc == auc_at(outcome, risk, 1095.0)
    assert score.brier == brier_at(outcome, probability, 1095.0)


_COHORTS = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(1, 6), min_size=n, max_size=n),
        st.lists(st.booleans(), min_size=n, max_size=n).filter(any),
        st.lists(st.integers(-3, 3), min_size=n, max_size=n),
    )
)


@given(_COHORTS)
def test_pairs_are_counted_as_one_would_by_hand(cohort: tuple[list[int], list[bool], list[int]]) -> None:
    duration, event, risk = (np.array(each, dtype=np.float64) for each in cohort)
    outcome = Outcome(duration, event)
    counts = pair_counts(outcome, risk)
    dead = event == 1
    known = dead[:, None] & ((duration > duration[:, None]) | ((duration == duration[:, None]) & ~dead))
    credit = known * ((risk < risk[:, None]) + 0.5 * (risk == risk[:, None]))
    assert np.array_equal(counts.outlived_by, known.sum(axis=1))
    assert np.array_equal(counts.agree, credit.sum(axis=1))
    assert np.array_equal(counts.survived, known.sum(axis=0))
    assert np.array_equal(counts.survived_agree, credit.sum(axis=0))


def test_without_censoring_the_weights_are_one() -> None:
    rng = np.random.default_rng(0)
    duration, risk = rng.exponential(size=40), rng.normal(size=40)
    outcome = Outcome(duration, np.ones(40))
    assert uno_concordance(outcome, risk) == pytest.approx(concordance(outcome, risk).value, rel=1e-12)
    died = duration <= 0.7
    probability = rng.uniform(size=40)
    assert brier_at(outcome, probability, 0.7) == pytest.approx(np.mean((died - probability) ** 2), rel=1e-12)
    wins = (risk[died][:, None] > risk[~died]).mean()
    assert auc_at(outcome, risk, 0.7) == pytest.approx(wins, rel=1e-12)


def test_integrated_brier_is_the_integral() -> None:
    rng = np.random.default_rng(1)
    outcome = Outcome(rng.integers(1, 12, 60).astype(float), rng.random(60) < 0.6)
    predictor = rng.normal(size=60)
    baseline = baseline_hazard(outcome, predictor)
    found = integrated_brier(outcome, lambda times: baseline.event_probability(predictor, times), 9.5)
    middle = np.arange(0.25, 9.5, 0.5)
    at = [
        horizon_score(outcome, predictor, baseline.event_probability(predictor, np.array([t]))[:, 0], t)
        for t in middle
        if t >= 1
    ]
    # Nobody dies before time 1, and everyone is predicted to live: nothing is added there.
    assert found.brier == pytest.approx(sum(each.brier for each in at) * 0.5 / 9.5, rel=1e-12)
    assert found.brier_null == pytest.approx(sum(each.brier_null for each in at) * 0.5 / 9.5, rel=1e-12)


def test_what_has_no_score_is_refused() -> None:
    outcome = Outcome(np.array([2.0, 3.0, 4.0]), np.array([1, 1, 0]))
    risk = np.array([3.0, 2.0, 1.0])
    for ask, code in (
        (lambda: auc_at(outcome, risk, 1.0), "HORIZON_NO_CASES"),
        (lambda: auc_at(outcome, risk, 4.0), "HORIZON_NO_CONTROLS"),
        (lambda: brier_at(outcome, risk, 3.0), "PROBABILITY_INVALID"),
        (lambda: concordance(outcome, np.array([1.0, np.nan, 2.0])), "RISK_INVALID"),
        (lambda: uno_concordance(Outcome(np.ones(3), np.ones(3)), risk), "NO_COMPARABLE_PAIRS"),
    ):
        with pytest.raises(SurvivalError) as caught:
            ask()
        assert caught.value.code == code


def test_late_entry_counts_in_the_baseline_and_is_refused_where_predictions_are_judged() -> None:
    late = Outcome(np.array([2.0, 3.0, 4.0]), np.array([1, 1, 1]), entry=np.array([0.0, 2.5, 0.0]))
    # At 2 the second is not there yet: 1/2; at 3 all of two: 1/2; at 4: 1.
    assert baseline_hazard(late, np.zeros(3)).cumulative == pytest.approx([0.5, 1.0, 2.0])
    # A predictor moved by a constant moves the baseline the other way.
    assert baseline_hazard(late, np.full(3, 2.0)).cumulative == pytest.approx(np.array([0.5, 1.0, 2.0]) / np.exp(2))
    for ask in (
        lambda: concordance(late, np.zeros(3)),
        lambda: auc_at(late, np.zeros(3), 3.0),
        lambda: brier_at(late, np.zeros(3), 3.0),
    ):
        with pytest.raises(SurvivalError, match="LEFT_TRUNCATION_UNSUPPORTED"):
            ask()
