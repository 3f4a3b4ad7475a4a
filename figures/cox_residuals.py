"""Residuals of a Cox model as a figure: points, the smooth line through them, and where it should lie."""

from __future__ import annotations

import plotly.graph_objects as go

from figures.palette import BLUE, INK, MUTED, translucent
from figures.paper import dress, plain
from petct.survival.cox.curves import ResidualCurve

_PIXELS = 360


def residual_figure(curve: ResidualCurve) -> go.Figure:
    """Draw residuals against time or against a covariate.

    Parameters
    ----------
    curve
        Scaled Schoenfeld residuals (a flat line supports proportional hazards), or martingale residuals (a
        straight line supports a linear effect).
    """
    figure = go.Figure()
    if curve.lower:
        figure.add_scatter(
            x=[*curve.smooth_x, *reversed(curve.smooth_x)],
            y=[*curve.upper, *reversed(curve.lower)],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=translucent(BLUE, 0.18),
            hoverinfo="skip",
            name="95 % limits",
        )
    figure.add_scatter(
        x=list(curve.x),
        y=list(curve.y),
        mode="markers",
        marker={"size": 6, "color": translucent(INK, 0.45)},
        name="residuals",
    )
    figure.add_scatter(
        x=list(curve.smooth_x),
        y=list(curve.smooth_y),
        mode="lines",
        line={"color": BLUE, "width": 2.4},
        name="smooth",
    )
    level = 0.0 if curve.reference is None else curve.reference
    figure.add_hline(y=level, line={"color": MUTED, "width": 1, "dash": "dash"})
    dress(figure, _PIXELS, f"{plain(curve.covariate)}: n = {curve.n}, {curve.n_events} events")
    figure.update_layout(showlegend=False, margin_l=95)
    figure.update_xaxes(title_text=plain(curve.x_label))
    figure.update_yaxes(title_text=plain(curve.y_label).replace(" (", "<br>("), zeroline=False)
    return figure
