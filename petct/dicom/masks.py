"""Masks from DICOM contours: one entry for RTSTRUCT and SEG, on the grid of the series they were drawn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from petct.dicom.regions import RoiMask
from petct.dicom.rtstruct import read_rtstruct
from petct.dicom.seg import read_segmentation
from petct.errors import MaskError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from petct.dicom.records import SeriesRecord
    from petct.volume import Geometry

__all__ = ["RoiMask", "read_contours", "read_rtstruct", "read_segmentation"]


def read_contours(
    record: SeriesRecord,
    path: Path,
    geometries: Mapping[str, Geometry],
    *,
    roi_names: Collection[str] | None = None,
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
    )
