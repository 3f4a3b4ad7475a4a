"""Checks of models as figures: residuals of a Cox model, and cumulative hazards that should lie on the diagonal."""

from __future__ import annotations

import plotly.graph_objects as go

from figures.palette import BLUE, INK, MUTED, series_colour, translucent
from figures.paper import dress, plain
from petct.survival.cox.curves import ResidualCurve
from petct.survival.with_lifelines.aft_result import TITLES, AftResult

_RESIDUAL_PIXELS = 360
_HAZARD_PIXELS = 420


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
    dress(figure, _RESIDUAL_PIXELS, f"{plain(curve.covariate)}: n = {curve.n}, {curve.n_events} events")
    figure.update_layout(showlegend=False, margin_l=95)
    figure.update_xaxes(title_text=plain(curve.x_label))
    figure.update_yaxes(title_text=plain(curve.y_label).replace(" (", "<br>("), zeroline=False)
    return figure


def hazard_check_figure(result: AftResult) -> go.Figure:
    """Draw the cumulative hazard of the Cox-Snell residuals of each distribution.

    Parameters
    ----------
    result
        The models; the confidence band is drawn for the first, which has the smallest AIC.
    """
    figure = go.Figure()
    first = result.models[0].check
    figure.add_scatter(
        x=[*first.expected, *reversed(first.expected)],
        y=[*first.upper, *reversed(first.lower)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=translucent(series_colour(0), 0.18),
        hoverinfo="skip",
        name=f"{result.confidence * 100:g} % limits, {TITLES[result.models[0].distribution]}",
    )
    for index, model in enumerate(result.models):
        figure.add_scatter(
            x=list(model.check.expected),
            y=list(model.check.observed),
            mode="lines",
            line={"color": series_colour(index), "width": 2.2, "shape": "hv"},
            name=f"{TITLES[model.distribution]} (AIC +{model.aic_difference:.1f})",
        )
    longest = max(model.check.expected[-1] for model in result.models)
    figure.add_scatter(
        x=[0.0, longest],
        y=[0.0, longest],
        mode="lines",
        line={"color": MUTED, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        name="as expected",
    )
    dress(figure, _HAZARD_PIXELS)
    figure.update_xaxes(title_text="Expected cumulative hazard", rangemode="tozero")
    figure.update_yaxes(title_text="Observed cumulative hazard", rangemode="tozero")
    return figure
