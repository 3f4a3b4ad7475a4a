"""Penalised Cox models: other programs' numbers, the conditions of the optimum, and the limits of the path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import Outcome
from petct.survival.likelihood.elastic_net import ElasticNetPath, elastic_net_path
from petct.survival.likelihood.partial_likelihood import RiskSets, maximise
from tests.petct.survival.reference import load, outcome_of

# skglm 0.5, CoxEstimator(alpha, l1_ratio, method="efron", tol=1e-12), z-scored age, tsize, pnodes, progrec, estrec.
SKGLM = [
    (0.05, 1.0, (0.0, 0.026685714230899535, 0.25456549539601314, -0.20567579834222, 0.0)),
    (0.04, 1.0, (0.0, 0.04431991476334564, 0.2599268433377294, -0.25621091101266835, 0.0)),
    (0.05, 0.5, (0.0, 0.06948056295662988, 0.2610400255140872, -0.2989652334108629, 0.0)),
]


def _gbsg2(data: Path) -> tuple[Outcome, np.ndarray]:
    reference = load(data)
    x = reference.table("gbsg2")[["age", "tsize", "pnodes", "progrec", "estrec"]].to_numpy(dtype=np.float64)
    return outcome_of(reference, "gbsg2"), (x - x.mean(axis=0)) / x.std(axis=0)


def _cohort(n: int = 60, p: int = 90, seed: int = 0) -> tuple[Outcome, np.ndarray]:
    """Correlated features, tied times, more features than patients."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)) @ rng.normal(size=(6, p)) + 0.5 * rng.normal(size=(n, p))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    duration = np.ceil(10 * rng.exponential(np.exp(-0.7 * x[:, 0])))
    return Outcome(duration, rng.random(n) < 0.6), x


def _subgradient_gap(outcome: Outcome, x: np.ndarray, path: ElasticNetPath) -> float:
    """How far the optimum's conditions are from holding, over all penalties and features."""
    worst = 0.0
    for penalty, beta in zip(path.penalties, path.coefficients, strict=True):
        gradient = -RiskSets.of(outcome.duration, outcome.event, x).evaluate(beta).score / outcome.n
        gradient = gradient + penalty * (1 - path.l1_ratio) * beta
        limit = penalty * path.l1_ratio
        inside = np.abs(gradient + limit * np.sign(beta))
        worst = max(worst, np.where(beta != 0, inside, np.abs(gradient) - limit).max())
    return float(worst)


def test_other_programs_find_the_same(petlake_data: Path) -> None:
    outcome, x = _gbsg2(petlake_data)
    for penalty, l1_ratio, expected in SKGLM:
        path = elastic_net_path(outcome, x, l1_ratio=l1_ratio, penalties=np.array([penalty]), tolerance=1e-11)
        assert path.coefficients[0] == pytest.approx(np.array(expected), abs=1e-10)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
def test_every_point_of_the_path_is_the_optimum(l1_ratio: float) -> None:
    outcome, x = _cohort()
    path = elastic_net_path(outcome, x, l1_ratio=l1_ratio, tolerance=1e-9, most_selected=x.shape[1])
    assert len(path.penalties) == 30
    assert path.n_selected[0] == 0
    assert path.n_selected[-1] > 5
    assert _subgradient_gap(outcome, x, path) <= 1.0001e-9
    assert np.all(np.diff(path.log_likelihood) > 0)


def test_a_vanishing_penalty_gives_the_unpenalised_model(petlake_data: Path) -> None:
    outcome, x = _gbsg2(petlake_data)
    fit = maximise(RiskSets.of(outcome.duration, outcome.event, x), tuple("abcde"))
    path = elastic_net_path(outcome, x, penalties=np.array([1e-3, 1e-9]), tolerance=1e-11)
    assert path.coefficients[-1] == pytest.approx(fit.coefficients, abs=1e-6)


def test_the_path_ends_where_the_model_is_saturated() -> None:
    outcome, x = _cohort(30, 200)
    strongest = elastic_net_path(outcome, x, n_penalties=1).penalties[0]
    path = elastic_net_path(outcome, x, penalties=strongest * np.geomspace(1.0, 1e-4, 40))
    assert len(path.penalties) < 40
    assert 0 < path.n_selected.max() <= outcome.n_events
    separated = np.where(np.arange(20) < 10, -1.0, 1.0)[:, None]
    ordered = Outcome(np.arange(20.0, 0, -1), np.ones(20))
    strongest = elastic_net_path(ordered, separated, n_penalties=1).penalties[0]
    found = elastic_net_path(ordered, separated, penalties=strongest * np.geomspace(1.0, 1e-9, 60))
    assert np.isfinite(found.coefficients).all()
    assert np.abs(found.coefficients).max() < 100


def test_constant_features_stay_out_and_bad_input_is_refused() -> None:
    outcome, x = _cohort(40, 3)
    with_constant = np.column_stack([np.zeros(40), x])
    path = elastic_net_path(outcome, with_constant)
    assert np.all(path.coefficients[:, 0] == 0)
    assert path.coefficients[:, 1:] == pytest.approx(elastic_net_path(outcome, x).coefficients, abs=1e-6)
    assert elastic_net_path(outcome, np.zeros((40, 2))).n_selected.max() == 0
    holes = x.copy()
    holes[0, 0] = np.nan
    for features, ratio, penalties, code in (
        (holes, 1.0, None, "FEATURES_INVALID"),
        (x[:-1], 1.0, None, "FEATURES_INVALID"),
        (x[:, :0], 1.0, None, "FEATURES_INVALID"),
        (x, 0.0, None, "PENALTY_INVALID"),
        (x, 1.0, np.array([0.1, 0.2]), "PENALTY_INVALID"),
        (x, 1.0, np.array([0.1, 0.0]), "PENALTY_INVALID"),
    ):
        with pytest.raises(SurvivalError) as caught:
            elastic_net_path(outcome, features, l1_ratio=ratio, penalties=penalties)
        assert caught.value.code == code
