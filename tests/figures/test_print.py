"""Print figures show the numbers of their results, fit a journal's column, and are the same bytes every time."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from figures.forest_lines import forest_lines
from figures.palette import series_colour
from figures.print_components import components_print
from figures.print_diagnostics import calibration_print, cut_point_print, residuals_print, restricted_mean_print
from figures.print_forest import forest_print
from figures.print_page import DOUBLE_COLUMN_MM, FORMATS, SINGLE_COLUMN_MM, rendered, save
from figures.print_scan import volcano_print
from figures.print_survival import cumulative_incidence_print, kaplan_meier_print
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.groups import split_by_category, split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.competing.cumulative import cumulative_incidence
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.cox.curves import schoenfeld_curves
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox_repeated.forest_table import forest_table
from petct.survival.cox_repeated.model_comparison import compare_models
from petct.survival.cox_repeated.subgroups import subgroup_table
from petct.survival.cox_repeated.validation import validate_cox
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.pca import pca
from petct.survival.features.scan import scan
from petct.survival.kaplan_meier.cut_points import maximally_selected_cut
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.result import KaplanMeierResult
from tests.some import some

N = 67
RNG = np.random.default_rng(7)
VOLUME = RNG.lognormal(3, 1, N)
OUTCOME = Outcome(np.ceil(RNG.exponential(1400, N)), (RNG.random(N) < 0.57).astype(int))
GRADES = [str(grade) for grade in RNG.choice(["G1", "G2", "G3"], N)]
SEXES = [str(sex) for sex in RNG.choice(["F", "M"], N)]
FEATURES = FeatureTable(tuple(f"set:f{j}" for j in range(6)), RNG.normal(size=(N, 6)))
VOLUME_COVARIATE = NumericCovariate("volume", VOLUME, "ml", "per_doubling")
COVARIATES = [VOLUME_COVARIATE, CategoricalCovariate("grade", GRADES, "G1")]
PCA = pca(FEATURES.values, FEATURES.names, [f"P{i:02}" for i in range(N)])


@pytest.fixture(scope="module")
def split() -> KaplanMeierResult:
    return kaplan_meier(OUTCOME, split_by_median(VOLUME, "tumour_volume_ml", "ml"))


def _competing() -> Figure:
    cause = np.where(OUTCOME.event == 1, 1 + (np.arange(N) % 3 == 0), 0)
    outcome = CompetingOutcome(OUTCOME.duration, cause, "day", ("progression", "death"))
    return cumulative_incidence_print(cumulative_incidence(outcome, split_by_category(GRADES, "grade")))


DRAWN = {
    "incidence": _competing,
    "forest": lambda: forest_print(cox(OUTCOME, COVARIATES, permutations=0)),
    "forest table": lambda: forest_print(forest_table(OUTCOME, COVARIATES, permutations=0)),
    "added": lambda: forest_print(compare_models(OUTCOME, COVARIATES[:1], COVARIATES[1:], permutations=0)),
    "subgroups": lambda: forest_print(
        subgroup_table(OUTCOME, VOLUME_COVARIATE, [CategoricalCovariate("sex", SEXES)], permutations=0)
    ),
    "components": lambda: components_print(PCA),
    "cut points": lambda: cut_point_print(
        maximally_selected_cut(OUTCOME, VOLUME, "Tumour volume", "ml", n_permutations=99, n_resamples=50)
    ),
    "residuals": lambda: residuals_print([*schoenfeld_curves(fit_cox(OUTCOME, COVARIATES))]),
    "restricted means": lambda: restricted_mean_print(
        kaplan_meier(OUTCOME, split_by_median(VOLUME, "volume", "ml"), tau=1500), axis_unit="month"
    ),
    "volcano": lambda: volcano_print(scan(OUTCOME, FEATURES, n_permutations=200)),
    "calibration": lambda: calibration_print(validate_cox(OUTCOME, COVARIATES, 1000.0)),
}


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


def _inside(figure: Figure) -> bool:
    """Whether no text leaves the paper."""
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    # Labels of ticks beyond the limits of an axis are there and not drawn.
    ticks = {label for axes in figure.axes for label in (*axes.get_xticklabels(), *axes.get_yticklabels())}
    texts = [text for text in figure.findobj(mpl.text.Text) if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent() for text in texts if text not in ticks]
    return all(b.x0 >= -1 and b.y0 >= -1 and b.x1 <= width + 1 and b.y1 <= height + 1 for b in boxes)


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_states_its_n_and_stays_on_its_paper(name: str) -> None:
    figure = DRAWN[name]()
    assert "n = " in " ".join(_texts(figure))
    assert _inside(figure)


def test_curves_are_the_steps_of_the_result_in_months(split: KaplanMeierResult) -> None:
    (axes,) = kaplan_meier_print(split).axes
    month = 365.25 / 12
    steps = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
    assert [line.get_color() for line in steps] == [series_colour(0), series_colour(1)]
    for line, curve in some(zip(steps, split.curves, strict=True)):
        assert np.allclose(line.get_xdata(), np.array([0, *curve.times, curve.last_time]) / month)
        assert tuple(line.get_ydata()) == (1.0, *curve.survival, curve.survival[-1])


def test_each_number_at_risk_stands_under_its_tick(split: KaplanMeierResult) -> None:
    figure = kaplan_meier_print(split)
    (axes,) = figure.axes
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    month = 365.25 / 12
    for index, curve in some(enumerate(split.curves)):
        numbers = [t for t in axes.texts if t.get_text().isdigit() and t.get_color() == series_colour(index)]
        assert [int(t.get_text()) for t in numbers] == [curve.n_at_risk_at(x * month) for x in axes.get_xticks()]
        for number, tick in some(zip(numbers, axes.get_xticklabels(), strict=True)):
            shown, label = number.get_window_extent(renderer), tick.get_window_extent(renderer)
            assert shown.x0 + shown.width / 2 == pytest.approx(label.x0 + label.width / 2, abs=0.6)
            assert shown.y1 < label.y0


def test_the_cuts_of_both_panels_stand_above_one_another() -> None:
    upper, lower = DRAWN["cut points"]().axes
    assert upper.get_xlim() == lower.get_xlim()


def test_labels_legend_and_test_are_in_words(split: KaplanMeierResult) -> None:
    texts = " | ".join(_texts(kaplan_meier_print(split, labels={"tumour_volume_ml": "Tumour volume"})))
    for curve in some(split.curves):
        assert f"{curve.group} ml (n = {curve.n}, {curve.n_events} events)".replace("<=", "≤") in texts
    assert "Tumour volume\nlog-rank p" in texts
    assert "Time since origin (months)" in texts


def test_a_forest_has_the_numbers_of_the_model_and_breaks_no_label() -> None:
    result = cox(OUTCOME, [NumericCovariate("x$y_" * 12, VOLUME, "ml"), *COVARIATES[1:]], permutations=0)
    lines = forest_lines(result, {"grade": "Grade"})
    assert [(line.ratio, line.lower, line.upper) for line in lines] == [
        (term.hazard_ratio, term.lower, term.upper) for term in result.terms
    ]
    assert [line.label for line in lines][1:] == ["Grade", "Grade"]
    assert _inside(forest_print(result, width_mm=SINGLE_COLUMN_MM))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_bytes_are_the_same_every_time_and_hold_no_date(
    split: KaplanMeierResult, kind: str, tmp_path: Path
) -> None:
    content = rendered(kaplan_meier_print(split), kind)
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": "other", "axes.spines.top": True}):
        assert rendered(kaplan_meier_print(split), kind) == content
    assert save(kaplan_meier_print(split), tmp_path / f"figure.{kind}").read_bytes() == content
    assert not re.search(rb"Date|20[0-9]{2}-[0-9]{2}-[0-9]{2}", content)


def test_sessions_that_draw_at_once_do_not_change_each_others_figures(split: KaplanMeierResult) -> None:
    alone = rendered(kaplan_meier_print(split), "svg")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: rendered(kaplan_meier_print(split), "svg"), range(4)))
    assert together == [alone] * 4


def test_sizes_are_those_of_the_columns_of_a_journal(split: KaplanMeierResult) -> None:
    png = Image.open(io.BytesIO(rendered(kaplan_meier_print(split, width_mm=DOUBLE_COLUMN_MM), "png")))
    assert png.size[0] == pytest.approx(180 / 25.4 * 300, abs=1)
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    svg = rendered(kaplan_meier_print(split), "svg").decode()
    assert float(re.search(r'width="([0-9.]+)pt"', svg)[1]) == pytest.approx(85 / 25.4 * 72, abs=0.01)


def test_fonts_are_inside(split: KaplanMeierResult) -> None:
    figure = kaplan_meier_print(split)
    assert b"FontFile2" in rendered(figure, "pdf")
    assert b"<text" not in rendered(figure, "svg")


def test_another_format_is_refused(split: KaplanMeierResult, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="svg, pdf, png, not as jpg"):
        save(kaplan_meier_print(split), tmp_path / "figure.jpg")


def test_print_loads_neither_plotly_nor_pyplot() -> None:
    code = (
        "import importlib, pkgutil, sys, figures\n"
        "names = [each.name for each in pkgutil.iter_modules(figures.__path__) if each.name.startswith('print_')]\n"
        "assert [importlib.import_module(f'figures.{name}') for name in names]\n"
        "print('plotly' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
