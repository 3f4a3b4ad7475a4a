"""Small changes of an image and a region, as another scan or another reader might have given them.

Zwanenburg et al. 2019 (doi 10.1038/s41598-018-36938-4): features that survive them tend to survive a test-retest. Every
step is deterministic for a seed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from petct.errors import FeatureError
from petct.image.volume import Geometry, Mask, Volume
from petct.radiomics.perturbation_sets import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MARGIN_VOXELS = 40
"""Around the lesion: beyond what the filters of a feature set look at (12 sigma of a Laplacian of Gaussian)."""
_REACH_VOXELS = 2
"""How far outside the region a changed threshold is looked at."""

_MASK_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float64)


def around(image: Volume, mask: Mask) -> tuple[Volume, Mask]:
    """Image and mask within a box around the region, with a margin: what a chain is applied to.

    Raises
    ------
    FeatureError
        ROI_EMPTY when the region has no voxel.
    """
    if not mask.array.any():
        raise FeatureError("ROI_EMPTY", "The region has no voxel")
    z, y, x = (
        slice(max(int(along.min()) - _MARGIN_VOXELS, 0), min(int(along.max()) + _MARGIN_VOXELS + 1, length))
        for along, length in zip(np.nonzero(mask.array), mask.array.shape, strict=True)
    )
    box = (z, y, x)
    geometry = image.geometry.cropped(box)
    return Volume(image.array[box], geometry), Mask(mask.array[box], geometry)


def perturb(image: Volume, mask: Mask, steps: Sequence[Step], rng: np.random.Generator) -> tuple[Volume, Mask]:
    """Apply the steps of a chain one after the other; the result is on the same grid, and its region may be empty.

    An image that no step changes keeps its type, and so its features.

    Parameters
    ----------
    image, mask
        Finite values (z, y, x) and the region on the same grid.
    """
    array: NDArray[np.generic] = image.array
    region = mask.array
    for step in steps:
        if step.kind == "erode":
            region = _eroded(region, image.geometry, step.share, rng)
        elif step.kind == "dilate":
            region = _dilated(region, image.geometry, step.share, rng)
        elif step.kind == "translate":
            array, region = _translated(np.asarray(array, dtype=np.float64), region, step.amount)
        elif step.kind == "threshold":
            region = _rethresholded(np.asarray(array, dtype=np.float64), region, step.share)
        else:
            values = np.asarray(array, dtype=np.float64)
            array = values + rng.normal(0.0, step.share * noise_level(values), values.shape)
    return Volume(array, image.geometry), Mask(region, mask.geometry)


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on whose they are, and not on the order in which work is done."""
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def noise_level(array: NDArray[np.float64]) -> float:
    """Standard deviation of an image's noise, in plane (Immerkær 1996, doi 10.1006/cviu.1996.0060).

    The difference of two Laplacians is blind to constant and linear intensities; its mean absolute response to Gaussian
    noise of standard deviation s is 6 s sqrt(2 / pi).
    """
    _, rows, columns = array.shape
    if rows < 3 or columns < 3:
        return 0.0
    response = ndimage.convolve(array, _MASK_KERNEL[None])[:, 1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(response).mean())


def _eroded(region: NDArray[np.bool_], geometry: Geometry, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Without the ``share`` of its voxels that lie nearest to the outside; ties are broken at random."""
    depth = ndimage.distance_transform_edt(np.pad(region, 1), sampling=geometry.spacing_mm[::-1])[1:-1, 1:-1, 1:-1]
    voxels = np.flatnonzero(region)
    order = np.lexsort((rng.random(voxels.size), depth.ravel()[voxels]))
    changed = region.copy()
    changed.ravel()[voxels[order[: _count(share, voxels.size)]]] = False
    return changed


def _dilated(
    region: NDArray[np.bool_], geometry: Geometry, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """With the nearest voxels outside, ``share`` times as many as the region has; ties are broken at random."""
    if not region.any():
        return region
    distance = ndimage.distance_transform_edt(~region, sampling=geometry.spacing_mm[::-1])
    outside = np.flatnonzero(~region)
    order = np.lexsort((rng.random(outside.size), distance.ravel()[outside]))
    changed = region.copy()
    changed.ravel()[outside[order[: _count(share, int(np.count_nonzero(region)))]]] = True
    return changed


def _count(share: float, voxels: int) -> int:
    """At least one voxel, so that a small lesion is perturbed, too."""
    return max(1, round(share * voxels)) if voxels else 0


def _translated(
    array: NDArray[np.float64], region: NDArray[np.bool_], voxels: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Image and region as a grid that lies ``voxels`` further along (z, y, x) would have sampled them."""
    shift = [-step for step in voxels]
    moved = ndimage.shift(array, shift, order=1, mode="nearest")
    covered = ndimage.shift(region.astype(np.float64), shift, order=1, mode="constant", cval=0.0)
    return moved, covered >= 0.5


def _rethresholded(array: NDArray[np.float64], region: NDArray[np.bool_], change: float) -> NDArray[np.bool_]:
    """The region at another threshold.

    The threshold of a region is the one at which as many voxels near it lie above as the region has. The new region is
    what lies above the changed threshold near the old one and is connected with its hottest voxel.
    """
    n_voxels = int(np.count_nonzero(region))
    if n_voxels == 0:
        return region
    near = ndimage.binary_dilation(region, ndimage.generate_binary_structure(3, 3), iterations=_REACH_VOXELS)
    values = np.sort(array[near])[::-1]
    threshold = values[n_voxels - 1] * (1 + change)
    above = near & (array >= threshold)
    labelled, _ = ndimage.label(above, ndimage.generate_binary_structure(3, 3))
    hottest = np.unravel_index(int(np.argmax(np.where(region, array, -np.inf))), array.shape)
    return np.asarray((labelled == labelled[hottest]) & above)
