"""Volcano plots on screen and in print: the kinds of their points and their axis of p-values."""

from __future__ import annotations

import math

from figures.palette import BLUE, ORANGE, VERMILION
from petct.survival.cohort.results import SIGNIFICANCE_LEVEL
from petct.survival.features.scan_result import ScanResult, ScanRow

SURVIVES = ("survives correction", VERMILION)
BEFORE = ("p < 0.05 before correction only", ORANGE)
NOTHING = ("no evidence", BLUE)
"""Name and colour of each kind of point; where it is drawn it has a shape, too."""

_TICKS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 0.0001, 1e-5, 1e-6)


def kind_of(row: ScanRow) -> tuple[str, str]:
    """Return what a feature is called for its p-values."""
    if row.q <= SIGNIFICANCE_LEVEL:
        return SURVIVES
    return BEFORE if row.p < SIGNIFICANCE_LEVEL else NOTHING


def ratio_of(row: ScanRow) -> float:
    """Return the hazard ratio of a row that has one."""
    return math.nan if row.hazard_ratio is None else row.hazard_ratio.value


def p_axis(result: ScanResult) -> tuple[float, list[float]]:
    """Return the end of the axis of -log10 p, and the p-values at its ticks."""
    top = 1.12 * max(-math.log10(min((result.p_threshold, *(row.p for row in result.rows)))), 1.5)
    return top, [p for p in _TICKS if -math.log10(p) <= top]
