"""Calibration of a Cox model as a figure: predicted against observed probabilities by groups of risk."""

from __future__ import annotations

import plotly.graph_objects as go

from figures.palette import BLUE, MUTED, VERMILION
from figures.paper import dress
from petct.survival.cox_repeated.validation import CorrectedGroup, CoxValidation

_PIXELS = 460


def calibration_figure(result: CoxValidation) -> go.Figure:
    """Draw the observed share with the event by the horizon against the predicted probability.

    Parameters
    ----------
    result
        The groups.

    Returns
    -------
    go.Figure
        Dots with limits as seen in the patients of the fit, crosses corrected for optimism; on the diagonal the
        predictions come true.
    """
    seen = [group for group in result.groups if group.observed is not None]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": MUTED, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        name="as predicted",
    )
    figure.add_scatter(
        x=[group.predicted for group in seen],
        y=[group.observed for group in seen],
        customdata=[[group.n, group.n_events] for group in seen],
        mode="markers+lines",
        line={"color": BLUE, "width": 1},
        marker={"size": 9, "color": BLUE},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [_reach(group)[1] for group in seen],
            "arrayminus": [_reach(group)[0] for group in seen],
            "color": BLUE,
            "thickness": 1.4,
            "width": 4,
        },
        name="in the patients of the fit",
        hovertemplate="predicted %{x:.1%}, observed %{y:.1%}; n = %{customdata[0]}, %{customdata[1]} events"
        "<extra></extra>",
    )
    corrected = [group for group in result.groups if group.corrected is not None]
    figure.add_scatter(
        x=[group.predicted for group in corrected],
        y=[group.corrected for group in corrected],
        mode="markers",
        marker={"size": 11, "color": VERMILION, "symbol": "x-thin", "line": {"width": 2.4, "color": VERMILION}},
        name="corrected for optimism",
        hovertemplate="predicted %{x:.1%}, corrected %{y:.1%}<extra></extra>",
    )
    dress(figure, _PIXELS)
    figure.update_layout(showlegend=True, legend={"x": 0.02, "y": 0.98, "xanchor": "left", "yanchor": "top"})
    figure.update_xaxes(title_text="Predicted probability of the event", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title_text="Observed (Kaplan-Meier)", range=[0, 1.02], tickformat=".0%")
    return figure


def _reach(group: CorrectedGroup) -> tuple[float, float]:
    """How far the limits lie below and above the observed share; 0 where there are none."""
    if group.observed is None or group.lower is None or group.upper is None:
        return 0.0, 0.0
    return group.observed - group.lower, group.upper - group.observed


def calibration_in_words(result: CoxValidation) -> str:
    """Describe the figure for those who cannot see it."""
    groups = "; ".join(
        f"predicted {group.predicted:.0%}, observed "
        + ("unknown" if group.observed is None else f"{group.observed:.0%}")
        + ("" if group.corrected is None else f", corrected {group.corrected:.0%}")
        for group in result.groups
    )
    return f"Calibration at {result.time:g} {result.unit}s by groups of predicted risk. {groups}."
