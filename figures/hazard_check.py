"""Accelerated failure time models against what was observed: cumulative hazards that should lie on the diagonal."""

from __future__ import annotations

import plotly.graph_objects as go

from figures.palette import MUTED, series_colour, translucent
from figures.paper import dress
from petct.survival.with_lifelines.aft_result import TITLES, AftResult

_PIXELS = 420


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
    dress(figure, _PIXELS)
    figure.update_xaxes(title_text="Expected cumulative hazard", rangemode="tozero")
    figure.update_yaxes(title_text="Observed cumulative hazard", rangemode="tozero")
    return figure
