"""Rows of the tables of radiomic features."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeatureValue:
    """A row of the table ``radiomic_features``; ``value`` is None exactly when ``status`` is not COMPUTED."""

    patient_id: str
    scan_id: str
    protocol_id: str
    lesion_id: str
    feature_set_id: str
    feature_name: str
    value: float | None
    status: str


@dataclass(frozen=True)
class FeatureExtraction:
    """A row of the table ``feature_extractions``: how the features of one lesion in one feature set were computed.

    See ``petct.radiomics.extraction.Account``; ``image_sha256`` and ``label_map_sha256`` name the volumes, and are None
    where the lesion has no voxel on the grid.
    """

    patient_id: str
    scan_id: str
    protocol_id: str
    lesion_id: str
    feature_set_id: str
    engine: str
    reference_classes: str
    image_sha256: str
    label_map_sha256: str | None
    spacing_x_mm: float
    spacing_y_mm: float
    spacing_z_mm: float
    n_voxels_segmented: int
    n_voxels_resampled: int | None
    n_voxels: int | None
    n_voxels_below_minimum: int
    n_features: int
    n_missing: int
