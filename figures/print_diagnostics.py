"""Diagnostics of a survival analysis for print: cut points, residuals, restricted means, hazards, calibration."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from figures.palette import BLUE, INK, MUTED, VERMILION, series_colour
from figures.print_page import (
    DOUBLE_COLUMN_MM,
    SINGLE_COLUMN_MM,
    SMALL,
    axes_at,
    journal_look,
    new_figure,
    readable,
)
from figures.ticks import AxisUnit, in_unit, round_numbers, steps_until
from petct.survival.cohort.groups import number_text
from petct.survival.cohort.results import p_text
from petct.survival.cox.curves import ResidualCurve
from petct.survival.cox_repeated.validation import CorrectedGroup, CoxValidation
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.with_lifelines.aft_result import TITLES, AftResult

_PANEL_MM = 60.0
_LOGARITHMIC_FROM = 5.0


def cut_point_print(result: CutPointResult, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Draw the log-rank statistic at every cut and, below, how often resamples chose each cut."""
    stability = result.stability
    lower_mm = 22.0 if stability else 0.0
    unit = f" {result.variable_unit}" if result.variable_unit else ""
    cuts = (*result.cuts, *(stability.cuts if stability else ()))
    wide = min(cuts) > 0 and max(cuts) / min(cuts) > _LOGARITHMIC_FROM
    with journal_look():
        figure = new_figure(width_mm, _PANEL_MM + lower_mm + 12)
        upper = axes_at(figure, left_mm=14, bottom_mm=11 + lower_mm, right_mm=4, top_mm=11)
        panels = [upper]
        upper.plot(result.cuts, result.statistics, color=BLUE, marker="o", markersize=1.8, linewidth=0.8)
        upper.set_ylim(0, None)
        upper.set_ylabel("Log-rank statistic", labelpad=2)
        if result.permutation is not None:
            upper.axhline(result.permutation.critical, color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)))
            upper.set_ylim(0, 1.08 * max(result.permutation.critical, *result.statistics))
        if stability is not None:
            lower = axes_at(figure, left_mm=14, bottom_mm=11, right_mm=4, top_mm=_PANEL_MM + 5)
            panels.append(lower)
            shares = [count / stability.n_resamples for count in stability.n_chosen]
            lower.vlines(stability.cuts, 0, shares, color=BLUE, linewidth=1.0)
            lower.axvspan(stability.lower, stability.upper, color=BLUE, alpha=0.1, linewidth=0)
            lower.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            lower.set_ylim(0, None)
            lower.set_ylabel("Resamples", labelpad=2)
            upper.tick_params(labelbottom=False)
        ends = min(cuts), max(cuts)
        edge = 0.03 * (ends[1] - ends[0])
        for axes in panels:
            axes.axvline(result.cut, color=VERMILION, linewidth=0.9, linestyle=(0, (1, 1)))
            axes.set_xlim(ends[0] - edge, ends[1] + edge)
            if wide:
                axes.set_xscale("log")
                axes.set_xlim(ends[0] / 1.08, ends[1] * 1.08)
                ticks = round_numbers(*ends)
                axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                axes.xaxis.set_minor_locator(NullLocator())
        panels[-1].set_xlabel(readable(f"Cut of {result.variable}{f' ({unit.strip()})' if unit else ''}"), labelpad=2)
        p = "p withheld" if result.permutation is None else f"corrected {p_text(result.permutation.p)}"
        title = f"n = {result.n}, {result.n_events} events\nbest cut {number_text(result.cut)}{unit}, {p}"
        upper.set_title(readable(title), loc="left", fontsize=SMALL, pad=3)
        return figure


def residuals_print(curves: Sequence[ResidualCurve], *, width_mm: float = DOUBLE_COLUMN_MM) -> Figure:
    """Draw residuals of a Cox model, one panel a covariate, two beside one another."""
    rows = (len(curves) + 1) // 2
    half = width_mm / 2
    with journal_look():
        figure = new_figure(width_mm, _PANEL_MM * rows)
        for place, curve in enumerate(curves):
            row, right = divmod(place, 2)
            axes = axes_at(
                figure,
                left_mm=14 + right * half,
                bottom_mm=11 + (rows - 1 - row) * _PANEL_MM,
                right_mm=4 + (1 - right) * half,
                top_mm=7 + row * _PANEL_MM,
            )
            if curve.lower:
                axes.fill_between(curve.smooth_x, curve.lower, curve.upper, color=BLUE, alpha=0.15, linewidth=0)
            axes.plot(curve.x, curve.y, "o", color=INK, alpha=0.45, markersize=2.0, markeredgewidth=0)
            axes.plot(curve.smooth_x, curve.smooth_y, color=BLUE)
            level = 0.0 if curve.reference is None else curve.reference
            axes.axhline(level, color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)))
            axes.set_xlabel(readable(curve.x_label), labelpad=2)
            axes.set_ylabel(readable(curve.y_label), labelpad=2, fontsize=SMALL)
            title = readable(f"{curve.covariate}: n = {curve.n}, {curve.n_events} events")
            axes.set_title(title, loc="left", fontsize=SMALL, pad=3)
        return figure


