"""Lesions: which voxels belong to which lesion, on the PET and on the CT, and in which organ it lies."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from petct.errors import MaskError
from petct.image.mask_resampling import ResamplingLimits
from petct.image.volume import Geometry, Mask, MaskPart, resample_mask, resample_part
from petct.lesions.protocol import Connectivity, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.dicom.regions import RoiMask

UNKNOWN_ORGAN = "unknown"
"""Organ of a lesion outside every organ mask where not every declared organ has one."""

Modality = Literal["PT", "CT"]

_RANK_OF_CONNECTIVITY = {6: 1, 18: 2, 26: 3}
_MOST_LESIONS = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class ReaderRule:
    """Which regions one of several readers drew, by shell-style patterns (case is ignored).

    Attributes
    ----------
    regions
        Patterns of the names of regions.
    series
        Patterns of the Series Description of the contours, or their Series Instance UID.
    """

    name: str
    regions: tuple[str, ...] = ()
    series: tuple[str, ...] = ()

    def drew(self, region: str, description: str | None, series_instance_uid: str) -> bool:
        """Whether a region of this name in a file of this series is this reader's."""
        return (
            _matches(region, self.regions)
            or _matches(description or "", self.series)
            or series_instance_uid in self.series
        )


@dataclass(frozen=True)
class MaskRules:
    """Which regions are tumour and which are organs, by shell-style patterns of their names (case is ignored).

    Attributes
    ----------
    tumour
        Patterns of the names of tumour regions.
    organs
        Organ name to the patterns of its region's names.
    elsewhere
        Organ of a lesion that overlaps no organ mask, where all declared organs have one.
    resampling
        What moving a mask to another grid may change.
    readers
        Where several readers drew the same tumour; the lesions are those of the first.
    """

    tumour: tuple[str, ...]
    organs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    elsewhere: str = "unassigned"
    resampling: ResamplingLimits = field(default_factory=ResamplingLimits)
    readers: tuple[ReaderRule, ...] = ()

    def settings(self) -> dict[str, object]:
        """What lesions depend on, as plain values."""
        return {
            "tumour": list(self.tumour),
            "organs": {organ: list(patterns) for organ, patterns in self.organs},
            "elsewhere": self.elsewhere,
            "resampling": asdict(self.resampling),
            "readers": [[reader.name, list(reader.regions), list(reader.series)] for reader in self.readers],
        }

    def reader_of(self, region: str, description: str | None, series_instance_uid: str) -> str | None:
        """The reader who drew a region, or None where no rule says who; raises ``MaskError`` READER_AMBIGUOUS."""
        found = [rule.name for rule in self.readers if rule.drew(region, description, series_instance_uid)]
        if len(found) > 1:
            raise MaskError(
                "READER_AMBIGUOUS",
                "A region may be of several readers",
                keyword="masks.readers in study.yaml",
                found=f"{region}: {', '.join(found)}",
                expected="patterns that exclude one another",
            )
        return found[0] if found else None

    def is_tumour(self, name: str) -> bool:
        """Whether a region of this name is tumour."""
        return _matches(name, self.tumour)

    def organ_of(self, name: str) -> str | None:
        """The organ that a region of this name shows, or None when it shows none."""
        for organ, patterns in self.organs:
            if _matches(name, patterns):
                return organ
        return None


@dataclass(frozen=True)
class Lesion:
    """One lesion on one grid; ``label`` is the value of its voxels in the label map."""

    lesion_id: str
    label: int
    organ: str
    roi_name: str
    n_voxels: int
    volume_ml: float
    centroid_mm: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class LesionMap:
    """All lesions of a scan on one grid.

    Attributes
    ----------
    labels
        uint16 (z, y, x): 0 outside, otherwise the label of the lesion.
    lesions
        In the order of their labels.
    """

    labels: NDArray[np.uint16]
    geometry: Geometry
    lesions: tuple[Lesion, ...]

    def parts(self) -> dict[int, Mask]:
        """Label to the voxels of the lesion, each on the part of the grid that it fills."""
        boxes = ndimage.find_objects(self.labels)
        return {
            lesion.label: Mask(self.labels[box] == lesion.label, self.geometry.cropped(box))
            for lesion in self.lesions
            for box in [boxes[lesion.label - 1]]
        }


