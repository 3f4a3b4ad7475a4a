"""A scan over many features as a volcano on paper: how large the effects are, and how likely noise gives such."""

from __future__ import annotations

import math

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures.palette import BLUE, MUTED, VERMILION
from figures.print_page import SINGLE_COLUMN_MM, SMALL, axes_at, journal_look, new_figure, readable
from figures.ticks import round_ratios
from petct.survival.results import SIGNIFICANCE_LEVEL, p_text
from petct.survival.scan_result import ScanResult, ScanRow

_HEIGHT_MM = 78.0
_NAMED = 5


def volcano_print(result: ScanResult, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Draw every tested feature: hazard ratio per SD across, q (Benjamini-Hochberg) up, on logarithmic axes.

    Corrected values are drawn and not the p-values of the features alone. Coloured are the features that stand for the
    whole family (family-wise p at most 0.05), and the strongest of them are named.
    """
    rows = [row for row in result.rows if row.hazard_ratio is not None]
    with journal_look():
        figure = new_figure(width_mm, _HEIGHT_MM)
        axes = axes_at(figure, left_mm=12, bottom_mm=10.5, right_mm=4, top_mm=13)
        found = [row for row in rows if row.p_familywise <= SIGNIFICANCE_LEVEL]
        others = [row for row in rows if row.p_familywise > SIGNIFICANCE_LEVEL]
        axes.set_xscale("log")
        for group, colour, label in (
            (others, BLUE, f"not distinguishable from noise ({len(others)})"),
            (found, VERMILION, f"family-wise p ≤ 0.05 ({len(found)})"),
        ):
            axes.scatter(
                [_ratio(row) for row in group],
                [_height(row) for row in group],
                s=9,
                color=colour,
                edgecolors="white",
                linewidths=0.3,
                zorder=3,
                label=label,
            )
        line = -math.log10(SIGNIFICANCE_LEVEL)
        axes.axhline(line, color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)
        axes.axvline(1.0, color=MUTED, linewidth=0.4, zorder=1)
        ratios = [_ratio(row) for row in rows] or [1.0]
        ticks = round_ratios(min(ratios), max(ratios))
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(min(*ratios, *ticks) / 1.1, max(*ratios, *ticks) * 1.1)
        axes.set_ylim(-0.03, max([line, *(_height(row) for row in rows)]) * 1.08)
        axes.text(
            0.99, line, "q = 0.05", transform=axes.get_yaxis_transform(), fontsize=SMALL - 1, ha="right", va="bottom"
        )
        for row in found[:_NAMED]:
            name = readable(row.name.partition(":")[2] or row.name)
            axes.annotate(name, (_ratio(row), _height(row)), (2, 2), textcoords="offset points", fontsize=SMALL - 1.5)
        axes.set_xlabel("Hazard ratio per SD (logarithmic axis)", labelpad=2)
        axes.set_ylabel("−log10 q (Benjamini-Hochberg)", labelpad=2)
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


def _ratio(row: ScanRow) -> float:
    assert row.hazard_ratio is not None
    return row.hazard_ratio.value


def _height(row: ScanRow) -> float:
    return -math.log10(max(row.q, 1e-300))
