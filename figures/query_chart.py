"""A chart of two columns of the answer to a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import plotly.graph_objects as go

from figures.palette import series_colour
from figures.paper import dress, plain

if TYPE_CHECKING:
    import pandas as pd

ChartKind = Literal["points", "line", "bars", "histogram"]

_HEIGHT = 430


def query_figure(table: pd.DataFrame, kind: ChartKind, x: str, y: str, colour: str | None = None) -> go.Figure:
    """Draw column ``y`` against ``x`` (a histogram: ``x`` alone), a trace for each value of ``colour``.

    Rows without a value in one of them are left out, and the title of the axis says how many are drawn.
    """
    used = [name for name in dict.fromkeys((x, y if kind != "histogram" else x, colour)) if name is not None]
    drawn = table.dropna(subset=used)
    figure = go.Figure()
    groups = [(None, drawn)] if colour is None else list(drawn.groupby(colour, sort=True))
    for index, (name, rows) in enumerate(groups):
        look = {
            "name": plain(str(name)),
            "marker": {"color": series_colour(index)},
            "showlegend": colour is not None,
        }
        if kind == "histogram":
            figure.add_trace(go.Histogram(x=rows[x], **look))
        elif kind == "bars":
            figure.add_trace(go.Bar(x=rows[x].astype(str), y=rows[y], **look))
        else:
            ordered = rows.sort_values(x) if kind == "line" else rows
            figure.add_trace(
                go.Scatter(x=ordered[x], y=ordered[y], mode="lines" if kind == "line" else "markers", **look)
            )
    dress(figure, _HEIGHT)
    figure.update_xaxes(title={"text": f"{plain(x)} (n = {len(drawn)})", "standoff": 12}, automargin=True)
    figure.update_yaxes(title="Rows" if kind == "histogram" else plain(y))
    figure.update_layout(legend={"title": {"text": plain(colour or "")}}, bargap=0.05)
    return figure