def find_lesions(
    rois: Sequence[RoiMask], organs: Mapping[str, Mask], protocol: Protocol, rules: MaskRules, geometry: Geometry
) -> LesionMap:
    """Connected components of the union of the tumour regions, largest first.

    Overlapping regions are not counted twice; a component takes the name of the region that covers most of it. Equal
    volumes are ordered by position (z, y, x of the first voxel), so that ids do not depend on the order of the regions.

    Parameters
    ----------
    rois
        All regions that were drawn; those whose names match no tumour pattern are ignored here.
    organs
        Organ name to its mask, on any grid of the same patient.
    geometry
        The grid of the result; a region on another grid is resampled onto it.
    """
    tumours = [(roi.name, resample_part(roi.mask, geometry)) for roi in rois if rules.is_tumour(roi.name)]
    union = np.zeros(geometry.shape, dtype=bool)
    for _, part in tumours:
        union[part.box] |= part.array

    def region_of(voxels: tuple[NDArray[np.intp], ...]) -> str:
        return largest_overlap([(part.count(voxels), name) for name, part in tumours])

    parts = {name: resample_part(mask, geometry) for name, mask in organs.items()}
    return label_lesions(union, region_of, parts, protocol, rules, geometry)


def label_lesions(
    union: NDArray[np.bool_],
    region_of: Callable[[tuple[NDArray[np.intp], ...]], str],
    organs: Mapping[str, MaskPart],
    protocol: Protocol,
    rules: MaskRules,
    geometry: Geometry,
) -> LesionMap:
    """Connected components of ``union``, largest first, each with its region and the organ that covers most of it.

    Parameters
    ----------
    union
        All tumour (z, y, x).
    region_of
        The name of the region that voxels (indices along z, y, x) come from.
    organs
        On the same grid.
    """
    labels = np.zeros(geometry.shape, dtype=np.uint16)
    lesions = []
    for label, voxels in enumerate(_components(union, protocol, geometry), start=1):
        labels[voxels] = label
        organ = _organ(voxels, organs, rules)
        lesions.append(_lesion(f"L{label:02d}", label, organ, region_of(voxels), voxels, geometry))
    return LesionMap(labels, geometry, tuple(lesions))


def largest_overlap(overlaps: Sequence[tuple[int, str]]) -> str:
    """The name with most voxels; in a tie the first by name, so that the order in a file does not matter."""
    return min(overlaps, key=lambda overlap: (-overlap[0], overlap[1]))[1]


def match_lesions(found: LesionMap, reference: LesionMap) -> LesionMap:
    """Give the lesions of ``found`` (drawn on the CT) the ids of the lesions of ``reference`` (drawn on the PET).

    A lesion takes the id of the reference lesion with which it shares most volume; several may take the same id and
    become one lesion. A lesion that meets none keeps an id of its own, after those of the reference.
    """
    identity: dict[int, tuple[str, str]] = {}
    moved = {label: resample_part(part, found.geometry) for label, part in reference.parts().items()}
    by_label = {lesion.label: lesion for lesion in reference.lesions}
    extra = len(reference.lesions)
    for lesion in found.lesions:
        shared = [
            (int(np.count_nonzero(part.array & (found.labels[part.box] == lesion.label))), label)
            for label, part in moved.items()
        ]
        best = min(shared, key=lambda overlap: (-overlap[0], overlap[1]), default=(0, 0))
        if best[0] > 0:
            identity[lesion.label] = (by_label[best[1]].lesion_id, by_label[best[1]].organ)
        else:
            extra += 1
            identity[lesion.label] = (f"L{extra:02d}", lesion.organ)
    ids = sorted({lesion_id for lesion_id, _ in identity.values()})
    label_of = np.zeros(max((lesion.label for lesion in found.lesions), default=0) + 1, dtype=np.uint16)
    for lesion in found.lesions:
        label_of[lesion.label] = ids.index(identity[lesion.label][0]) + 1
    labels = label_of[found.labels]
    boxes = ndimage.find_objects(labels)
    lesions = []
    for label, (lesion_id, box) in enumerate(zip(ids, boxes, strict=True), start=1):
        members = [lesion for lesion in found.lesions if identity[lesion.label][0] == lesion_id]
        voxels = _shifted(np.nonzero(labels[box] == label), box)
        organ = identity[members[0].label][1]
        lesions.append(_lesion(lesion_id, label, organ, members[0].roi_name, voxels, found.geometry))
    return LesionMap(labels, found.geometry, tuple(lesions))


