"""Reference regions: spheres in healthy liver, spleen and aorta, placed the same way every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from petct.errors import MaskError
from petct.image.sphere import sphere_offsets
from petct.image.volume import Mask, Volume, cut_out, resample_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

RADIUS_MM: Mapping[str, float] = {"liver": 15.0, "spleen": 10.0, "aorta": 5.0}
"""Organ to the radius of its sphere: PERCIST's 3 cm liver and 1 cm blood pool (doi 10.2967/jnumed.108.057307)."""

TISSUE: Mapping[str, str] = {
    "liver": "healthy liver",
    "spleen": "healthy spleen",
    "aorta": "the blood pool in the aorta",
}
"""What the sphere in an organ stands for."""

# A lattice of so many centres at most is tried: a finer one moves the sphere by less than a voxel's blur.
_MOST_CENTRES = 4000


@dataclass(frozen=True)
class ReferenceRegion:
    """A sphere of healthy tissue.

    Attributes
    ----------
    region
        ``liver``, ``spleen`` or ``aorta``.
    centre_mm
        Patient coordinates (LPS).
    suv_sd
        Population standard deviation.
    """

    region: str
    centre_mm: tuple[float, float, float]
    radius_mm: float
    n_voxels: int
    suv_mean: float
    suv_sd: float


def place_reference(region: str, suv: Volume, organ: Mask, avoid: NDArray[np.bool_] | None = None) -> ReferenceRegion:
    """Place the sphere where the organ is most even.

    Among all spheres that lie wholly in the organ, outside ``avoid``, and whose mean is not above the median of them
    (a lesion takes up more than healthy tissue), the one with the smallest coefficient of variation is taken; of equals
    the first in the order (z, y, x).

    Parameters
    ----------
    suv
        SUV (z, y, x).
    organ
        The organ, on any grid of the same patient.
    avoid
        Voxels of the image that no sphere may hold, as drawn lesions.

    Raises
    ------
    MaskError
        REFERENCE_REGION_UNKNOWN; REFERENCE_REGION_NOT_PLACED when no sphere fits.
    """
    if region not in RADIUS_MM:
        raise MaskError(
            "REFERENCE_REGION_UNKNOWN",
            "There is no such reference region",
            found=region,
            expected=", ".join(sorted(RADIUS_MM)),
        )
    radius = RADIUS_MM[region]
    spacing = suv.geometry.spacing_mm[::-1]
    allowed = resample_mask(organ, suv.geometry).array.copy()
    if avoid is not None:
        allowed &= ~avoid
    centres = _centres(allowed, radius, spacing)
    if not len(centres):
        raise MaskError(
            "REFERENCE_REGION_NOT_PLACED",
            f"No sphere of {TISSUE[region]} fits into its mask",
            keyword=region,
            found=f"{np.count_nonzero(allowed) * suv.geometry.voxel_volume_ml:.1f} ml of the organ without lesions",
            expected=f"room for a sphere of {2 * radius:g} mm",
        )
    offsets = sphere_offsets(radius, spacing)
    means, deviations = _statistics(suv.array, centres, offsets)
    variation = np.where(means > 0, deviations / np.where(means > 0, means, 1.0), np.inf)
    best = int(np.where(means <= np.median(means), variation, np.inf).argmin())
    x, y, z = (float(value) for value in suv.geometry.to_physical(centres[best][None, ::-1])[0])
    return ReferenceRegion(region, (x, y, z), radius, len(offsets), float(means[best]), float(deviations[best]))


def _centres(allowed: NDArray[np.bool_], radius: float, spacing: tuple[float, ...]) -> NDArray[np.int64]:
    """Voxels (n, 3) around which a sphere lies in ``allowed``, thinned to a lattice where there are many."""
    part = cut_out(allowed)
    # Padded, so that the border of the image ends the organ, too.
    depth = ndimage.distance_transform_edt(np.pad(part.array, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    centres: NDArray[np.int64] = np.argwhere(depth > radius) + np.array([side.start for side in part.box])
    step = 1
    while len(thinned := centres[(centres % step == 0).all(axis=1)]) > _MOST_CENTRES:
        step += 1
    return thinned if len(thinned) else centres[:1]


def _statistics(
    array: NDArray[np.generic], centres: NDArray[np.int64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population standard deviation over the sphere around each centre."""
    total, squares = np.zeros(len(centres)), np.zeros(len(centres))
    for offset in offsets:
        values = array[tuple((centres + offset).T)].astype(np.float64)
        total += values
        squares += values**2
    means = total / len(offsets)
    return means, np.sqrt(np.maximum(squares / len(offsets) - means**2, 0.0))
