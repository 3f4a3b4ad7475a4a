"""Masks from DICOM contours: one entry for RTSTRUCT and SEG, on the grid of the series they were drawn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from petct.dicom import parsing
from petct.dicom.regions import Refusal, RoiMask, open_contours
from petct.dicom.rtstruct import read_rtstruct
from petct.dicom.seg import read_segmentation, segment_names
from petct.errors import MaskError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from petct.image.mask_resampling import ResamplingLimits
    from petct.image.volume import Geometry
    from records.imaging import SeriesRecord


def contour_names(record: SeriesRecord, path: Path) -> tuple[str, ...]:
    """Names of all regions or segments of a contour file, sorted, without reading what was drawn.

    Raises
    ------
    MaskError
        CONTOURS_UNREADABLE, CONTOURS_MISPLACED.
    """
    refusal = Refusal(record.patient_id, record.series_instance_uid)
    with parsing.lenient_parsing():
        dataset = open_contours(path, None, refusal, stop_at=parsing.at_pixel_data)[0].dataset
        with refusal.on_damage("The names of the regions cannot be read"):
            if record.role == "SEG":
                return tuple(sorted(segment_names(dataset).values()))
            regions = dataset.get("StructureSetROISequence") or ()
            return tuple(sorted(str(item.get("ROIName") or "") for item in regions))


def read_contours(
    record: SeriesRecord,
    path: Path,
    geometries: Mapping[str, Geometry],
    *,
    roi_names: Collection[str] | None = None,
    limits: ResamplingLimits | None = None,
) -> tuple[RoiMask, ...]:
    """The masks of a contour series, RTSTRUCT or SEG, on the grid of the series they were drawn on.

    Parameters
    ----------
    record
        The contours' series.
    path
        Its file.
    geometries
        Series Instance UID -> grid of the image series that could be read.
    roi_names
        Regions or segments to read; None reads all.
    limits
        What resampling may change.

    Raises
    ------
    MaskError
        REFERENCED_SERIES_MISSING, and the codes of ``read_rtstruct`` and ``read_segmentation``.
    """
    target = record.referenced_series_instance_uid
    if target is None and record.role == "SEG" and len(geometries) == 1:
        target = next(iter(geometries))
    if target is None or target not in geometries:
        raise MaskError(
            "REFERENCED_SERIES_MISSING",
            "The series the contours were drawn on is not there, or not readable",
            patient_id=record.patient_id,
            series_instance_uid=record.series_instance_uid,
            keyword="ReferencedSeriesInstanceUID" if record.role == "SEG" else "RTReferencedSeriesSequence",
            found=target or "no single reference",
            hint="Complete the series from the archive; contours are never rasterised on another grid.",
        )
    read = read_segmentation if record.role == "SEG" else read_rtstruct
    return read(
        path,
        geometries[target],
        patient_id=record.patient_id,
        series_instance_uid=record.series_instance_uid,
        referenced_series_instance_uid=target,
        roi_names=roi_names,
        limits=limits,
    )
