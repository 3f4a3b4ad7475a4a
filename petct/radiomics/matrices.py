"""Texture matrices of large regions: the counts of pyradiomics' C code, by operations on whole arrays.

pyradiomics walks from voxel to voxel with a bounds check at every neighbour. On a region of many voxels, comparing the
array with itself one voxel further is several times faster; on a small one, the walk is. Both count the same integers.
All functions take grey levels as ranks: 0 outside the region, then 1 to the number of grey levels that occur.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIRECTIONS = tuple(step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0))
"""One of each two opposite directions to the 26 neighbours, (z, y, x)."""


def run_lengths(ranks: NDArray[np.integer], n_levels: int, longest: int) -> NDArray[np.float64]:
    """Runs by grey level, length - 1 and direction (levels, ``longest``, 13)."""
    padded = np.pad(ranks, 1)
    flat = padded.ravel()
    strides = np.array(padded.strides) // padded.itemsize
    matrix = np.zeros((n_levels, longest, len(DIRECTIONS)))
    inside = flat != 0
    for number, direction in enumerate(DIRECTIONS):
        # Every direction leads to a later voxel, and the padding ends every run, so that no step leaves the array.
        step = int(strides @ np.array(direction))
        goes_on = np.zeros(flat.size, dtype=bool)
        np.equal(flat[:-step], flat[step:], out=goes_on[:-step])
        goes_on &= inside
        if not (inside[:-step] & inside[step:]).any() and not _share_a_line(ranks, direction):
            # One voxel on every line: pyradiomics leaves the direction out.
            continue
        begins = inside.copy()
        begins[step:] &= ~goes_on[:-step]
        matrix[:, 0, number] = _tally(flat[begins & ~goes_on], n_levels)
        place = np.flatnonzero(begins & goes_on)
        length = 2
        while place.size:
            place += step
            on = goes_on.take(place)
            matrix[:, length - 1, number] = _tally(flat.take(place[~on]), n_levels)
            place = place[on]
            length += 1
    return matrix


def _share_a_line(ranks: NDArray[np.integer], direction: tuple[int, ...]) -> bool:
    """Whether any line along ``direction`` holds two voxels of the region or more."""
    places = np.argwhere(ranks)
    axis = int(np.flatnonzero(direction)[0])
    # Each voxel's line, by where it crosses the plane 0 of the axis.
    crossings = places - places[:, axis : axis + 1] * direction[axis] * np.array(direction)
    return len(np.unique(crossings, axis=0)) < len(places)


def _tally(ranks: NDArray[np.integer], n_levels: int) -> NDArray[np.int64]:
    return np.bincount(ranks, minlength=n_levels + 1)[1:]


def zone_sizes(ranks: NDArray[np.integer], n_levels: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Zones (26-connected) by grey level and size (levels, sizes), and the sizes that occur, rising.

    Sizes are few, n of them need n (n + 1) / 2 voxels, while the largest may be as large as the region.
    """
    from skimage.measure import label

    zones = label(ranks, background=0, connectivity=3).ravel()
    level_of_zone = np.zeros(int(zones.max()) + 1, dtype=np.int64)
    level_of_zone[zones] = ranks.ravel()
    sizes, place = np.unique(np.bincount(zones)[1:], return_inverse=True)
    code = (level_of_zone[1:] - 1) * sizes.size + place
    matrix = np.bincount(code, minlength=n_levels * sizes.size).reshape(n_levels, sizes.size)
    return matrix.astype(np.float64), sizes


def dependences(ranks: NDArray[np.integer], n_levels: int) -> NDArray[np.float64]:
    """Voxels by grey level and number of neighbours of the same grey level (levels, 27)."""
    same = np.zeros(ranks.shape, dtype=np.uint8)
    for direction in DIRECTIONS:
        here, there = _shifted(ranks.shape, direction)
        equal = ranks[here] == ranks[there]
        same[here] += equal
        same[there] += equal
    inside = ranks > 0
    code = (ranks[inside].astype(np.int64) - 1) * 27 + same[inside]
    return np.bincount(code, minlength=n_levels * 27).reshape(n_levels, 27).astype(np.float64)