def resample_lesions(lesions: LesionMap, onto: Geometry) -> LesionMap:
    """The same lesions on another grid; one too small to hold a voxel centre there is absent from the result."""
    labels = np.zeros(onto.shape, dtype=np.uint16)
    moved = []
    parts = lesions.parts()
    for lesion in lesions.lesions:
        # Linear interpolation of neighbours that touch may give both one half: the larger lesion, which comes first,
        # keeps the voxel.
        part = resample_part(parts[lesion.label], onto)
        voxels = _shifted(np.nonzero(part.array & (labels[part.box] == 0)), part.box)
        if voxels[0].size:
            labels[voxels] = lesion.label
            moved.append(_lesion(lesion.lesion_id, lesion.label, lesion.organ, lesion.roi_name, voxels, onto))
    return LesionMap(labels, onto, tuple(moved))


def organ_masks(rois: Sequence[RoiMask], rules: MaskRules) -> dict[str, Mask]:
    """The masks of the organs among the regions; several regions of one organ (both kidneys) are united."""
    masks: dict[str, Mask] = {}
    for roi in rois:
        organ = rules.organ_of(roi.name)
        if organ is None or rules.is_tumour(roi.name):
            continue
        if organ in masks:
            geometry = masks[organ].geometry
            masks[organ] = Mask(masks[organ].array | resample_mask(roi.mask, geometry).array, geometry)
        else:
            masks[organ] = roi.mask
    return masks


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)


def structure_of(connectivity: Connectivity) -> NDArray[np.bool_]:
    """The neighbourhood (3, 3, 3) of a connectivity, as ``scipy.ndimage`` takes it."""
    return np.asarray(ndimage.generate_binary_structure(3, _RANK_OF_CONNECTIVITY[connectivity]))


def _components(union: NDArray[np.bool_], protocol: Protocol, geometry: Geometry) -> list[tuple[NDArray[np.intp], ...]]:
    labelled, count = ndimage.label(union, structure_of(protocol.connectivity))
    if count > _MOST_LESIONS:
        raise MaskError(
            "LESIONS_TOO_MANY",
            "The tumour mask falls into more components than a label map can hold",
            found=str(count),
            expected=f"at most {_MOST_LESIONS}",
            hint="Set minimum_volume_ml in the protocol, or look for noise in the mask.",
        )
    components = []
    for label, box in enumerate(ndimage.find_objects(labelled), start=1):
        voxels = _shifted(np.nonzero(labelled[box] == label), box)
        if len(voxels[0]) * geometry.voxel_volume_ml >= protocol.minimum_volume_ml:
            components.append(voxels)
    # ndimage.label numbers components by their first voxel, and the sort is stable.
    return sorted(components, key=lambda voxels: -len(voxels[0]))


def _shifted(inside: tuple[NDArray[np.intp], ...], box: tuple[slice, ...]) -> tuple[NDArray[np.intp], ...]:
    """Indices within ``box`` as indices of the whole grid."""
    return tuple(index + side.start for index, side in zip(inside, box, strict=True))


def _organ(voxels: tuple[NDArray[np.intp], ...], organs: Mapping[str, MaskPart], rules: MaskRules) -> str:
    overlaps = [(part.count(voxels), name) for name, part in organs.items()]
    if any(count > 0 for count, _ in overlaps):
        return largest_overlap(overlaps)
    # Without the liver's mask, "not in the liver" is not known.
    return rules.elsewhere if all(name in organs for name, _ in rules.organs) else UNKNOWN_ORGAN


def _lesion(
    lesion_id: str,
    label: int,
    organ: str,
    roi_name: str,
    voxels: tuple[NDArray[np.intp], ...],
    geometry: Geometry,
) -> Lesion:
    n_voxels = len(voxels[0])
    centre = np.array([[index.mean() for index in reversed(voxels)]])
    x, y, z = (float(value) for value in geometry.to_physical(centre)[0])
    return Lesion(lesion_id, label, organ, roi_name, n_voxels, n_voxels * geometry.voxel_volume_ml, (x, y, z))
