"""Figures for the screen (plotly): every result has one place where it becomes a picture."""

from __future__ import annotations

from figures.calibration import calibration_figure, calibration_in_words
from figures.cox_residuals import residual_figure
from figures.cumulative_incidence import cumulative_incidence_figure
from figures.cut_points import cut_point_figure, cut_point_in_words
from figures.feature_scan import confounding_figure, volcano_figure
from figures.feature_values import against_volume_figure, correlation_figure, distribution_figure
from figures.forest import forest_figure, protocol_hazards_figure
from figures.hazard_check import hazard_check_figure
from figures.pca_views import pca_loadings_figure, pca_scores_figure, pca_scree_figure
from figures.protocol_views import account_figure, bland_altman_figure, volumes_figure
from figures.survival_curves import kaplan_meier_figure, restricted_mean_figure
from figures.ticks import AxisUnit

__all__ = [
    "AxisUnit",
    "account_figure",
    "against_volume_figure",
    "bland_altman_figure",
    "calibration_figure",
    "calibration_in_words",
    "confounding_figure",
    "correlation_figure",
    "cumulative_incidence_figure",
    "cut_point_figure",
    "cut_point_in_words",
    "distribution_figure",
    "forest_figure",
    "hazard_check_figure",
    "kaplan_meier_figure",
    "pca_loadings_figure",
    "pca_scores_figure",
    "pca_scree_figure",
    "protocol_hazards_figure",
    "residual_figure",
    "restricted_mean_figure",
    "volcano_figure",
    "volumes_figure",
]
