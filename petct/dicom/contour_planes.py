"""The closed contours of one region on the slices of their series: which slice each belongs to, and what is refused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from petct.dicom.contours import rasterise
from petct.image.mask_resampling import check_volume
from petct.image.volume import Mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from petct.dicom.regions import Refusal
    from petct.image.mask_resampling import ResamplingLimits
    from petct.image.volume import Geometry

BETWEEN_SLICES = "CONTOURS_BETWEEN_SLICES"
"""The contours lie between the slices of their series: every slice takes those of the nearest plane."""

# Published contours lie on their slice within rounding.
_PLANE_TOLERANCE = 0.25
# Contours of one slice lie in one plane; two planes within one slice were drawn on a finer series and could cancel.
_SAME_PLANE = 0.05
_REGULAR = 0.1
# Two contours of one plane that agree so well are one contour twice: as a rim it would be thinner than any drawn one.
_SAME_BOX_PIXELS = 0.1
_SAME_AREA = 0.05


def fill(
    name: str, contours: Sequence[NDArray[np.float64]], geometry: Geometry, refusal: Refusal, limits: ResamplingLimits
) -> tuple[Mask, tuple[str, ...]]:
    """The mask of a region on ``geometry``, and the rule that was used where its contours lie between the slices.

    Contours in the planes of the slices are filled there. Where they lie between the slices, or closer than these, at
    equal distances of their own, they are filled in their own planes; each slice then takes the nearest plane, in a tie
    the lower one. Contours of two planes are so never combined.

    Parameters
    ----------
    contours
        For each contour its vertices (n, 3) in patient coordinates, mm.

    Raises
    ------
    MaskError
        CONTOUR_NOT_PLANAR, CONTOUR_OFF_GRID, CONTOUR_DUPLICATE, ROI_WITHOUT_VOXELS; CONTOUR_BETWEEN_SLICES when the
        planes have no common distance; MASK_VOLUME_CHANGED.
    """
    counts = np.array([len(contour) for contour in contours])
    index = geometry.to_index(np.concatenate(contours))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    low, high = np.minimum.reduceat(index, starts), np.maximum.reduceat(index, starts)
    thickness = (high - low)[:, 2].max()
    if thickness > _PLANE_TOLERANCE:
        message = f"A contour of {name} is not parallel to the slices"
        raise refusal.error("CONTOUR_NOT_PLANAR", message, keyword="ContourData", found=f"spans {thickness:.2f} slices")
    planes = (low[:, 2] + high[:, 2]) / 2
    _require_inside(name, low, high, planes, geometry, refusal)
    polygons = np.split(index[:, :2], starts[1:])
    own = _own_planes(name, planes, refusal)
    if own is None:
        slices = np.round(planes).astype(np.int64)
        _refuse_duplicates(name, polygons, low, high, slices, refusal)
        array = rasterise(polygons, [int(k) for k in slices], geometry.shape)
        rules: tuple[str, ...] = ()
    else:
        first, step, levels = own
        _refuse_duplicates(name, polygons, low, high, levels, refusal)
        filled = rasterise(polygons, [int(k) for k in levels], (int(levels.max()) + 1, *geometry.shape[1:]))
        array = _nearest_planes(filled, first, step, geometry.shape[0])
        rules = (BETWEEN_SLICES,)
        x, y, z = geometry.spacing_mm
        drawn = Mask(filled, replace(geometry, shape=filled.shape, spacing_mm=(x, y, step * z)))
        voxel_ml = max(drawn.geometry.voxel_volume_ml, geometry.voxel_volume_ml)
        with refusal.naming():
            check_volume(drawn.volume_ml, Mask(array, geometry).volume_ml, voxel_ml, limits, name)
    if not array.any():
        message = f"The region {name} contains no pixel centre"
        raise refusal.error("ROI_WITHOUT_VOXELS", message, keyword="ContourData", hint="It is smaller than a voxel.")
    return Mask(array, geometry), rules


def _own_planes(
    name: str, planes: NDArray[np.float64], refusal: Refusal
) -> tuple[float, float, NDArray[np.int64]] | None:
    """First plane, their distance (both in slices) and the number of each contour's; None on the slices themselves."""
    order = np.argsort(planes, kind="stable")
    level = np.concatenate([[0], np.cumsum(np.diff(planes[order]) > _SAME_PLANE)])
    at = np.bincount(level, weights=planes[order]) / np.bincount(level)
    nearest = np.round(at)
    if np.abs(planes - np.round(planes)).max() <= _PLANE_TOLERANCE and len(np.unique(nearest)) == len(at):
        return None
    step = float(np.diff(at).min()) if len(at) > 1 else 1.0
    number = np.round((at - at[0]) / step)
    if len(at) > 1:
        step = float((at[-1] - at[0]) / number[-1])
    if np.abs(at[0] + step * number - at).max() > _REGULAR * step:
        raise refusal.error(
            "CONTOUR_BETWEEN_SLICES",
            f"The contours of {name} lie between the slices, at no common distance",
            keyword="ContourData",
            found=f"up to {np.abs(planes - np.round(planes)).max():.2f} slices from the nearest",
            hint="Contours must be rasterised on the series they were drawn on.",
        )
    levels = np.empty(len(planes), dtype=np.int64)
    levels[order] = number[level].astype(np.int64)
    return float(at[0]), step, levels


