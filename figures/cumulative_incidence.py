"""Cumulative incidence of events that exclude each other, over the numbers at risk."""

from __future__ import annotations

from functools import partial

import plotly.graph_objects as go

from figures.palette import PAPER, series_colour, translucent
from figures.paper import plain
from figures.ticks import AxisUnit
from figures.time_axis import TimeAxis, add_band, curves_over_table
from petct.survival.competing.cumulative import CumulativeIncidenceResult, IncidenceCurve

_DASHES = ("solid", "dash", "dot", "dashdot")


def cumulative_incidence_figure(result: CumulativeIncidenceResult, *, axis_unit: AxisUnit | None = None) -> go.Figure:
    """Draw the cumulative incidence of every event in every group.

    Parameters
    ----------
    result
        The analysis; numbers at risk stand at its ``at_risk_times``.
    axis_unit
        Unit of the time axis (a month is 365.25 / 12 days); the result's own when None.

    Returns
    -------
    go.Figure
        Colours are groups and dashes are events, that of interest solid and with its band; numbers at risk below.

    Raises
    ------
    ValueError
        The times of the result are in a unit that cannot be converted.
    """
    of_interest = [curve for curve in result.curves if curve.cause == result.causes[0]]
    longest = max(curve.last_time for curve in of_interest)
    converted = TimeAxis.of(result.unit, longest, axis_unit)
    axis = TimeAxis(converted.unit, converted.scale, result.at_risk_times, longest)
    suffix = f" {result.variable_unit}" if result.variable_unit else ""
    labels = [plain(f"{curve.group}{suffix}") for curve in of_interest]
    figure = curves_over_table(
        axis,
        labels,
        [partial(_at_risk, dict(zip(result.at_risk_times, curve.n_at_risk, strict=True))) for curve in of_interest],
        y_title="Cumulative incidence",
    )
    groups = [curve.group for curve in of_interest]
    for curve in result.curves:
        group, cause = groups.index(curve.group), result.causes.index(curve.cause)
        if cause == 0:
            add_band(figure, axis, curve, series_colour(group))
        _add_curve(figure, curve, axis, series_colour(group), _DASHES[cause % len(_DASHES)], labels[group])
    figure.update_layout(
        legend={
            "x": 0.01,
            "y": 1.0,
            "xanchor": "left",
            "yanchor": "top",
            "bgcolor": translucent(PAPER, 0.8),
            "traceorder": "normal",
        }
    )
    return figure


def _at_risk(counts: dict[float, int], time: float) -> int:
    return counts[time]


def _add_curve(figure: go.Figure, curve: IncidenceCurve, axis: TimeAxis, colour: str, dash: str, label: str) -> None:
    name = f"{label}, {plain(curve.cause)} ({curve.n_events} of {curve.n})"
    figure.add_scatter(
        x=[axis.at(time) for time in (0.0, *curve.times, curve.last_time)],
        y=[0.0, *curve.incidence, curve.incidence[-1] if curve.incidence else 0.0],
        mode="lines",
        line={"color": colour, "width": 2.2, "shape": "hv", "dash": dash},
        name=name,
        hovertemplate=f"%{{x:.4g}} {axis.unit}s: %{{y:.1%}}<extra>{name}</extra>",
        row=1,
        col=1,
    )
