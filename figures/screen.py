"""Figures for the screen (plotly): every result has one place where it becomes a picture."""

from __future__ import annotations

from figures.cox_forest import forest_figure
from figures.cox_residuals import residual_figure
from figures.pca_views import pca_loadings_figure, pca_scores_figure, pca_scree_figure
from figures.survival_curves import kaplan_meier_figure
from figures.ticks import AxisUnit

__all__ = [
    "AxisUnit",
    "forest_figure",
    "kaplan_meier_figure",
    "pca_loadings_figure",
    "pca_scores_figure",
    "pca_scree_figure",
    "residual_figure",
]
