"""Tumour contours as RTSTRUCT: closed planar contours along the edges of the voxels.

Every pixel centre lies half a pixel away from every contour, so that any rasteriser that asks whether the centre is
inside, by the even-odd rule, gives back the voxels exactly, holes and islands included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import RTStructureSetStorage

from petct.synthetic.dicom import SeriesIdentity, common_dataset, da, frame_of_reference_uid, instance_uid, tm
from petct.synthetic.lesions import Lesion
from petct.synthetic.patients import PatientPlan
from petct.synthetic.settings import CohortSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.image.volume import Geometry

Corner = tuple[int, int]
_SERIES_KEY = "RTSTRUCT tumour"
#: Detached Study Management: retired, and what structure sets still name as the class of a study.
_STUDY_SOP_CLASS = "1.2.840.10008.3.1.2.3.1"


def outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed polygons along the pixel edges of a mask (y, x).

    Returns
    -------
    list of ndarray
        Vertices (n, 2) as index (x, y), all at half-integers; corners only. Outer boundaries and holes alike: filled by
        the even-odd rule they give the mask. Where two pixels touch at a corner only, the outline follows each pixel
        around, so that islands which touch there get polygons of their own.
    """
    onward = _directed_edges(mask)
    polygons = []
    while onward:
        start = next(iter(onward))
        here, heading = start, next(iter(onward[start]))
        corners: list[Corner] = []
        while True:
            corners.append(here)
            # Walk straight edges without writing their points down.
            following = (here[0] + heading[0], here[1] + heading[1])
            _take(onward, here, heading)
            while heading in onward.get(following, ()) and len(onward[following]) == 1:
                _take(onward, following, heading)
                following = (following[0] + heading[0], following[1] + heading[1])
            here = following
            if here not in onward:
                break
            around_same_pixel = (-heading[1], heading[0])
            choices = onward[here]
            heading = around_same_pixel if around_same_pixel in choices else next(iter(choices))
            if here == start and heading != around_same_pixel:
                break
        polygons.append(np.asarray(corners, dtype=np.float64) - 0.5)
    return polygons


def _directed_edges(mask: NDArray[np.bool_]) -> dict[Corner, dict[Corner, None]]:
    """From every corner the headings of the boundary edges that begin there, the pixel always on the same side."""
    onward: dict[Corner, dict[Corner, None]] = {}
    padded = np.pad(mask, 1)
    # Neighbour across the edge (rows, columns), first corner of the edge relative to the pixel (x, y), heading (x, y).
    sides = (((-1, 0), (0, 0), (1, 0)), ((0, 1), (1, 0), (0, 1)), ((1, 0), (1, 1), (-1, 0)), ((0, -1), (0, 1), (0, -1)))
    for (rows, columns), (dx, dy), heading in sides:
        outside = ~np.roll(padded, (-rows, -columns), axis=(0, 1))[1:-1, 1:-1]
        for y, x in np.argwhere(mask & outside):
            onward.setdefault((int(x) + dx, int(y) + dy), {})[heading] = None
    return onward


def _take(onward: dict[Corner, dict[Corner, None]], corner: Corner, heading: Corner) -> None:
    del onward[corner][heading]
    if not onward[corner]:
        del onward[corner]


def tumour_structure_set(
    settings: CohortSettings,
    plan: PatientPlan,
    lesions: NDArray[np.uint8],
    geometry: Geometry,
    pet_headers: list[Dataset],
) -> Dataset:
    """An RT Structure Set on the PET, one region a lesion.

    A tumour-free patient gets one without regions: Structure Set ROI Sequence (3006,0020) is present and empty. It says
    that the image was read and nothing was drawn, where the absence of a structure set says nothing.

    Parameters
    ----------
    lesions, geometry
        Lesion numbers (z, y, x) and the PET grid.
    pet_headers
        Headers of the PET slices from the lowest to the highest.
    """
    series = SeriesIdentity(_SERIES_KEY, "RTSTRUCT", 3, "Tumour segmentation", RTStructureSetStorage, plan.scan_start)
    out = common_dataset(settings, plan, series)
    out.SOPInstanceUID = instance_uid(settings, plan, _SERIES_KEY, 1)
    out.InstanceNumber, out.OperatorsName = 1, ""
    out.StructureSetLabel = "Tumour"
    out.StructureSetDescription = "One region a lesion" if plan.lesions else "Read: no lesion"
    out.StructureSetDate, out.StructureSetTime = da(plan.scan_start), tm(plan.scan_start)
    frame_uid = frame_of_reference_uid(settings, plan)
    out.FrameOfReferenceUID, out.PositionReferenceIndicator = frame_uid, ""
    out.ReferencedFrameOfReferenceSequence = Sequence([_referenced_frame(frame_uid, pet_headers)])
    out.StructureSetROISequence = Sequence([_region(lesion, frame_uid) for lesion in plan.lesions])
    out.ROIContourSequence = Sequence(
        [_contours(lesion, lesions == lesion.number, geometry, pet_headers) for lesion in plan.lesions]
    )
    out.RTROIObservationsSequence = Sequence([_observation(lesion) for lesion in plan.lesions])
    return out


def _referenced_frame(frame_uid: str, pet_headers: list[Dataset]) -> Dataset:
    first = pet_headers[0]
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = first.SeriesInstanceUID
    series.ContourImageSequence = Sequence([_image_reference(header) for header in pet_headers])
    study.ReferencedSOPClassUID = _STUDY_SOP_CLASS
    study.ReferencedSOPInstanceUID = first.StudyInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame.FrameOfReferenceUID = frame_uid
    frame.RTReferencedStudySequence = Sequence([study])
    return frame


def _image_reference(header: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    return item


def _region(lesion: Lesion, frame_uid: str) -> Dataset:
    item = Dataset()
    item.ROINumber, item.ROIName = lesion.number, lesion.name
    item.ReferencedFrameOfReferenceUID = frame_uid
    item.ROIGenerationAlgorithm = "MANUAL"
    return item


def _contours(lesion: Lesion, mask: NDArray[np.bool_], geometry: Geometry, pet_headers: list[Dataset]) -> Dataset:
    item = Dataset()
    item.ReferencedROINumber, item.ROIDisplayColor = lesion.number, [255, 64, 64]
    contours = []
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        for polygon in outlines(mask[index]):
            corners = np.column_stack([polygon, np.full(len(polygon), float(index))])
            contour = Dataset()
            contour.ContourImageSequence = Sequence([_image_reference(pet_headers[index])])
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(polygon)
            # A thousandth of a millimetre is far below half a pixel and keeps the decimal strings short.
            contour.ContourData = [f"{value:.3f}" for value in geometry.to_physical(corners).ravel()]
            contours.append(contour)
    item.ContourSequence = Sequence(contours)
    return item


def _observation(lesion: Lesion) -> Dataset:
    item = Dataset()
    item.ObservationNumber, item.ReferencedROINumber = lesion.number, lesion.number
    item.RTROIInterpretedType, item.ROIInterpreter = "GTV", ""
    return item
