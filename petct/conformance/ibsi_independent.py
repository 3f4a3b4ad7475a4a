"""The features of pyradiomics that IBSI does not define, computed a second time from their definitions.

Slow and short: for the digital phantom, to show that the value is what the feature's definition says.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from petct.radiomics.ibsi import NOT_IN_IBSI

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.conformance.ibsi_preparation import Prepared

NOTE = f"{NOT_IN_IBSI} The expected value is a second computation from the feature's definition"

_DIRECTIONS = [(z, y, x) for z, y, x in product((-1, 0, 1), repeat=3) if (z, y, x) > (0, 0, 0)]


def independent_values(prepared: Prepared) -> dict[str, float]:
    """MCC, the three 2D diameters and total energy, under petlake's names."""
    mask = prepared.morphological.array
    spacing = np.asarray(prepared.image.geometry.spacing_mm[::-1])
    vertices = _surface_vertices(mask) * spacing
    inside = prepared.image.array[prepared.intensity.array]
    return {
        "original_shape_Maximum2DDiameterSlice": _largest_distance_in_plane(vertices, 0),
        "original_shape_Maximum2DDiameterColumn": _largest_distance_in_plane(vertices, 1),
        "original_shape_Maximum2DDiameterRow": _largest_distance_in_plane(vertices, 2),
        "original_firstorder_TotalEnergy": float(np.sum(np.asarray(inside, dtype=np.float64) ** 2) * spacing.prod()),
        "original_glcm_MCC": _maximal_correlation(prepared.levels),
    }


def _surface_vertices(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Vertices of the mesh at one half: the middle of every edge between a voxel inside and one outside."""
    padded = np.pad(mask, 1)
    found = []
    for axis in range(3):
        crossing = np.argwhere(np.diff(padded.astype(np.int8), axis=axis)).astype(np.float64)
        crossing[:, axis] += 0.5
        found.append(crossing)
    return np.concatenate(found)


def _largest_distance_in_plane(vertices: NDArray[np.float64], axis: int) -> float:
    """The largest distance between two vertices that have the same coordinate along ``axis``."""
    largest = 0.0
    for coordinate in np.unique(vertices[:, axis]):
        plane = vertices[vertices[:, axis] == coordinate]
        largest = max(largest, float(np.linalg.norm(plane[:, None] - plane[None], axis=2).max()))
    return largest


def _maximal_correlation(levels: NDArray[np.int_]) -> float:
    """Maximal correlation coefficient (Haralick 1973): the mean over the directions of sqrt(second eigenvalue of Q)."""
    values = []
    for direction in _DIRECTIONS:
        matrix = _co_occurrences(levels, direction)
        if not matrix.any():
            continue
        present = matrix.any(axis=0)
        joint = matrix[np.ix_(present, present)] / matrix.sum()
        marginal = joint.sum(axis=0)
        q = np.einsum("ik,jk,i,k->ij", joint, joint, 1 / marginal, 1 / marginal)
        eigenvalues = np.sort(np.linalg.eigvals(q).real)
        values.append(float(np.sqrt(eigenvalues[-2])) if len(eigenvalues) > 1 else 1.0)
    return float(np.mean(values))


def _co_occurrences(levels: NDArray[np.int_], direction: tuple[int, int, int]) -> NDArray[np.int_]:
    """Symmetric counts of pairs of grey levels at one step in ``direction``."""
    here = tuple(slice(max(-step, 0), size - max(step, 0)) for step, size in zip(direction, levels.shape, strict=True))
    there = tuple(slice(max(step, 0), size - max(-step, 0)) for step, size in zip(direction, levels.shape, strict=True))
    pairs = np.stack([levels[here].ravel(), levels[there].ravel()])
    pairs = pairs[:, (pairs > 0).all(axis=0)] - 1
    counts = np.zeros((levels.max(), levels.max()), dtype=int)
    np.add.at(counts, (pairs[0], pairs[1]), 1)
    return counts + counts.T
