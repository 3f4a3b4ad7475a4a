"""Correlation with one variable, and the order in which similar features stand side by side."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from petct.survival.features.correlation import clustered_order, spearman, spearman_with


def test_the_correlation_with_a_variable_is_scipys_where_both_are_there() -> None:
    rng = np.random.default_rng(4)
    volume = rng.choice([0.0, 1.0, 2.5, 9.0, 30.0], 40)
    values = rng.choice([1.0, 2.0, 3.0], (40, 5)) + volume[:, None] * [0, 0.1, 1, -1, 0]
    values[rng.random(values.shape) < 0.2] = np.nan
    volume[:3] = np.nan
    values[:, 4] = 7.0
    found = spearman_with(values, volume)
    for j in range(4):
        both = ~np.isnan(values[:, j]) & ~np.isnan(volume)
        assert found[j] == pytest.approx(stats.spearmanr(values[both, j], volume[both]).statistic)
    assert np.isnan(found[4])
    assert np.isnan(spearman_with(values, np.full(40, np.nan))).all()


def test_features_of_one_kind_stand_side_by_side_whatever_their_sign() -> None:
    rng = np.random.default_rng(5)
    kinds = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    common = rng.normal(size=(60, 3))
    values = common[:, kinds] * np.where(np.arange(9) % 2, -1, 1) + 0.3 * rng.normal(size=(60, 9))
    order = clustered_order(spearman(values))
    assert sorted(order) == list(range(9))
    assert sum(kinds[order][1:] != kinds[order][:-1]) == 2


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_features_keep_their_order(n: int) -> None:
    assert clustered_order(np.eye(n)) == list(range(n))
