"""Kaplan-Meier figures: curves with bands and censor marks over the numbers at risk, and restricted means as areas."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from figures.palette import MUTED, PAPER, series_colour, translucent
from figures.paper import dress, marked, plain
from figures.ticks import AxisUnit, steps_until
from figures.time_axis import TimeAxis, add_band, curves_over_table
from petct.survival.cohort.results import p_text
from petct.survival.kaplan_meier.result import KaplanMeierResult, SurvivalCurve

_RESTRICTED_PIXELS = 380
_STATEMENT_LETTERS = 90


def kaplan_meier_figure(
    result: KaplanMeierResult,
    *,
    axis_unit: AxisUnit | None = None,
    band: bool = True,
    statement: str | None = None,
) -> go.Figure:
    """Draw a Kaplan-Meier analysis.

    Parameters
    ----------
    result
        The analysis.
    axis_unit
        Unit of the time axis (a month is 365.25 / 12 days); the result's own when None.
    band
        Draw the confidence bands.
    statement
        What is said of the groups; the log-rank test, or why it has no p-value, when None.

    Returns
    -------
    go.Figure
        Upper part the curves, lower part the numbers at risk, on one time axis.

    Raises
    ------
    ValueError
        The times of the result are in a unit that cannot be converted.
    """
    longest = max(curve.last_time for curve in result.curves)
    axis = TimeAxis.of(result.unit, longest, axis_unit, result.at_risk_times)
    labels = [_label(result, curve) for curve in result.curves]
    figure = curves_over_table(
        axis,
        labels,
        [curve.n_at_risk_at for curve in result.curves],
        y_title="Survival probability",
    )
    for i, curve in enumerate(result.curves):
        if band:
            add_band(figure, axis, curve, series_colour(i))
        _add_curve(figure, curve, labels[i], axis, series_colour(i))
    figure.update_layout(
        legend={"x": 0.99, "y": 1.0, "xanchor": "right", "yanchor": "top", "bgcolor": translucent(PAPER, 0.8)}
    )
    said = _statement(result) if statement is None else plain(statement)
    if said:
        figure.add_annotation(
            text="<br>".join(textwrap.wrap(said, _STATEMENT_LETTERS)),
            xref="x domain",
            yref="y domain",
            x=0.015,
            y=0.03,
            xanchor="left",
            yanchor="bottom",
            align="left",
            showarrow=False,
            bgcolor=translucent(PAPER, 0.8),
        )
    return figure


def restricted_mean_figure(result: KaplanMeierResult, *, axis_unit: AxisUnit | None = None) -> go.Figure:
    """Draw the curves up to the horizon of the restricted mean; the area between two of them is their difference.

    Raises
    ------
    ValueError
        The analysis has no restricted mean, or its times are in a unit that cannot be converted.
    """
    if result.restricted_mean is None:
        raise ValueError("the analysis has no restricted mean")
    tau = result.restricted_mean.tau
    axis = TimeAxis.of(result.unit, tau, axis_unit)
    figure = go.Figure()
    steps = [steps_until(curve, tau) for curve in result.curves]
    for i, (curve, (x, y)) in enumerate(zip(result.curves, steps, strict=True)):
        between = i == 1 and len(result.curves) == 2
        figure.add_scatter(
            x=[axis.at(time) for time in x],
            y=y,
            mode="lines",
            line={"color": series_colour(i), "width": 2.2, "shape": "hv"},
            fill="tonexty" if between else None,
            fillcolor=translucent(MUTED, 0.18) if between else None,
            name=f"{_label(result, curve)} (n = {curve.n}, {curve.n_events} events)",
            hovertemplate=f"%{{x:.4g}} {axis.unit}s: %{{y:.1%}}<extra></extra>",
        )
    dress(figure, _RESTRICTED_PIXELS)
    figure.add_vline(x=axis.at(tau), line={"color": MUTED, "width": 1, "dash": "dash"})
    figure.update_xaxes(
        title_text=f"Time since origin ({axis.unit}s)",
        range=[0, axis.at(tau) * 1.03],
        **marked([axis.at(time) for time in axis.ticks]),
    )
    figure.update_yaxes(title_text="Survival probability", range=[0, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_layout(
        showlegend=True, legend={"x": 0.02, "y": 0.04, "xanchor": "left", "yanchor": "bottom", "traceorder": "normal"}
    )
    return figure


def _add_curve(figure: go.Figure, curve: SurvivalCurve, label: str, axis: TimeAxis, colour: str) -> None:
    x = [0.0, *curve.times, curve.last_time]
    y = [1.0, *curve.survival, curve.survival[-1] if curve.survival else 1.0]
    figure.add_scatter(
        x=[axis.at(time) for time in x],
        y=y,
        mode="lines",
        line={"color": colour, "width": 2.2, "shape": "hv"},
        name=f"{label} (n = {curve.n}, {curve.n_events} events)",
        legendgroup=label,
        hovertemplate=f"%{{x:.4g}} {axis.unit}s: %{{y:.1%}}<extra>{label}</extra>",
        row=1,
        col=1,
    )
    if curve.censor_times:
        figure.add_scatter(
            x=[axis.at(time) for time in curve.censor_times],
            y=curve.censor_survival,
            mode="markers",
            marker={"symbol": "line-ns", "size": 9, "line": {"color": colour, "width": 1.5}},
            name=f"censored {label}",
            legendgroup=label,
            showlegend=False,
            hovertemplate=f"censored at %{{x:.4g}} {axis.unit}s<extra>{label}</extra>",
            row=1,
            col=1,
        )


def _label(result: KaplanMeierResult, curve: SurvivalCurve) -> str:
    unit = f" {result.variable_unit}" if result.variable_unit else ""
    return plain(f"{curve.group}{unit}")


def _statement(result: KaplanMeierResult) -> str:
    test = result.log_rank
    if test is None:
        return ""
    if test.p is not None:
        return f"log-rank {plain(p_text(test.p))}"
    return "" if test.p_suppressed is None else plain(test.p_suppressed.message)
