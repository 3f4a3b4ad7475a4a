"""Lesions by a threshold: what is above it, what of that is physiological, and an account that adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from petct.errors import MaskError
from petct.image.volume import Box, Mask, MaskPart, Volume, resample_part
from petct.lesions.lesion_map import LesionMap, MaskRules, label_lesions, largest_overlap, structure_of
from petct.lesions.protocol import Protocol
from petct.lesions.reference_regions import ReferenceRegion

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHYSIOLOGICAL = "PHYSIOLOGICAL"
TOO_SMALL = "TOO_SMALL"
HOLE = "HOLE"
KEPT = "KEPT"


@dataclass(frozen=True)
class Exclusion:
    """One line of the account of a threshold.

    Attributes
    ----------
    reason
        PHYSIOLOGICAL (in an excluded organ or its margin), TOO_SMALL (below the minimum volume), KEPT (in a lesion), or
        HOLE (below the threshold and enclosed by a lesion: added to it). PHYSIOLOGICAL, TOO_SMALL and KEPT sum to all
        voxels above the threshold; KEPT and HOLE to the lesions.
    organ
        The excluded organ; None otherwise.
    suv_max
        Largest SUV of these voxels; None where there are none.
    """

    reason: str
    organ: str | None
    n_voxels: int
    volume_ml: float
    suv_max: float | None


@dataclass(frozen=True, eq=False)
class Thresholded:
    """The lesions of a threshold protocol on the PET grid, and the account of all voxels above the threshold.

    Attributes
    ----------
    physiological
        Voxels (z, y, x) that were excluded: the lines PHYSIOLOGICAL of the account.
    """

    lesions: LesionMap
    account: tuple[Exclusion, ...]
    physiological: NDArray[np.bool_]


def threshold_lesions(
    suv: Volume,
    search: LesionMap | None,
    organs: Mapping[str, Mask],
    references: Mapping[str, ReferenceRegion],
    protocol: Protocol,
    rules: MaskRules,
) -> Thresholded:
    """Lesions of a protocol that has a threshold.

    Parameters
    ----------
    search
        What was drawn, on the grid of the image; None where the whole image is searched.
    organs
        Organ name to its mask, on any grid of the same patient.
    references
        The reference regions of the scan that could be placed.

    Raises
    ------
    MaskError
        EXCLUSION_MASKS_MISSING where the whole image is searched, organs are to be excluded, and there is no mask of
        any of them, or none of one that is declared; REFERENCE_REGION_MISSING.
    """
    parts = {name: resample_part(mask, suv.geometry) for name, mask in organs.items()}
    if search is None:
        _check_organs(protocol, rules, organs)
        above = _above_in_image(suv, parts, references, protocol)
    else:
        above = _above_in_contours(suv, search, references, protocol)
    removed = _physiological(above, parts, protocol, suv)
    kept = above.copy()
    for part in removed.values():
        kept[part.box] &= ~part.array
    filled = ndimage.binary_fill_holes(kept) if protocol.fill_holes else kept

    def region_of(voxels: tuple[NDArray[np.intp], ...]) -> str:
        if search is None:
            return protocol.name
        counts = np.bincount(search.labels[voxels], minlength=search.labels.max() + 1)
        return largest_overlap([(int(counts[lesion.label]), lesion.roi_name) for lesion in search.lesions])

    lesions = label_lesions(filled, region_of, parts, protocol, rules, suv.geometry)
    inside = lesions.labels > 0
    account = [
        _line(PHYSIOLOGICAL, organ, suv.array[part.box][part.array], suv)
        for organ, part in sorted(removed.items())
        if part.array.any()
    ]
    account.append(_line(TOO_SMALL, None, suv.array[kept & ~inside], suv))
    account.append(_line(HOLE, None, suv.array[inside & ~kept], suv))
    account.append(_line(KEPT, None, suv.array[kept & inside], suv))
    return Thresholded(lesions, tuple(account), above & ~kept)


def _above_in_contours(
    suv: Volume, search: LesionMap, references: Mapping[str, ReferenceRegion], protocol: Protocol
) -> NDArray[np.bool_]:
    """Voxels above the threshold, each connected part of the contours with its own."""
    # Labelled anew: two lesions that were drawn on the CT may touch on the grid of the PET.
    labelled, _ = ndimage.label(search.labels > 0, structure_of(protocol.connectivity))
    above = np.zeros(labelled.shape, dtype=bool)
    for label, box in enumerate(ndimage.find_objects(labelled), start=1):
        inside = labelled[box] == label
        values = suv.array[box].astype(np.float64)
        above[box] |= inside & (values >= protocol.level(values[inside], references))
    return above


def _above_in_image(
    suv: Volume, organs: Mapping[str, MaskPart], references: Mapping[str, ReferenceRegion], protocol: Protocol
) -> NDArray[np.bool_]:
    # A float64 of numpy, other than one of Python, is not rounded to the precision of the image.
    above = np.asarray(suv.array >= np.float64(protocol.level(suv.array, references)))
    for rule in protocol.within_organs:
        if rule.organ in organs:
            part = organs[rule.organ]
            values = suv.array[part.box][part.array]
            above[part.box][part.array] = values >= np.float64(rule.threshold.level(values, references))
    return above


def _check_organs(protocol: Protocol, rules: MaskRules, organs: Mapping[str, Mask]) -> None:
    """A search of the whole image without the masks of organs with physiological uptake would find these organs."""
    declared = [name for name, _ in rules.organs if protocol.excludes(name)]
    needed = [*declared, *(rule.organ for rule in protocol.within_organs)]
    missing = sorted(set(needed) - set(organs))
    if missing or (protocol.exclude and not declared):
        raise MaskError(
            "EXCLUSION_MASKS_MISSING",
            "The whole image cannot be searched without the masks of organs with physiological uptake",
            keyword="masks.organs",
            found=", ".join(sorted(organs)) or "no organ mask",
            expected=", ".join(missing) or "at least one of " + ", ".join(protocol.exclude),
            hint="Add the masks, use a protocol that searches inside contours, or, where the image shows none of these "
            "organs, one of your own that excludes nothing.",
        )


def _physiological(
    above: NDArray[np.bool_], organs: Mapping[str, MaskPart], protocol: Protocol, suv: Volume
) -> dict[str, MaskPart]:
    """What of ``above`` lies in each excluded organ or its margin; a voxel in two margins belongs to the nearer."""
    excluded = sorted(name for name in organs if protocol.excludes(name) and organs[name].array.size)
    if not excluded:
        return {}
    nearest = np.full(above.shape, np.inf, dtype=np.float32)
    owner = np.full(above.shape, -1, dtype=np.int16)
    near = {name: _near(organs[name], protocol.exclusion_margin_mm, suv) for name in excluded}
    for index, name in enumerate(excluded):
        box, distance = near[name]
        nearer = distance < nearest[box]
        nearest[box][nearer] = distance[nearer]
        owner[box][nearer] = index
    for rule in protocol.within_organs:
        # The margin of the spleen does not reach into the liver, which has a threshold of its own.
        if rule.organ in organs:
            part = organs[rule.organ]
            owner[part.box][part.array & (nearest[part.box] > 0)] = -1
    return {
        name: MaskPart(box, above[box] & (owner[box] == index) & (nearest[box] <= protocol.exclusion_margin_mm))
        for index, name in enumerate(excluded)
        for box in [near[name][0]]
    }


def _near(organ: MaskPart, margin_mm: float, suv: Volume) -> tuple[Box, NDArray[np.float32]]:
    """The part of the image that an organ and its margin fill, and the distance of its voxels to the organ in mm."""
    spacing = suv.geometry.spacing_mm[::-1]
    reach = [int(margin_mm // size) + 1 for size in spacing]
    z, y, x = (
        slice(max(side.start - more, 0), min(side.stop + more, size))
        for side, more, size in zip(organ.box, reach, suv.geometry.shape, strict=True)
    )
    outside = np.ones([side.stop - side.start for side in (z, y, x)], dtype=bool)
    inner = tuple(
        slice(side.start - wide.start, side.stop - wide.start) for side, wide in zip(organ.box, (z, y, x), strict=True)
    )
    outside[inner] = ~organ.array
    return (z, y, x), ndimage.distance_transform_edt(outside, sampling=spacing).astype(np.float32)


def _line(reason: str, organ: str | None, values: NDArray[np.generic], suv: Volume) -> Exclusion:
    highest = float(values.max()) if values.size else None
    return Exclusion(reason, organ, values.size, values.size * suv.geometry.voxel_volume_ml, highest)
