"""Principal components: algebra, determinism, and what is left out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from petct.errors import SurvivalError
from petct.survival.cohort.results import as_dict
from petct.survival.features.pca import PcaResult, pca
from tests.some import some


def _pca(values: np.ndarray) -> PcaResult:
    n, p = values.shape
    return pca(values, [f"f{j}" for j in range(p)], [f"P{i}" for i in range(n)])


@given(arrays(np.float64, st.tuples(st.integers(4, 12), st.integers(2, 8)), elements=st.floats(-100, 100, width=32)))
def test_scores_and_loadings_give_the_standardised_features_back(values: np.ndarray) -> None:
    if np.count_nonzero(np.ptp(values, axis=0) > 1e-12 * np.abs(values).max(axis=0)) < 2:
        with pytest.raises(SurvivalError, match="PCA_TOO_FEW_FEATURES"):
            _pca(values)
        return
    result = _pca(values)
    used = values[:, [int(name[1:]) for name in result.features]]
    standardised = (used - used.mean(axis=0)) / used.std(axis=0, ddof=1)
    scores = np.array([component.scores for component in result.components]).T
    loadings = np.array([component.loadings for component in result.components])
    assert scores @ loadings == pytest.approx(standardised, abs=1e-8)
    assert loadings @ loadings.T == pytest.approx(np.eye(len(loadings)), abs=1e-8)
    variances = [component.explained_variance for component in result.components]
    assert variances == sorted(variances, reverse=True)
    assert sum(variances) == pytest.approx(len(result.features))
    assert np.var(scores, axis=0, ddof=1) == pytest.approx(variances, abs=1e-8)
    assert result.components[-1].cumulative_ratio == pytest.approx(1.0)
    for row in some(loadings):
        assert row[np.argmax(np.abs(row) >= np.abs(row).max() * (1 - 1e-9))] > 0


def test_two_correlated_features_have_a_known_answer() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    result = _pca(np.column_stack([x, [2.0, 1.0, 4.0, 3.0]]))
    r = 0.6
    assert [c.explained_variance for c in result.components] == pytest.approx([1 + r, 1 - r])
    assert result.components[0].loadings == pytest.approx((0.5**0.5, 0.5**0.5))
    assert result.components[1].loadings == pytest.approx((0.5**0.5, -(0.5**0.5)))


def test_the_arrows_of_a_biplot_are_the_correlations() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 5)) + 0.1 * rng.normal(size=(30, 5))
    for component in some(_pca(values).components):
        expected = [np.corrcoef(values[:, j], component.scores)[0, 1] for j in range(5)]
        assert component.correlations == pytest.approx(expected)


def test_rows_and_units_may_change_without_changing_the_components() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 6))
    order = rng.permutation(30)
    one, other = _pca(values), _pca((values * [1, 10, 0.1, 5, 1e3, 1e-3] + 7)[order])
    for a, b in some(zip(one.components, other.components, strict=True)):
        assert b.loadings == pytest.approx(a.loadings, abs=1e-9)
        assert b.scores == pytest.approx(np.array(a.scores)[order], abs=1e-9)


def test_constant_and_empty_columns_go_with_a_reason_and_incomplete_rows_by_name() -> None:
    values = np.random.default_rng(1).normal(size=(8, 5))
    values[:, 1] = 0.1 + 0.2
    values[:, 3] = np.nan
    values[2, 0] = np.nan
    result = _pca(values)
    assert [(each.name, each.code) for each in result.dropped_columns] == [("f1", "CONSTANT"), ("f3", "ALL_MISSING")]
    assert (result.n, result.n_missing, result.dropped_rows) == (7, 1, ("P2",))
    assert result.features == ("f0", "f2", "f4")
    assert "P2" not in result.row_ids
    assert any("n = 7" in note for note in result.notes)
    json.dumps(as_dict(result), allow_nan=False)


def test_a_tall_table_with_nearly_equal_features_keeps_nine_digits_and_its_signs() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(size=(500, 4)) @ rng.normal(size=(4, 12)) + 1e-5 * rng.normal(size=(500, 12))
    result = _pca(values)
    standardised = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    left, singular, right = np.linalg.svd(standardised, full_matrices=False)
    assert [c.explained_variance for c in result.components] == pytest.approx(singular**2 / 499, rel=1e-9)
    for k, component in some(enumerate(result.components[:4])):
        sign = np.sign(component.loadings @ right[k])
        assert component.scores == pytest.approx(sign * singular[k] * left[:, k], abs=1e-9)
    again = _pca(values[::-1])
    assert [c.loadings for c in again.components[:4]] == [pytest.approx(c.loadings) for c in result.components[:4]]
    with pytest.raises(ValueError, match="read-only"):
        result.components[0].scores[0] = 0.0


def test_more_features_than_rows_is_noted() -> None:
    result = _pca(np.random.default_rng(2).normal(size=(5, 20)))
    assert len(result.components) == 4
    assert "20 features in 5 rows" in result.notes[-1]


@pytest.mark.parametrize(
    ("values", "names", "rows", "code"),
    [
        (np.zeros((3, 2)), 3, 3, "PCA_SHAPE"),
        (np.zeros(3), 1, 3, "PCA_SHAPE"),
        (np.full((3, 2), np.inf), 2, 3, "PCA_NOT_FINITE"),
        (np.zeros((5, 2)), 2, 5, "PCA_TOO_FEW_FEATURES"),
        (np.full((5, 2), np.nan), 2, 5, "PCA_TOO_FEW_FEATURES"),
        (np.zeros((5, 0)), 0, 5, "PCA_TOO_FEW_FEATURES"),
        (np.eye(2), 2, 2, "PCA_TOO_FEW_ROWS"),
    ],
)
def test_what_has_no_components_is_refused(values: np.ndarray, names: int, rows: int, code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        pca(values, [f"f{j}" for j in range(names)], [f"P{i}" for i in range(rows)])
    assert caught.value.code == code
