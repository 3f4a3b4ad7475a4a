"""Calibration on paper: what a model predicted against what was observed."""

from __future__ import annotations

from matplotlib.figure import Figure

from figures.palette import BLUE, MUTED
from figures.print_page import SINGLE_COLUMN_MM, SMALL, axes_at, journal_look, new_figure
from petct.survival.calibration import Calibration


def calibration_print(result: Calibration, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Draw the observed probability of the event by the horizon against the predicted one, a point a group of risk."""
    with journal_look():
        figure = new_figure(width_mm, width_mm)
        axes = axes_at(figure, left_mm=12, bottom_mm=11, right_mm=4, top_mm=9)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)
        for group in result.groups:
            if group.observed is None:
                continue
            if group.lower is not None and group.upper is not None:
                axes.plot([group.predicted] * 2, [group.lower, group.upper], color=BLUE, linewidth=0.9, zorder=2)
            axes.plot([group.predicted], [group.observed], marker="o", markersize=3.6, color=BLUE, zorder=3)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_xlabel(f"Predicted probability by {result.time:g} {result.unit}s", labelpad=2)
        axes.set_ylabel("Observed (1 − Kaplan-Meier)", labelpad=2)
        slope = "" if result.slope is None else f", slope {result.slope:.2f}"
        axes.set_title(
            f"n = {result.n}, {result.n_events} events; observed / expected {result.observed_to_expected:.2f}{slope}",
            loc="left",
            fontsize=SMALL,
            pad=4,
        )
        return figure
