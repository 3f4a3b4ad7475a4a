"""The reference engine: pyradiomics' ``execute`` on the whole image, once a lesion."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from radiomics import featureextractor, imageoperations

from petct.image.volume import Volume, to_sitk
from petct.radiomics.definitions import definitions_of, image_names
from petct.radiomics.extraction import (
    Account,
    Extraction,
    Feature,
    Status,
    features_of,
    flat_reasons,
    missing,
    refusal_of_region,
)
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.pyradiomics_settings import feature_class_settings, general_settings, image_type_settings

# pyradiomics announces on every call that a symmetrical GLCM makes two features redundant.
logging.getLogger("radiomics").setLevel(logging.CRITICAL)

# The words with which pyradiomics refuses a region, and what they mean.
_REFUSALS = (
    ("not present in mask", Status.ROI_ABSENT),
    ("No labels found", Status.ROI_ABSENT),
    ("only contains 1 segmented voxel", Status.ROI_TOO_SMALL),
    ("Size of the ROI is too small", Status.ROI_TOO_SMALL),
    ("excluded too many voxels", Status.ROI_TOO_SMALL),
    ("too few dimensions", Status.ROI_TOO_FEW_DIMENSIONS),
)


def extract_reference(
    image: Volume, labels: Volume, wanted: Sequence[int], feature_set: FeatureSet
) -> tuple[Extraction, ...]:
    """What pyradiomics' ``execute`` gives; slow with many lesions, and the measure of the fast engine.

    See ``petct.radiomics.engines.extract``.
    """
    sitk_image = to_sitk(np.ascontiguousarray(image.array), image.geometry)
    sitk_labels = to_sitk(np.ascontiguousarray(labels.array), labels.geometry)
    return tuple(_extract(sitk_image, sitk_labels, label, feature_set) for label in wanted)


def extractor_of(feature_set: FeatureSet) -> featureextractor.RadiomicsFeatureExtractor:
    """Pyradiomics' own extractor with the settings of ``feature_set``, the minimum of the resampling excepted."""
    extractor = featureextractor.RadiomicsFeatureExtractor(**general_settings(feature_set))
    extractor.enabledImagetypes = image_type_settings(feature_set)
    extractor.enabledFeatures = feature_class_settings(feature_set)
    return extractor


def _extract(image: sitk.Image, labels: sitk.Image, label: int, feature_set: FeatureSet) -> Extraction:
    n_segmented, box = _count(labels, label)
    account = Account("reference", (), image.GetSpacing(), n_segmented, None, None, 0, box)
    if n_segmented == 0:
        return Extraction(label, missing(feature_set, Status.ROI_ABSENT), account)
    settings = {**general_settings(feature_set), "label": label}
    resampling = feature_set.resampling
    n_below = 0
    try:
        # What execute itself does first; done here so that the values below the minimum can be counted and set to it.
        image, labels = featureextractor.RadiomicsFeatureExtractor.loadImage(image, labels, None, **settings)
    except (ValueError, RuntimeError) as error:
        return Extraction(label, missing(feature_set, _status(error)), account)
    if resampling is not None and resampling.minimum is not None:
        image, n_below = _raise_to_minimum(image, labels, label, resampling.minimum)
    n_voxels, box_resampled = _count(labels, label)
    account = replace(
        account, spacing_mm=image.GetSpacing(), n_voxels_resampled=n_voxels, n_voxels_below_minimum=n_below
    )
    refused = refusal_of_region(n_voxels, box_resampled[3:], feature_set)
    if refused is not None:
        return Extraction(label, missing(feature_set, refused), account)
    prepared = replace(feature_set, resampling=None, normalisation=None)
    features, n_kept = _features(image, labels, label, prepared)
    return Extraction(label, features, replace(account, n_voxels=n_kept))


def _features(
    image: sitk.Image, labels: sitk.Image, label: int, feature_set: FeatureSet
) -> tuple[tuple[Feature, ...], int | None]:
    """Features of a region on its final grid, and of how many voxels."""
    array = sitk.GetArrayViewFromImage(image)
    inside = sitk.GetArrayViewFromImage(labels) == label
    if feature_set.resegmentation is not None:
        try:
            kept = imageoperations.resegmentMask(image, labels, **{**general_settings(feature_set), "label": label})
        except ValueError as error:
            return missing(feature_set, _status(error)), None
        inside = sitk.GetArrayFromImage(kept) == label
    values, reasons = _values(image, labels, label, feature_set, finite=bool(np.isfinite(array[inside]).all()))
    reasons = {**flat_reasons(feature_set, array[inside]), **reasons}
    return features_of(definitions_of(feature_set), values, reasons), int(np.count_nonzero(inside))


