"""Shape features: pyradiomics' surface, volume and diameters without its walk over all pairs of vertices."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from radiomics import cShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The corners of a cube of 8 voxels, in the order of the bits of its configuration; any order would do.
_CORNERS = [(z, y, x) for z in (0, 1) for y in (0, 1) for x in (0, 1)]
_N_CONFIGURATIONS = 256


def shape(mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> dict[str, float]:
    """All 14 shape features of a region, by name.

    Parameters
    ----------
    mask
        (z, y, x), True inside; it may touch its borders.
    spacing_mm
        (x, y, z).
    """
    spacing = np.array(spacing_mm[::-1])
    padded = np.pad(mask, 1)
    area, volume = _surface(padded, spacing)
    diameters = _diameters(padded, spacing)
    least, minor, major = _eigenvalues(padded, spacing)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "Elongation": np.sqrt(minor / major),
            "Flatness": np.sqrt(least / major),
            "LeastAxisLength": 4 * np.sqrt(least),
            "MajorAxisLength": 4 * np.sqrt(major),
            "Maximum2DDiameterColumn": diameters[1],
            "Maximum2DDiameterRow": diameters[2],
            "Maximum2DDiameterSlice": diameters[0],
            "Maximum3DDiameter": diameters[3],
            "MeshVolume": volume,
            "MinorAxisLength": 4 * np.sqrt(minor),
            "Sphericity": (36 * np.pi * volume**2) ** (1 / 3) / area,
            "SurfaceArea": area,
            "SurfaceVolumeRatio": np.float64(area) / volume,
            "VoxelVolume": np.count_nonzero(mask) * np.prod(spacing),
        }


def _surface(padded: NDArray[np.bool_], spacing: NDArray[np.float64]) -> tuple[float, float]:
    """Area and volume of pyradiomics' marching-cubes mesh, from how often each configuration of 8 voxels occurs.

    The mesh's volume is a sum over its triangles of the signed volume below them, which depends on where the triangle
    lies: that of the configuration at the origin, plus a third of the product of its place and its area vector. Both
    follow from pyradiomics' own tables, which are read by asking for the mesh of single cubes.
    """
    parts = [padded[z : z - 1 or None, y : y - 1 or None, x : x - 1 or None] for z, y, x in _CORNERS]
    configuration = np.zeros(parts[0].shape, dtype=np.uint8)
    for bit, part in enumerate(parts):
        configuration |= part.astype(np.uint8) << bit
    place = np.nonzero((configuration != 0) & (configuration != _N_CONFIGURATIONS - 1))
    found = configuration[place]
    counts = np.bincount(found, minlength=_N_CONFIGURATIONS)
    volumes, vectors = _volumes()
    volume = float(counts @ volumes)
    for axis in range(3):
        # Sums of integers, so exact.
        index_sums = np.bincount(found, weights=place[axis], minlength=_N_CONFIGURATIONS)
        volume += float(index_sums @ vectors[:, axis])
    return float(counts @ _areas(tuple(spacing))), volume * float(np.prod(spacing))


@lru_cache(maxsize=64)
def _areas(spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Area of the mesh in a single cube of each configuration (256,)."""
    step = np.array(spacing)
    return np.array([0.0 if _is_empty(cube) else cShape.calculate_coefficients(cube, step)[0] for cube in _cubes()])


@lru_cache(maxsize=1)
def _volumes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For voxels of 1 mm: volume (256,), and its change with a step along each axis (256, 3), of single cubes."""
    step = np.ones(3)

    def volume(array: NDArray[np.bool_]) -> float:
        return 0.0 if _is_empty(array) else float(cShape.calculate_coefficients(array, step)[1])

    volumes, vectors = np.zeros(_N_CONFIGURATIONS), np.zeros((_N_CONFIGURATIONS, 3))
    for number, cube in enumerate(_cubes()):
        volumes[number] = volume(cube)
        for axis in range(3):
            # The cube once more, one voxel further along the axis, below it a cube that repeats its first layer.
            first, second = cube.take([0], axis=axis), cube.take([1], axis=axis)
            below = np.concatenate((first, first), axis=axis)
            both = volume(np.concatenate((below, second), axis=axis))
            vectors[number, axis] = both - volume(below) - volumes[number]
    return volumes, vectors


def _is_empty(array: NDArray[np.bool_]) -> bool:
    return bool(array.all() or not array.any())


def _cubes() -> NDArray[np.bool_]:
    """All configurations of 8 voxels, (256, 2, 2, 2), in the order of their number."""
    cubes = np.zeros((_N_CONFIGURATIONS, 2, 2, 2), dtype=bool)
    for bit, (z, y, x) in enumerate(_CORNERS):
        cubes[:, z, y, x] = (np.arange(_N_CONFIGURATIONS) >> bit) & 1
    return cubes


def _eigenvalues(padded: NDArray[np.bool_], spacing: NDArray[np.float64]) -> tuple[float, float, float]:
    """Eigenvalues of the covariance of the voxels' places, rising; NaN for one that is below zero."""
    # Step by step as pyradiomics does it, because for a plane the least one is nothing but rounding.
    places = np.array(np.nonzero(padded), dtype="int").transpose((1, 0)) * spacing[None, :]
    places -= np.mean(places, axis=0)
    places /= np.sqrt(len(places))
    values = np.linalg.eigvals(np.dot(places.T.copy(), places))
    values[(values < 0) & (values > -1e-10)] = 0
    values.sort()
    least, minor, major = (float(value) if value >= 0 else np.nan for value in values)
    return least, minor, major


