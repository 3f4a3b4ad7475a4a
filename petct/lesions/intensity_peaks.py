"""SUVpeak: the mean uptake in a sphere of 1 cm3, by its three definitions.

"SUVpeak" names several quantities that differ by 10 % and more on small lesions, so each has its own name here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from petct.image.sphere import sphere_offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.image.volume import Volume

SPHERE_RADIUS_MM = (3000.0 / (4.0 * math.pi)) ** (1.0 / 3.0)
"""Radius of a sphere of 1 cm3: 6.2 mm."""

# The freely placed sphere is a cloud of points so far apart (some 500 of them) in the interpolated image.
_POINTS_APART_MM = SPHERE_RADIUS_MM / 5
# It climbs from the best voxel-centred spheres, in steps that are halved until they are this small.
_SMALLEST_STEP_MM = 0.25
# Local maxima further below the best one are not worth a climb: half a voxel changes a mean over 1 cm3 by less.
_START_SHARE = 0.9
_MOST_STARTS = 4
# A cubic B-spline forgets a sample by 0.268 a voxel: 6 voxels beyond the sphere leave 4e-4 of the difference.
_SPLINE_MARGIN_VOXELS = 6


@dataclass(frozen=True)
class IntensityPeaks:
    """The peaks of one region, in the unit of the image.

    Attributes
    ----------
    local
        IBSI local intensity peak (VJGA): mean in the sphere around the region's voxel of highest intensity; where
        several are highest, the highest of their peaks.
    global_
        IBSI global intensity peak (0F91): the highest such mean over all voxels of the region.
    percist
        Highest mean in a sphere that may be centred anywhere in the region's voxels, over the image interpolated by
        cubic B-splines (PERCIST 1.0, doi 10.2967/jnumed.108.057307).
    """

    local: float
    global_: float
    percist: float


def intensity_peaks(image: Volume, voxels: NDArray[np.integer[Any]]) -> IntensityPeaks:
    """The three peaks of a region.

    Spheres take in whole voxels whose centres lie in them (local, global), also voxels outside the region; what of a
    sphere lies outside the image is left out of its mean.

    Parameters
    ----------
    image
        Values (z, y, x).
    voxels
        Indices (n, 3) of the region's voxels in the order (z, y, x); at least one.
    """
    centres = np.asarray(voxels, dtype=np.int64)
    offsets = sphere_offsets(SPHERE_RADIUS_MM, image.geometry.spacing_mm[::-1])
    means = _means(image.array, centres, offsets)
    values = image.array[tuple(centres.T)]
    highest = means[values == values.max()]
    return IntensityPeaks(float(highest.max()), float(means.max()), _percist(image, centres, means))


def _means(array: NDArray[np.generic], centres: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over the voxels at ``offsets`` around each of ``centres``, those outside the array left out."""
    total = np.zeros(len(centres))
    count = np.zeros(len(centres), dtype=np.int64)
    shape = np.asarray(array.shape)
    for offset in offsets:
        at = centres + offset
        inside = ((at >= 0) & (at < shape)).all(axis=1)
        total[inside] += array[tuple(at[inside].T)]
        count += inside
    return total / count


def _percist(image: Volume, centres: NDArray[np.int64], means: NDArray[np.float64]) -> float:
    """Climb from the highest voxel-centred spheres to the highest freely placed one."""
    spacing = np.asarray(image.geometry.spacing_mm[::-1])
    starts = _starts(centres, means)
    reach = np.ceil(SPHERE_RADIUS_MM / spacing).astype(int) + 1 + _SPLINE_MARGIN_VOXELS
    best = -math.inf
    for start in starts:
        first = np.maximum(start - reach, 0)
        last = np.minimum(start + reach + 1, image.array.shape)
        crop = image.array[tuple(slice(a, b) for a, b in zip(first, last, strict=True))].astype(np.float64)
        spline = ndimage.spline_filter(crop, order=3, mode="mirror")
        best = max(best, _climb(spline, (start - first).astype(np.float64), spacing))
    return best


def _starts(centres: NDArray[np.int64], means: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """The highest voxel-centred spheres, none the neighbour of a higher one."""
    starts: list[NDArray[np.int64]] = []
    for index in np.argsort(-means, kind="stable"):
        if len(starts) == _MOST_STARTS or means[index] < _START_SHARE * means.max():
            break
        if all(np.abs(centres[index] - start).max() > 1 for start in starts):
            starts.append(centres[index])
    return starts


def _climb(spline: NDArray[np.float64], centre: NDArray[np.float64], spacing: NDArray[np.float64]) -> float:
    """Highest mean over spheres that can be reached from ``centre`` (voxels of the crop) without leaving its voxel."""
    cloud = sphere_offsets(SPHERE_RADIUS_MM, (_POINTS_APART_MM,) * 3) * _POINTS_APART_MM / spacing
    moves = np.stack(np.meshgrid(*([[-1, 0, 1]] * 3), indexing="ij"), axis=-1).reshape(-1, 3)
    step = 0.5
    start = centre
    best = -math.inf
    # Voxels of 4 mm end exactly here; the rounding of an oblique affine must not decide about one more halving.
    while step * spacing.max() > _SMALLEST_STEP_MM / 2 * (1 + 1e-9):
        around = centre + moves * step
        around = around[(np.abs(around - start) <= 0.5).all(axis=1)]
        means = _spline_means(spline, around, cloud)
        highest = int(means.argmax())
        if means[highest] <= best or np.array_equal(around[highest], centre):
            step /= 2
        centre = around[highest] if means[highest] > best else centre
        best = max(best, float(means[highest]))
    return best


def _spline_means(
    spline: NDArray[np.float64], centres: NDArray[np.float64], cloud: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of the interpolated image over the cloud around each centre, points outside the image left out."""
    points = (centres[:, None, :] + cloud[None, :, :]).reshape(-1, 3)
    inside = ((points >= -0.5) & (points <= np.asarray(spline.shape) - 0.5)).all(axis=1)
    values = ndimage.map_coordinates(spline, points.T, order=3, mode="mirror", prefilter=False)
    values = np.where(inside, values, 0.0).reshape(len(centres), -1)
    return np.asarray(values.sum(axis=1) / inside.reshape(len(centres), -1).sum(axis=1))
