"""The regions of an RTSTRUCT as masks on the series they were drawn on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from petct.dicom import parsing, values
from petct.dicom.contours import rasterise
from petct.dicom.regions import Refusal, RoiMask, open_contours, select_names
from petct.volume import Mask

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from petct.volume import Geometry

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
# Published contours lie on their slice within rounding; a contour between two slices was drawn on another series.
_PLANE_TOLERANCE = 0.25


def read_rtstruct(
    path: Path,
    geometry: Geometry,
    *,
    patient_id: str,
    series_instance_uid: str,
    referenced_series_instance_uid: str,
    roi_names: Collection[str] | None = None,
) -> tuple[RoiMask, ...]:
    """Rasterise the regions of an RTSTRUCT on the series they reference, in the order of their numbers.

    Each closed planar contour goes to the slice nearest to its plane and is filled by ``contours.rasterise``. Regions
    that are only points (markers, isocentres) are left out.

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

    Raises
    ------
    MaskError
        CONTOURS_UNREADABLE (truncated or damaged), CONTOURS_MISPLACED, REFERENCED_SERIES_MISSING, ROI_UNKNOWN,
        ROI_EMPTY, CONTOUR_TYPE_UNSUPPORTED, CONTOUR_DATA_INVALID, CONTOUR_TOO_SHORT, CONTOUR_NOT_PLANAR,
        CONTOUR_BETWEEN_SLICES, CONTOUR_OFF_GRID, CONTOUR_DUPLICATE, ROI_WITHOUT_VOXELS.
    """
    refusal = Refusal(patient_id, series_instance_uid)
    with parsing.lenient_parsing():
        dataset = open_contours(path, _TAGS, refusal, stop_at=lambda tag: tag > _ROI_CONTOUR_SEQUENCE)[0].dataset
        with refusal.on_damage("The RTSTRUCT is damaged"):
            _require_reference(dataset, referenced_series_instance_uid, refusal)
            regions = _regions(dataset, roi_names, refusal)
    masks = []
    for number, name, contours in regions:
        array = _fill(name, contours, geometry, refusal)
        masks.append(RoiMask(name, number, Mask(array, geometry), "RTSTRUCT", referenced_series_instance_uid))
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
) -> list[tuple[int, str, list[NDArray[np.float64]]]]:
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
    for number in sorted(names):
        name = names[number]
        if roi_names is not None and name not in roi_names:
            continue
        items = list(drawn[number].get("ContourSequence") or ()) if number in drawn else []
        types = {str(item.get("ContourGeometricType") or "") for item in items}
        if types == {"POINT"}:
            continue
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
        regions.append((number, name, [_vertices(item, name, refusal) for item in items]))
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


def _fill(name: str, contours: list[NDArray[np.float64]], geometry: Geometry, refusal: Refusal) -> NDArray[np.bool_]:
    repeated = [count for count in Counter(c.tobytes() for c in contours).values() if count > 1]
    if repeated:
        raise refusal.error(
            "CONTOUR_DUPLICATE",
            f"The region {name} has the same contour twice: by exclusive or they would cancel",
            keyword="ContourData",
            found=f"{sum(repeated) - len(repeated)} repetitions",
        )
    counts = np.array([len(contour) for contour in contours])
    index = geometry.to_index(np.concatenate(contours))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    z_low = np.minimum.reduceat(index[:, 2], starts)
    z_high = np.maximum.reduceat(index[:, 2], starts)
    if (z_high - z_low).max() > _PLANE_TOLERANCE:
        message = f"A contour of {name} is not parallel to the slices"
        found = f"spans {(z_high - z_low).max():.2f} slices"
        raise refusal.error("CONTOUR_NOT_PLANAR", message, keyword="ContourData", found=found)
    plane = (z_low + z_high) / 2
    slices = np.round(plane).astype(np.int64)
    if np.abs(plane - slices).max() > _PLANE_TOLERANCE:
        raise refusal.error(
            "CONTOUR_BETWEEN_SLICES",
            f"A contour of {name} lies between two slices",
            keyword="ContourData",
            found=f"{np.abs(plane - slices).max():.2f} slices from the nearest",
            hint="Contours must be rasterised on the series they were drawn on.",
        )
    depth, height, width = geometry.shape
    inside = (index[:, :2] >= -1).all() and (index[:, :2] <= (width, height)).all()
    if slices.min() < 0 or slices.max() >= depth or not inside:
        raise refusal.error(
            "CONTOUR_OFF_GRID",
            f"A contour of {name} lies outside of the image",
            keyword="ContourData",
            found=f"slices {slices.min()} to {slices.max()}, "
            f"columns {index[:, 0].min():.1f} to {index[:, 0].max():.1f}, "
            f"rows {index[:, 1].min():.1f} to {index[:, 1].max():.1f}",
            expected=f"within {depth} slices of {height} rows and {width} columns",
        )
    array = rasterise(np.split(index[:, :2], starts[1:]), [int(k) for k in slices], geometry.shape)
    if not array.any():
        message = f"The region {name} contains no pixel centre"
        raise refusal.error("ROI_WITHOUT_VOXELS", message, keyword="ContourData", hint="It is smaller than a voxel.")
    return array
