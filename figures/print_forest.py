"""Forest figures on paper: hazard ratios of models, of covariates alone and together, and of subgroups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

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
from petct.survival.cohort.results import p_text
from petct.survival.cox.result import CoxResult, CoxTerm
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult, PooledTerm
from petct.survival.cox_repeated.protocol_sensitivity import HazardSensitivity
from petct.survival.cox_repeated.subgroups import SubgroupTable

AnyCoxResult = CoxResult | ForestTable | ModelComparison | SubgroupTable | PooledCoxResult

_AXIS = "Hazard ratio (logarithmic axis; above 1: shorter survival)"
_ROW_MM = 6.2
_AXIS_MM = 10.0
_TOP_MM = 8.0
_GAP_MM = 2.0
_FEWEST_MM = 30.0
_SHARE_OF_LABELS = 0.42


@dataclass(frozen=True)
class ForestLine:
    """One line of a forest figure.

    Parameters
    ----------
    label, detail
        What it is about, and what the ratio compares or of how many patients it is.
    ratio, lower, upper
        Hazard ratio with its limits; None for a heading, a reference, or what is withheld.
    text
        What stands to the right.
    second
        Belongs to the second set of models, drawn in the other colour.
    """

    label: str
    detail: str
    ratio: float | None
    lower: float | None
    upper: float | None
    text: str
    second: bool = False


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
    return _forest(forest_lines(result, labels or {}), _size(result), _AXIS, width_mm)


def protocol_hazards_print(
    hazards: HazardSensitivity, names: Mapping[str, str], *, width_mm: float = DOUBLE_COLUMN_MM
) -> Figure:
    """Draw the hazard ratio per doubling of tumour volume under each protocol that has a model."""
    lines = []
    for row in hazards.rows:
        p = "p withheld" if row.p is None else p_text(row.p)
        shown = row.hazard_ratio is not None
        text = f"{row.hazard_ratio:.2f} ({row.lower:.2f} to {row.upper:.2f}), {p}" if shown else "no model"
        detail = f"n = {row.n}, {row.n_events} events"
        name = names.get(row.protocol, row.protocol)
        lines.append(ForestLine(name, detail, row.hazard_ratio, row.lower, row.upper, text))
    axis = "Hazard ratio per doubling of tumour volume (logarithmic axis)"
    return _forest(lines, f"n = {hazards.n}", axis, width_mm)


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
        heading = "Hazard ratio (95 % CI), p"
        left = max(
            width_of(figure, [line.label for line in lines], SMALL),
            width_of(figure, [line.detail for line in lines], SMALL - 1),
        )
        right = width_of(figure, [heading, *(readable(line.text) for line in lines)], SMALL)
        left, right = left + 2 * _GAP_MM, right + 2 * _GAP_MM
        if width_mm - left - right < _FEWEST_MM:
            # Too narrow for three columns: the axis keeps its width, and the figure grows.
            width_mm = left + right + _FEWEST_MM
            figure.set_size_inches(width_mm / 25.4, figure.get_size_inches()[1])
        axes = axes_at(figure, left_mm=left, bottom_mm=_AXIS_MM, right_mm=right, top_mm=_TOP_MM)
        _draw(axes, lines, heading, axis, left_mm=left, axes_mm=width_mm - left - right)
        axes.set_title(size, loc="left", fontsize=SMALL, pad=6, x=-(left - _GAP_MM) / (width_mm - left - right))
        return figure


def forest_lines(result: AnyCoxResult, labels: Mapping[str, str]) -> list[ForestLine]:
    """Return the lines of a forest figure, from top to bottom."""
    if isinstance(result, ForestTable):
        return _lines_of_table(result, labels)
    if isinstance(result, SubgroupTable):
        return _lines_of_subgroups(result, labels)
    terms: Sequence[CoxTerm | PooledTerm] = (result.full if isinstance(result, ModelComparison) else result).terms
    return [_line(term, labels) for term in terms]


def _lines_of_table(table: ForestTable, labels: Mapping[str, str]) -> list[ForestLine]:
    lines = []
    for row in table.rows:
        name = labels.get(row.covariate, row.covariate)
        if row.univariable is None and row.multivariable is None:
            text = "reference" if row.scale == "reference" else "withheld"
            label = name if row.level is None else f"{name}: {row.level}"
            lines.append(ForestLine(label, f"n = {row.n}, {row.n_events} events", None, None, None, text))
            continue
        if row.univariable is not None:
            lines.append(replace(_line(row.univariable, labels), detail=f"{row.univariable.scale}; alone"))
        if row.multivariable is not None:
            together = _line(row.multivariable, labels)
            lines.append(replace(together, detail=f"{row.multivariable.scale}; with the others", second=True))
    return lines


def _lines_of_subgroups(table: SubgroupTable, labels: Mapping[str, str]) -> list[ForestLine]:
    lines = [_line(table.effect, labels)]
    lines[0] = replace(lines[0], detail=f"{table.effect.scale}; all, n = {table.n}")
    for variable in table.variables:
        test = variable.interaction
        p = "p withheld" if test.p is None else p_text(test.p)
        name = labels.get(variable.variable, variable.variable)
        lines.append(ForestLine(name, "", None, None, None, f"interaction: {p}"))
        for group in variable.subgroups:
            shown = group.hazard_ratio is not None and group.lower is not None and group.upper is not None
            text = f"{group.hazard_ratio:.2f} ({group.lower:.2f} to {group.upper:.2f})" if shown else "withheld"
            detail = f"n = {group.n}, {group.n_events} events"
            lines.append(
                ForestLine(f"   {group.level}", f"   {detail}", group.hazard_ratio, group.lower, group.upper, text)
            )
    return lines


def _line(term: CoxTerm | PooledTerm, labels: Mapping[str, str]) -> ForestLine:
    p = "p withheld" if term.p is None else p_text(term.p)
    text = f"{term.hazard_ratio:.2f} ({term.lower:.2f} to {term.upper:.2f}), {p}"
    label = labels.get(term.covariate, term.covariate)
    return ForestLine(label, term.scale, term.hazard_ratio, term.lower, term.upper, text)


def _size(result: AnyCoxResult) -> str:
    text = f"n = {result.n}, {result.n_events} events"
    if isinstance(result, CoxResult):
        return f"{text}, concordance {result.concordance:.2f}"
    if isinstance(result, ModelComparison):
        return (
            f"{text}, concordance {result.concordance_base:.2f} without, {result.concordance_full:.2f} with the added"
        )
    return text


def _draw(axes: Axes, lines: Sequence[ForestLine], heading: str, axis: str, *, left_mm: float, axes_mm: float) -> None:
    across = axes.get_yaxis_transform()
    label_x, text_x = -(left_mm - _GAP_MM) / axes_mm, 1 + _GAP_MM / axes_mm
    axes.set_ylim(0.4, len(lines) + 0.6)
    axes.set_xscale("log")
    known = [line for line in lines if line.lower is not None and line.upper is not None]
    low = min((line.lower for line in known if line.lower), default=0.5)
    high = max((line.upper for line in known if line.upper and math.isfinite(line.upper)), default=2.0)
    ticks = round_ratios(low, high)
    axes.set_xlim(min(low, ticks[0]) / 1.08, max(high, ticks[-1]) * 1.08)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(1.0, color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)
    axes.set_xlabel(axis, fontsize=SMALL, labelpad=2)
    axes.text(text_x, len(lines) + 0.75, heading, transform=across, fontsize=SMALL, fontweight="bold", va="bottom")
    for place, line in enumerate(lines):
        y = len(lines) - place
        colour = VERMILION if line.second else BLUE
        if line.ratio is not None and line.lower is not None and line.upper is not None:
            axes.plot([line.lower, line.upper], [y, y], color=colour, linewidth=1.0, zorder=2)
            axes.plot([line.ratio], [y], marker="s", markersize=3.6, color=colour, zorder=3)
        if line.detail.strip():
            axes.text(label_x, y + 0.2, line.label, transform=across, fontsize=SMALL, va="center")
            axes.text(label_x, y - 0.24, line.detail, transform=across, fontsize=SMALL - 1, va="center", color=MUTED)
        else:
            axes.text(label_x, y, line.label, transform=across, fontsize=SMALL, va="center", fontweight="bold")
        axes.text(text_x, y, readable(line.text), transform=across, fontsize=SMALL, va="center")
