"""Which contours make the lesions of the PET, and which those of the CT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from petct.errors import MaskError
from petct.image.mask_resampling import ResamplingLimits, check_volume
from petct.lesions.lesion_map import (
    LesionMap,
    MaskRules,
    Modality,
    find_lesions,
    match_lesions,
    organ_masks,
    resample_lesions,
)
from petct.lesions.thresholding import Exclusion, Thresholded, threshold_lesions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from petct.dicom.regions import RoiMask
    from petct.image.volume import Geometry, Mask, Volume
    from petct.lesions.protocol import Protocol
    from petct.lesions.reference_regions import ReferenceRegion

RESAMPLED = "RESAMPLED"
THRESHOLD = "THRESHOLD"
_OTHER: dict[Modality, Modality] = {"PT": "CT", "CT": "PT"}


@dataclass(frozen=True, eq=False)
class Drawing:
    """One RTSTRUCT or SEG that could be read.

    Attributes
    ----------
    modality
        The image it was drawn on.
    source
        RTSTRUCT or SEG.
    names
        The names of all its regions; none at all when a reader looked and drew nothing.
    rois
        Its regions of tumour and organs; what else was drawn (a couch, a dose line) is not read.
    reader
        Who drew it, where a study declares several readers; empty for the primary one.
    """

    modality: Modality
    source: str
    series_instance_uid: str
    names: tuple[str, ...]
    rois: tuple[RoiMask, ...]
    reader: str = ""


@dataclass(frozen=True)
class UnreadableDrawing:
    """A file that could not be read.

    Attributes
    ----------
    modality
        The image that the contours in it were drawn on; None where that is unknown.
    is_contours
        Whether the file is known to hold contours at all.
    """

    modality: Modality | None
    code: str
    is_contours: bool = True


@dataclass(frozen=True, eq=False)
class Delineation:
    """The lesions of a scan on one grid, and where they come from.

    Attributes
    ----------
    drawn_volume_ml
        Volume of all lesions on the grid they were drawn on; that of ``lesions`` unless they were resampled.
    physiological
        Voxels of this grid that a threshold protocol excluded; None where nothing was to be excluded.
    """

    modality: Modality
    lesions: LesionMap
    drawn_volume_ml: float
    source: str
    series_instance_uid: str
    physiological: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class DrawnScan:
    """What was drawn on the images of one scan.

    Attributes
    ----------
    grids
        The grids of the images that there are.
    """

    grids: Mapping[Modality, Geometry]
    drawings: Sequence[Drawing]
    unreadable: Sequence[UnreadableDrawing]

    def organs(self, rules: MaskRules) -> dict[str, Mask]:
        """The masks of the organs among the regions."""
        return organ_masks([roi for drawing in self.drawings for roi in drawing.rois], rules)


@dataclass(frozen=True, eq=False)
class SuvImage:
    """A PET image in SUV, and its series."""

    series_instance_uid: str
    image: Volume


def delineate(modality: Modality, scan: DrawnScan, protocol: Protocol, rules: MaskRules) -> Delineation:
    """The lesions on the grid of ``modality``, which the scan must have.

    Contours drawn on that image are used. Where there are none, those of the other image are resampled, but never in
    the place of contours that exist and could not be read: that would be another delineation under the same name.

    Raises
    ------
    MaskError
        CONTOURS_UNREADABLE, CONTOURS_MISSING; ROI_NAMES_UNMATCHED when no region's name says what it is;
        CONTOURS_CONTRADICT when one image has tumour and the other's reader found none; CONTOURS_AMBIGUOUS when several
        drawings of one image overlap.
    """
    drawings, grids = scan.drawings, scan.grids
    organs = scan.organs(rules)
    own = _tumour_drawings(drawings, modality, rules)
    other = _tumour_drawings(drawings, _OTHER[modality], rules)
    lost = [item for item in scan.unreadable if item.modality == modality]
    # Contours of an unknown image belong to the one that has no others; where both have some, to either.
    lost += [item for item in scan.unreadable if item.modality is None and (not own or (other and item.is_contours))]
    if lost:
        raise MaskError(
            "CONTOURS_UNREADABLE",
            "Contours of this image exist but could not be read, so its lesions are not known",
            keyword=modality,
            found=", ".join(sorted({item.code for item in lost})),
            hint="Restore the file and run `petlake ingest`.",
        )
    if own and other and not any(drawing.names for drawing in own) and any(drawing.names for drawing in other):
        raise MaskError(
            "CONTOURS_CONTRADICT",
            "A reader drew no tumour on this image, and tumour on the other one",
            keyword=modality,
            hint="Remove the drawing that does not hold.",
        )
    if own:
        return _from_drawings(own, modality, grids, other, organs, protocol, rules)
    if other and _OTHER[modality] in grids:
        elsewhere = _from_drawings(other, _OTHER[modality], grids, (), organs, protocol, rules)
        moved = resample_lesions(elsewhere.lesions, grids[modality])
        return Delineation(modality, moved, elsewhere.drawn_volume_ml, RESAMPLED, elsewhere.series_instance_uid)
    raise _nothing_drawn(drawings, modality, rules)


def delineate_by_threshold(
    suv: SuvImage, scan: DrawnScan, references: Mapping[str, ReferenceRegion], protocol: Protocol, rules: MaskRules
) -> tuple[dict[Modality, Delineation], tuple[Exclusion, ...]]:
    """The lesions of a threshold protocol on every grid, and the account of what was above the threshold.

    A threshold is one of the PET; the lesions of the CT are those of the PET on its grid.

    Parameters
    ----------
    references
        The reference regions that could be placed.

    Raises
    ------
    MaskError
        Those of ``delineate`` for contours that are to be searched, and those of ``threshold_lesions``.
    """
    found, uid = lesions_above_threshold(suv, scan, references, protocol, rules)
    volume_ml = sum(lesion.volume_ml for lesion in found.lesions.lesions)
    delineations: dict[Modality, Delineation] = {
        "PT": Delineation("PT", found.lesions, volume_ml, THRESHOLD, uid, found.physiological),
    }
    if "CT" in scan.grids:
        on_ct = resample_lesions(found.lesions, scan.grids["CT"])
        delineations["CT"] = Delineation("CT", on_ct, volume_ml, RESAMPLED, uid)
    return delineations, found.account


def lesions_above_threshold(
    suv: SuvImage, scan: DrawnScan, references: Mapping[str, ReferenceRegion], protocol: Protocol, rules: MaskRules
) -> tuple[Thresholded, str]:
    """The lesions of a threshold protocol on the PET grid, and the series that they come from.

    Parameters and errors are those of ``delineate_by_threshold``.
    """
    search: LesionMap | None = None
    uid = suv.series_instance_uid
    if protocol.search == "contours":
        # Also a small contour is searched: the minimum volume is one of what is found.
        drawn = delineate("PT", scan, replace(protocol, minimum_volume_ml=0.0), rules)
        search, uid = drawn.lesions, drawn.series_instance_uid
    return threshold_lesions(suv.image, search, scan.organs(rules), references, protocol, rules), uid


def check_resampled(delineation: Delineation, grids: Mapping[Modality, Geometry], limits: ResamplingLimits) -> None:
    """Refuse lesions that were drawn on the other image and kept too little, or too much, of their volume here.

    Raises
    ------
    MaskError
        MASK_VOLUME_CHANGED.
    """
    if delineation.source == RESAMPLED and delineation.drawn_volume_ml > 0:
        after_ml = sum(lesion.volume_ml for lesion in delineation.lesions.lesions)
        coarser_ml = max(grid.voxel_volume_ml for grid in grids.values())
        name = f"all lesions on the {delineation.modality} grid"
        check_volume(delineation.drawn_volume_ml, after_ml, coarser_ml, limits, name)


def _from_drawings(
    own: Sequence[Drawing],
    modality: Modality,
    grids: Mapping[Modality, Geometry],
    other: Sequence[Drawing],
    organs: Mapping[str, Mask],
    protocol: Protocol,
    rules: MaskRules,
) -> Delineation:
    _check_drawn_once(own, modality, rules)
    rois = [roi for drawing in own for roi in drawing.rois]
    lesions = find_lesions(rois, organs, protocol, rules, grids[modality])
    if modality == "CT" and other and "PT" in grids:
        # The PET names the lesions: its contours define the volumes that are reported.
        reference = find_lesions(
            [roi for drawing in other for roi in drawing.rois], organs, protocol, rules, grids["PT"]
        )
        lesions = match_lesions(lesions, reference)
    return Delineation(
        modality,
        lesions,
        sum(lesion.volume_ml for lesion in lesions.lesions),
        own[0].source,
        ", ".join(sorted({drawing.series_instance_uid for drawing in own})),
    )


def _check_drawn_once(drawings: Sequence[Drawing], modality: Modality, rules: MaskRules) -> None:
    """Two files with the same tumour are two readers or two versions; their union would be neither."""
    before: list[RoiMask] = []
    for drawing in drawings:
        tumours = [roi for roi in drawing.rois if rules.is_tumour(roi.name)]
        if any(bool((roi.mask.array & other.mask.array).any()) for roi in tumours for other in before):
            raise MaskError(
                "CONTOURS_AMBIGUOUS",
                "Several contour files of one image show the same tumour",
                series_instance_uid=drawing.series_instance_uid,
                keyword=modality,
                hint="Keep in the DICOM folder the one that holds.",
            )
        before.extend(tumours)


def _tumour_drawings(drawings: Sequence[Drawing], modality: Modality, rules: MaskRules) -> tuple[Drawing, ...]:
    """Drawings of tumour on one image; an empty one says that a reader found no tumour."""
    return tuple(
        drawing
        for drawing in drawings
        if drawing.modality == modality and (not drawing.names or any(rules.is_tumour(name) for name in drawing.names))
    )


def _nothing_drawn(drawings: Sequence[Drawing], modality: Modality, rules: MaskRules) -> MaskError:
    names = sorted({name for drawing in drawings for name in drawing.names})
    if any(rules.organ_of(name) is None for name in names):
        return MaskError(
            "ROI_NAMES_UNMATCHED",
            "No region of the contours is named as tumour",
            keyword=modality,
            found=", ".join(names),
            expected=", ".join(rules.tumour),
            hint="Name the pattern under masks.tumour in study.yaml.",
        )
    return MaskError(
        "CONTOURS_MISSING",
        "There are no tumour contours for the scan",
        keyword=modality,
        expected="an RTSTRUCT or a DICOM SEG; an empty RTSTRUCT says that there is no tumour",
    )
