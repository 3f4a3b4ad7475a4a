"""Kaplan-Meier figure: curves with bands and censor marks, and the numbers at risk under the ticks."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from figures.palette import INK, MUTED, series_colour, translucent
from figures.paper import dress, plain
from figures.ticks import AxisUnit, in_unit
from petct.survival.kaplan_meier import KaplanMeierResult, SurvivalCurve, round_times
from petct.survival.results import p_text

_ROW_PIXELS = 24
_CURVES_PIXELS = 400


def kaplan_meier_figure(
    result: KaplanMeierResult, *, axis_unit: AxisUnit | None = None, title: str | None = None, band: bool = True
) -> go.Figure:
    """Draw a Kaplan-Meier analysis.

    Parameters
    ----------
    result
        The analysis.
    axis_unit
        Unit of the time axis (a month is 365.25 / 12 days); the result's own when None.
    title
        Title; made from the split when None.
    band
        Draw the confidence bands.

    Returns
    -------
    go.Figure
        Upper part the curves, lower part the numbers at risk, on one time axis.

    Raises
    ------
    ValueError
        The times of the result are in a unit that cannot be converted.
    """
    unit = result.unit if axis_unit is None else axis_unit
    scale = in_unit(result.unit, unit)
    longest = max(curve.last_time for curve in result.curves)
    ticks = (
        list(result.at_risk_times) if unit == result.unit else [t / scale for t in round_times(longest * scale, unit)]
    )
    rows = len(result.curves)
    table_pixels = _ROW_PIXELS * (rows + 1)
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=70 / (_CURVES_PIXELS + table_pixels + 70),
        row_heights=[_CURVES_PIXELS, table_pixels],
    )
    labels = [_label(result, curve) for curve in result.curves]
    for i, curve in enumerate(result.curves):
        colour = series_colour(i)
        if band:
            _add_band(figure, curve, scale, colour)
        _add_curve(figure, curve, labels[i], scale, colour, unit)
        figure.add_trace(
            go.Scatter(
                x=[time * scale for time in ticks],
                y=[rows - i] * len(ticks),
                text=[str(curve.n_at_risk_at(time)) for time in ticks],
                mode="text",
                textfont={"color": colour},
                hoverinfo="skip",
                showlegend=False,
                name=f"at risk {labels[i]}",
                cliponaxis=False,
            ),
            row=2,
            col=1,
        )
    dress(figure, title if title is not None else _title(result), _CURVES_PIXELS + table_pixels + 190)
    _axes(figure, [time * scale for time in ticks], longest * scale, unit, labels, rows)
    statement = _statement(result)
    if statement:
        figure.add_annotation(
            text=statement,
            xref="x domain",
            yref="y domain",
            x=0.015,
            y=0.03,
            xanchor="left",
            yanchor="bottom",
            align="left",
            showarrow=False,
            bgcolor="rgba(255,255,255,0.8)",
        )
    return figure


def _add_curve(figure: go.Figure, curve: SurvivalCurve, label: str, scale: float, colour: str, unit: str) -> None:
    x = [0.0, *curve.times, curve.last_time]
    y = [1.0, *curve.survival, curve.survival[-1] if curve.survival else 1.0]
    figure.add_trace(
        go.Scatter(
            x=[time * scale for time in x],
            y=y,
            mode="lines",
            line={"color": colour, "width": 2.2, "shape": "hv"},
            name=f"{label} (n = {curve.n}, {curve.n_events} events)",
            legendgroup=label,
            hovertemplate=f"%{{x:.4g}} {unit}s: %{{y:.1%}}<extra>{label}</extra>",
        ),
        row=1,
        col=1,
    )
    if curve.censor_times:
        figure.add_trace(
            go.Scatter(
                x=[time * scale for time in curve.censor_times],
                y=curve.censor_survival,
                mode="markers",
                marker={"symbol": "line-ns", "size": 9, "line": {"color": colour, "width": 1.5}},
                name=f"censored {label}",
                legendgroup=label,
                showlegend=False,
                hovertemplate=f"censored at %{{x:.4g}} {unit}s<extra>{label}</extra>",
            ),
            row=1,
            col=1,
        )


def _add_band(figure: go.Figure, curve: SurvivalCurve, scale: float, colour: str) -> None:
    steps = [
        (time, lower, upper)
        for time, lower, upper in zip(curve.times, curve.lower, curve.upper, strict=True)
        if lower is not None and upper is not None
    ]
    if not steps:
        return
    # Where S(t) reaches 0 there are no limits: the band ends at that step.
    reaches_zero = curve.lower[-1] is None
    end = curve.times[-1] if reaches_zero else curve.last_time
    steps.append((end, steps[-1][1], steps[-1][2]))
    x = [time * scale for time, _, _ in steps]
    for values, fill in (([lower for _, lower, _ in steps], None), ([upper for _, _, upper in steps], "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=x,
                y=values,
                mode="lines",
                line={"width": 0, "shape": "hv", "color": colour},
                fill=fill,
                fillcolor=translucent(colour, 0.15),
                hoverinfo="skip",
                showlegend=False,
                name=f"band {curve.group}",
            ),
            row=1,
            col=1,
        )


def _axes(figure: go.Figure, ticks: list[float], longest: float, unit: str, labels: list[str], rows: int) -> None:
    span = [-0.035 * longest, longest * 1.03] if longest > 0 else [-0.5, 0.5]
    figure.update_xaxes(range=span, tickmode="array", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_xaxes(title_text=f"Time since origin ({unit}s)", title_standoff=6, showticklabels=True, row=1, col=1)
    figure.update_xaxes(showline=False, showticklabels=False, ticks="", row=2, col=1)
    figure.update_yaxes(
        title_text="Survival probability", range=[0, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1], row=1, col=1
    )
    coloured = [f"<span style='color:{series_colour(i)}'>{label}</span>" for i, label in enumerate(labels)]
    figure.update_yaxes(
        range=[0.4, rows + 1.4],
        tickvals=[rows + 1, *(rows - i for i in range(rows))],
        ticktext=[f"<span style='color:{MUTED}'>At risk</span>", *coloured],
        showline=False,
        showgrid=False,
        ticks="",
        automargin=True,
        row=2,
        col=1,
    )
    figure.update_layout(
        legend={"x": 0.99, "y": 1.0, "xanchor": "right", "yanchor": "top", "bgcolor": "rgba(255,255,255,0.8)"},
        hovermode="closest",
        font_color=INK,
        showlegend=True,
    )


def _label(result: KaplanMeierResult, curve: SurvivalCurve) -> str:
    unit = f" {result.variable_unit}" if result.variable_unit else ""
    return plain(f"{curve.group}{unit}")


def _title(result: KaplanMeierResult) -> str:
    return "Survival of all patients" if result.variable is None else f"{plain(result.variable)}: {result.rule}"


def _statement(result: KaplanMeierResult) -> str:
    test = result.log_rank
    if test is None:
        return ""
    if test.p is not None:
        return f"log-rank {plain(p_text(test.p))}"
    return "" if test.p_suppressed is None else plain(test.p_suppressed.message)
