"""The figures of survival beyond the curves show the numbers of their results and nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from figures.calibration import calibration_figure, calibration_in_words
from figures.cumulative_incidence import cumulative_incidence_figure
from figures.cut_points import cut_point_figure, cut_point_in_words
from figures.forest import forest_figure
from figures.survival_curves import restricted_mean_figure
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.groups import split_by_category, split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.competing.cumulative import cumulative_incidence
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.cox_repeated.subgroups import subgroup_table
from petct.survival.cox_repeated.validation import validate_cox
from petct.survival.kaplan_meier.cut_points import CutPointResult, maximally_selected_cut
from petct.survival.kaplan_meier.estimate import kaplan_meier
from tests.some import some

RNG = np.random.default_rng(7)
N = 67
VOLUME = RNG.lognormal(3, 1, N)
CODES = RNG.choice([0, 1, 2], N, p=[0.4, 0.4, 0.2])
TIMES = np.ceil(RNG.exponential(1400, N))
OUTCOME = Outcome(TIMES, (CODES == 1).astype(int))
SEX = [str(sex) for sex in RNG.choice(["f", "m"], N)]
RARE = ["<rare>"] * 5 + ["common"] * (N - 5)


def _trace(figure: go.Figure, name: str) -> go.Scatter:
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def _search(**options: int) -> CutPointResult:
    return maximally_selected_cut(OUTCOME, VOLUME, "volume", "ml", n_permutations=199, **options)


def test_the_search_for_a_cut_shows_every_statistic_the_height_of_noise_and_every_resampled_cut() -> None:
    cut = _search(n_resamples=40)
    assert cut.permutation is not None
    assert cut.stability is not None
    figure = cut_point_figure(cut, shown_cuts=[20.0])
    curve = _trace(figure, "statistic")
    assert tuple(curve.x) == cut.cuts
    assert tuple(curve.y) == cut.statistics
    assert [tuple(pair) for pair in curve.customdata] == [(n, cut.n - n) for n in cut.n_below_cuts]
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert [shape.y0 for shape in lines if shape.y0 == shape.y1] == [cut.permutation.critical]
    assert {shape.x0 for shape in lines if shape.x0 == shape.x1} == {20.0, cut.cut}
    resamples = _trace(figure, "resamples")
    assert tuple(resamples.x) == cut.stability.cuts
    assert sum(resamples.y) == pytest.approx(1 - cut.stability.n_without_cut / 40)
    assert figure.layout.xaxis.type == "log"
    assert "resampled cuts lie between" in cut_point_in_words(cut)
    # Nothing on it is a p-value, and certainly no uncorrected one.
    assert "p =" not in str(figure.to_dict())
    alone = cut_point_figure(_search(n_resamples=0))
    assert not [trace for trace in some(alone.data) if trace.name == "resamples"]


def test_the_height_of_noise_is_the_95th_percentile_of_the_permuted_searches() -> None:
    cut = _search(n_resamples=0)
    assert cut.permutation is not None
    beyond = cut.statistic > cut.permutation.critical
    assert beyond == (cut.permutation.p <= 0.05) or abs(cut.permutation.p - 0.05) < 0.01


def test_calibration_shows_each_group_as_seen_and_corrected() -> None:
    found = validate_cox(OUTCOME, [NumericCovariate("volume", VOLUME)], 700.0)
    figure = calibration_figure(found)
    seen, corrected = _trace(figure, "in the patients of the fit"), _trace(figure, "corrected for optimism")
    assert tuple(seen.x) == tuple(group.predicted for group in found.groups)
    assert tuple(seen.y) == tuple(group.observed for group in found.groups)
    assert tuple(corrected.y) == tuple(group.corrected for group in found.groups)
    for group, y, up in some(zip(found.groups, seen.y, seen.error_y.array, strict=True)):
        assert group.upper is None or y + up == pytest.approx(group.upper)
    assert calibration_in_words(found).count("predicted") == len(found.groups) + 1


def test_subgroups_show_every_level_its_interaction_and_what_is_withheld() -> None:
    effect = NumericCovariate("volume", VOLUME, "ml", "per_doubling")
    groups = [CategoricalCovariate("sex", SEX), CategoricalCovariate("kind", RARE)]
    table = subgroup_table(OUTCOME, effect, groups, permutations=99)
    figure = forest_figure(table)
    (points,) = figure.data
    drawn = [table.effect, *(group for v in table.variables for group in v.subgroups if group.hazard_ratio is not None)]
    assert tuple(points.x) == tuple(each.hazard_ratio for each in drawn)
    assert len(drawn) == 4
    texts = [note.text for note in figure.layout.annotations]
    assert any("interaction: p " in text for text in texts)
    assert "withheld" in texts
    assert any("&lt;rare&gt;" in text for text in figure.layout.yaxis.ticktext)


@pytest.mark.parametrize(("unit", "days"), [("day", 1.0), ("year", 365.25)])
def test_incidence_is_drawn_for_every_event_and_group_over_its_numbers_at_risk(unit: str, days: float) -> None:
    outcome = CompetingOutcome(TIMES, CODES, "day", ("progression", "death"))
    ticks = [0.0, 730.5, 1461.0]
    result = cumulative_incidence(outcome, split_by_category(SEX, "sex"), at_risk_times=ticks)
    figure = cumulative_incidence_figure(result, axis_unit=unit)  # type: ignore[arg-type]
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.line.width]
    assert [line.line.dash for line in lines] == ["solid", "solid", "dash", "dash"]
    for line, curve in some(zip(lines, result.curves, strict=True)):
        assert list(line.y)[1:-1] == list(curve.incidence)
        assert list(line.x)[1:-1] == pytest.approx([time / days for time in curve.times])
        assert all(b >= a for a, b in some(pairwise(line.y)))
    table = [trace for trace in figure.data if trace.name.startswith("at risk")]
    assert [[int(text) for text in trace.text] for trace in table] == [
        [int(np.sum((tick <= TIMES) & (np.array(SEX) == sex))) for tick in ticks] for sex in ("f", "m")
    ]
    assert list(figure.layout.xaxis.tickvals) == pytest.approx([tick / days for tick in ticks])


def test_restricted_curves_end_at_the_horizon_and_two_groups_enclose_their_difference() -> None:
    result = kaplan_meier(OUTCOME, split_by_median(VOLUME, "volume", "ml"), tau=900.0)
    first, second = restricted_mean_figure(result).data
    assert first.x[-1] == second.x[-1] == 900.0
    assert (first.fill, second.fill) == (None, "tonexty")
    assert result.restricted_mean is not None
    areas = [float(np.sum(np.diff(trace.x) * np.array(trace.y)[:-1])) for trace in (first, second)]
    assert areas == pytest.approx([mean.mean for mean in result.restricted_mean.groups])
    assert restricted_mean_figure(kaplan_meier(OUTCOME)).data[0].fill is None