def restricted_mean_print(
    result: KaplanMeierResult, *, axis_unit: AxisUnit | None = None, width_mm: float = SINGLE_COLUMN_MM
) -> Figure:
    """Draw the curves up to the horizon of the restricted mean; grey is the difference of two groups.

    Raises
    ------
    ValueError
        The analysis has no restricted mean, or its times are in a unit that cannot be converted.
    """
    if result.restricted_mean is None:
        raise ValueError("the analysis has no restricted mean")
    unit = axis_unit or result.unit
    scale, tau = in_unit(result.unit, unit), result.restricted_mean.tau
    suffix = f" {result.variable_unit}" if result.variable_unit else ""
    with journal_look():
        figure = new_figure(width_mm, _PANEL_MM + 4)
        axes = axes_at(figure, left_mm=14, bottom_mm=11, right_mm=4, top_mm=7)
        steps = []
        for index, curve in enumerate(result.curves):
            times, y = steps_until(curve, tau)
            x = [time * scale for time in times]
            steps.append((x, y))
            label = readable(f"{curve.group}{suffix} (n = {curve.n}, {curve.n_events} events)")
            axes.plot(x, y, drawstyle="steps-post", color=series_colour(index), label=label)
        if len(steps) == 2:
            grid = sorted({*steps[0][0], *steps[1][0]})
            first, second = ([_at(x, y, time) for time in grid] for x, y in steps)
            axes.fill_between(grid, first, second, step="post", color=MUTED, alpha=0.18, linewidth=0)
        axes.axvline(tau * scale, color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)))
        axes.set_xlim(0, tau * scale * 1.03)
        axes.set_ylim(0, 1.03)
        axes.set_xlabel(f"Time since origin ({unit}s)", labelpad=2)
        axes.set_ylabel("Survival probability", labelpad=2)
        axes.legend(loc="lower left")
        axes.set_title(f"Restricted to {number_text(tau * scale)} {unit}s", loc="left", fontsize=SMALL, pad=3)
        return figure


def hazard_check_print(result: AftResult, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Draw the cumulative hazard of the Cox-Snell residuals of each distribution against the expected one."""
    with journal_look():
        figure = new_figure(width_mm, _PANEL_MM + 14)
        axes = axes_at(figure, left_mm=14, bottom_mm=11, right_mm=4, top_mm=7)
        first, longest = result.models[0].check, max(model.check.expected[-1] for model in result.models)
        axes.fill_between(first.expected, first.lower, first.upper, color=series_colour(0), alpha=0.15, linewidth=0)
        for index, model in enumerate(result.models):
            label = f"{TITLES[model.distribution]} (AIC +{model.aic_difference:.1f})"
            steps = (model.check.expected, model.check.observed)
            axes.plot(*steps, drawstyle="steps-post", color=series_colour(index), label=label)
        axes.plot((0, longest), (0, longest), color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)))
        axes.set_xlim(0, None)
        axes.set_ylim(0, None)
        axes.set_xlabel("Expected cumulative hazard", labelpad=2)
        axes.set_ylabel("Observed cumulative hazard", labelpad=2)
        axes.legend(loc="upper left")
        axes.set_title(f"n = {result.n}, {result.n_events} events", loc="left", fontsize=SMALL, pad=3)
        return figure


def calibration_print(result: CoxValidation, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Draw the observed probability of the event by the horizon against the predicted one, a point a group of risk.

    Crosses are corrected for optimism, where the model was judged in the patients of its fit.
    """
    with journal_look():
        figure = new_figure(width_mm, width_mm + 4)
        axes = axes_at(figure, left_mm=13, bottom_mm=11, right_mm=4, top_mm=13)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)
        _groups(axes, result.groups)
        corrected = [(group.predicted, group.corrected) for group in result.groups if group.corrected is not None]
        if corrected:
            across, up = zip(*corrected, strict=True)
            axes.plot(across, up, "x", color=VERMILION, markersize=4.5, zorder=4, label="corrected for optimism")
            axes.legend(loc="upper left", handletextpad=0.2)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_xlabel(f"Predicted probability by {result.time:g} {result.unit}s", labelpad=2)
        axes.set_ylabel("Observed (1 − Kaplan-Meier)", labelpad=2)
        slope = "" if result.slope is None else f", slope {result.slope.value:.2f}"
        judged = f"concordance {result.concordance.value:.2f}{slope}, corrected for optimism"
        axes.set_title(f"n = {result.n}, {result.n_events} events\n{judged}", loc="left", fontsize=SMALL, pad=4)
        return figure


def _groups(axes: Axes, groups: Sequence[CorrectedGroup]) -> None:
    label: str | None = "in these patients"
    for group in groups:
        if group.observed is None:
            continue
        if group.lower is not None and group.upper is not None:
            axes.plot([group.predicted] * 2, [group.lower, group.upper], color=BLUE, linewidth=0.9, zorder=2)
        axes.plot([group.predicted], [group.observed], "o", markersize=3.6, color=BLUE, zorder=3, label=label)
        label = None


def _at(x: Sequence[float], y: Sequence[float], time: float) -> float:
    """The step function at a time."""
    return next(value for start, value in zip(reversed(x), reversed(y), strict=True) if start <= time)
