"""Figures of scans, features and protocols show the numbers of their results, each point with its name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from figures.feature_scan import confounding_figure, volcano_figure
from figures.feature_values import against_volume_figure, correlation_figure, distribution_figure
from figures.forest import protocol_hazards_figure
from figures.pca_views import pca_scores_figure
from figures.protocol_views import account_figure, bland_altman_figure, volumes_figure
from petct.survival.cohort.outcome import Outcome
from petct.survival.cox_repeated.protocol_sensitivity import ProtocolBurden, compare_protocols, hazard_ratios
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.pca import pca
from petct.survival.features.scan import scan
from petct.survival.features.scan_result import ScanResult
from tests.some import some

N = 60
NAMES = tuple(f"f{j}" for j in range(12))
LABELS = {name: f"feature <{name}>" for name in NAMES}


@pytest.fixture(scope="module")
def found() -> ScanResult:
    rng = np.random.default_rng(6)
    values = rng.normal(size=(N, len(NAMES)))
    time = rng.exponential(np.exp(-1.2 * values[:, 0]))
    return scan(Outcome(time, rng.random(N) < 0.7), FeatureTable(NAMES, values), n_permutations=2000)


@pytest.fixture(scope="module")
def burdens() -> list[ProtocolBurden]:
    rng = np.random.default_rng(7)
    first = rng.lognormal(3, 1, N)
    first[0] = 0.0
    second = first * rng.lognormal(0.3, 0.2, N)
    second[1] = np.nan
    count = np.ones(N)
    return [ProtocolBurden("a", first, count), ProtocolBurden("b", second, np.where(np.isnan(second), np.nan, 1))]


def test_every_feature_is_a_point_of_its_kind_and_the_line_divides_them(found: ScanResult) -> None:
    figure = volcano_figure(found, LABELS, chosen="f3")
    points = {
        name: (trace.name, x, y)
        for trace in figure.data
        if trace.customdata is not None
        for name, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }
    (line,) = (shape for shape in figure.layout.shapes if shape.y0 == shape.y1)
    assert set(points) == set(NAMES)
    for row in some(found.rows):
        kind, x, y = points[row.name]
        assert (x, y) == pytest.approx((row.hazard_ratio.value, -math.log10(row.p)))
        assert kind.startswith("survives") == (row.q <= 0.05) == (y >= line.y0)
    assert points["f0"][0].startswith("survives")
    (ring,) = (trace for trace in figure.data if trace.name == "chosen")
    assert (ring.x[0], ring.y[0]) == points["f3"][1:]
    hover = next(text for trace in figure.data if trace.hovertext for text in trace.hovertext if "f0" in text)
    # What is corrected comes first.
    assert hover.index("q ") < hover.index("family-wise") < hover.index("alone")
    assert "&lt;f0&gt;" in hover
    assert figure.layout.xaxis.type == "log"


def test_hidden_features_leave_the_line_where_it_was(found: ScanResult) -> None:
    figure = volcano_figure(found, LABELS, shown={"f0", "f1"})
    assert sum(len(trace.x) for trace in figure.data) == 2
    assert figure.layout.shapes[0].y0 == volcano_figure(found, LABELS).layout.shapes[0].y0


def test_confounding_has_the_features_that_have_a_correlation(found: ScanResult) -> None:
    figure = confounding_figure(found, {"f0": 0.9, "f1": -0.2}, LABELS, limit=0.5)
    x = {n: v for trace in figure.data for n, v in zip(trace.customdata or (), trace.x, strict=True)}
    assert x == {"f0": 0.9, "f1": -0.2}
    assert {shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1} == {-0.5, 0.5}


def test_every_patient_is_a_point_of_a_distribution_and_of_volume() -> None:
    figure = distribution_figure({"event": (["P1", "P2"], [1.0, 2.0]), "censored": (["P3"], [5.0])}, "Entropy")
    assert [(list(trace.customdata), list(trace.y)) for trace in figure.data] == [
        (["P1", "P2"], [1.0, 2.0]),
        (["P3"], [5.0]),
    ]
    assert "n = 2" in figure.data[0].name
    assert against_volume_figure(["P1"], [0.0], [1.0], "x").layout.xaxis.type is None
    assert against_volume_figure(["P1"], [2.0], [1.0], "x").layout.xaxis.type == "log"


def test_the_heat_map_keeps_order_and_range() -> None:
    rho = np.array([[1.0, -0.4], [-0.4, 1.0]])
    (cells,) = correlation_figure(rho, ["one", "a very long name that has no room beside a cell"]).data
    assert np.array_equal(cells.z, rho)
    assert (cells.zmin, cells.zmax) == (-1, 1)
    assert cells.customdata[0][1] == "one<br>a very long name that has no room beside a cell"


def test_the_picked_have_rings_and_the_lasso_is_in_the_hand() -> None:
    result = pca(np.random.default_rng(1).normal(size=(20, 6)), list("abcdef"), [f"P{i}" for i in range(20)])
    figure = pca_scores_figure(result, 2, 1, picked={"P3", "P5", "elsewhere"})
    ring = figure.data[-1]
    assert list(ring.customdata) == ["P3", "P5"]
    assert list(ring.x) == [result.components[1].scores[i] for i in (3, 5)]
    assert figure.layout.dragmode == "lasso"
    assert len(pca_scores_figure(result, picked=()).data) == len(pca_scores_figure(result).data)
    assert pca_scores_figure(result).layout.dragmode is None


def test_volumes_of_zero_and_unknown_ones_are_counted_not_drawn(burdens: list[ProtocolBurden]) -> None:
    patients = [f"P{i}" for i in range(N)]
    first, second = volumes_figure({b.protocol: b.volume_ml for b in burdens}, patients).data
    assert (len(first.y), len(second.y)) == (N - 1, N - 2)
    assert "1 without tumour" in first.name
    assert "1 unknown" in second.name
    assert "P0" not in first.customdata


@pytest.mark.parametrize("as_ratio", [True, False])
def test_bland_altman_is_of_the_patients_of_its_limits(burdens: list[ProtocolBurden], as_ratio: bool) -> None:
    (pair,) = compare_protocols(burdens).pairs
    agreement = pair.log_volume if as_ratio else pair.volume
    a, b = (burden.volume_ml for burden in burdens)
    figure = bland_altman_figure(a, b, [f"P{i}" for i in range(N)], agreement, ("a", "b"), as_ratio=as_ratio)
    assert len(figure.data[0].x) == agreement.n
    mean = np.exp(np.log(figure.data[0].y).mean()) if as_ratio else np.mean(figure.data[0].y)
    assert mean == pytest.approx(agreement.bias)
    assert {shape.y0 for shape in figure.layout.shapes} >= {
        agreement.bias,
        agreement.lower_limit,
        agreement.upper_limit,
    }


def test_hazard_ratios_and_accounts_have_a_row_a_protocol(burdens: list[ProtocolBurden]) -> None:
    rng = np.random.default_rng(8)
    found = hazard_ratios(burdens, Outcome(rng.exponential(900, N), rng.random(N) < 0.7))
    figure = protocol_hazards_figure(found, {"a": "first", "b": "second"})
    assert list(figure.data[0].x) == [row.hazard_ratio for row in found.rows]
    assert [text.split("<br>")[0] for text in figure.layout.yaxis.ticktext] == ["first", "second"]
    bars = account_figure({"suv_4": {"kept": 3.0, "spleen": 5.0}, "suv_3": {"kept": 4.0}}).data
    assert {bar.name: list(bar.x) for bar in bars} == {"kept": [3.0, 4.0], "spleen": [5.0, 0.0]}
