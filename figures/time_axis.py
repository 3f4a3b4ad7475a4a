"""What figures over time share: a choice of unit, ticks at round times, and the numbers at risk under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from figures.palette import INK, series_colour, translucent
from figures.paper import dress, marked
from figures.ticks import AxisUnit, band_of, in_unit
from petct.survival.competing.cumulative import IncidenceCurve
from petct.survival.kaplan_meier.estimate import round_times
from petct.survival.kaplan_meier.result import SurvivalCurve

_ROW_PIXELS = 24
_CURVES_PIXELS = 400


@dataclass(frozen=True)
class TimeAxis:
    """A time axis.

    Parameters
    ----------
    unit
        What it is in.
    scale
        Times of the result times this are times on the axis.
    ticks
        Where numbers at risk stand, in the unit of the result.
    longest
        Longest time, in the unit of the result.
    """

    unit: str
    scale: float
    ticks: tuple[float, ...]
    longest: float

    @classmethod
    def of(cls, unit: str, longest: float, axis_unit: AxisUnit | None, ticks: Sequence[float] = ()) -> TimeAxis:
        """Axis of times in ``unit`` up to ``longest``; ``ticks`` are those to use where it is drawn in ``unit``.

        Raises
        ------
        ValueError
            The times are in a unit that cannot be converted.
        """
        shown = unit if axis_unit is None else axis_unit
        scale = in_unit(unit, shown)
        if shown == unit and ticks:
            return cls(shown, scale, tuple(ticks), longest)
        return cls(shown, scale, tuple(time / scale for time in round_times(longest * scale, shown)), longest)

    def at(self, time: float) -> float:
        """A time of the result on the axis."""
        return time * self.scale


def curves_over_table(
    axis: TimeAxis,
    labels: Sequence[str],
    at_risk: Sequence[Callable[[float], int]],
    *,
    y_title: str,
) -> go.Figure:
    """Return a figure with room for curves above and the numbers at risk below, aligned with the ticks.

    Parameters
    ----------
    axis
        The time axis.
    labels, at_risk
        Groups from the top down, and how many patients of each were at risk at a time of the result.
    y_title
        Title of the upper axis, which runs from 0 to 1.
    """
    rows = len(labels)
    table_pixels = _ROW_PIXELS * (rows + 1)
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=70 / (_CURVES_PIXELS + table_pixels + 70),
        row_heights=[_CURVES_PIXELS, table_pixels],
    )
    for i, (label, counted) in enumerate(zip(labels, at_risk, strict=True)):
        figure.add_scatter(
            x=[axis.at(time) for time in axis.ticks],
            y=[rows - i] * len(axis.ticks),
            text=[str(counted(time)) for time in axis.ticks],
            mode="text",
            textfont={"color": INK},
            hoverinfo="skip",
            showlegend=False,
            name=f"at risk {label}",
            cliponaxis=False,
            row=2,
            col=1,
        )
    dress(figure, _CURVES_PIXELS + table_pixels + 115)
    figure.update_layout(margin_b=10)
    _axes(figure, axis, labels, y_title)
    return figure


def add_band(figure: go.Figure, axis: TimeAxis, curve: SurvivalCurve | IncidenceCurve, colour: str) -> None:
    """Fill the steps between the limits of a curve in the upper part."""
    limits = band_of(curve.times, curve.lower, curve.upper, curve.last_time)
    if not limits:
        return
    for values, fill in (([lower for _, lower, _ in limits], None), ([upper for _, _, upper in limits], "tonexty")):
        figure.add_scatter(
            x=[axis.at(time) for time, _, _ in limits],
            y=values,
            mode="lines",
            line={"width": 0, "shape": "hv", "color": colour},
            fill=fill,
            fillcolor=translucent(colour, 0.15),
            hoverinfo="skip",
            showlegend=False,
            name=f"band {curve.group}",
            row=1,
            col=1,
        )


def _axes(figure: go.Figure, axis: TimeAxis, labels: Sequence[str], y_title: str) -> None:
    rows, longest = len(labels), axis.at(axis.longest)
    span = [-0.035 * longest, longest * 1.03] if longest > 0 else [-0.5, 0.5]
    figure.update_xaxes(range=span, tickmode="array", **marked([axis.at(time) for time in axis.ticks]))
    figure.update_xaxes(
        title_text=f"Time since origin ({axis.unit}s)", title_standoff=6, showticklabels=True, row=1, col=1
    )
    figure.update_xaxes(showline=False, showticklabels=False, ticks="", row=2, col=1)
    figure.update_yaxes(title_text=y_title, range=[0, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1], row=1, col=1)
    # Words in ink, which is readable in either theme; the dash has the colour of the curve.
    coloured = [f"<span style='color:{series_colour(i)}'>━</span> {label}" for i, label in enumerate(labels)]
    figure.update_yaxes(
        range=[0.4, rows + 1.4],
        tickvals=[rows + 1, *(rows - i for i in range(rows))],
        ticktext=["At risk", *coloured],
        showline=False,
        showgrid=False,
        ticks="",
        automargin=True,
        row=2,
        col=1,
    )
    figure.update_layout(hovermode="closest", font_color=INK, showlegend=True)
