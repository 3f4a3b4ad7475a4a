"""The voxels of a sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A voxel whose centre lies on the surface belongs to the sphere, however its distance is rounded.
_ROUNDING = 1 + 1e-12


def sphere_offsets(radius_mm: float, spacing_zyx_mm: tuple[float, ...]) -> NDArray[np.int64]:
    """Offsets (n, 3) in voxels (z, y, x) of the centres that lie within a sphere around a voxel centre.

    Parameters
    ----------
    radius_mm
        Radius; a centre on the surface is inside.
    spacing_zyx_mm
        Distance of voxel centres along (z, y, x).
    """
    reach = [int(radius_mm * _ROUNDING // spacing) for spacing in spacing_zyx_mm]
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    inside = ((grid * np.asarray(spacing_zyx_mm)) ** 2).sum(axis=1) <= radius_mm**2 * _ROUNDING
    return np.asarray(grid[inside])
