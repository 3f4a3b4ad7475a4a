"""What both engines answer: the features of a lesion, or the reasons why there are none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from petct.radiomics.definitions import definitions_of, image_names
from petct.radiomics.feature_sets import FeatureSet
from records.features import FeatureDefinition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EngineName = Literal["fast", "reference"]


class Status(StrEnum):
    """Why a feature has a value, or has none."""

    COMPUTED = "COMPUTED"
    ROI_ABSENT = "ROI_ABSENT"
    """The lesion holds no voxel of the image's grid."""
    ROI_TOO_SMALL = "ROI_TOO_SMALL"
    """Fewer voxels than the feature set asks for, after resampling and resegmentation."""
    ROI_TOO_FEW_DIMENSIONS = "ROI_TOO_FEW_DIMENSIONS"
    """A line, or a plane where the feature set asks for three dimensions."""
    ROI_FLAT = "ROI_FLAT"
    """All intensities are equal, and the feature is zero divided by zero."""
    IMAGE_NOT_FINITE = "IMAGE_NOT_FINITE"
    """The lesion, or what the filter or the interpolator sees of its surroundings, holds NaN or infinity."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    """The texture matrix of so many grey levels would not fit."""
    VALUE_UNDEFINED = "VALUE_UNDEFINED"
    """The formula gives no finite number for this region."""
    FILTER_NOT_APPLICABLE = "FILTER_NOT_APPLICABLE"
    """The image is too small for the filter."""
    ENGINE_FAILED = "ENGINE_FAILED"
    """pyradiomics refuses the region, for a reason that is none of these."""


@dataclass(frozen=True)
class Feature:
    """One feature of one lesion, before it has a place in a table; ``value`` is None exactly when not COMPUTED."""

    feature_name: str
    value: float | None
    status: str


@dataclass(frozen=True)
class Account:
    """How the features of one lesion were computed: what of pyradiomics' ``diagnostics`` matters.

    Attributes
    ----------
    engine
        fast or reference.
    reference_classes
        With the fast engine, what pyradiomics' ``execute`` had to compute: ``image_feature class``.
    spacing_mm
        (x, y, z) of the grid on which features were computed.
    n_voxels_segmented, n_voxels_resampled, n_voxels
        As segmented, after resampling, and after resegmentation; the last is what features are of. None where it was
        not reached.
    n_voxels_below_minimum
        Voxels of the region that the interpolator left below the minimum of the resampling, and that were set to it.
    bounding_box
        First index (x, y, z) and size (x, y, z) of the region as segmented; empty where there is none.
    """

    engine: EngineName
    reference_classes: tuple[str, ...]
    spacing_mm: tuple[float, float, float]
    n_voxels_segmented: int
    n_voxels_resampled: int | None
    n_voxels: int | None
    n_voxels_below_minimum: int
    bounding_box: tuple[int, ...]


@dataclass(frozen=True)
class Extraction:
    """The features of one lesion, in the order of ``definitions_of``, and how they were computed."""

    label: int
    features: tuple[Feature, ...]
    account: Account


def missing(feature_set: FeatureSet, status: Status) -> tuple[Feature, ...]:
    """All features of a feature set, without values, for one reason."""
    return tuple(Feature(definition.feature_name, None, status) for definition in definitions_of(feature_set))


def refusal_of_region(n_voxels: int, size: Sequence[int], feature_set: FeatureSet) -> Status | None:
    """Why a region of ``n_voxels`` in a bounding box of ``size`` has no features, or None."""
    thick = sum(length > 1 for length in size)
    if n_voxels < max(feature_set.minimum_roi_voxels, 2):
        return Status.ROI_TOO_SMALL
    return Status.ROI_TOO_FEW_DIMENSIONS if thick < feature_set.minimum_roi_dimensions else None


def features_of(
    definitions: Sequence[FeatureDefinition],
    values: Mapping[str, float],
    reasons: Mapping[str, Status],
) -> tuple[Feature, ...]:
    """Values and reasons as features.

    Parameters
    ----------
    values
        By feature name.
    reasons
        By feature name, by ``image_class`` or by image: why there is no value. A value without a reason that is not
        finite is VALUE_UNDEFINED.
    """
    return tuple(_feature(definition, values, reasons) for definition in definitions)


def _feature(definition: FeatureDefinition, values: Mapping[str, float], reasons: Mapping[str, Status]) -> Feature:
    name, image, group = definition.feature_name, definition.image_type, definition.feature_class
    # Shape is written as the unfiltered image's, and knows no intensity.
    keys = (name, f"{image}_{group}") if group.startswith("shape") else (name, f"{image}_{group}", image)
    for key in keys:
        if key in reasons:
            return Feature(name, None, reasons[key])
    value = values.get(name, math.nan)
    if math.isfinite(value):
        return Feature(name, float(value), Status.COMPUTED)
    return Feature(name, None, Status.VALUE_UNDEFINED)


# pyradiomics answers zero divided by zero with a number of its own for these: 0, 1 or 1,000,000.
_UNDEFINED_WHERE_FLAT = {
    "firstorder": ("Skewness", "Kurtosis"),
    "glcm": ("Correlation", "Imc1", "Imc2", "MCC"),
    "ngtdm": ("Busyness", "Coarseness", "Contrast", "Strength"),
}


# Images of which a constant region is constant, too.
_POINTWISE = ("original", "square", "square_root", "logarithm", "exponential")


def flat_reasons(feature_set: FeatureSet, intensities: NDArray[np.generic]) -> dict[str, Status]:
    """The features that a region of constant intensity does not define; none where it is not constant."""
    if intensities.size == 0 or intensities.min() != intensities.max():
        return {}
    images = [
        image
        for image_type in feature_set.image_types
        if image_type.name in _POINTWISE
        for image in image_names(image_type, feature_set)
    ]
    return {
        f"{image}_{group}_{name}": Status.ROI_FLAT
        for image in images
        for group, names in _UNDEFINED_WHERE_FLAT.items()
        for name in names
    }
