"""Figures of a principal component analysis: scores, explained variance, loadings."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import plotly.graph_objects as go

from figures.palette import BLUE, INK, MUTED, VERMILION, series_colour
from figures.paper import dress, plain
from petct.survival.features.pca import Component, PcaResult


def pca_scores_figure(
    result: PcaResult,
    x: int = 1,
    y: int = 2,
    *,
    colour_by: Sequence[str | float | None] | None = None,
    colour_title: str | None = None,
    picked: Collection[str] | None = None,
) -> go.Figure:
    """Draw one component's scores against another's; each point carries its row id as custom data.

    Parameters
    ----------
    result
        The analysis.
    x, y
        Numbers of the components, from 1.
    colour_by
        A category (texts) or number for each of ``result.row_ids``; None for no value.
    colour_title
        What the colours mean, with unit.
    picked
        Row ids to put rings around; with them, even none, the figure is for picking: dragging draws a lasso.

    Raises
    ------
    ValueError
        A component that does not exist, or colours for other rows.
    """
    first, second = _component(result, x), _component(result, y)
    if colour_by is not None and len(colour_by) != result.n:
        raise ValueError(f"{len(colour_by)} colours for {result.n} rows")
    figure = go.Figure()
    numeric = colour_by is not None and all(isinstance(value, (int, float)) or value is None for value in colour_by)
    missing = [i for i in range(result.n) if colour_by is not None and colour_by[i] is None]
    if colour_by is None or numeric:
        there = [i for i in range(result.n) if i not in set(missing)]
        marker: dict[str, object] = {"color": BLUE}
        if colour_by is not None:
            marker = {
                "color": [colour_by[i] for i in there],
                "colorscale": "Cividis",
                "showscale": True,
                "colorbar": {"title": {"text": colour_title or ""}},
            }
        _points(figure, result, first, second, there, "patients", marker)
    else:
        groups = sorted({str(value) for value in colour_by if value is not None})
        for k, group in enumerate(groups):
            rows = [i for i in range(result.n) if colour_by[i] is not None and str(colour_by[i]) == group]
            _points(figure, result, first, second, rows, plain(group), {"color": series_colour(k)})
        figure.update_layout(legend={"title": {"text": colour_title or ""}}, showlegend=True)
    if missing:
        _points(figure, result, first, second, missing, "no value", {"color": MUTED, "symbol": "circle-open"})
    dress(figure, 520)
    if picked is not None:
        _rings(figure, result, first, second, [i for i in range(result.n) if result.row_ids[i] in picked])
        figure.update_layout(dragmode="lasso", hovermode="closest")
    figure.update_xaxes(title_text=_axis_title(first), zeroline=True, zerolinecolor=MUTED, zerolinewidth=0.5)
    figure.update_yaxes(title_text=_axis_title(second), zeroline=True, zerolinecolor=MUTED, zerolinewidth=0.5)
    return figure


def pca_scree_figure(result: PcaResult, *, n_components: int = 15) -> go.Figure:
    """Draw the share of variance of the first components, and their sum."""
    shown = result.components[:n_components]
    names = [component.name for component in shown]
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=[component.explained_variance_ratio for component in shown],
        marker={"color": BLUE},
        name="component",
        hovertemplate="%{x}: %{y:.1%}<extra></extra>",
    )
    figure.add_scatter(
        x=names,
        y=[component.cumulative_ratio for component in shown],
        mode="lines+markers",
        line={"color": VERMILION, "width": 2},
        name="cumulative",
        hovertemplate="up to %{x}: %{y:.1%}<extra></extra>",
    )
    dress(figure, 420)
    figure.update_xaxes(title_text="Principal component")
    figure.update_yaxes(title_text="Share of variance", tickformat=".0%", range=[0, 1.03])
    figure.update_layout(legend={"x": 0.99, "y": 0.55, "xanchor": "right"}, showlegend=True)
    return figure


def pca_loadings_figure(result: PcaResult, component: int = 1, *, n_features: int = 20) -> go.Figure:
    """Draw the features with the largest loadings on a component, largest on top.

    Raises
    ------
    ValueError
        A component that does not exist.
    """
    chosen = _component(result, component)
    order = sorted(range(len(result.features)), key=lambda j: (-abs(chosen.loadings[j]), result.features[j]))
    shown = order[:n_features][::-1]
    figure = go.Figure(
        go.Bar(
            x=[chosen.loadings[j] for j in shown],
            y=[plain(result.features[j]) for j in shown],
            orientation="h",
            marker={"color": [BLUE if chosen.loadings[j] >= 0 else VERMILION for j in shown]},
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            showlegend=False,
        )
    )
    dress(figure, 150 + 22 * len(shown))
    figure.update_xaxes(title_text=f"Loading on {chosen.name}")
    figure.update_yaxes(automargin=True, ticks="", showgrid=False)
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    return figure


def _component(result: PcaResult, number: int) -> Component:
    if not 1 <= number <= len(result.components):
        raise ValueError(f"there is no component {number}; there are {len(result.components)}")
    return result.components[number - 1]


def _axis_title(component: Component) -> str:
    return f"{component.name} ({component.explained_variance_ratio:.1%} of variance)"


def _rings(figure: go.Figure, result: PcaResult, first: Component, second: Component, rows: Sequence[int]) -> None:
    if rows:
        figure.add_scatter(
            x=[first.scores[i] for i in rows],
            y=[second.scores[i] for i in rows],
            mode="markers",
            marker={"size": 15, "symbol": "circle-open", "color": INK, "line": {"width": 1.8}},
            unselected={"marker": {"opacity": 1.0}},
            customdata=[result.row_ids[i] for i in rows],
            hoverinfo="skip",
            name=f"selected ({len(rows)})",
            showlegend=not any(trace.marker.showscale for trace in figure.data),
        )


def _points(
    figure: go.Figure,
    result: PcaResult,
    first: Component,
    second: Component,
    rows: Sequence[int],
    name: str,
    marker: dict[str, object],
) -> None:
    figure.add_scatter(
        x=[first.scores[i] for i in rows],
        y=[second.scores[i] for i in rows],
        mode="markers",
        marker={"size": 9, "opacity": 0.85, "line": {"width": 0.5, "color": "white"}, **marker},
        # The rings say who is picked: nothing fades for it.
        unselected={"marker": {"opacity": 0.85}},
        customdata=[result.row_ids[i] for i in rows],
        hovertemplate="%{customdata}<extra>" + name + "</extra>",
        name=name,
        showlegend=False if name == "patients" else None,
    )
