"""Calibration on paper: what a model predicted against what was observed."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.palette import BLUE, MUTED, VERMILION
from figures.print_page import SINGLE_COLUMN_MM, SMALL, axes_at, journal_look, new_figure
from petct.survival.cox_repeated.validation import CorrectedGroup, CoxValidation


def calibration_print(result: CoxValidation, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Draw the observed probability of the event by the horizon against the predicted one, a point a group of risk.

    Crosses are corrected for optimism, where the model was judged in the patients of its fit.
    """
    with journal_look():
        figure = new_figure(width_mm, width_mm + 4)
        axes = axes_at(figure, left_mm=13, bottom_mm=11, right_mm=4, top_mm=13)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)
        _groups(axes, result.groups)
        corrected = [(group.predicted, group.corrected) for group in result.groups if group.corrected is not None]
        if corrected:
            across, up = zip(*corrected, strict=True)
            axes.plot(across, up, "x", color=VERMILION, markersize=4.5, zorder=4, label="corrected for optimism")
            axes.legend(loc="upper left", handletextpad=0.2)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_xlabel(f"Predicted probability by {result.time:g} {result.unit}s", labelpad=2)
        axes.set_ylabel("Observed (1 − Kaplan-Meier)", labelpad=2)
        slope = "" if result.slope is None else f", slope {result.slope.value:.2f}"
        judged = f"concordance {result.concordance.value:.2f}{slope}, corrected for optimism"
        axes.set_title(f"n = {result.n}, {result.n_events} events\n{judged}", loc="left", fontsize=SMALL, pad=4)
        return figure


def _groups(axes: Axes, groups: Sequence[CorrectedGroup]) -> None:
    label: str | None = "in these patients"
    for group in groups:
        if group.observed is None:
            continue
        if group.lower is not None and group.upper is not None:
            axes.plot([group.predicted] * 2, [group.lower, group.upper], color=BLUE, linewidth=0.9, zorder=2)
        axes.plot([group.predicted], [group.observed], "o", markersize=3.6, color=BLUE, zorder=3, label=label)
        label = None