def _diameters(padded: NDArray[np.bool_], spacing: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Largest distance of two vertices of the mesh: of one slice, column plane and row plane, and of all.

    A vertex lies between any two neighbours of which one is inside. Those farthest apart are extreme on every line.
    """
    along_x = _line_ends(padded, (0, 1, 2))
    along_y = _line_ends(padded, (0, 2, 1))
    return (
        _largest_in_planes(along_x, 0, spacing),
        _largest_in_planes(along_x, 1, spacing),
        _largest_in_planes(along_y, 2, spacing),
        _largest(_in_both(along_x, along_y) * (spacing / 2)),
    )


def _in_both(some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """The points (n, 3) that are among both."""
    size = np.maximum(some.max(axis=0), others.max(axis=0)) + 1
    codes = np.intersect1d(np.ravel_multi_index(some.T, size), np.ravel_multi_index(others.T, size))
    return np.stack(np.unravel_index(codes, size), axis=1)


def _line_ends(padded: NDArray[np.bool_], order: tuple[int, int, int]) -> NDArray[np.int64]:
    """The first and the last vertex of each line along the last axis of ``order``; (n, 3) in half voxels, (z, y, x)."""
    turned = np.ascontiguousarray(padded.transpose(order))
    ends = []
    for axis in range(3):
        before = [slice(None)] * 3
        after = [slice(None)] * 3
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        a, b, c = np.nonzero(turned[tuple(before)] != turned[tuple(after)])
        # Points come in the order of the array, so those of one line follow one another.
        new_line = np.flatnonzero((np.diff(a) != 0) | (np.diff(b) != 0))
        chosen = np.unique(np.concatenate(([0], new_line, new_line + 1, [a.size - 1])))
        points = 2 * np.stack((a, b, c), axis=1)[chosen]
        points[:, axis] += 1
        ends.append(points)
    turned_points = np.concatenate(ends)
    points = np.empty_like(turned_points)
    points[:, order] = turned_points
    return points


def _largest_in_planes(points: NDArray[np.int64], axis: int, spacing: NDArray[np.float64]) -> float:
    """Largest distance of two points with the same coordinate along ``axis``."""
    points = points[np.argsort(points[:, axis], kind="stable")]
    starts = np.flatnonzero(np.diff(points[:, axis], prepend=-1))
    others = [other for other in range(3) if other != axis]
    flat = points[:, others] * (spacing[others] / 2)
    extent = np.maximum.reduceat(flat, starts) - np.minimum.reduceat(flat, starts)
    diagonals = np.hypot(extent[:, 0], extent[:, 1])
    ends = np.append(starts[1:], len(points))
    best = 0.0
    for plane in np.argsort(-diagonals):
        if diagonals[plane] <= best:
            break
        best = max(best, _largest(flat[starts[plane] : ends[plane]], best))
    return best


def _largest(points: NDArray[np.float64], known: float = 0.0) -> float:
    """Largest distance of any two of ``points`` (n, 2 or 3) in mm, or less than ``known`` where it is."""
    lower = max(known, _spread(points))
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    radii = np.sqrt(((points - centre) ** 2).sum(axis=1))
    # No point is farther than the largest radius from the centre: one nearer than the rest cannot be an end.
    points = points[radii >= lower - radii.max() - 1e-9 * lower]
    if len(points) > _FEW and points.shape[1] == 3:
        from scipy.spatial import ConvexHull, QhullError

        # Where all are in one plane there is no hull; the distances are then taken as they are.
        with contextlib.suppress(QhullError):
            points = points[ConvexHull(points).vertices]
    for first in range(0, len(points), _ROWS):
        squares = sum(np.subtract.outer(along[first : first + _ROWS], along) ** 2 for along in points.T)
        lower = max(lower, float(np.sqrt(np.max(squares))))
    return lower


def _spread(points: NDArray[np.float64]) -> float:
    """A lower limit of the largest distance: that of the two points that are extreme along some direction."""
    projected = points @ _DIRECTIONS[points.shape[1]]
    ends = points[projected.argmax(axis=0)] - points[projected.argmin(axis=0)]
    return float(np.sqrt((ends**2).sum(axis=1).max()))


# A hull is worth its library, which takes 0.2 s to load, from so many points on.
_FEW = 1000
# Of distances that are computed at a time: bounds the memory.
_ROWS = 256
_DIRECTIONS = {
    2: np.array([(1, 0), (0, 1), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1)], dtype=np.float64).T,
    3: np.array(
        [axis for axis in np.ndindex(3, 3, 3) if axis > (1, 1, 1)],
        dtype=np.float64,
    ).T
    - 1,
}
