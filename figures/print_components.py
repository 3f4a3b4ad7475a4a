"""Principal components on paper: scores, variance explained, loadings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from figures.palette import BLUE, INK, MUTED, VERMILION, series_colour
from figures.print_page import (
    DOUBLE_COLUMN_MM,
    SINGLE_COLUMN_MM,
    SMALL,
    axes_at,
    journal_look,
    new_figure,
    readable,
    width_of,
)
from petct.survival.features.pca import Component, PcaResult

_PANEL_MM = 72.0
_ROW_MM = 3.6


def components_print(
    result: PcaResult, x: int = 1, y: int = 2, *, n_components: int = 8, width_mm: float = DOUBLE_COLUMN_MM
) -> Figure:
    """Draw scores and the variance explained side by side; see ``scores_print`` and ``scree_print``."""
    with journal_look():
        figure = new_figure(width_mm, _PANEL_MM)
        half = width_mm / 2
        y = min(y, len(result.components))
        _scores(axes_at(figure, left_mm=15, bottom_mm=11, right_mm=half + 2, top_mm=6), result, x, y, None, "")
        _scree(axes_at(figure, left_mm=half + 15, bottom_mm=11, right_mm=2.5, top_mm=6), result, n_components)
        return figure


def scores_print(
    result: PcaResult,
    x: int = 1,
    y: int = 2,
    *,
    colour_by: Sequence[str | float | None] | None = None,
    colour_title: str = "",
    width_mm: float = SINGLE_COLUMN_MM,
) -> Figure:
    """Draw one component's scores against another's.

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

    Raises
    ------
    ValueError
        A component that does not exist, or colours for other rows.
    """
    if colour_by is not None and len(colour_by) != result.n:
        raise ValueError(f"{len(colour_by)} colours for {result.n} rows")
    with journal_look():
        numeric = colour_by is not None and all(isinstance(value, int | float) or value is None for value in colour_by)
        legend = {str(value) for value in colour_by or () if value is not None} if not numeric else set()
        figure = new_figure(width_mm, _PANEL_MM + _ROW_MM * (len(legend) + 1) * bool(legend))
        top = 6 + _ROW_MM * (len(legend) + 1) * bool(legend)
        axes = axes_at(figure, left_mm=15, bottom_mm=11, right_mm=18 if numeric else 4, top_mm=top)
        _scores(axes, result, x, y, colour_by, colour_title)
        return figure


def scree_print(result: PcaResult, *, n_components: int = 8, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Draw the share of variance of the first components, and their sum."""
    with journal_look():
        figure = new_figure(width_mm, _PANEL_MM)
        _scree(axes_at(figure, left_mm=15, bottom_mm=11, right_mm=2.5, top_mm=6), result, n_components)
        return figure


def loadings_print(
    result: PcaResult, component: int = 1, *, n_features: int = 20, width_mm: float = SINGLE_COLUMN_MM
) -> Figure:
    """Draw the features with the largest loadings on a component, largest on top; raises as ``scores_print``."""
    chosen = _component(result, component)
    order = sorted(range(len(result.features)), key=lambda j: (-abs(chosen.loadings[j]), result.features[j]))
    shown = order[:n_features][::-1]
    names = [readable(result.features[j]) for j in shown]
    with journal_look():
        figure = new_figure(width_mm, 18 + _ROW_MM * len(shown))
        left = min(width_of(figure, names, SMALL) + 3, 0.6 * width_mm)
        axes = axes_at(figure, left_mm=left, bottom_mm=10, right_mm=3, top_mm=6)
        values = [chosen.loadings[j] for j in shown]
        axes.barh(range(len(shown)), values, height=0.7, color=[BLUE if v >= 0 else VERMILION for v in values])
        axes.axvline(0, color=INK, linewidth=0.6)
        axes.set_yticks(range(len(shown)), names)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.set_xlabel(f"Loading on {chosen.name} (unit vector)", labelpad=2)
        axes.set_title(
            f"{len(shown)} of {len(result.features)} features, n = {result.n}", loc="left", fontsize=SMALL, pad=3
        )
        return figure


def _component(result: PcaResult, number: int) -> Component:
    if not 1 <= number <= len(result.components):
        raise ValueError(f"there is no component {number}; there are {len(result.components)}")
    return result.components[number - 1]


def _scores(
    axes: Axes,
    result: PcaResult,
    x: int,
    y: int,
    colour_by: Sequence[str | float | None] | None,
    colour_title: str,
) -> None:
    first, second = _component(result, x), _component(result, y)
    axes.axhline(0, color=MUTED, linewidth=0.4, zorder=1)
    axes.axvline(0, color=MUTED, linewidth=0.4, zorder=1)
    everyone = range(result.n)
    missing = [i for i in everyone if colour_by is not None and colour_by[i] is None]
    there = [i for i in everyone if i not in set(missing)]

    def points(rows: Sequence[int], **how: Any) -> PathCollection:
        return axes.scatter(
            [first.scores[i] for i in rows], [second.scores[i] for i in rows], s=14, linewidths=0.5, zorder=2, **how
        )

    if colour_by is None:
        points(there, color=BLUE, edgecolors="white")
    elif all(isinstance(colour_by[i], int | float) for i in there):
        found = points(there, c=[colour_by[i] for i in there], cmap="cividis", edgecolors="white")
        figure = axes.get_figure()
        assert isinstance(figure, Figure)
        place = axes.get_position()
        bar = figure.add_axes((place.x1 + 0.025, place.y0, 0.025, place.height))
        figure.colorbar(found, cax=bar, label=readable(colour_title))
    else:
        for k, group in enumerate(sorted({str(colour_by[i]) for i in there})):
            rows = [i for i in there if str(colour_by[i]) == group]
            points(rows, color=series_colour(k), edgecolors="white", label=f"{readable(group)} (n = {len(rows)})")
    if missing:
        points(missing, facecolors="none", edgecolors=MUTED, label=f"no value (n = {len(missing)})")
    if axes.get_legend_handles_labels()[1]:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.02),
            borderaxespad=0,
            labelspacing=0.25,
            handletextpad=0.3,
            title=readable(colour_title) or None,
            title_fontsize=SMALL,
            alignment="left",
        )
    else:
        axes.set_title(f"Scores, n = {result.n} patients", loc="left", fontsize=SMALL, pad=3)
    axes.set_xlabel(f"{first.name} ({first.explained_variance_ratio:.1%} of variance)", labelpad=2)
    axes.set_ylabel(f"{second.name} ({second.explained_variance_ratio:.1%} of variance)", labelpad=2)


def _scree(axes: Axes, result: PcaResult, n_components: int) -> None:
    shown = result.components[:n_components]
    places = range(len(shown))
    axes.bar(places, [c.explained_variance_ratio for c in shown], width=0.7, color=BLUE, label="component")
    axes.plot(
        places, [c.cumulative_ratio for c in shown], color=VERMILION, marker="o", markersize=2.5, label="cumulative"
    )
    axes.set_xticks(places, [c.name for c in shown])
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("Share of variance", labelpad=2)
    axes.set_xlabel("Principal component", labelpad=2)
    axes.legend(loc="center right")
    title = f"Variance explained, {len(result.features)} features, n = {result.n}"
    axes.set_title(title, loc="left", fontsize=SMALL, pad=3)
