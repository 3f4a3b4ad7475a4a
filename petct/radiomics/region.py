"""One lesion on the grid that its features are computed on, cropped before anything else is done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from petct.image.volume import Box, Geometry, Volume, cut_out, to_sitk
from petct.radiomics.pyradiomics_settings import INTERPOLATORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.radiomics.feature_sets import Resampling

# The coefficients of a cubic B-spline fall by 0.268 a voxel: 0.268^22 = 3e-13 of what lies beyond is not seen.
_SPLINE_MARGIN_VOXELS = 22
# How near the middle between two voxels a centre may come before rounding decides which of them is the nearest.
_TIE = 1e-6


@dataclass(frozen=True, eq=False)
class Region:
    """A lesion and the image around it.

    Attributes
    ----------
    image
        Everything that a filter may see, (z, y, x): the whole image, or the surroundings that were resampled.
    spacing_mm
        Of ``image``, (x, y, z).
    box
        The lesion's bounding box in ``image``.
    mask
        True inside the lesion; as large as the box.
    n_voxels_below_minimum
        See ``Account``.
    """

    image: NDArray[np.generic]
    spacing_mm: tuple[float, float, float]
    box: Box
    mask: NDArray[np.bool_]
    n_voxels_below_minimum: int = 0

    @property
    def n_voxels(self) -> int:
        """Voxels of the lesion."""
        return int(np.count_nonzero(self.mask))

    @property
    def intensities(self) -> NDArray[np.generic]:
        """The lesion's values in the unfiltered image, in the order of the array."""
        return np.asarray(self.image[self.box][self.mask])

    def cropped_to(self, box: Box) -> Region:
        """The part of the region that lies in ``box``, which lies in the region's own."""
        inner = tuple(
            slice(part.start - own.start, part.stop - own.start) for part, own in zip(box, self.box, strict=True)
        )
        return Region(self.image, self.spacing_mm, box, self.mask[inner], self.n_voxels_below_minimum)

    def narrowed_to(self, mask: NDArray[np.bool_]) -> Region:
        """The region of those voxels only; ``mask`` is as large as the box and has one voxel or more."""
        inner = cut_out(mask).box
        z, y, x = (
            slice(own.start + part.start, own.start + part.stop) for part, own in zip(inner, self.box, strict=True)
        )
        return Region(self.image, self.spacing_mm, (z, y, x), mask[inner], self.n_voxels_below_minimum)


def bounding_boxes(labels: NDArray[np.generic]) -> dict[int, Box]:
    """The bounding box of each label above 0, all found in one pass."""
    flat = np.flatnonzero(labels)
    if not flat.size:
        return {}
    found = labels.ravel()[flat].astype(np.int64)
    extents = []
    for along in np.unravel_index(flat, labels.shape):
        first = np.full(found.max() + 1, np.iinfo(np.int64).max)
        last = np.full(found.max() + 1, -1)
        np.minimum.at(first, found, along)
        np.maximum.at(last, found, along)
        extents.append((first, last))
    boxes = {}
    for label in np.flatnonzero(extents[0][1] >= 0):
        z, y, x = (slice(int(first[label]), int(last[label]) + 1) for first, last in extents)
        boxes[int(label)] = (z, y, x)
    return boxes


def native_region(image: Volume, labels: NDArray[np.generic], label: int, box: Box) -> Region:
    """The lesion on the image's own grid."""
    return Region(image.array, image.geometry.spacing_mm, box, labels[box] == label)


