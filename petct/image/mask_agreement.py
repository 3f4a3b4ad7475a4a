"""How well two masks of one lesion agree: overlap, volume, and the distance of their surfaces in mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from petct.errors import MaskError
from petct.image.volume import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Agreement:
    """Agreement of two masks on one grid.

    Attributes
    ----------
    dice
        Twice the shared volume over the sum of both; 1 where they are equal.
    volume_difference_ml
        Volume of the second minus that of the first.
    relative_volume_difference
        The same as a share of the first's volume.
    mean_surface_distance_mm
        Mean over all surface voxels of both masks of the distance to the surface of the other.
    surface_distance_95_mm
        The larger of the two 95th percentiles of these distances, one from each mask (robust Hausdorff distance).
    """

    first_volume_ml: float
    second_volume_ml: float
    overlap_ml: float
    dice: float
    volume_difference_ml: float
    relative_volume_difference: float
    mean_surface_distance_mm: float
    surface_distance_95_mm: float


def agreement(first: Mask, second: Mask) -> Agreement:
    """Compare two masks of one lesion.

    The surface of a mask are its voxels that have a face neighbour outside of it (beyond the image counts as outside);
    distances are those of voxel centres, exact and with the spacing of each axis.

    Raises
    ------
    MaskError
        AGREEMENT_GRIDS_DIFFER; ROI_EMPTY when one of them has no voxel.
    """
    if not first.geometry.is_close(second.geometry):
        raise MaskError("AGREEMENT_GRIDS_DIFFER", "Masks on different grids cannot be compared voxel by voxel")
    if not first.array.any() or not second.array.any():
        raise MaskError(
            "ROI_EMPTY", "A mask without voxels agrees with nothing", hint="It is a lesion that is missing."
        )
    one, two = _cut_out(first.array, second.array)
    spacing = first.geometry.spacing_mm[::-1]
    surfaces = [mask & ~ndimage.binary_erosion(mask) for mask in (one, two)]
    to_second = ndimage.distance_transform_edt(~surfaces[1], sampling=spacing)[surfaces[0]]
    to_first = ndimage.distance_transform_edt(~surfaces[0], sampling=spacing)[surfaces[1]]
    shared = int(np.count_nonzero(one & two))
    sizes = int(np.count_nonzero(one)), int(np.count_nonzero(two))
    voxel_ml = first.geometry.voxel_volume_ml
    return Agreement(
        first_volume_ml=sizes[0] * voxel_ml,
        second_volume_ml=sizes[1] * voxel_ml,
        overlap_ml=shared * voxel_ml,
        dice=2 * shared / sum(sizes),
        volume_difference_ml=(sizes[1] - sizes[0]) * voxel_ml,
        relative_volume_difference=sizes[1] / sizes[0] - 1,
        mean_surface_distance_mm=float(np.concatenate([to_second, to_first]).mean()),
        surface_distance_95_mm=float(max(np.percentile(to_second, 95), np.percentile(to_first, 95))),
    )


def _cut_out(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both masks without the empty space around them, with a rim of one voxel outside."""
    (box,) = ndimage.find_objects((one | two).astype(np.uint8))
    return np.pad(one[box], 1), np.pad(two[box], 1)
