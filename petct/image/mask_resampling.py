"""A mask on another grid than the one it was made on: moved by a stated rule, and refused where too much changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import MaskError
from petct.image.volume import Geometry, Mask, resample_mask

# The border of a mask falls on this or that side of a voxel centre; a few voxels cannot keep their volume better.
_VOXELS_OF_BORDER = 2


@dataclass(frozen=True)
class ResamplingLimits:
    """What resampling may do to a mask; over a limit the mask is refused with the numbers.

    Attributes
    ----------
    volume_change
        Largest change, as a share of the volume before; two voxels of the coarser grid are allowed in any case, if
        they are no more than half of the volume.
    outside
        Largest share of the volume that may lie outside of the image.
    overlap
        Largest share of the smaller of two labels that may belong to both.
    """

    volume_change: float = 0.25
    outside: float = 0.05
    overlap: float = 0.05


def share_outside(mask: Mask, image: Geometry) -> float:
    """The share (0 to 1) of a mask's voxels whose centres lie outside of ``image``; 0 of an empty mask."""
    inside = np.argwhere(mask.array)
    if not len(inside):
        return 0.0
    index = image.to_index(mask.geometry.to_physical(inside[:, ::-1].astype(np.float64)))
    beyond = (index < -0.5) | (index > np.array(image.shape[::-1]) - 0.5)
    return float(beyond.any(axis=1).mean())


def resample_checked(mask: Mask, onto: Geometry, limits: ResamplingLimits, name: str) -> Mask:
    """``resample_mask``, refused where the mask does not fit the image or changes more than ``limits`` allow.

    Raises
    ------
    MaskError
        MASK_OUTSIDE_IMAGE, MASK_VOLUME_CHANGED; ROI_WITHOUT_VOXELS when nothing is left of it.
    """
    outside = share_outside(mask, onto)
    check_outside(outside, mask.volume_ml, limits, name)
    moved = resample_mask(mask, onto)
    if mask.array.any() and not moved.array.any():
        raise MaskError(
            "ROI_WITHOUT_VOXELS",
            f"Nothing of {name} is left on the grid of the image",
            found=f"{mask.volume_ml:.3f} ml on its own grid",
            hint="It is smaller than a voxel of the image.",
        )
    coarser_ml = max(mask.geometry.voxel_volume_ml, onto.voxel_volume_ml)
    # What is cut off at the border of the image was judged above.
    check_volume((1 - outside) * mask.volume_ml, moved.volume_ml, coarser_ml, limits, name)
    return moved


def check_outside(share: float, volume_ml: float, limits: ResamplingLimits, name: str) -> None:
    """Refuse a mask of which a larger share lies outside of the image than ``limits`` allow."""
    if share > limits.outside:
        raise MaskError(
            "MASK_OUTSIDE_IMAGE",
            f"{name} reaches beyond the image it is to be used on",
            found=f"{100 * share:.1f} % of {volume_ml:.2f} ml outside",
            expected=f"at most {100 * limits.outside:g} % (masks.resampling.outside)",
            hint="Is it of this patient and of this scan?",
        )


def check_volume(before_ml: float, after_ml: float, voxel_ml: float, limits: ResamplingLimits, name: str) -> None:
    """Refuse a change of volume beyond ``limits``; ``voxel_ml`` is the voxel of the coarser grid."""
    allowed_ml = max(limits.volume_change * before_ml, min(_VOXELS_OF_BORDER * voxel_ml, before_ml / 2))
    if abs(after_ml - before_ml) > allowed_ml:
        raise MaskError(
            "MASK_VOLUME_CHANGED",
            f"Resampling changes the volume of {name} too much",
            found=f"{before_ml:.3f} ml before, {after_ml:.3f} ml after ({100 * (after_ml / before_ml - 1):+.1f} %)",
            expected=f"a change of at most {100 * limits.volume_change:g} % (masks.resampling.volume_change)",
            hint="Draw it on the image that it is used on.",
        )


def check_overlap(name: str, other: str, shared_ml: float, smaller_ml: float, limits: ResamplingLimits) -> None:
    """Refuse two labels that claim a larger share of the smaller one than ``limits`` allow."""
    if shared_ml > limits.overlap * smaller_ml:
        raise MaskError(
            "MASK_LABELS_OVERLAP",
            f"{name} and {other} claim the same voxels",
            found=f"{shared_ml:.3f} ml, {100 * shared_ml / smaller_ml:.1f} % of the smaller one",
            expected=f"at most {100 * limits.overlap:g} % (masks.resampling.overlap)",
        )