def _nearest_planes(filled: NDArray[np.bool_], first: float, step: float, depth: int) -> NDArray[np.bool_]:
    # Six decimals: noise of the coordinates must not decide a tie.
    plane = np.ceil(np.round((np.arange(depth) - first) / step, 6) - 0.5).astype(np.int64)
    array = np.zeros((depth, *filled.shape[1:]), dtype=bool)
    met = (plane >= 0) & (plane < len(filled))
    array[met] = filled[plane[met]]
    return array


def _require_inside(
    name: str,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    planes: NDArray[np.float64],
    geometry: Geometry,
    refusal: Refusal,
) -> None:
    depth, height, width = geometry.shape
    inside = (low[:, :2] >= -1).all() and (high[:, :2] <= (width, height)).all()
    if planes.min() < -0.5 or planes.max() > depth - 0.5 or not inside:
        raise refusal.error(
            "CONTOUR_OFF_GRID",
            f"A contour of {name} lies outside of the image",
            keyword="ContourData",
            found=f"slices {planes.min():.1f} to {planes.max():.1f}, "
            f"columns {low[:, 0].min():.1f} to {high[:, 0].max():.1f}, "
            f"rows {low[:, 1].min():.1f} to {high[:, 1].max():.1f}",
            expected=f"within {depth} slices of {height} rows and {width} columns",
            hint="Are the contours of this patient and of this series?",
        )


def _refuse_duplicates(
    name: str,
    polygons: Sequence[NDArray[np.float64]],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    slices: NDArray[np.int64],
    refusal: Refusal,
) -> None:
    """Refuse a contour that is there twice, wherever it begins, whichever way it runs and with whatever noise."""
    members: dict[int, list[int]] = defaultdict(list)
    for number, k in enumerate(slices):
        members[int(k)].append(number)
    repeated = 0
    for group in members.values():
        areas = {number: _area(polygons[number]) for number in group} if len(group) > 1 else {}
        for position, one in enumerate(group):
            repeated += any(
                np.abs(low[one, :2] - low[other, :2]).max() < _SAME_BOX_PIXELS
                and np.abs(high[one, :2] - high[other, :2]).max() < _SAME_BOX_PIXELS
                and abs(areas[one] - areas[other]) <= _SAME_AREA * max(areas[one], areas[other])
                for other in group[:position]
            )
    if repeated:
        raise refusal.error(
            "CONTOUR_DUPLICATE",
            f"The region {name} has the same contour twice: by exclusive or they would cancel",
            keyword="ContourData",
            found=f"{repeated} repetitions",
            hint="Remove the repetition in the program the contours come from.",
        )


def _area(polygon: NDArray[np.float64]) -> float:
    x, y = polygon.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