def neighbourhood_differences(grey: NDArray[np.int32], mask: NDArray[np.bool_], n_levels: int) -> NDArray[np.float64]:
    """Voxels with a neighbour, sum of their differences to the mean of their neighbours, and grey level (levels, 3).

    ``grey`` are the grey levels themselves, not ranks: the differences depend on them.
    """
    sums = _box_sum(grey)[mask] - grey[mask]
    counts = _box_sum(mask.astype(np.int32))[mask] - 1
    levels = grey[mask]
    with_neighbour = counts > 0
    levels, sums, counts = levels[with_neighbour], sums[with_neighbour], counts[with_neighbour]
    matrix = np.zeros((n_levels, 3))
    matrix[:, 0] = _tally(levels, n_levels)
    matrix[:, 1] = np.bincount(levels, weights=np.abs(levels - sums / counts), minlength=n_levels + 1)[1:]
    matrix[:, 2] = np.arange(1, n_levels + 1)
    return matrix


def _box_sum(array: NDArray[np.int32]) -> NDArray[np.int32]:
    """The sum of the 27 voxels around each, 0 beyond the array."""
    for axis in range(3):
        total = array.copy()
        for step in (1, -1):
            direction = tuple(step if other == axis else 0 for other in range(3))
            here, there = _shifted(array.shape, direction)
            total[here] += array[there]
        array = total
    return array


def _shifted(shape: tuple[int, ...], direction: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a voxel has a neighbour in ``direction``, and where that neighbour is."""
    here = tuple(slice(max(-step, 0), length - max(step, 0)) for step, length in zip(direction, shape, strict=True))
    there = tuple(slice(max(step, 0), length - max(-step, 0)) for step, length in zip(direction, shape, strict=True))
    return here, there


def second_eigenvalue(matrix: NDArray[np.float64], epsilon: float) -> tuple[float, float]:
    """Second largest eigenvalue of pyradiomics' Q, as a symmetric problem, and the size of what is neglected in it.

    Q(i, j) is the sum over k of P(i, k) P(j, k) / (p(i) p(k) + epsilon). Without epsilon its eigenvalues are the
    squared ones of P with row and column divided by the square roots of their sums. Epsilon matters where a grey level
    is so rare that its probability squared is not far above it, and is followed to first order.

    Parameters
    ----------
    matrix
        P: probabilities of pairs of levels, symmetric, (levels, levels).

    Returns
    -------
    eigenvalue, neglected
        ``neglected`` is about the second order; infinite or not a number where another eigenvalue is equal.
    """
    sums = matrix.sum(axis=1)
    inverse = np.zeros(sums.size)
    np.divide(1.0, np.sqrt(sums), out=inverse, where=sums > 0)
    values, vectors = np.linalg.eigh(matrix * inverse[:, None] * inverse[None, :])
    # All are followed: epsilon may change their order.
    left, right = matrix @ (vectors * inverse[:, None] ** 3), matrix @ (vectors * inverse[:, None])
    squares = values**2 - epsilon * np.sum(left * right * inverse[:, None] ** 4, axis=0)
    order = np.argsort(squares)
    second, others = order[-2], np.delete(order, -2)
    left, right = left[:, second], right[:, second]
    squared = abs(np.sum((matrix @ (vectors[:, second] * inverse**5)) * right * inverse**6))
    # How far epsilon turns the vector towards the others: the further, the closer their values.
    onto = vectors[:, others].T @ (inverse**3 * (matrix @ (inverse**4 * right)))
    back = vectors[:, others].T @ (inverse * (matrix @ (inverse**4 * left)))
    with np.errstate(divide="ignore", invalid="ignore"):
        turned = np.sum(np.abs(onto * back / (values[second] ** 2 - values[others] ** 2)))
    return float(squares[second]), float(epsilon**2 * (squared + turned))
