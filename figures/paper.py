"""The look that all screen figures share: light or dark theme, thin lines, words instead of decoration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from figures.palette import GRID, INK, MUTED, ON_DARK, PAPER, translucent

Figure = go.Figure
"""What the figures of this package are, for those who draw them and do not import plotly."""

FONT = "Helvetica, Arial, sans-serif"

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}|rgba\((\d+),(\d+),(\d+),([0-9.]+)\)")


def dress(figure: go.Figure, height: int, title: str = "") -> go.Figure:
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


def on_dark(figure: go.Figure) -> go.Figure:
    """Return the figure in the dark theme: the colours that need the light theme become those of ``ON_DARK``."""
    layout = {"modebar": {"color": MUTED, "activecolor": INK, "bgcolor": translucent(PAPER, 0)}}
    dark = _recoloured(figure.update_layout(layout).to_dict())
    return go.Figure(dark, _validate=False)


def _recoloured(part: object) -> object:
    if isinstance(part, dict):
        return {name: _recoloured(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_recoloured(value) for value in part]
    if isinstance(part, str) and _COLOUR.fullmatch(part):
        return _dark_colour(part)
    return part


def _dark_colour(colour: str) -> str:
    parts = _COLOUR.fullmatch(colour)
    if parts is None or parts[1] is None:
        return ON_DARK.get(colour.upper(), colour)
    opaque = "#" + "".join(f"{int(parts[i]):02X}" for i in (1, 2, 3))
    return translucent(ON_DARK[opaque], float(parts[4])) if opaque in ON_DARK else colour


def plain(text: str) -> str:
    """Return text that plotly, which reads HTML, shows as it is."""
    return text.replace("&", "&amp;").replace("<=", "≤").replace(">=", "≥").replace("<", "&lt;").replace(">", "&gt;")


def marked(ticks: Sequence[float]) -> dict[str, list[Any]]:
    """Return the ticks of an axis that stand at these numbers and are called so."""
    return {"tickvals": list(ticks), "ticktext": [f"{tick:g}" for tick in ticks]}
