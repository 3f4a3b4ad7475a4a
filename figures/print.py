"""Figures for paper (matplotlib): SVG, PDF and PNG in the columns of a journal, the same bytes every time.

Each takes the result that ``figures.screen`` draws, with the same palette; ``save`` writes it.
"""

from __future__ import annotations

from figures.print_calibration import calibration_print
from figures.print_components import components_print
from figures.print_diagnostics import cut_point_print, hazard_check_print, residuals_print, restricted_mean_print
from figures.print_forest import forest_print, protocol_hazards_print
from figures.print_page import DOUBLE_COLUMN_MM, FORMATS, SINGLE_COLUMN_MM, Format, rendered, save
from figures.print_scan import volcano_print
from figures.print_survival import cumulative_incidence_print, kaplan_meier_print

__all__ = [
    "DOUBLE_COLUMN_MM",
    "FORMATS",
    "SINGLE_COLUMN_MM",
    "Format",
    "calibration_print",
    "components_print",
    "cumulative_incidence_print",
    "cut_point_print",
    "forest_print",
    "hazard_check_print",
    "kaplan_meier_print",
    "protocol_hazards_print",
    "rendered",
    "residuals_print",
    "restricted_mean_print",
    "save",
    "volcano_print",
]
