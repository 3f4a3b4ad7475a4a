"""Screen figures show the numbers of their results and nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import plotly.graph_objects as go
import pytest

from figures.diagnostics import residual_figure
from figures.forest import forest_figure
from figures.palette import SERIES, series_colour, translucent
from figures.paper import plain
from figures.pca_views import pca_loadings_figure, pca_scores_figure, pca_scree_figure
from figures.survival_curves import kaplan_meier_figure
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.groups import split_at, split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.cox.curves import functional_form, schoenfeld_curves
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.result import CoxResult
from petct.survival.features.pca import PcaResult, pca
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.result import KaplanMeierResult
from tests.some import some

RNG = np.random.default_rng(7)
N = 67
VOLUME = RNG.lognormal(3, 1, N)
OUTCOME = Outcome(np.ceil(RNG.exponential(1400, N)), (RNG.random(N) < 0.57).astype(int))
GRADES = [str(grade) for grade in RNG.choice(["G1", "G2", "G3"], N)]


@pytest.fixture
def split() -> KaplanMeierResult:
    return kaplan_meier(OUTCOME, split_by_median(VOLUME, "tumour_volume", "ml"))


@pytest.fixture
def model() -> CoxResult:
    covariates = [NumericCovariate("volume", VOLUME, "ml", "per_doubling"), CategoricalCovariate("grade", GRADES, "G1")]
    return cox(OUTCOME, covariates)


@pytest.fixture
def components() -> PcaResult:
    values = np.random.default_rng(1).normal(size=(20, 6))
    return pca(values, [f"f{j}" for j in range(6)], [f"P{i:02d}" for i in range(20)])


def _traces(figure: go.Figure, start: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.name.startswith(start)]


def test_curves_are_steps_of_the_result(split: KaplanMeierResult) -> None:
    figure = kaplan_meier_figure(split)
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.fill is None and trace.line.width]
    assert len(lines) == 2
    for trace, curve in some(zip(lines, split.curves, strict=True)):
        assert trace.line.shape == "hv"
        assert tuple(trace.x) == (0.0, *curve.times, curve.last_time)
        assert tuple(trace.y) == (1.0, *curve.survival, curve.survival[-1])
        assert f"n = {curve.n}, {curve.n_events} events" in trace.name
    for trace, curve in some(zip(_traces(figure, "censored"), split.curves, strict=True)):
        assert tuple(trace.x) == curve.censor_times
        assert tuple(trace.y) == curve.censor_survival


def test_bands_are_the_log_log_limits(split: KaplanMeierResult) -> None:
    lower, upper = _traces(kaplan_meier_figure(split), "band <=")
    curve = split.curves[0]
    limits = [
        (low, high) for low, high in zip(curve.lower, curve.upper, strict=True) if low is not None and high is not None
    ]
    assert list(lower.y)[:-1] == [low for low, _ in limits]
    assert list(upper.y)[:-1] == [high for _, high in limits]
    assert upper.fill == "tonexty"
    assert not _traces(kaplan_meier_figure(split, band=False), "band")


@pytest.mark.parametrize(("unit", "days"), [("day", 1.0), ("month", 30.4375), ("year", 365.25)])
def test_numbers_at_risk_stand_under_the_ticks(split: KaplanMeierResult, unit: str, days: float) -> None:
    figure = kaplan_meier_figure(split, axis_unit=unit)  # type: ignore[arg-type]
    tables = _traces(figure, "at risk")
    ticks = figure.layout.xaxis.tickvals
    assert figure.layout.xaxis2.matches == "x" or figure.layout.xaxis.matches == "x2"
    for trace, codes in some(zip(tables, (0, 1), strict=True)):
        assert tuple(trace.x) == tuple(ticks)
        durations = OUTCOME.duration[(np.median(VOLUME) < VOLUME) == bool(codes)]
        assert [int(text) for text in trace.text] == [int(np.sum(durations >= tick * days - 1e-6)) for tick in ticks]
    assert f"({unit}s)" in figure.layout.xaxis.title.text
    assert all(text == f"{tick:g}" for text, tick in some(zip(figure.layout.xaxis.ticktext, ticks, strict=True)))


def test_the_p_value_or_the_reason_for_none_is_written(split: KaplanMeierResult) -> None:
    assert any("log-rank p = " in note.text for note in kaplan_meier_figure(split).layout.annotations)
    small = kaplan_meier(OUTCOME, split_at(VOLUME, [float(np.sort(VOLUME)[4])], "volume"))
    texts = [note.text for note in kaplan_meier_figure(small).layout.annotations]
    assert any("fewer than the minimum of 10" in text for text in texts)
    assert not any("p = " in text for text in some(texts))
    assert len(kaplan_meier_figure(kaplan_meier(OUTCOME)).layout.annotations) == 0


def test_times_of_unknown_units_are_not_converted() -> None:
    cycles = kaplan_meier(Outcome(OUTCOME.duration, OUTCOME.event, "cycle"))
    assert "(cycles)" in kaplan_meier_figure(cycles).layout.xaxis.title.text
    with pytest.raises(ValueError, match="cycle cannot be drawn in year"):
        kaplan_meier_figure(cycles, axis_unit="year")


def test_an_arm_without_events_is_a_flat_line() -> None:
    outcome = Outcome(np.arange(1, 31), [1] * 15 + [0] * 15)
    figure = kaplan_meier_figure(kaplan_meier(outcome, split_at(np.arange(30), [14.5], "x")))
    flat = next(trace for trace in figure.data if "0 events" in (trace.name or ""))
    assert tuple(flat.y) == (1.0, 1.0)


def test_the_forest_shows_every_coefficient_with_its_interval(model: CoxResult) -> None:
    figure = forest_figure(model)
    (points,) = figure.data
    assert tuple(points.x) == tuple(term.hazard_ratio for term in model.terms)
    for i, term in some(enumerate(model.terms)):
        assert points.x[i] + points.error_x.array[i] == pytest.approx(term.upper)
        assert points.x[i] - points.error_x.arrayminus[i] == pytest.approx(term.lower)
    assert figure.layout.xaxis.type == "log"
    assert 1.0 in figure.layout.xaxis.tickvals
    assert [text.split("<br>")[0] for text in figure.layout.yaxis.ticktext] == ["volume", "grade", "grade"]
    assert "per doubling" in figure.layout.yaxis.ticktext[0]
    assert len({note.y for note in figure.layout.annotations}) == len(model.terms) + 1


def test_scores_carry_the_patients_behind_the_points(components: PcaResult) -> None:
    (points,) = pca_scores_figure(components, 2, 3).data
    assert tuple(points.customdata) == components.row_ids
    assert list(points.x) == list(components.components[1].scores)
    figure = pca_scores_figure(components, colour_by=["a", "b", None, "b"] * 5, colour_title="Grade")
    assert [(trace.name, len(trace.x)) for trace in figure.data] == [("a", 5), ("b", 10), ("no value", 5)]
    assert sorted(name for trace in figure.data for name in trace.customdata) == sorted(components.row_ids)
    numeric = pca_scores_figure(components, colour_by=[None, *map(float, range(19))], colour_title="Age (year)")
    assert [len(trace.x) for trace in numeric.data] == [19, 1]
    for wrong in ({"x": 9}, {"colour_by": ["a"]}):
        with pytest.raises(ValueError, match=r"component 9|1 colours for 20 rows"):
            pca_scores_figure(components, **wrong)  # type: ignore[arg-type]


def test_scree_and_loadings_show_the_components(components: PcaResult) -> None:
    bars, line = pca_scree_figure(components).data
    assert tuple(bars.y) == tuple(each.explained_variance_ratio for each in components.components)
    assert line.y[-1] == pytest.approx(1.0)
    (loadings,) = pca_loadings_figure(components, 2, n_features=4).data
    assert len(loadings.x) == 4
    sizes = [abs(value) for value in loadings.x]
    assert sizes == sorted(sizes)
    assert sizes[-1] == max(abs(value) for value in components.components[1].loadings)
    with pytest.raises(ValueError, match="no component 7"):
        pca_loadings_figure(components, 7)


def test_colours_differ_and_text_is_not_markup() -> None:
    assert len(set(SERIES)) == 7
    assert series_colour(7) == SERIES[0]
    assert translucent("#0072B2", 0.15) == "rgba(0,114,178,0.15)"
    assert plain("<= 3 & <b>") == "≤ 3 &amp; &lt;b&gt;"


def test_figures_need_no_streamlit() -> None:
    code = (
        "import importlib, pkgutil, sys, figures\n"
        "names = [each.name for each in pkgutil.iter_modules(figures.__path__) if not each.name.startswith('print_')]\n"
        "assert [importlib.import_module(f'figures.{name}') for name in names]\n"
        "print('streamlit' in sys.modules, 'dagster' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_residuals_show_their_points_their_line_and_where_it_should_lie() -> None:
    volume = NumericCovariate("volume <ml>", VOLUME, "ml")
    (over_time,) = schoenfeld_curves(fit_cox(OUTCOME, [volume]))
    form = functional_form(OUTCOME, volume)
    for curve, level, n_traces in ((over_time, over_time.reference, 3), (form, 0.0, 2)):
        figure = residual_figure(curve)
        assert len(figure.data) == n_traces
        points = next(trace for trace in figure.data if trace.mode == "markers")
        assert list(points.y) == list(curve.y)
        line = next(trace for trace in figure.data if trace.name == "smooth")
        assert list(line.x) == list(curve.smooth_x)
        (reference,) = figure.layout.shapes
        assert reference.y0 == reference.y1 == level
        assert figure.layout.title.text.startswith("volume &lt;ml&gt;")
    assert over_time.n_events == len(over_time.x)
    assert form.n == len(form.x)
