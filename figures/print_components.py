"""Principal components for print: scores and explained variance."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from figures.palette import BLUE, MUTED, VERMILION
from figures.print_page import DOUBLE_COLUMN_MM, SMALL, axes_at, journal_look, new_figure
from petct.survival.features.pca import PcaResult

_PANEL_MM = 72.0


def components_print(
    result: PcaResult, x: int = 1, y: int = 2, *, n_components: int = 8, width_mm: float = DOUBLE_COLUMN_MM
) -> Figure:
    """Draw the scores on two components, by their numbers from 1, and the variance explained, side by side."""
    with journal_look():
        figure = new_figure(width_mm, _PANEL_MM)
        half = width_mm / 2
        y = min(y, len(result.components))
        _scores(axes_at(figure, left_mm=15, bottom_mm=11, right_mm=half + 2, top_mm=6), result, x, y)
        _scree(axes_at(figure, left_mm=half + 15, bottom_mm=11, right_mm=2.5, top_mm=6), result, n_components)
        return figure


def _scores(axes: Axes, result: PcaResult, x: int, y: int) -> None:
    first, second = result.components[x - 1], result.components[y - 1]
    axes.axhline(0, color=MUTED, linewidth=0.4, zorder=1)
    axes.axvline(0, color=MUTED, linewidth=0.4, zorder=1)
    axes.scatter(first.scores, second.scores, s=14, linewidths=0.5, zorder=2, color=BLUE, edgecolors="white")
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
