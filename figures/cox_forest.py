"""Forest figure of a Cox model: hazard ratios with their intervals on a logarithmic axis."""

from __future__ import annotations

import plotly.graph_objects as go

from figures.palette import BLUE, INK, MUTED
from figures.paper import dress, plain
from figures.ticks import round_ratios
from petct.survival.cox import CoxResult, CoxTerm
from petct.survival.results import p_text

_ROW_PIXELS = 38


def forest_figure(result: CoxResult, *, title: str | None = None) -> go.Figure:
    """Draw the hazard ratios of a model, one row a coefficient in the order of the model.

    Parameters
    ----------
    result
        The model.
    title
        Title; states n, events and concordance when None.
    """
    rows = len(result.terms)
    heights = list(range(rows, 0, -1))
    figure = go.Figure(
        go.Scatter(
            x=[term.hazard_ratio for term in result.terms],
            y=heights,
            mode="markers",
            marker={"symbol": "square", "size": 10, "color": BLUE},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [term.upper - term.hazard_ratio for term in result.terms],
                "arrayminus": [term.hazard_ratio - term.lower for term in result.terms],
                "color": BLUE,
                "thickness": 1.8,
                "width": 5,
            },
            hovertext=[_numbers(term) for term in result.terms],
            hoverinfo="text",
            showlegend=False,
        )
    )
    text = f"Cox model: n = {result.n}, {result.n_events} events, concordance {result.concordance:.2f}"
    dress(figure, text if title is None else title, 150 + _ROW_PIXELS * (rows + 1))
    figure.add_vline(x=1.0, line={"color": MUTED, "width": 1, "dash": "dash"})
    heading = f"Hazard ratio ({result.confidence:.0%} CI), p"
    for height, words, bold in (
        (rows + 1, heading, True),
        *((height, _numbers(term), False) for height, term in zip(heights, result.terms, strict=True)),
    ):
        figure.add_annotation(
            text=f"<b>{words}</b>" if bold else words,
            x=1.02,
            xref="paper",
            y=height,
            xanchor="left",
            showarrow=False,
            font={"color": INK},
        )
    ticks = round_ratios(min(term.lower for term in result.terms), max(term.upper for term in result.terms))
    figure.update_xaxes(
        type="log",
        title_text="Hazard ratio (logarithmic axis; above 1: shorter survival)",
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
    figure.update_yaxes(
        range=[0.4, rows + 1.5],
        tickvals=heights,
        ticktext=[f"{plain(term.covariate)}<br><sup>{plain(term.scale)}</sup>" for term in result.terms],
        showgrid=False,
        ticks="",
        automargin=True,
    )
    figure.update_layout(margin_r=230)
    return figure


def _numbers(term: CoxTerm) -> str:
    p = plain(p_text(term.p)) if term.p is not None else "no p"
    return f"{term.hazard_ratio:.2f} ({term.lower:.2f} to {term.upper:.2f}), {p}"