def resampled_region(
    image: Volume, labels: NDArray[np.generic], label: int, box: Box, how: Resampling
) -> Region | None:
    """The lesion and its surroundings on pyradiomics' own grid; None where no voxel of the lesion is left.

    The grid is that of ``radiomics.imageoperations.resampleImage``: it begins at the edge of the whole image, not of
    the crop, so that the values are the same. Only the arrays are cropped.
    """
    pad = how.pad_voxels
    size = np.array([part.stop - part.start for part in reversed(box)])
    first = np.array([part.start for part in reversed(box)])
    own = np.array(image.geometry.spacing_mm)
    spacing = np.where(np.array(how.spacing_mm) == 0, own, np.array(how.spacing_mm))
    # A lesion of one slice is not resampled across it.
    spacing = np.where(size != 1, spacing, own)
    n_voxels = np.array(image.geometry.shape[::-1])
    if np.allclose(own, spacing):
        low, high = np.maximum(first - pad, 0), np.minimum(first + size + pad, n_voxels)
        outer = _box(low, high)
        return _region(np.array(image.array[outer]), labels[outer] == label, image.geometry.spacing_mm, how.minimum)
    ratio = own / spacing
    lower = np.maximum(np.floor((first - 0.5) * ratio - pad), 0)
    upper = np.minimum(np.ceil((first + size - 0.5) * ratio + pad), np.ceil(n_voxels * ratio) - 1)
    new_size = np.array(upper - lower + 1, dtype="int").tolist()
    origin_index = np.array(0.5 * (spacing - own) / own) + lower / ratio
    place = sitk.Image([1, 1, 1], sitk.sitkUInt8)
    place.SetSpacing(image.geometry.spacing_mm)
    place.SetOrigin(image.geometry.origin_mm)
    place.SetDirection(image.geometry.direction)
    origin = place.TransformContinuousIndexToPhysicalPoint(origin_index.tolist())

    resample = sitk.ResampleImageFilter()
    resample.SetNumberOfThreads(1)
    resample.SetOutputSpacing(spacing.tolist())
    resample.SetOutputDirection(image.geometry.direction)
    resample.SetSize(new_size)
    resample.SetOutputOrigin(origin)
    last_index = origin_index + (np.array(new_size) - 1) / ratio
    source = _cropped(image.array, image.geometry, origin_index, last_index, _SPLINE_MARGIN_VOXELS)
    resample.SetInterpolator(getattr(sitk, INTERPOLATORS[how.interpolator]))
    array = sitk.GetArrayFromImage(resample.Execute(source))

    resample.SetInterpolator(sitk.sitkNearestNeighbor)
    if _has_ties(origin_index, 1 / ratio, new_size):
        # Which neighbour is the nearest is then a matter of rounding, which is the same only on the same grid.
        mask = to_sitk(labels == label, image.geometry)
    else:
        mask = _cropped(labels, image.geometry, origin_index, last_index, 2, label)
    inside = sitk.GetArrayFromImage(resample.Execute(mask)) == 1
    x, y, z = (float(value) for value in spacing)
    return _region(array, inside, (x, y, z), how.minimum)


def _region(
    array: NDArray[Any],
    inside: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    minimum: float | None,
) -> Region | None:
    if not inside.any():
        return None
    n_below = 0
    if minimum is not None:
        below = array < minimum
        n_below = int(np.count_nonzero(below & inside))
        array[below] = minimum
    box = cut_out(inside).box
    return Region(array, spacing_mm, box, inside[box], n_below)


def _cropped(
    array: NDArray[np.generic],
    geometry: Geometry,
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    margin: int,
    label: int | None = None,
) -> sitk.Image:
    """The part of an image that covers the indices (x, y, z) from ``first`` to ``last``, at its place."""
    n_voxels = np.array(geometry.shape[::-1])
    low = np.clip(np.floor(first).astype(int) - margin, 0, n_voxels - 1)
    high = np.clip(np.ceil(last).astype(int) + margin + 1, 1, n_voxels)
    box = _box(low, high)
    part = np.ascontiguousarray(array[box]) if label is None else np.asarray(array[box] == label)
    return to_sitk(part, geometry.cropped(box))


def _has_ties(first: NDArray[np.float64], step: NDArray[np.float64], size: list[int]) -> bool:
    for axis in range(3):
        centres = first[axis] + step[axis] * np.arange(size[axis])
        if (np.abs(centres - np.floor(centres) - 0.5) < _TIE).any():
            return True
    return False


def _box(low: NDArray[np.generic], high: NDArray[np.generic]) -> Box:
    """From indices (x, y, z) to slices (z, y, x)."""
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low[::-1], high[::-1], strict=True))
    return z, y, x
