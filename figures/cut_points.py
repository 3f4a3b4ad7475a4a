"""The search for a cut as a figure: the statistic over all cuts, and where the cut falls in resamples."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from figures.palette import BLUE, GREEN, MUTED, VERMILION, translucent
from figures.paper import dress, plain
from petct.survival.cohort.groups import number_text
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.maximally_selected import CutStability

_LOGARITHMIC_FROM = 5.0
_PIXELS = 430
_STABILITY_PIXELS = 150


def cut_point_figure(result: CutPointResult, *, shown_cuts: Sequence[float] = ()) -> go.Figure:
    """Draw the standardised log-rank statistic at every cut, and how often resamples chose each cut.

    Parameters
    ----------
    result
        The search.
    shown_cuts
        Other cuts to mark, such as the median.

    Returns
    -------
    go.Figure
        Above, the statistic with the height that it exceeds in 5 % of the permutations; below, where there are
        resamples, the share of them that chose each cut. On a logarithmic axis where the cuts span a wide range.
    """
    stability = result.stability
    heights = [_PIXELS - _STABILITY_PIXELS, _STABILITY_PIXELS] if stability else [_PIXELS]
    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, vertical_spacing=0.07 if stability else 0.0, row_heights=heights
    )
    unit = f" {result.variable_unit}" if result.variable_unit else ""
    figure.add_scatter(
        x=list(result.cuts),
        y=list(result.statistics),
        customdata=[[below, result.n - below] for below in result.n_below_cuts],
        mode="lines+markers",
        line={"color": BLUE, "width": 1.6, "shape": "linear"},
        marker={"size": 5},
        name="statistic",
        hovertemplate="cut at %{x:.4g}" + plain(unit) + ": %{y:.2f}, %{customdata[0]} and %{customdata[1]} patients"
        "<extra></extra>",
        row=1,
        col=1,
    )
    dress(figure, sum(heights) + 130)
    figure.update_layout(showlegend=False)
    if result.permutation is not None:
        figure.add_hline(
            y=result.permutation.critical,
            line={"color": MUTED, "width": 1, "dash": "dash"},
            annotation_text="the best cut exceeds this in 5 % of cohorts without an effect",
            annotation_position="top right",
            annotation_font_color=MUTED,
            row=1,
            col=1,
        )
    figure.update_yaxes(title_text="Log-rank statistic", rangemode="tozero", row=1, col=1)
    if stability is not None:
        _add_stability(figure, stability)
    # After all traces: plotly draws no line in a part of the figure that is still empty.
    for cut, colour in (*((cut, GREEN) for cut in shown_cuts), (result.cut, VERMILION)):
        figure.add_vline(x=cut, line={"color": colour, "width": 1.6, "dash": "dot"}, row="all", col=1)
    cuts = (*result.cuts, *(stability.cuts if stability else ()))
    wide = min(cuts) > 0 and max(cuts) / min(cuts) > _LOGARITHMIC_FROM
    figure.update_xaxes({"type": "log", "dtick": "D2"} if wide else {})
    label = f"Cut of {plain(result.variable)}" + (f" ({plain(unit.strip())})" if unit else "")
    figure.update_xaxes(title_text=label, row=len(heights), col=1)
    return figure


def _add_stability(figure: go.Figure, stability: CutStability) -> None:
    """A stem for every cut that some resample chose: bars would depend on bins, and on the axis."""
    shares = [count / stability.n_resamples for count in stability.n_chosen]
    figure.add_scatter(
        x=[x for cut in stability.cuts for x in (cut, cut, None)],
        y=[y for share in shares for y in (0.0, share, None)],
        mode="lines",
        line={"color": BLUE, "width": 2},
        hoverinfo="skip",
        name="stems",
        row=2,
        col=1,
    )
    figure.add_scatter(
        x=list(stability.cuts),
        y=shares,
        mode="markers",
        marker={"size": 4, "color": BLUE},
        name="resamples",
        hovertemplate="%{y:.1%} of the resamples chose %{x:.4g}<extra></extra>",
        row=2,
        col=1,
    )
    figure.add_vrect(
        x0=stability.lower, x1=stability.upper, fillcolor=translucent(BLUE, 0.1), line_width=0, row=2, col=1
    )
    figure.update_yaxes(title_text="Resamples", tickformat=".0%", rangemode="tozero", nticks=4, row=2, col=1)


def cut_point_in_words(result: CutPointResult) -> str:
    """Describe the figure for those who cannot see it."""
    unit = f" {result.variable_unit}" if result.variable_unit else ""
    said = (
        f"Log-rank statistic over {len(result.cuts)} cuts of {result.variable}; it is largest, {result.statistic:.2f}, "
        f"at {number_text(result.cut)}{unit}"
    )
    if result.permutation is not None:
        said += f"; without an effect the largest one exceeds {result.permutation.critical:.2f} in 5 % of cohorts"
    if result.stability is not None:
        low, high = number_text(result.stability.lower), number_text(result.stability.upper)
        said += f". 95 % of the resampled cuts lie between {low} and {high}{unit}"
    return f"{said}."
