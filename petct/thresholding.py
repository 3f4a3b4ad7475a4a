"""Lesions by a threshold: what is above it, what of that is physiological, and an account that adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from petct.errors import MaskError
from petct.lesions import LesionMap, MaskRules, label_lesions, structure_of
from petct.reference_regions import ReferenceRegion
from petct.segmentation import FixedThreshold, Protocol, ShareOfMaximum, Threshold
from petct.volume import Mask, Volume, resample_mask

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


@dataclass(frozen=True)
class ExclusionRecord:
    """A row of the table ``exclusions``; ``organ`` is empty where it does not apply."""

    patient_id: str
    scan_id: str
    protocol_id: str
    reason: str
    organ: str
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
    search: Sequence[tuple[str, Mask]],
    organs: Mapping[str, Mask],
    references: Mapping[str, ReferenceRegion],
    protocol: Protocol,
    rules: MaskRules,
) -> Thresholded:
    """Lesions of a protocol that has a threshold.

    Parameters
    ----------
    suv
        The PET image in SUV (z, y, x).
    search
        Names and masks of the search regions, on the grid of the image; nothing where the whole image is searched.
    organs
        Organ name to its mask, on any grid of the same patient.
    references
        The reference regions of the scan that could be placed.

    Raises
    ------
    MaskError
        EXCLUSION_MASKS_MISSING where the whole image is searched and there is no mask of an organ to exclude, or none
        of an organ that is declared and excluded; REFERENCE_REGION_MISSING.
    """
    tumours = [(name, mask.array) for name, mask in search]
    arrays = {name: resample_mask(mask, suv.geometry).array for name, mask in organs.items()}
    if protocol.search == "contours":
        above = _above_in_contours(suv, tumours, references, protocol)
    else:
        _check_organs(protocol, rules, organs)
        above = _above_in_image(suv, arrays, references, protocol)
        tumours = [(protocol.name, above)]
    removed = _physiological(above, arrays, protocol, suv)
    kept = above.copy()
    for array in removed.values():
        kept &= ~array
    filled = ndimage.binary_fill_holes(kept) if protocol.fill_holes else kept
    lesions = label_lesions(filled, tumours, arrays, protocol, rules, suv.geometry)
    inside = lesions.labels > 0
    account = [_line(PHYSIOLOGICAL, organ, array, suv) for organ, array in sorted(removed.items()) if array.any()]
    account.append(_line(TOO_SMALL, None, kept & ~inside, suv))
    account.append(_line(HOLE, None, inside & ~kept, suv))
    account.append(_line(KEPT, None, kept & inside, suv))
    return Thresholded(lesions, tuple(account), above & ~kept)


def _above_in_contours(
    suv: Volume,
    tumours: Sequence[tuple[str, NDArray[np.bool_]]],
    references: Mapping[str, ReferenceRegion],
    protocol: Protocol,
) -> NDArray[np.bool_]:
    """Voxels above the threshold, each connected part of the contours with its own."""
    union = np.zeros(suv.geometry.shape, dtype=bool)
    for _, array in tumours:
        union |= array
    labelled, _ = ndimage.label(union, structure_of(protocol.connectivity))
    above = np.zeros_like(union)
    assert protocol.threshold is not None
    for label, box in enumerate(ndimage.find_objects(labelled), start=1):
        inside = labelled[box] == label
        values = suv.array[box].astype(np.float64)
        above[box] |= inside & (values >= _level(protocol.threshold, values[inside], references))
    return above


def _above_in_image(
    suv: Volume,
    organs: Mapping[str, NDArray[np.bool_]],
    references: Mapping[str, ReferenceRegion],
    protocol: Protocol,
) -> NDArray[np.bool_]:
    assert protocol.threshold is not None
    values = suv.array.astype(np.float64)
    above = np.asarray(values >= _level(protocol.threshold, values, references))
    for rule in protocol.within_organs:
        if rule.organ in organs:
            inside = organs[rule.organ]
            above[inside] = values[inside] >= _level(rule.threshold, values[inside], references)
    return above


def _level(threshold: Threshold, values: NDArray[np.generic], references: Mapping[str, ReferenceRegion]) -> float:
    """The SUV from which on a voxel belongs to a lesion."""
    if isinstance(threshold, FixedThreshold):
        return threshold.suv
    if isinstance(threshold, ShareOfMaximum):
        return threshold.share * float(values.max())
    reference = references.get(threshold.region)
    if reference is None:
        raise MaskError(
            "REFERENCE_REGION_MISSING",
            f"The threshold is relative to healthy {threshold.region}, and there is no reference region of it",
            keyword=threshold.region,
            hint=f"Declare the mask of the {threshold.region} under masks.organs in study.yaml.",
        )
    return threshold.mean_factor * reference.suv_mean + threshold.sd_factor * reference.suv_sd


def _check_organs(protocol: Protocol, rules: MaskRules, organs: Mapping[str, Mask]) -> None:
    """Searching the whole image without the masks of what lights up in everybody would find organs, not lesions."""
    declared = [name for name, _ in rules.organs if protocol.excludes(name)]
    needed = [*declared, *(rule.organ for rule in protocol.within_organs)]
    missing = sorted(set(needed) - set(organs))
    if not declared or missing:
        raise MaskError(
            "EXCLUSION_MASKS_MISSING",
            "The whole image cannot be searched without the masks of organs with physiological uptake",
            keyword="masks.organs",
            found=", ".join(sorted(organs)) or "no organ mask",
            expected=", ".join(missing) or "at least one of " + ", ".join(protocol.exclude),
            hint="Add the masks, or use a protocol that searches inside contours.",
        )


def _physiological(
    above: NDArray[np.bool_], organs: Mapping[str, NDArray[np.bool_]], protocol: Protocol, suv: Volume
) -> dict[str, NDArray[np.bool_]]:
    """What of ``above`` lies in each excluded organ or its margin; a voxel in two margins belongs to the nearer."""
    excluded = sorted(name for name in organs if protocol.excludes(name) and organs[name].any())
    if not excluded:
        return {}
    spacing = suv.geometry.spacing_mm[::-1]
    distances = np.stack([_distance(organs[name], protocol.exclusion_margin_mm, spacing) for name in excluded])
    nearest = distances.argmin(axis=0)
    within = above & (distances.min(axis=0) <= protocol.exclusion_margin_mm)
    for rule in protocol.within_organs:
        # The margin of the spleen does not reach into the liver, which has a threshold of its own.
        if rule.organ in organs:
            within &= ~(organs[rule.organ] & (distances.min(axis=0) > 0))
    return {name: within & (nearest == index) for index, name in enumerate(excluded)}


def _distance(mask: NDArray[np.bool_], margin_mm: float, spacing: tuple[float, ...]) -> NDArray[np.float32]:
    """Distance of each voxel to the mask in mm, computed only as far as the margin goes; infinite beyond."""
    reach = [int(margin_mm // size) + 1 for size in spacing]
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    wide = tuple(
        slice(max(part.start - more, 0), min(part.stop + more, size))
        for part, more, size in zip(box, reach, mask.shape, strict=True)
    )
    distance = np.full(mask.shape, np.inf, dtype=np.float32)
    distance[wide] = ndimage.distance_transform_edt(~mask[wide], sampling=spacing)
    return distance


def _line(reason: str, organ: str | None, voxels: NDArray[np.bool_], suv: Volume) -> Exclusion:
    n_voxels = int(np.count_nonzero(voxels))
    highest = float(suv.array[voxels].max()) if n_voxels else None
    return Exclusion(reason, organ, n_voxels, n_voxels * suv.geometry.voxel_volume_ml, highest)
