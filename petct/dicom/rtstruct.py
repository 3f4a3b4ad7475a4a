"""The regions of an RTSTRUCT as masks on the series they were drawn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from petct.dicom import parsing, values
from petct.dicom.contour_planes import fill
from petct.dicom.regions import Refusal, RoiMask, open_contours, select_names
from petct.image.mask_resampling import ResamplingLimits

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from petct.image.volume import Geometry

_TAGS = values.tags(
    (
        "SpecificCharacterSet",
        "SOPInstanceUID",
        "Modality",
        "PatientID",
        "SeriesInstanceUID",
        "ReferencedFrameOfReferenceSequence",
        "StructureSetROISequence",
        "ROIContourSequence",
    )
)
_ROI_CONTOUR_SEQUENCE = 0x30060039
_CONTOUR_DATA = 0x30060050
_REGION_TYPES = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
POINTS_IGNORED = "CONTOUR_POINTS_IGNORED"
"""Beside its contours the region holds single points, which enclose nothing."""


def read_rtstruct(
    path: Path,
    geometry: Geometry,
    *,
    patient_id: str,
    series_instance_uid: str,
    referenced_series_instance_uid: str,
    roi_names: Collection[str] | None = None,
    limits: ResamplingLimits | None = None,
) -> tuple[RoiMask, ...]:
    """Rasterise the regions of an RTSTRUCT on the series they reference, in the order of their numbers.

    Each closed planar contour goes to the slice of its plane and is filled by ``contours.rasterise``; for contours
    between the slices see ``contour_planes.fill``. Regions that are only points (markers, isocentres) are left out,
    unless there would be nothing else.

    Parameters
    ----------
    path
        The RTSTRUCT file.
    geometry
        Grid of the series ``referenced_series_instance_uid``.
    patient_id, series_instance_uid
        What the file must say it is.
    roi_names
        Regions to read; None reads all.
    limits
        How far the volume of contours between the slices may change.

    Raises
    ------
    MaskError
        CONTOURS_UNREADABLE (truncated or damaged), CONTOURS_MISPLACED, REFERENCED_SERIES_MISSING, ROI_UNKNOWN,
        ROI_EMPTY, ROI_ONLY_POINTS, CONTOUR_TYPE_UNSUPPORTED, CONTOUR_DATA_INVALID, CONTOUR_TOO_SHORT,
        CONTOUR_NOT_PLANAR, CONTOUR_BETWEEN_SLICES, CONTOUR_OFF_GRID, CONTOUR_DUPLICATE, ROI_WITHOUT_VOXELS,
        MASK_VOLUME_CHANGED.
    """
    refusal = Refusal(patient_id, series_instance_uid)
    with parsing.lenient_parsing():
        dataset = open_contours(path, _TAGS, refusal, stop_at=lambda tag: tag > _ROI_CONTOUR_SEQUENCE)[0].dataset
        with refusal.on_damage("The RTSTRUCT is damaged"):
            _require_reference(dataset, referenced_series_instance_uid, refusal)
            regions = _regions(dataset, roi_names, refusal)
    masks = []
    for number, name, contours, rules in regions:
        mask, placed = fill(name, contours, geometry, refusal, limits or ResamplingLimits())
        masks.append(RoiMask(name, number, mask, "RTSTRUCT", referenced_series_instance_uid, rules + placed))
    return tuple(masks)


def _require_reference(dataset: Dataset, referenced: str, refusal: Refusal) -> None:
    series = values.referenced_series(dataset)
    if referenced not in series:
        raise refusal.error(
            "REFERENCED_SERIES_MISSING",
            "The contours were not drawn on this series",
            keyword="RTReferencedSeriesSequence",
            found=", ".join(series) or "no reference",
            expected=referenced,
        )


def _regions(
    dataset: Dataset, roi_names: Collection[str] | None, refusal: Refusal
) -> list[tuple[int, str, list[NDArray[np.float64]], tuple[str, ...]]]:
    names = {
        int(item.ROINumber): str(item.get("ROIName") or "") for item in dataset.get("StructureSetROISequence") or ()
    }
    select_names(names.values(), roi_names, refusal)
    drawn = {int(item.ReferencedROINumber): item for item in dataset.get("ROIContourSequence") or ()}
    if "StructureSetROISequence" in dataset and not names and not drawn:
        # An empty sequence, unlike a missing one, says that somebody looked and drew nothing: no tumour.
        return []
    if not names or not drawn:
        raise refusal.error("ROI_EMPTY", "The RTSTRUCT has no regions", keyword="ROIContourSequence")
    regions = []
    markers = []
    for number in sorted(names):
        name = names[number]
        if roi_names is not None and name not in roi_names:
            continue
        items = list(drawn[number].get("ContourSequence") or ()) if number in drawn else []
        types = {str(item.get("ContourGeometricType") or "") for item in items}
        if types == {"POINT"}:
            markers.append(name)
            continue
        rules: tuple[str, ...] = (POINTS_IGNORED,) if "POINT" in types else ()
        items = [item for item in items if str(item.get("ContourGeometricType") or "") != "POINT"]
        types -= {"POINT"}
        if not items:
            raise refusal.error("ROI_EMPTY", "A region has no contours", keyword="ContourSequence", found=name)
        if not types <= set(_REGION_TYPES):
            raise refusal.error(
                "CONTOUR_TYPE_UNSUPPORTED",
                f"The region {name} has contours that enclose nothing",
                keyword="ContourGeometricType",
                found=", ".join(sorted(types)),
                expected=", ".join(_REGION_TYPES),
            )
        regions.append((number, name, [_vertices(item, name, refusal) for item in items], rules))
    if markers and not regions:
        # Taken as no regions at all, a marker would say that there is no tumour.
        raise refusal.error(
            "ROI_ONLY_POINTS",
            "The regions are single points, which enclose nothing",
            keyword="ContourGeometricType",
            found=", ".join(markers),
            expected=_REGION_TYPES[0],
        )
    return regions


def _vertices(item: Dataset, name: str, refusal: Refusal) -> NDArray[np.float64]:
    """Vertices (n, 3) in mm, from the element's bytes: pydicom's number objects would take most of the time."""
    value = values.raw_value(item, _CONTOUR_DATA)
    try:
        parts = value.split(b"\\") if isinstance(value, bytes) else []
        points = np.array(parts, dtype=np.float64).reshape(-1, 3)
    except ValueError as error:
        message = f"A contour of {name} is not a list of points"
        raise refusal.error("CONTOUR_DATA_INVALID", message, keyword="ContourData", found=str(error)[:80]) from error
    declared = values.integer(item, "NumberOfContourPoints")
    if not np.isfinite(points).all() or (declared is not None and declared != len(points)):
        raise refusal.error(
            "CONTOUR_DATA_INVALID",
            f"A contour of {name} does not have the points it declares",
            keyword="NumberOfContourPoints",
            found=str(len(points)),
            expected=str(declared),
        )
    if len(points) < 3:
        message = f"A contour of {name} has fewer than three points"
        raise refusal.error("CONTOUR_TOO_SHORT", message, keyword="ContourData", found=str(len(points)))
    return points
