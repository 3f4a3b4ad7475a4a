"""The look that all screen figures share: white paper, thin lines, words instead of decoration."""

from __future__ import annotations

import plotly.graph_objects as go

from figures.palette import GRID, INK, PAPER

FONT = "Helvetica, Arial, sans-serif"


def dress(figure: go.Figure, title: str | None, height: int) -> go.Figure:
    """Give a figure the common look; returns the same figure."""
    figure.update_layout(
        title={"text": title, "x": 0.0, "xref": "paper", "xanchor": "left", "font": {"size": 17}} if title else None,
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        height=height,
        margin={"l": 70, "r": 30, "t": 60 if title else 30, "b": 60},
        hoverlabel={"font": {"family": FONT}},
    )
    figure.update_xaxes(showline=True, linecolor=INK, ticks="outside", tickcolor=INK, zeroline=False, showgrid=False)
    figure.update_yaxes(showline=True, linecolor=INK, ticks="outside", tickcolor=INK, zeroline=False, gridcolor=GRID)
    return figure


def plain(text: str) -> str:
    """Return text that plotly, which reads HTML, shows as it is."""
    return text.replace("&", "&amp;").replace("<=", "≤").replace(">=", "≥").replace("<", "&lt;").replace(">", "&gt;")
