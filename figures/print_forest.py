"""Forest plots for print: hazard ratios of models, of covariates alone and together, and of subgroups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures.forest_lines import AXIS, HEADING, PROTOCOL_AXIS, AnyCoxResult, ForestLine, forest_lines, protocol_lines
from figures.palette import BLUE, MUTED, VERMILION
from figures.print_page import (
    DOUBLE_COLUMN_MM,
    SMALL,
    axes_at,
    journal_look,
    new_figure,
    readable,
    shortened_to,
    width_of,
)
from figures.ticks import round_ratios
from petct.survival.cox.result import CoxResult
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.protocol_sensitivity import HazardSensitivity

_ROW_MM = 6.2
_AXIS_MM = 10.0
_TOP_MM = 8.0
_GAP_MM = 2.0
_FEWEST_MM = 30.0
_SHARE_OF_LABELS = 0.42


def forest_print(
    result: AnyCoxResult, *, labels: Mapping[str, str] | None = None, width_mm: float = DOUBLE_COLUMN_MM
) -> Figure:
    """Draw the hazard ratios of a Cox analysis for a journal, one row per coefficient.

    Parameters
    ----------
    result
        A model, covariates alone and together, nested models (the larger one), subgroups, or pooled imputations.
    labels
        Names to print for variables, by their names in the result.
    width_mm
        Width of the figure.
    """
    return _forest(forest_lines(result, labels or {}), _size(result), AXIS, width_mm)


def protocol_hazards_print(
    hazards: HazardSensitivity, names: Mapping[str, str], *, width_mm: float = DOUBLE_COLUMN_MM
) -> Figure:
    """Draw the hazard ratio per doubling of tumour volume under each protocol that has a model."""
    return _forest(protocol_lines(hazards, names), f"n = {hazards.n}", PROTOCOL_AXIS, width_mm)


def _forest(lines: list[ForestLine], size: str, axis: str, width_mm: float) -> Figure:
    with journal_look():
        figure = new_figure(width_mm, _TOP_MM + _ROW_MM * len(lines) + _AXIS_MM)
        most = width_mm * _SHARE_OF_LABELS
        lines = [
            replace(
                line,
                label=shortened_to(figure, readable(line.label), SMALL, most),
                detail=shortened_to(figure, readable(line.detail), SMALL - 1, most),
            )
            for line in lines
        ]
        left = max(
            width_of(figure, [line.label for line in lines], SMALL),
            width_of(figure, [line.detail for line in lines], SMALL - 1),
        )
        right = width_of(figure, [HEADING, *(readable(line.text) for line in lines)], SMALL)
        left, right = left + 2 * _GAP_MM, right + 2 * _GAP_MM
        if width_mm - left - right < _FEWEST_MM:
            # Too narrow for three columns: the axis keeps its width, and the figure grows.
            width_mm = left + right + _FEWEST_MM
            figure.set_size_inches(width_mm / 25.4, figure.get_size_inches()[1])
        axes = axes_at(figure, left_mm=left, bottom_mm=_AXIS_MM, right_mm=right, top_mm=_TOP_MM)
        _draw(axes, lines, axis, left_mm=left, axes_mm=width_mm - left - right)
        axes.set_title(size, loc="left", fontsize=SMALL, pad=6, x=-(left - _GAP_MM) / (width_mm - left - right))
        return figure


def _size(result: AnyCoxResult) -> str:
    text = f"n = {result.n}, {result.n_events} events"
    if isinstance(result, CoxResult):
        return f"{text}, concordance {result.concordance:.2f}"
    if isinstance(result, ModelComparison):
        return (
            f"{text}, concordance {result.concordance_base:.2f} without, {result.concordance_full:.2f} with the added"
        )
    return text


def _draw(axes: Axes, lines: Sequence[ForestLine], axis: str, *, left_mm: float, axes_mm: float) -> None:
    across = axes.get_yaxis_transform()
    label_x, text_x = -(left_mm - _GAP_MM) / axes_mm, 1 + _GAP_MM / axes_mm
    axes.set_ylim(0.4, len(lines) + 0.6)
    axes.set_xscale("log")
    known = [line.drawn for line in lines if line.drawn]
    low = min((lower for _, lower, _ in known if lower), default=0.5)
    high = max((upper for *_, upper in known if math.isfinite(upper)), default=2.0)
    ticks = round_ratios(low, high)
    axes.set_xlim(min(low, ticks[0]) / 1.08, max(high, ticks[-1]) * 1.08)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(1.0, color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)
    axes.set_xlabel(axis, fontsize=SMALL, labelpad=2)
    axes.text(text_x, len(lines) + 0.75, HEADING, transform=across, fontsize=SMALL, fontweight="bold", va="bottom")
    for place, line in enumerate(lines):
        y = len(lines) - place
        colour = VERMILION if line.second else BLUE
        if line.drawn:
            ratio, lower, upper = line.drawn
            axes.plot([lower, upper], [y, y], color=colour, linewidth=1.0, zorder=2)
            axes.plot([ratio], [y], marker="s", markersize=3.6, color=colour, zorder=3)
        if line.detail.strip():
            axes.text(label_x, y + 0.2, line.label, transform=across, fontsize=SMALL, va="center")
            axes.text(label_x, y - 0.24, line.detail, transform=across, fontsize=SMALL - 1, va="center", color=MUTED)
        else:
            axes.text(label_x, y, line.label, transform=across, fontsize=SMALL, va="center", fontweight="bold")
        axes.text(text_x, y, readable(line.text), transform=across, fontsize=SMALL, va="center")
