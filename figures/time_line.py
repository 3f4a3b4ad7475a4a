"""The clinical course of one patient in days since the origin; without calendar dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from figures.palette import BLUE, GREEN, INK, MUTED, ORANGE, VERMILION
from figures.paper import dress, plain

Kind = Literal["origin", "scan", "date", "event", "competing", "censored"]

_MARKS: dict[Kind, tuple[str, str]] = {
    "origin": ("diamond", INK),
    "scan": ("square", BLUE),
    "date": ("triangle-up", GREEN),
    "event": ("x", VERMILION),
    "competing": ("cross", ORANGE),
    "censored": ("line-ns-open", MUTED),
}
_ENDS = ("event", "competing", "censored")
_ROW_PIXELS = 38


@dataclass(frozen=True)
class Moment:
    """One mark of a time line.

    Attributes
    ----------
    row
        What is written at its row: a scan, a date, an endpoint.
    day
        Days since the origin; negative before it.
    """

    row: str
    day: int
    kind: Kind
    text: str


def time_line_figure(moments: Sequence[Moment]) -> go.Figure:
    """Draw moments in rows, in their order from above; an endpoint is a line from the origin to its end."""
    rows = list(dict.fromkeys(moment.row for moment in moments))
    heights = {row: len(rows) - number for number, row in enumerate(rows)}
    figure = go.Figure()
    for moment in moments:
        height = heights[moment.row]
        if moment.kind in _ENDS:
            figure.add_scatter(
                x=[0, moment.day],
                y=[height, height],
                mode="lines",
                line={"color": MUTED, "width": 2},
                hoverinfo="skip",
                showlegend=False,
            )
        symbol, colour = _MARKS[moment.kind]
        figure.add_scatter(
            x=[moment.day],
            y=[height],
            mode="markers+text",
            marker={"symbol": symbol, "size": 13, "color": colour, "line": {"width": 2, "color": colour}},
            text=[f"  {plain(moment.text)}"],
            # Above the line that ends here, where there is one.
            textposition="top left" if moment.kind in _ENDS and moment.day > 0 else "middle right",
            hovertemplate=f"{plain(moment.row)}: day {moment.day}<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
    days = [0, *(moment.day for moment in moments)]
    span = max(days) - min(days) or 1
    dress(figure, 80 + _ROW_PIXELS * (len(rows) + 1))
    figure.add_vline(x=0, line={"color": MUTED, "width": 1, "dash": "dash"})
    figure.update_xaxes(title_text="Days since the origin", range=[min(days) - 0.06 * span, max(days) + 0.06 * span])
    figure.update_yaxes(
        tickvals=list(heights.values()),
        ticktext=[plain(row) for row in rows],
        range=[0.4, len(rows) + 0.7],
        showgrid=False,
        ticks="",
        automargin=True,
    )
    figure.update_layout(margin={"t": 10, "b": 45, "l": 20, "r": 10})
    return figure
