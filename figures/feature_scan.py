"""Figures of a scan over many features: the volcano plot, and what is only volume."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import plotly.graph_objects as go

from figures.palette import INK, MUTED
from figures.paper import dress, marked, plain
from figures.ticks import round_ratios
from figures.volcano import BEFORE, NOTHING, SURVIVES, kind_of, p_axis, ratio_of
from petct.survival.cohort.results import p_text
from petct.survival.features.scan_result import ScanResult, ScanRow

_PIXELS = 480
# Not by colour alone: each kind of point has a shape and a size of its own.
_SHAPES = {NOTHING: ("circle", 8), BEFORE: ("triangle-up", 10), SURVIVES: ("diamond", 11)}


def volcano_figure(
    result: ScanResult,
    labels: Mapping[str, str],
    *,
    shown: Collection[str] | None = None,
    chosen: str | None = None,
) -> go.Figure:
    """Draw the hazard ratio of each feature against its p-value; each point carries the feature's name as custom data.

    Features without a hazard ratio have no place in it.

    Parameters
    ----------
    result
        The scan.
    labels
        What each feature is called.
    shown
        Names of the features to draw; all when None.
    chosen
        The feature to put a ring around.
    """
    figure = go.Figure()
    rows = [row for row in result.rows if row.hazard_ratio is not None and (shown is None or row.name in shown)]
    _kinds(figure, rows, labels, ratio_of)
    _ring(figure, [row for row in rows if row.name == chosen], ratio_of)
    dress(figure, _PIXELS)
    _threshold(figure, result)
    reach = max((abs(math.log10(ratio_of(row))) for row in rows), default=0.0)
    figure.add_vline(x=1.0, line={"color": MUTED, "width": 1, "dash": "dot"})
    limit = max(1.12 * reach, 0.15)
    figure.update_xaxes(
        type="log",
        range=[-limit, limit],
        **marked(round_ratios(10**-limit, 10**limit)),
        title_text="Hazard ratio per SD (logarithmic axis)",
    )
    _p_axis(figure, result)
    return figure


def confounding_figure(
    result: ScanResult,
    rho: Mapping[str, float],
    labels: Mapping[str, str],
    *,
    limit: float | None = None,
    chosen: str | None = None,
) -> go.Figure:
    """Draw each feature's correlation with tumour volume against its p-value: the small p may be those of volume.

    Parameters
    ----------
    result
        The scan.
    rho
        Spearman's correlation with volume by feature; features without one are left out.
    labels
        What each feature is called.
    limit
        The largest absolute correlation that is let through, drawn as lines.
    chosen
        The feature to put a ring around.
    """
    figure = go.Figure()
    rows = [row for row in result.rows if row.name in rho]
    _kinds(figure, rows, labels, lambda row: rho[row.name])
    _ring(figure, [row for row in rows if row.name == chosen], lambda row: rho[row.name])
    dress(figure, _PIXELS)
    _threshold(figure, result)
    if limit is not None and limit < 1:
        for x in (-limit, limit):
            figure.add_vline(x=x, line={"color": MUTED, "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[-1.1, 1.1], dtick=0.5, title_text="Spearman correlation with tumour volume")
    _p_axis(figure, result)
    return figure


def _kinds(
    figure: go.Figure, rows: Sequence[ScanRow], labels: Mapping[str, str], x: Callable[[ScanRow], float]
) -> None:
    for (name, colour), (symbol, size) in _SHAPES.items():
        members = [row for row in rows if kind_of(row) == (name, colour)]
        figure.add_scatter(
            x=[x(row) for row in members],
            y=[-math.log10(row.p) for row in members],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": size, "opacity": 0.8, "line": {"width": 0}},
            # A click chooses: nothing fades for it.
            unselected={"marker": {"opacity": 0.8}},
            customdata=[row.name for row in members],
            hovertext=[_numbers(row, labels[row.name]) for row in members],
            hoverinfo="text",
            name=f"{name} ({len(members)})",
        )


def _ring(figure: go.Figure, rows: Sequence[ScanRow], x: Callable[[ScanRow], float]) -> None:
    for row in rows:
        figure.add_scatter(
            x=[x(row)],
            y=[-math.log10(row.p)],
            mode="markers",
            marker={"symbol": "circle-open", "size": 19, "color": INK, "line": {"width": 2}},
            hoverinfo="skip",
            name="chosen",
        )


def _numbers(row: ScanRow, label: str) -> str:
    """Corrected values first."""
    ratio = row.hazard_ratio
    effect = (
        "no hazard ratio" if ratio is None else f"HR {ratio.value:.2f} ({ratio.lower:.2f} to {ratio.upper:.2f}) per SD"
    )
    lines = (
        f"<b>{plain(label)}</b>",
        f"{plain(p_text(row.q)).replace('p', 'q', 1)}, family-wise {plain(p_text(row.p_familywise))}",
        effect,
        f"alone {plain(p_text(row.p))}, n = {row.n}, {row.n_events} events",
    )
    return "<br>".join(lines)


def _threshold(figure: go.Figure, result: ScanResult) -> None:
    none = not result.discoveries
    words = "q = 0.05" if not none else f"q = 0.05: what one of {result.n_tested} would have to reach"
    figure.add_hline(
        y=-math.log10(result.p_threshold),
        line={"color": INK, "width": 1.2, "dash": "dash"},
        annotation={"text": words, "font": {"size": 12}},
        annotation_position="top left",
    )


def _p_axis(figure: go.Figure, result: ScanResult) -> None:
    top, ticks = p_axis(result)
    figure.update_yaxes(
        range=[-0.05, top],
        tickvals=[-math.log10(p) for p in ticks],
        ticktext=[f"{p:g}" for p in ticks],
        title_text="p of the feature alone (−log<sub>10</sub> axis)",
    )
    figure.update_layout(
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"}, showlegend=True
    )
