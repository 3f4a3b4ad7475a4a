"""Features of one lesion: the values, or the reason why there are none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from petct.errors import FeatureError
from petct.radiomics.definitions import ORIGINAL_FEATURES
from petct.radiomics.feature_sets import FeatureSet
from petct.volume import Geometry, Mask, Volume

COMPUTED = "COMPUTED"
ROI_TOO_SMALL = "ROI_TOO_SMALL"
VALUE_UNDEFINED = "VALUE_UNDEFINED"

# pyradiomics looks one voxel beyond the region (neighbours, marching cubes); more than that changes no value of an
# unfiltered, unresampled image.
_MARGIN_VOXELS = 2


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
class Feature:
    """One feature of one lesion, before it has a place in a table."""

    feature_name: str
    value: float | None
    status: str


def compute_features(image: Volume, mask: Mask, feature_set: FeatureSet) -> tuple[Feature, ...]:
    """Compute the features of one lesion.

    Parameters
    ----------
    image
        SUV or Hounsfield units, (z, y, x).
    mask
        The lesion, on the grid of the image.

    Returns
    -------
    One entry a feature, in the order of ``ORIGINAL_FEATURES``. A lesion below ``minimum_roi_voxels`` has the status
    ROI_TOO_SMALL, a value that is not finite VALUE_UNDEFINED.

    Raises
    ------
    FeatureError
        GRID_MISMATCH when image and mask differ in their grid; IMAGE_NOT_FINITE when the lesion holds NaN or infinity.
    """
    if not image.geometry.is_close(mask.geometry):
        raise FeatureError(
            "GRID_MISMATCH",
            "The lesion is not on the grid of the image",
            found=str(mask.geometry.shape),
            expected=str(image.geometry.shape),
        )
    if int(np.count_nonzero(mask.array)) < feature_set.minimum_roi_voxels:
        return tuple(Feature(definition.feature_name, None, ROI_TOO_SMALL) for definition in ORIGINAL_FEATURES)
    if not np.isfinite(image.array[mask.array]).all():
        raise FeatureError("IMAGE_NOT_FINITE", "The lesion holds voxels that are not finite numbers")
    # Imported here: pyradiomics takes half a second to load, and a lesion that is too small does not need it.
    from petct.radiomics import reference

    values = reference.execute(*_crop(image, mask), feature_set)
    return tuple(_feature(definition.feature_name, values[definition.feature_name]) for definition in ORIGINAL_FEATURES)


def _feature(name: str, value: float) -> Feature:
    return Feature(name, value, COMPUTED) if math.isfinite(value) else Feature(name, None, VALUE_UNDEFINED)


def _crop(image: Volume, mask: Mask) -> tuple[Volume, Mask]:
    """The lesion's bounding box with a margin: the same values, without the cost of the whole body."""
    box = []
    for axis, size in enumerate(mask.array.shape):
        along = np.flatnonzero(mask.array.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(max(int(along[0]) - _MARGIN_VOXELS, 0), min(int(along[-1]) + _MARGIN_VOXELS + 1, size)))
    first = np.array([[part.start for part in reversed(box)]], dtype=np.float64)
    x, y, z = (float(value) for value in image.geometry.to_physical(first)[0])
    array = image.array[tuple(box)]
    shape = (array.shape[0], array.shape[1], array.shape[2])
    geometry = Geometry(shape, image.geometry.spacing_mm, (x, y, z), image.geometry.direction)
    return Volume(array, geometry), Mask(mask.array[tuple(box)], geometry)
