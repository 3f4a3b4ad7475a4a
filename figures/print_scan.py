"""A scan over many features as a volcano plot for print: how large the effects are, and how likely noise gives such."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures.palette import INK, MUTED
from figures.print_page import SINGLE_COLUMN_MM, SMALL, axes_at, journal_look, new_figure, readable
from figures.ticks import round_ratios
from figures.volcano import BEFORE, NOTHING, SURVIVES, kind_of, p_axis, ratio_of
from petct.survival.cohort.results import p_text
from petct.survival.features.scan_result import ScanResult, ScanRow

_HEIGHT_MM = 84.0
_NAMED = 5


def volcano_print(
    result: ScanResult, *, labels: Mapping[str, str] | None = None, width_mm: float = SINGLE_COLUMN_MM
) -> Figure:
    """Draw every tested feature: hazard ratio per SD across, its p-value up, with the line that correction draws.

    The line is where Benjamini-Hochberg's q is 0.05: what lies below it is no finding, however small its own p. The
    strongest that survive are named. Features without a hazard ratio have no place.
    """
    rows = [row for row in result.rows if row.hazard_ratio is not None]
    with journal_look():
        figure = new_figure(width_mm, _HEIGHT_MM)
        axes = axes_at(figure, left_mm=14, bottom_mm=10.5, right_mm=4, top_mm=17)
        axes.set_xscale("log")
        survive = [row for row in rows if kind_of(row) == SURVIVES]
        for kind, marker in ((NOTHING, "o"), (BEFORE, "^"), (SURVIVES, "D")):
            of_kind = [row for row in rows if kind_of(row) == kind]
            axes.plot(
                [ratio_of(row) for row in of_kind],
                [-math.log10(row.p) for row in of_kind],
                marker,
                markersize=3.2,
                color=kind[1],
                markeredgecolor="white",
                markeredgewidth=0.3,
                label=f"{kind[0]} ({len(of_kind)})",
            )
        _axes(figure, result, rows)
        for row in survive[:_NAMED]:
            name = readable((labels or {}).get(row.name, row.name))
            place = (ratio_of(row), -math.log10(row.p))
            axes.annotate(name, place, (2, 2), textcoords="offset points", fontsize=SMALL - 1.5)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2, labelspacing=0.25, handletextpad=0.2)
        figure.text(
            2 / width_mm,
            1 - 1.2 / _HEIGHT_MM,
            f"{result.n_tested} features tested, n = {result.n}, {result.n_events} events; "
            f"the best as good on noise: {p_text(result.p_best)}",
            fontsize=SMALL - 0.5,
            va="top",
        )
        return figure


def _axes(figure: Figure, result: ScanResult, rows: list[ScanRow]) -> None:
    (axes,) = figure.axes
    threshold = -math.log10(result.p_threshold)
    axes.axhline(threshold, color=INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
    axes.text(0.01, threshold, "q = 0.05", transform=axes.get_yaxis_transform(), fontsize=SMALL - 1, va="bottom")
    axes.axvline(1.0, color=MUTED, linewidth=0.4, zorder=1)
    reach = max(0.15, *(1.12 * abs(math.log10(ratio_of(row))) for row in rows)) if rows else 0.15
    ticks = round_ratios(10**-reach, 10**reach)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(10**-reach, 10**reach)
    top, shown = p_axis(result)
    axes.set_yticks([-math.log10(p) for p in shown], [f"{p:g}" for p in shown])
    axes.set_ylim(-0.05, top)
    axes.set_xlabel("Hazard ratio per SD (logarithmic axis)", labelpad=2)
    axes.set_ylabel("p of the feature alone (−log10 axis)", labelpad=2)
