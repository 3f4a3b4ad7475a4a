"""Fitted preparation: what is dropped and why, what reaches new patients, and ComBat against neuroCombat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from petct.errors import FeatureError
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import read_json, write_json
from petct.survival.features.correlation import prune, spearman
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.harmonisation import fit_combat, refuse_confounded_batches
from petct.survival.features.preparation import Preparation, PreparationRules, fit_preparation


def _table(values: np.ndarray, batch: list[str] | None = None) -> FeatureTable:
    return FeatureTable(tuple(f"f{j}" for j in range(values.shape[1])), values, None if batch is None else tuple(batch))


def test_every_dropped_feature_has_its_reason() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 7))
    values[:, 1] = 3.0
    values[:, 2] = np.nan
    values[:20, 3] = np.nan
    values[:, 4] = 0.0
    values[0, 4] = 1.0
    values[:, 5] = -values[:, 0] + 1e-3 * rng.normal(size=60)
    values[:6, 6] = np.nan
    found = fit_preparation(_table(values))
    assert [(each.name, each.code) for each in found.dropped] == [
        ("f1", "CONSTANT"),
        ("f2", "ALL_MISSING"),
        ("f3", "MISSING_RATE"),
        ("f4", "NEAR_ZERO_VARIANCE"),
        ("f5", "CORRELATED"),
    ]
    assert found.names == ("f0", "f6")
    assert "20 of 60" in found.dropped[2].message
    assert "f0" in found.dropped[4].message
    assert any("6 missing values" in note for note in found.notes)
    prepared = found.transform(_table(values))
    assert prepared.values.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert prepared.values.std(axis=0, ddof=1) == pytest.approx(1)
    assert prepared.values[:6, 1] == pytest.approx(
        (np.nanmedian(values[:, 6]) - found.features[1].mean) / found.features[1].sd
    )


def test_nothing_is_learnt_from_the_patients_it_is_applied_to() -> None:
    rng = np.random.default_rng(1)
    train, other = rng.lognormal(size=(40, 5)), rng.lognormal(3, 2, size=(10, 5))
    rules = PreparationRules(winsorise=(0.05, 0.95), log1p="all")
    found = fit_preparation(_table(train), rules)
    together = found.transform(_table(np.vstack([train, other]))).values
    assert np.array_equal(together[40:], found.transform(_table(other)).values)
    assert np.array_equal(together[40:], found.transform(_table(other[::-1])).values[::-1])
    low, high = np.quantile(train[:, 0], [0.05, 0.95])
    logs = np.log1p(np.clip(train[:, 0], low, high))
    assert together[:40, 0] == pytest.approx((logs - logs.mean()) / logs.std(ddof=1))
    assert together[40:, 0].max() == pytest.approx((np.log1p(high) - logs.mean()) / logs.std(ddof=1))


def test_a_preparation_survives_json_to_the_last_bit() -> None:
    rng = np.random.default_rng(2)
    batch = ["A", "B"] * 20
    table = _table(rng.lognormal(size=(40, 6)), batch)
    found = fit_preparation(table, PreparationRules(harmonise=True, winsorise=(0.01, 0.99)))
    back = read_json(Preparation, write_json(found))
    assert back == found
    assert np.array_equal(back.transform(table).values, found.transform(table).values)
    for text in ("{", "{}", write_json(found).replace('"skewed"', '"sometimes"')):
        with pytest.raises(FeatureError, match="JSON_INVALID"):
            read_json(Preparation, text)


@given(
    arrays(np.float64, st.tuples(st.integers(5, 12), st.integers(2, 7)), elements=st.floats(-9, 9, width=16)),
    st.sampled_from(["mean", "order"]),
)
def test_after_pruning_no_pair_is_too_similar_and_each_loss_had_a_partner(values: np.ndarray, rule: str) -> None:
    names = [f"f{j}" for j in range(values.shape[1])]
    kept, dropped = prune(values, names, 0.7, rule)  # type: ignore[arg-type]
    rho = np.abs(spearman(values))
    assert sorted([*kept, *dropped]) == list(range(len(names)))
    assert np.all(rho[np.ix_(kept, kept)] - np.eye(len(kept)) <= 0.7 + 1e-12)
    nearest = np.max(rho - np.eye(len(names)), axis=1)
    assert np.all(nearest[list(dropped)] > 0.7)
    if rule == "order":
        assert 0 in kept


def test_ranks_share_ties() -> None:
    # Ranks 1, 2.5, 2.5, 4 and 3, 1, 2, 4: 1.5 / sqrt(4.5 x 5).
    assert spearman(np.array([[1.0, 3], [2, 1], [2, 2], [4, 5]]))[0, 1] == pytest.approx(1.5 / np.sqrt(4.5 * 5))


NEUROCOMBAT = [
    [
        -0.5252413395781264,
        2.9920304325884035,
        0.9696163326989136,
        0.9340789452346221,
        4.502794034664356,
        116.37034448891015,
    ],
    [
        -0.44499549313189424,
        9.273478917721178,
        0.8435331136718333,
        -7.49432662252333,
        1.403311346741574,
        111.2739012549967,
    ],
    [
        0.22255839918850945,
        3.8482362960389205,
        0.9633998534461968,
        -1.6399926428232838,
        5.833902176077539,
        103.6755099313204,
    ],
]


def _batches() -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(5)
    batch = np.repeat(["A", "B", "C"], [14, 12, 11])
    x = rng.normal(size=(37, 6)) * [1, 2, 0.5, 3, 1, 10] + [0, 5, 1, -2, 3, 100]
    x[batch == "B"] = x[batch == "B"] * 1.4 + np.array([0.5, 1, 0.2, 2, 0.3, 6])
    x[batch == "C"] -= np.array([0.3, 0.1, 0.4, 1, 0.7, 9])
    return x, batch.tolist()


def test_combat_gives_the_numbers_of_neurocombat() -> None:
    # neuroCombat 0.2.12 (parametric, empirical Bayes, no covariates), its iteration carried to 1e-11.
    x, batch = _batches()
    found = fit_combat(x, list("abcdef"), batch).apply(x, batch)
    assert found[[0, 15, 36]] == pytest.approx(np.array(NEUROCOMBAT), rel=1e-8)


def test_harmonisation_is_refused_where_it_would_guess() -> None:
    x, batch = _batches()
    rules = PreparationRules(harmonise=True)
    late = [100.0 if name == "A" else 10.0 for name in batch]
    confounded = Outcome(np.array(late) + np.arange(37) / 100, np.ones(37))
    alike = Outcome(np.arange(37.0)[np.random.default_rng(0).permutation(37)], np.ones(37))
    refuse_confounded_batches(batch, alike)
    refuse_confounded_batches(["A"] * 37, confounded)
    with pytest.raises(FeatureError, match="HARMONISATION_CONFOUNDED"):
        refuse_confounded_batches(batch, confounded)
    constant = x.copy()
    constant[:14, 2] = 1.0
    cases = [
        (_table(x), "HARMONISATION_BATCH_MISSING"),
        (_table(x, ["A"] * 37), "HARMONISATION_ONE_BATCH"),
        (_table(x, ["A"] * 28 + ["B"] * 9), "HARMONISATION_BATCH_TOO_SMALL"),
        (_table(x[:, :2], batch), "HARMONISATION_TOO_FEW_FEATURES"),
        (_table(constant, batch), "HARMONISATION_CONSTANT"),
    ]
    for table, code in cases:
        with pytest.raises(FeatureError) as caught:
            fit_preparation(table, rules)
        assert caught.value.code == code
    fitted = fit_preparation(_table(x, batch), rules)
    with pytest.raises(FeatureError, match="HARMONISATION_BATCH_UNKNOWN"):
        fitted.transform(_table(x[:2], ["A", "D"]))


def test_tables_and_rules_that_cannot_be_used_are_refused() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(9, 3))
    holes = x.copy()
    holes[0, 0] = np.nan
    cases = [
        (lambda: FeatureTable(("a",), x), "FEATURES_SHAPE"),
        (lambda: FeatureTable(("a", "b", "a"), x), "FEATURE_DUPLICATE"),
        (lambda: _table(np.where(x > 0, np.inf, x)), "FEATURE_NOT_FINITE"),
        (lambda: fit_preparation(_table(x[:2])), "PREPARATION_TOO_FEW_ROWS"),
        (lambda: fit_preparation(_table(np.ones((5, 2)))), "PREPARATION_NOTHING_LEFT"),
        (lambda: fit_preparation(_table(holes), PreparationRules(missing="refuse")), "FEATURE_MISSING"),
        (lambda: PreparationRules(most_correlated=0.0), "PREPARATION_RULES_INVALID"),
        (lambda: fit_preparation(_table(x)).transform(_table(x).columns(["f0"])), "FEATURE_UNKNOWN"),
    ]
    for ask, code in cases:
        with pytest.raises(FeatureError) as caught:
            ask()
        assert caught.value.code == code
