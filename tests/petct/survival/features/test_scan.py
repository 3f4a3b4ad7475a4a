"""The scan over many features: exact on noise, complete in its account, and not blind."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy.special import bdtr

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.power import minimum_detectable_hazard_ratio_per_sd
from petct.survival.cohort.results import as_dict
from petct.survival.cox.model import cox
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.permutation_null import permutation_null
from petct.survival.features.scan import scan
from petct.survival.likelihood.marginal import log_rank_scores
from tests.some import some


def _cohort(rng: np.random.Generator, x: np.ndarray, effect: float = 0.0) -> Outcome:
    event_time = rng.exponential(np.exp(-effect * x[:, 0]))
    censoring = rng.exponential(1.33, size=len(x))
    return Outcome(np.minimum(event_time, censoring), event_time <= censoring)


def _table(values: np.ndarray) -> FeatureTable:
    return FeatureTable(tuple(f"f{j}" for j in range(values.shape[1])), values)


def test_permutation_p_is_the_share_of_all_orders_of_the_patients() -> None:
    rng = np.random.default_rng(0)
    x = rng.lognormal(size=(7, 2))
    outcome = Outcome(np.array([1.0, 2, 2, 3, 4, 5, 5]), np.array([1, 1, 0, 1, 1, 0, 1]))
    scores, centred = log_rank_scores(outcome), x - x.mean(axis=0)
    orders = np.array(list(itertools.permutations(range(7))))
    statistics = np.abs(scores[orders] @ centred) / np.linalg.norm(centred, axis=0)
    seen = np.abs(scores @ centred) / np.linalg.norm(centred, axis=0)
    exact = (statistics >= seen - 1e-9).mean(axis=0)
    strongest, weaker = np.argsort(-seen)
    best = (statistics.max(axis=1) >= seen[strongest] - 1e-9).mean()
    found = permutation_null(outcome, x, n_permutations=40_000)
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.p_familywise[strongest] == pytest.approx(best, abs=0.01)
    # Step-down: the weaker one is compared with itself alone, but never below the stronger.
    assert found.p_familywise[weaker] == pytest.approx(max(best, exact[weaker]), abs=0.01)
    assert found.p_best == found.p_familywise[strongest]


def test_on_skewed_noise_something_is_found_in_five_percent_of_cohorts() -> None:
    hits = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        x = rng.lognormal(size=(40, 30))
        hits += permutation_null(_cohort(rng, x), x, n_permutations=199, seed=seed).p_best <= 0.05
    # The 99.9 % interval of 300 tosses at 5 %.
    assert bdtr(hits, 300, 0.05) > 0.0005
    assert bdtr(hits - 1, 300, 0.05) < 0.9995


def test_a_planted_feature_is_found_and_the_family_is_counted() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 40))
    outcome = _cohort(rng, x, 0.9)
    values = x.copy()
    values[:7, 1] = np.nan
    values[:, 2] = 5.0
    values[:, 3] = np.nan
    values[:, 4] = np.arange(120) < 4
    values[np.flatnonzero(outcome.event)[4:], 5] = np.nan
    result = scan(outcome, _table(values), units={"f0": "ml"}, stability=True)
    assert result.found[0] == "f0"
    assert (result.n_declared, result.n_tested) == (40, 36)
    assert [(each.name, each.code) for each in result.untested] == [
        ("f2", "CONSTANT"),
        ("f3", "ALL_MISSING"),
        ("f4", "ARM_TOO_SMALL"),
        ("f5", "TOO_FEW_EVENTS"),
    ]
    rows = {row.name: row for row in result.rows}
    assert (rows["f1"].n, rows["f1"].n_missing, rows["f1"].stability) == (113, 7, None)
    assert rows["f0"].stability >= result.stability_threshold  # type: ignore[operator]
    assert result.n_expected_uncorrected == pytest.approx(1.8)
    for row in some(result.rows):
        assert row.p <= row.p_bonferroni
        assert row.q <= row.p_bonferroni
        assert row.p_bonferroni == pytest.approx(min(1, 36 * row.p))
        expected = minimum_detectable_hazard_ratio_per_sd(row.n_events, 0.05 / 36)
        assert row.minimum_detectable_hazard_ratio == expected
    term = cox(outcome, [NumericCovariate("f0", values[:, 0], "ml")]).terms[0]
    ratio = rows["f0"].hazard_ratio
    assert ratio is not None
    assert (ratio.value, ratio.lower, ratio.upper) == pytest.approx((term.hazard_ratio, term.lower, term.upper))
    assert ratio.scale == term.scale
    assert json.loads(json.dumps(as_dict(result)))["n_tested"] == 36
    assert result == scan(outcome, _table(values), units={"f0": "ml"}, stability=True)


def test_what_volume_says_is_not_said_again() -> None:
    rng = np.random.default_rng(2)
    volume = rng.lognormal(3, 1, size=150)
    log_volume = np.log2(volume)
    own = rng.normal(size=150)
    proxy = log_volume + 0.3 * rng.normal(size=150)
    event_time = rng.exponential(np.exp(-(0.8 * log_volume + 0.8 * own)))
    outcome = Outcome(event_time, np.ones(150))
    table = FeatureTable(("proxy", "own", "copy"), np.column_stack([proxy, own, 3 * log_volume + 1]))
    result = scan(outcome, table, adjust_for=[NumericCovariate("volume", volume, "ml", "per_doubling")])
    rows = {row.name: row.adjusted for row in result.rows}
    assert result.adjusted_for == ("volume",)
    assert all(row.p_familywise <= 0.05 for row in some(row for row in result.rows if row.name != "own"))
    proxy_row, own_row, copy_row = rows["proxy"], rows["own"], rows["copy"]
    assert proxy_row is not None
    assert own_row is not None
    assert copy_row is not None
    assert proxy_row.p is not None
    assert own_row.p is not None
    assert proxy_row.p > 0.05
    assert own_row.p < 0.001
    assert proxy_row.spearman > 0.9
    assert copy_row.hazard_ratio is None
    assert copy_row.reason is not None
    assert copy_row.reason.code == "COLLINEAR"
    both = cox(
        outcome,
        [NumericCovariate("own", own), NumericCovariate("volume", volume, "ml", "per_doubling")],
    ).terms[0]
    assert own_row.hazard_ratio is not None
    assert own_row.hazard_ratio.value == pytest.approx(both.hazard_ratio)


def test_on_noise_the_words_are_no_evidence_and_what_could_have_been_seen() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(67, 50))
    result = scan(_cohort(rng, x), _table(x), n_permutations=999)
    assert result.found == ()
    text = " ".join(result.notes)
    assert "No evidence" in text
    assert "no effect" not in text
    assert "50 tests run and counted" in text
    assert "80 % power" in text


def test_the_verdict_counts_what_survives_and_says_what_could_have_been_seen() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 20))
    found = scan(_cohort(rng, x, 0.9), _table(x))
    q = {row.name: row.q for row in found.rows}
    assert found.discoveries == tuple(row.name for row in found.rows if q[row.name] <= 0.05)
    assert "f0" in found.discoveries
    # The threshold divides the features exactly as q does.
    assert {row.name for row in found.rows if row.p <= found.p_threshold} == set(found.discoveries)
    assert found.verdict.startswith(f"{len(found.discoveries)} of 20 features survive")
    assert f"{found.n_events} events detect a hazard ratio per SD of" in found.verdict
    assert f"{minimum_detectable_hazard_ratio_per_sd(found.n_events, 0.05 / 20):.2f}" in found.verdict
    noise = scan(_cohort(rng, rng.normal(size=(67, 1))), _table(rng.normal(size=(67, 50))), n_permutations=999)
    assert noise.discoveries == ()
    assert noise.p_threshold == pytest.approx(0.001)
    assert noise.verdict.startswith("None of 50 features survives")


def test_more_features_than_patients_and_separation_do_not_stop_a_scan() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(24, 60))
    outcome = Outcome(np.arange(1.0, 25), np.ones(24))
    x[:, 0] = -(np.arange(24) ** 3)
    result = scan(outcome, _table(x), n_permutations=999, stability=True)
    first = next(row for row in result.rows if row.name == "f0")
    assert first.hazard_ratio is None
    assert first.reason is not None
    assert first.reason.code == "COX_SEPARATION"
    assert first.p == 0.001


def test_what_cannot_be_scanned_is_refused() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(30, 3))
    outcome = _cohort(rng, x)
    few = Outcome(np.arange(1.0, 31), np.arange(30) < 4)
    together = Outcome(np.ones(30), np.ones(30))
    nine = Outcome(np.arange(1.0, 31), np.arange(30) < 9)
    holes = np.where(np.eye(30, 3) == 1, np.nan, x)
    cases = [
        (lambda: scan(few, _table(x)), "SCAN_TOO_FEW_EVENTS"),
        (lambda: scan(together, _table(x)), "NO_COMPARABLE_PAIRS"),
        (lambda: scan(outcome, _table(np.ones((30, 2)))), "SCAN_NOTHING_TO_TEST"),
        (lambda: scan(outcome, _table(x[:20])), "TABLE_LENGTH"),
        (lambda: scan(outcome, _table(x), n_permutations=0), "PERMUTATIONS_INVALID"),
        (lambda: scan(nine, _table(x), stability=True), "STABILITY_TOO_FEW_EVENTS"),
        (lambda: scan(outcome, _table(holes), stability=True), "STABILITY_MISSING"),
        (lambda: permutation_null(outcome, np.ones((30, 1))), "FEATURE_CONSTANT"),
    ]
    for ask, code in cases:
        with pytest.raises(SurvivalError) as caught:
            ask()
        assert caught.value.code == code
