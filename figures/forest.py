"""Forest figures on the screen: ratios with intervals on a logarithmic axis, words to the left and numbers right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from figures.forest_lines import AXIS, HEADING, PROTOCOL_AXIS, AnyCoxResult, ForestLine, forest_lines, protocol_lines
from figures.palette import BLUE, INK, MUTED, VERMILION
from figures.paper import dress, marked, plain
from figures.ticks import round_ratios
from petct.survival.cox_repeated.protocol_sensitivity import HazardSensitivity

_ROW_PIXELS = 38
_NUMBERS_PIXELS = 230


def forest_figure(result: AnyCoxResult) -> go.Figure:
    """Draw the hazard ratios of a Cox analysis, one row per coefficient or subgroup, in the order of the result."""
    return _draw(forest_lines(result, {}), AXIS)


def protocol_hazards_figure(hazards: HazardSensitivity, names: Mapping[str, str]) -> go.Figure:
    """Draw the hazard ratio per doubling of tumour volume under each protocol that has a model."""
    return _draw([line for line in protocol_lines(hazards, names) if line.drawn], PROTOCOL_AXIS)


def _draw(lines: Sequence[ForestLine], axis: str) -> go.Figure:
    rows = len(lines)
    heights = list(range(rows, 0, -1))
    drawn = [(line, height, *line.drawn) for line, height in zip(lines, heights, strict=True) if line.drawn]
    figure = go.Figure()
    figure.add_scatter(
        x=[ratio for _, _, ratio, _, _ in drawn],
        y=[height for _, height, *_ in drawn],
        mode="markers",
        marker={"symbol": "square", "size": 10, "color": [VERMILION if line.second else BLUE for line, *_ in drawn]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [upper - ratio for _, _, ratio, _, upper in drawn],
            "arrayminus": [ratio - lower for _, _, ratio, lower, _ in drawn],
            "color": BLUE,
            "thickness": 1.8,
            "width": 5,
        },
        hovertext=[plain(line.text) for line, *_ in drawn],
        hoverinfo="text",
        showlegend=False,
    )
    dress(figure, 150 + _ROW_PIXELS * (rows + 1))
    figure.add_vline(x=1.0, line={"color": MUTED, "width": 1, "dash": "dash"})
    texts = [(rows + 1, f"<b>{HEADING}</b>")]
    texts += [(height, _bold(line.text, line)) for line, height in zip(lines, heights, strict=True)]
    for height, text in texts:
        figure.add_annotation(
            text=text, x=1.02, xref="paper", y=height, xanchor="left", showarrow=False, font={"color": INK}
        )
    ticks = round_ratios(
        min((lower for *_, lower, _ in drawn), default=1.0), max((upper for *_, upper in drawn), default=1.0)
    )
    figure.update_xaxes(type="log", title_text=axis, **marked(ticks))
    figure.update_yaxes(
        range=[0.4, rows + 1.5],
        tickvals=heights,
        ticktext=[
            _bold(line.label, line) + (f"<br><sup>{plain(line.detail)}</sup>" if line.detail else "") for line in lines
        ],
        showgrid=False,
        ticks="",
        automargin=True,
    )
    figure.update_layout(margin_r=_NUMBERS_PIXELS)
    return figure


def _bold(text: str, line: ForestLine) -> str:
    return plain(text) if line.detail else f"<b>{plain(text)}</b>"