def _values(
    image: sitk.Image, labels: sitk.Image, label: int, feature_set: FeatureSet, *, finite: bool
) -> tuple[dict[str, float], dict[str, Status]]:
    """Values by feature name, and reasons by image."""
    if finite:
        try:
            whole = _execute(image, labels, label, feature_set)
        except _FAILURES as error:
            if _status(error) is not Status.ENGINE_FAILED:
                return {}, dict.fromkeys(_images(feature_set), _status(error))
        else:
            return whole, _without_image(feature_set, whole)
    # Something is wrong with one image of several, or with all: what can be computed is.
    values: dict[str, float] = {}
    reasons: dict[str, Status] = {}
    shape = [item for item in feature_set.feature_classes if item.name.startswith("shape")]
    others = [item for item in feature_set.feature_classes if item not in shape]
    if shape:
        values |= _execute(image, labels, label, replace(feature_set, feature_classes=tuple(shape)))
    for image_type in feature_set.image_types if others else ():
        one = replace(feature_set, image_types=(image_type,), feature_classes=tuple(others))
        try:
            if not finite:
                raise _NotFiniteError
            found = _execute(image, labels, label, one)
            values |= found
            reasons |= _without_image(one, found)
        except _FAILURES as error:
            reasons |= dict.fromkeys(_images(one), _status(error, image))
    return values, reasons


class _NotFiniteError(ValueError):
    pass


_FAILURES = (ValueError, RuntimeError, IndexError, OverflowError, MemoryError)


def _execute(image: sitk.Image, labels: sitk.Image, label: int, feature_set: FeatureSet) -> dict[str, float]:
    extractor = extractor_of(feature_set)
    with warnings.catch_warnings():
        # NumPy's, of the undefined values that a reason is given for.
        warnings.simplefilter("ignore", RuntimeWarning)
        values: Mapping[str, float] = extractor.execute(image, labels, label=label)
    return {name: float(value) for name, value in values.items()}


def _without_image(feature_set: FeatureSet, values: Mapping[str, float]) -> dict[str, Status]:
    """Images that pyradiomics left out, which it does where a filter needs more voxels than there are."""
    if all(item.name.startswith("shape") for item in feature_set.feature_classes):
        return {}
    there = {name.split("_", 1)[0] for name in values}
    return {name: Status.FILTER_NOT_APPLICABLE for name in _images(feature_set) if name not in there}


def _images(feature_set: FeatureSet) -> list[str]:
    return [name for image_type in feature_set.image_types for name in image_names(image_type, feature_set)]


def _status(error: BaseException, image: sitk.Image | None = None) -> Status:
    if isinstance(error, MemoryError):
        return Status.OUT_OF_MEMORY
    if isinstance(error, _NotFiniteError):
        return Status.IMAGE_NOT_FINITE
    for words, status in _REFUSALS:
        if words in str(error):
            return status
    if image is not None and not np.isfinite(sitk.GetArrayViewFromImage(image)).all():
        return Status.IMAGE_NOT_FINITE
    return Status.ENGINE_FAILED


def _count(labels: sitk.Image, label: int) -> tuple[int, tuple[int, ...]]:
    """Voxels with the label, and first index and size of their bounding box (x, y, z)."""
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(labels)
    if label not in shape.GetLabels():
        return 0, ()
    return int(shape.GetNumberOfPixels(label)), tuple(int(value) for value in shape.GetBoundingBox(label))


def _raise_to_minimum(image: sitk.Image, labels: sitk.Image, label: int, minimum: float) -> tuple[sitk.Image, int]:
    """The image with ``minimum`` where it was below, and of how many voxels of the region that is true."""
    array = sitk.GetArrayFromImage(image)
    below = array < minimum
    n_below = int(np.count_nonzero(below & (sitk.GetArrayViewFromImage(labels) == label)))
    array[below] = minimum
    raised = sitk.GetImageFromArray(array)
    raised.CopyInformation(image)
    return raised, n_below
