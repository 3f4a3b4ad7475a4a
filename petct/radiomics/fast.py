"""The fast engine: pyradiomics' values from a crop, with everything that can be done once done once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
from radiomics import imageoperations
from threadpoolctl import ThreadpoolController

from petct.image.volume import Box, Volume, to_sitk
from petct.radiomics.definitions import definitions_of
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
from petct.radiomics.filters import filtered
from petct.radiomics.first_order import first_order
from petct.radiomics.pyradiomics_settings import bin_settings, general_settings, texture_settings
from petct.radiomics.reference import extract_reference
from petct.radiomics.region import Region, bounding_boxes, native_region, resampled_region
from petct.radiomics.shape import shape
from petct.radiomics.texture import bytes_needed, discretise, texture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.radiomics.feature_sets import FeatureClass, FeatureSet, ImageType, Resegmentation

MEMORY_LIMIT_BYTES = 1 << 29
"""What the matrices of one texture class may take; where it would be more, the class is OUT_OF_MEMORY."""

_MOST_BINS = 1_000_000
_COVERED_CLASSES = frozenset({"shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"})
_COVERED_INTERPOLATORS = frozenset({"bspline", "linear", "nearest"})


def extract_fast(
    image: Volume, labels: Volume, wanted: Sequence[int], feature_set: FeatureSet
) -> tuple[Extraction, ...]:
    """Crop first, read and resample once, bin once; what this does not cover is left to pyradiomics, and said.

    See ``petct.radiomics.engines.extract``.
    """
    left = _left_to_reference(feature_set)
    if left == feature_set.feature_classes:
        others = extract_reference(image, labels, wanted, feature_set)
        return tuple(replace(other, account=_with_classes(other.account, left)) for other in others)
    covered = replace(
        feature_set, feature_classes=tuple(item for item in feature_set.feature_classes if item not in left)
    )
    normalised = _normalised(image, feature_set)
    # The bounding boxes of all lesions, in one pass.
    boxes = bounding_boxes(labels.array)
    largest = _largest(normalised.array)
    extractions = []
    for label in wanted:
        with _blas().limit(limits=1, user_api="blas"):
            extraction = _extract(normalised, labels.array, label, boxes.get(label), covered, largest)
        if left:
            extraction = _with_reference(extraction, image, labels, feature_set, left)
        extractions.append(extraction)
    return tuple(extractions)


@cache
def _blas() -> ThreadpoolController:
    # On matrices of tens of grey levels, threads of a BLAS wait for one another a hundred times longer than they work.
    return ThreadpoolController()


def _left_to_reference(feature_set: FeatureSet) -> tuple[FeatureClass, ...]:
    resampling = feature_set.resampling
    if resampling is not None and resampling.interpolator not in _COVERED_INTERPOLATORS:
        return feature_set.feature_classes
    return tuple(item for item in feature_set.feature_classes if item.name not in _COVERED_CLASSES)


def _with_reference(
    extraction: Extraction, image: Volume, labels: Volume, feature_set: FeatureSet, left: tuple[FeatureClass, ...]
) -> Extraction:
    """The extraction with the classes that pyradiomics has to compute."""
    of_these = replace(feature_set, feature_classes=left)
    (other,) = extract_reference(image, labels, (extraction.label,), of_these)
    by_name = {feature.feature_name: feature for feature in (*extraction.features, *other.features)}
    return Extraction(
        extraction.label,
        tuple(by_name[definition.feature_name] for definition in definitions_of(feature_set)),
        _with_classes(extraction.account, left),
    )


def _with_classes(account: Account, left: tuple[FeatureClass, ...]) -> Account:
    return replace(account, engine="fast", reference_classes=tuple(item.name for item in left))


def _normalised(image: Volume, feature_set: FeatureSet) -> Volume:
    if feature_set.normalisation is None:
        return image
    whole = to_sitk(np.ascontiguousarray(image.array), image.geometry)
    result = imageoperations.normalizeImage(whole, **general_settings(feature_set))
    return Volume(sitk.GetArrayFromImage(result), image.geometry)


def _largest(array: NDArray[np.generic]) -> Callable[[], float]:
    """Largest absolute value of an image, found when it is asked for; pointwise filters are scaled with it."""
    return cache(lambda: max(abs(float(array.min())), abs(float(array.max()))))


def _extract(
    image: Volume,
    labels: NDArray[np.generic],
    label: int,
    box: Box | None,
    feature_set: FeatureSet,
    largest: Callable[[], float],
) -> Extraction:
    account = Account("fast", (), image.geometry.spacing_mm, 0, None, None, 0, ())
    if box is None:
        return Extraction(label, missing(feature_set, Status.ROI_ABSENT), account)
    native = native_region(image, labels, label, box)
    index_and_size = (*(part.start for part in box[::-1]), *(part.stop - part.start for part in box[::-1]))
    account = replace(account, n_voxels_segmented=native.n_voxels, bounding_box=index_and_size)
    if feature_set.resampling is None:
        region = native
    else:
        resampled = resampled_region(image, labels, label, box, feature_set.resampling)
        if resampled is None:
            account = replace(account, n_voxels_resampled=0)
            return Extraction(label, missing(feature_set, Status.ROI_TOO_SMALL), account)
        region, largest = resampled, _largest(resampled.image)
    account = replace(
        account,
        spacing_mm=region.spacing_mm,
        n_voxels_resampled=region.n_voxels,
        n_voxels_below_minimum=region.n_voxels_below_minimum,
    )
    features, n_voxels = _features(region, feature_set, largest)
    return Extraction(label, features, replace(account, n_voxels=n_voxels))


def _features(
    region: Region, feature_set: FeatureSet, largest: Callable[[], float]
) -> tuple[tuple[Feature, ...], int | None]:
    """Features of a region on its final grid, and of how many voxels."""
    refused = refusal_of_region(region.n_voxels, region.mask.shape, feature_set)
    of_shape = region
    if refused is None and feature_set.resegmentation is not None:
        kept = _resegmented(region, feature_set.resegmentation)
        if kept.sum() <= 1:
            return missing(feature_set, Status.ROI_TOO_SMALL), None
        region = region.narrowed_to(kept)
        # pyradiomics takes the shape of what it was given, but within the bounding box of what it kept.
        of_shape = region if feature_set.resegmentation.shape else of_shape.cropped_to(region.box)
        refused = refusal_of_region(region.n_voxels, region.mask.shape, feature_set)
    if refused is not None:
        return missing(feature_set, refused), None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Undefined values come out as such, with a reason.
        warnings.simplefilter("ignore", RuntimeWarning)
        values, reasons = _values(region, of_shape, feature_set, largest)
    return features_of(definitions_of(feature_set), values, reasons), region.n_voxels


def _resegmented(region: Region, how: Resegmentation) -> NDArray[np.bool_]:
    """Which voxels of the box are kept, after ``radiomics.imageoperations.resegmentMask``."""
    values: NDArray[Any] = region.intensities
    limits: list[Any] = sorted(how.range)
    if how.mode == "relative":
        limits = [values.max() * limit for limit in limits]
    elif how.mode == "sigma":
        limits = [np.mean(values) + np.std(values) * limit for limit in limits]
    inside = values >= limits[0]
    if len(limits) == 2:
        inside &= values <= limits[1]
    kept = region.mask.copy()
    kept[region.mask] = inside
    return kept


def _values(
    region: Region, of_shape: Region, feature_set: FeatureSet, largest: Callable[[], float]
) -> tuple[dict[str, float], dict[str, Status]]:
    """Values by feature name; reasons by feature name, by ``image_class`` or by image."""
    values: dict[str, float] = {}
    reasons: dict[str, Status] = flat_reasons(feature_set, region.intensities)
    classes = [item for item in feature_set.feature_classes if item.name != "shape"]
    if len(classes) < len(feature_set.feature_classes):
        of_mask = shape(of_shape.mask, of_shape.spacing_mm)
        values |= {f"original_shape_{name}": value for name, value in of_mask.items()}
    for image_type in feature_set.image_types if classes else ():
        for name, image in filtered(region, image_type, feature_set, largest):
            if image is None:
                reasons[name] = Status.FILTER_NOT_APPLICABLE
            elif not np.isfinite(image[region.mask]).all():
                reasons[name] = Status.IMAGE_NOT_FINITE
            else:
                found, lacking = _of_image(image, region, image_type, feature_set, classes)
                values |= {f"{name}_{feature}": value for feature, value in found.items()}
                reasons |= {f"{name}_{feature_class}": status for feature_class, status in lacking.items()}
    return values, reasons


def _of_image(
    image: NDArray[np.generic],
    region: Region,
    image_type: ImageType,
    feature_set: FeatureSet,
    classes: Sequence[FeatureClass],
) -> tuple[dict[str, float], dict[str, Status]]:
    """Values by ``class_feature``, and reasons by class, of one image."""
    grey = discretise(image, region.mask, region.spacing_mm, bin_settings(feature_set, image_type), _MOST_BINS)
    if grey is None:
        return {}, {item.name: Status.OUT_OF_MEMORY for item in classes}
    values: dict[str, float] = {}
    reasons: dict[str, Status] = {}
    settings = texture_settings(feature_set)
    for item in classes:
        if item.name == "firstorder":
            voxel_mm3 = float(np.multiply.reduce(region.spacing_mm))
            found = first_order(image[region.mask], grey.counts, voxel_mm3, feature_set.voxel_array_shift)
        elif bytes_needed(item.name, grey, settings) > MEMORY_LIMIT_BYTES:
            reasons[item.name] = Status.OUT_OF_MEMORY
            continue
        else:
            try:
                found = texture(item.name, grey, settings, item.features)
            except MemoryError:
                reasons[item.name] = Status.OUT_OF_MEMORY
                continue
            except (ValueError, IndexError, RuntimeError):
                reasons[item.name] = Status.ENGINE_FAILED
                continue
        values |= {f"{item.name}_{name}": value for name, value in found.items()}
    return values, reasons
