"""The UMAP picture: what it is drawn from, what stands on it, and what is said where its library is missing."""

from __future__ import annotations

import json
import sys
import types

import numpy as np
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.results import as_dict
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.picture import umap_picture


class _StandIn:
    """Takes the place of umap-learn, which is not installed: keeps its settings and draws two features."""

    settings: dict[str, object]

    def __init__(self, **settings: object) -> None:
        type(self).settings = settings

    def fit_transform(self, values: np.ndarray) -> np.ndarray:
        assert values.std(axis=0, ddof=1) == pytest.approx(1)
        return values[:, :2].astype(np.float32)


def _table(n: int = 12) -> FeatureTable:
    values = np.random.default_rng(0).normal(size=(n, 4))
    values[:, 3] = 1.0
    return FeatureTable(("a", "b", "c", "flat"), values)


def test_a_picture_is_drawn_from_prepared_features_and_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("umap")
    module.UMAP = _StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", module)
    found = umap_picture(_table(), [f"P{i}" for i in range(12)], seed=3)
    assert _StandIn.settings == {"n_neighbors": 11, "min_dist": 0.1, "random_state": 3, "n_components": 2}
    assert "picture only" in found.label
    assert "not a result" in found.notes[0]
    assert (found.n, found.n_features, len(found.x), len(found.y)) == (12, 3, 12, 12)
    assert [each.code for each in found.dropped] == ["CONSTANT"]
    json.dumps(as_dict(found), allow_nan=False)


def test_without_its_library_or_patients_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(SurvivalError, match="UMAP_NOT_INSTALLED"):
        umap_picture(_table(), [f"P{i}" for i in range(12)])
    with pytest.raises(SurvivalError, match="UMAP_TOO_FEW_ROWS"):
        umap_picture(_table(9), [f"P{i}" for i in range(9)])
