"""Lines of a forest figure: ratios with intervals on a logarithmic axis, words to the left and numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from figures.palette import BLUE, INK, MUTED
from figures.paper import dress, plain
from figures.ticks import round_ratios

_ROW_PIXELS = 38
_NUMBERS_PIXELS = 230


@dataclass(frozen=True)
class ForestLine:
    """One line.

    Parameters
    ----------
    name, detail
        Words to the left, and smaller ones under them.
    ratio, lower, upper
        None where there is nothing to draw: a heading, a reference, a withheld value.
    numbers
        Words to the right.
    heading
        Set in bold.
    """

    name: str
    detail: str
    ratio: float | None
    lower: float | None
    upper: float | None
    numbers: str
    heading: bool = False


def draw_forest(lines: Sequence[ForestLine], *, title: str | None, axis: str, numbers: str) -> go.Figure:
    """Draw lines from the top down.

    Parameters
    ----------
    lines
        At least one.
    title
        Title, if any.
    axis, numbers
        Title of the axis, and heading of the numbers to the right.
    """
    rows = len(lines)
    heights = list(range(rows, 0, -1))
    drawn = [
        (line, height, line.ratio, line.lower, line.upper)
        for line, height in zip(lines, heights, strict=True)
        if line.ratio is not None and line.lower is not None and line.upper is not None
    ]
    figure = go.Figure(
        go.Scatter(
            x=[ratio for _, _, ratio, _, _ in drawn],
            y=[height for _, height, *_ in drawn],
            mode="markers",
            marker={"symbol": "square", "size": 10, "color": BLUE},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [upper - ratio for _, _, ratio, _, upper in drawn],
                "arrayminus": [ratio - lower for _, _, ratio, lower, _ in drawn],
                "color": BLUE,
                "thickness": 1.8,
                "width": 5,
            },
            hovertext=[plain(line.numbers) for line, *_ in drawn],
            hoverinfo="text",
            showlegend=False,
        )
    )
    dress(figure, title, 150 + _ROW_PIXELS * (rows + 1))
    figure.add_vline(x=1.0, line={"color": MUTED, "width": 1, "dash": "dash"})
    texts = [(rows + 1, f"<b>{plain(numbers)}</b>")]
    texts += [(height, _bold(line.numbers, line.heading)) for line, height in zip(lines, heights, strict=True)]
    for height, text in texts:
        figure.add_annotation(
            text=text, x=1.02, xref="paper", y=height, xanchor="left", showarrow=False, font={"color": INK}
        )
    ticks = round_ratios(
        min((lower for *_, lower, _ in drawn), default=1.0), max((upper for *_, upper in drawn), default=1.0)
    )
    figure.update_xaxes(type="log", title_text=axis, tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_yaxes(
        range=[0.4, rows + 1.5],
        tickvals=heights,
        ticktext=[
            _bold(line.name, line.heading) + (f"<br><sup>{plain(line.detail)}</sup>" if line.detail else "")
            for line in lines
        ],
        showgrid=False,
        ticks="",
        automargin=True,
    )
    figure.update_layout(margin_r=_NUMBERS_PIXELS)
    return figure


def _bold(text: str, heading: bool) -> str:
    return f"<b>{plain(text)}</b>" if heading and text else plain(text)
