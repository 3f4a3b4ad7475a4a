"""Step curves for print with the numbers at risk under the ticks: what survival and cumulative incidence share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.palette import MUTED, series_colour
from figures.print_page import SMALL, axes_at, journal_look, new_figure, readable, shortened_to, width_of
from figures.ticks import band_of

_CURVES_MM = 52.0
_ROW_MM = 3.4
_AXIS_MM = 10.5
_LEFT_MM = 14.0
_GAP_MM = 2.0
_SHARE_OF_LABELS = 0.4


@dataclass(frozen=True)
class StepCurve:
    """A curve of one group, times in the unit of the axis.

    Parameters
    ----------
    label
        Group with its unit.
    size
        Patients and events in words, for the legend.
    times, values, lower, upper
        The steps: the value from each time on, and its limits (None where there are none).
    start, last_time
        The value at time 0, and where the curve ends.
    at_risk
        One number for each tick.
    censored
        Times and values of the marks.
    companion
        Times and values of a second, thin curve of the same group.
    """

    label: str
    size: str
    times: tuple[float, ...]
    values: tuple[float, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    start: float
    last_time: float
    at_risk: tuple[int, ...]
    censored: tuple[tuple[float, float], ...] = ()
    companion: tuple[tuple[float, float], ...] = ()


def step_figure(
    curves: Sequence[StepCurve],
    ticks: Sequence[float],
    *,
    x_label: str,
    y_label: str,
    statement: str,
    width_mm: float,
    band: bool = True,
) -> Figure:
    """Draw curves, their legend above and the numbers at risk below, each number under its tick.

    Parameters
    ----------
    ticks
        Times of the ticks, from 0.
    statement
        Test in words, drawn into the corner that the curves leave.
    """
    with journal_look():
        table_mm = _ROW_MM * (len(curves) + 1)
        legend_mm = _ROW_MM * len(curves) + 1.5
        figure = new_figure(width_mm, legend_mm + _CURVES_MM + _AXIS_MM + table_mm)
        labels = [shortened_to(figure, readable(c.label), SMALL, width_mm * _SHARE_OF_LABELS) for c in curves]
        left = max(_LEFT_MM, width_of(figure, [*labels, "At risk"], SMALL) + 2 * _GAP_MM)
        axes = axes_at(figure, left_mm=left, bottom_mm=_AXIS_MM + table_mm, right_mm=4.0, top_mm=legend_mm)
        for index, curve in enumerate(curves):
            _draw(axes, curve, series_colour(index), band=band)
        longest = max(curve.last_time for curve in curves)
        axes.set_xlim(-0.02 * longest if longest else -0.5, longest * 1.02 if longest else 0.5)
        axes.set_ylim(-0.015, 1.03)
        axes.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks])
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.50", "0.75", "1"])
        axes.set_xlabel(x_label, labelpad=2)
        axes.set_ylabel(y_label, labelpad=2)
        _legend(axes, curves, labels)
        _at_risk(figure, axes, curves, labels, ticks, left_mm=left)
        if statement:
            height, vertical = (0.98, "top") if curves[0].start == 0 else (0.03, "bottom")
            axes.text(0.03, height, readable(statement), transform=axes.transAxes, fontsize=SMALL, va=vertical)
        return figure


def _draw(axes: Axes, curve: StepCurve, colour: str, *, band: bool) -> None:
    x = [0.0, *curve.times, curve.last_time]
    y = [curve.start, *curve.values, curve.values[-1] if curve.values else curve.start]
    axes.plot(x, y, drawstyle="steps-post", color=colour, zorder=3)
    limits = band_of(curve.times, curve.lower, curve.upper, curve.last_time)
    if band and limits:
        times, lower_limits, upper_limits = zip(*limits, strict=True)
        axes.fill_between(times, lower_limits, upper_limits, step="post", color=colour, alpha=0.15, linewidth=0)
    if curve.censored:
        times, values = zip(*curve.censored, strict=True)
        axes.plot(
            times, values, linestyle="none", marker="|", markersize=4, markeredgewidth=0.7, color=colour, zorder=4
        )
    if curve.companion:
        times, values = zip(*curve.companion, strict=True)
        axes.plot(times, values, drawstyle="steps-post", color=colour, linewidth=0.7, linestyle=(0, (3, 2)))


def _legend(axes: Axes, curves: Sequence[StepCurve], labels: Sequence[str]) -> None:
    lines = [Line2D([], [], color=series_colour(index)) for index in range(len(curves))]
    texts = [f"{label} ({curve.size})" for label, curve in zip(labels, curves, strict=True)]
    axes.legend(
        lines,
        texts,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.0,
        borderpad=0.2,
        labelspacing=0.25,
        handlelength=1.6,
        handletextpad=0.6,
    )


def _at_risk(
    figure: Figure,
    axes: Axes,
    curves: Sequence[StepCurve],
    labels: Sequence[str],
    ticks: Sequence[float],
    *,
    left_mm: float,
) -> None:
    height_mm = figure.get_size_inches()[1] * 25.4 * axes.get_position().height
    width_mm = figure.get_size_inches()[0] * 25.4 * axes.get_position().width
    # Data across, millimetres from the axis down: a number stands under its tick whatever the size of the figure.
    across = axes.get_xaxis_transform()
    heading = -(_AXIS_MM - 1.0) / height_mm
    label_x = -(left_mm - _GAP_MM) / width_mm
    axes.text(label_x, heading, "At risk", transform=axes.transAxes, fontsize=SMALL, color=MUTED, va="center")
    for row, (curve, label) in enumerate(zip(curves, labels, strict=True), start=1):
        y, colour = heading - row * _ROW_MM / height_mm, series_colour(row - 1)
        axes.text(label_x, y, label, transform=axes.transAxes, fontsize=SMALL, color=colour, va="center")
        for tick, number in zip(ticks, curve.at_risk, strict=True):
            axes.text(tick, y, str(number), transform=across, fontsize=SMALL, color=colour, ha="center", va="center")
