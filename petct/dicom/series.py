"""PET and CT series read from their files: one pass per file, values in the units of the header, on one grid."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from petct.dicom import parsing, pet_header, values
from petct.dicom.images import CtSeries, PetHeader, PetSeries, PetSlice
from petct.dicom.pixels import PIXEL_KEYWORDS, stored_values
from petct.dicom.roles import ENHANCED_PET
from petct.dicom.slices import SlicePlane, arrange
from petct.dicom.values import HeaderValueError
from petct.errors import DicomError
from petct.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from petct.dicom.parsing import Header

_T = TypeVar("_T")
_IMAGE_TAGS = values.tags(
    (
        "SpecificCharacterSet",
        "SOPClassUID",
        "SOPInstanceUID",
        "PatientID",
        "SeriesInstanceUID",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        *PIXEL_KEYWORDS,
    )
)
_CT_TAGS = values.tags(
    ("Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "RescaleIntercept", "RescaleSlope", "RescaleType")
)


def read_pet(paths: Sequence[Path], *, patient_id: str, series_instance_uid: str) -> PetSeries:
    """Read a PET series in the units of its header: stored value x Rescale Slope, slice by slice.

    Parameters
    ----------
    paths
        The files of the series, in any order.
    patient_id, series_instance_uid
        What the files must say they are.

    Returns
    -------
    PetSeries
        Volume float64 (z, y, x), slices ascending along the normal.

    Raises
    ------
    DicomError
        The codes of ``slices.arrange`` and ``pixels.stored_values``; FILE_UNREADABLE, DICOM_UNREADABLE,
        SERIES_FILE_MISPLACED, HEADER_VALUE_MISSING, HEADER_VALUE_INVALID, HEADER_INCONSISTENT,
        PET_INTERCEPT_NONZERO, RESCALE_SLOPE_INVALID, ENHANCED_PET_UNSUPPORTED.
    """
    where = _Where(patient_id, series_instance_uid)
    arrays: list[NDArray[np.float64]] = []
    planes: list[SlicePlane] = []
    slices: list[PetSlice] = []
    damaged: dict[str, str] = {}
    header: PetHeader | None = None
    signature: object = None
    wanted: tuple[int, ...] | None = None
    with parsing.lenient_parsing():
        for path in paths:
            # The first file is parsed whole: it tells in which blocks the private elements are.
            parsed, data = _parse(path, wanted, where)
            if wanted is None:
                wanted = _pet_tags(parsed.dataset)
            elif _creators_moved(parsed.dataset, wanted):
                parsed, data = _parse(path, None, where)
            dataset = parsed.dataset
            slope = _pet_slope(dataset, where)
            stored = where.read(lambda parsed=parsed, data=data: stored_values(data, parsed))  # type: ignore[misc]
            arrays.append(np.multiply(stored, slope, dtype=np.float64))
            planes.append(_plane(dataset, where))
            uid = where.required(values.uid, dataset, "SOPInstanceUID")
            one, broken = pet_header.slice_facts(dataset, uid, slope)
            slices.append(one)
            damaged |= broken
            # Raw bytes are compared first: the headers of a series hardly ever differ in these elements.
            own = _raw_values(dataset)
            if header is None or own != signature:
                facts = pet_header.series_facts(dataset)
                if header is not None:
                    _require_equal(header, facts, where)
                header, signature = facts, own
    arrangement = arrange(planes, patient_id=patient_id, series_instance_uid=series_instance_uid)
    if header is None:
        raise AssertionError  # arrange refuses an empty series
    if damaged:
        merged = tuple(sorted((dict(header.damaged) | damaged).items()))
        header = PetHeader(**{f.name: getattr(header, f.name) for f in fields(header)} | {"damaged": merged})
    return PetSeries(
        patient_id,
        series_instance_uid,
        Volume(np.stack([arrays[index] for index in arrangement.order]), arrangement.geometry),
        tuple(slices[index] for index in arrangement.order),
        header,
    )


def read_ct(paths: Sequence[Path], *, patient_id: str, series_instance_uid: str) -> CtSeries:
    """Read a CT series in Hounsfield units; parameters and errors as ``read_pet``, and CT_NOT_HOUNSFIELD."""
    where = _Where(patient_id, series_instance_uid)
    arrays: list[NDArray[np.generic]] = []
    planes: list[SlicePlane] = []
    uids: list[str] = []
    first: Dataset | None = None
    wanted = _IMAGE_TAGS + _CT_TAGS
    manufacturer = model = kernel = None
    with parsing.lenient_parsing():
        for path in paths:
            parsed, data = _parse(path, wanted, where)
            dataset = parsed.dataset
            slope = where.required(values.number, dataset, "RescaleSlope")
            intercept = where.required(values.number, dataset, "RescaleIntercept")
            unit = where.optional(values.text, dataset, "RescaleType")
            if slope == 0 or unit not in (None, "HU"):
                raise where.refuse("CT_NOT_HOUNSFIELD", "The CT is not in Hounsfield units", "RescaleType", unit, "HU")
            stored = where.read(lambda parsed=parsed, data=data: stored_values(data, parsed))  # type: ignore[misc]
            arrays.append(_hounsfield(stored, slope, intercept))
            planes.append(_plane(dataset, where))
            uids.append(where.required(values.uid, dataset, "SOPInstanceUID"))
            if first is None:
                first = dataset
                manufacturer = where.optional(values.text, dataset, "Manufacturer")
                model = where.optional(values.text, dataset, "ManufacturerModelName")
                kernel = where.optional(values.text, dataset, "ConvolutionKernel")
    arrangement = arrange(planes, patient_id=patient_id, series_instance_uid=series_instance_uid)
    return CtSeries(
        patient_id,
        series_instance_uid,
        Volume(np.stack([arrays[index] for index in arrangement.order]), arrangement.geometry),
        tuple(uids[index] for index in arrangement.order),
        manufacturer,
        model,
        kernel,
    )


class _Where:
    """The series that is being read: every refusal names it."""

    def __init__(self, patient_id: str, series_instance_uid: str) -> None:
        self.patient_id = patient_id
        self.series_instance_uid = series_instance_uid

    def refuse(
        self, code: str, message: str, keyword: str, found: str | None = None, expected: str | None = None
    ) -> DicomError:
        return DicomError(
            code,
            message,
            patient_id=self.patient_id,
            series_instance_uid=self.series_instance_uid,
            keyword=keyword,
            found=found,
            expected=expected,
        )

    def read(self, produce: Callable[[], _T]) -> _T:
        """Add the series to a refusal from a function that does not know it."""
        try:
            return produce()
        except HeaderValueError as error:
            message = "A header value does not have the form of its element"
            raise self.refuse("HEADER_VALUE_INVALID", message, error.keyword, error.found) from error
        except DicomError as error:
            error.patient_id = error.patient_id or self.patient_id
            error.series_instance_uid = error.series_instance_uid or self.series_instance_uid
            raise

    def optional(self, read: Callable[[Dataset, str], _T | None], dataset: Dataset, keyword: str) -> _T | None:
        return self.read(lambda: read(dataset, keyword))

    def required(self, read: Callable[[Dataset, str], _T | None], dataset: Dataset, keyword: str) -> _T:
        value = self.optional(read, dataset, keyword)
        if value is None:
            raise self.refuse("HEADER_VALUE_MISSING", "A header value that is needed is missing", keyword)
        return value


def _parse(path: Path, wanted: tuple[int, ...] | None, where: _Where) -> tuple[Header, bytes]:
    try:
        data = path.read_bytes()
    except OSError as error:
        which = f"{path.name}: {error.strerror}"
        raise where.refuse("FILE_UNREADABLE", "A file of the series cannot be read", "SOPInstanceUID", which) from error
    parsed = where.read(lambda: parsing.parse(data, wanted, stop_at=parsing.at_pixel_data))
    if parsed.truncated or parsed.stopped_at is None:
        raise where.refuse(
            "PIXELS_TRUNCATED", "A file of the series ends before its pixel data", "PixelData", path.name
        )
    for keyword, expected in (("PatientID", where.patient_id), ("SeriesInstanceUID", where.series_instance_uid)):
        found = where.optional(values.text, parsed.dataset, keyword)
        if found != expected:
            message = "A file does not belong to the series"
            raise where.refuse("SERIES_FILE_MISPLACED", message, keyword, found, expected)
    sop_class = where.optional(values.text, parsed.dataset, "SOPClassUID")
    if sop_class in ENHANCED_PET:
        message = "Enhanced PET storage is not read yet"
        raise where.refuse("ENHANCED_PET_UNSUPPORTED", message, "SOPClassUID", sop_class)
    return parsed, data


def _plane(dataset: Dataset, where: _Where) -> SlicePlane:
    def three(ds: Dataset, keyword: str) -> tuple[float, ...] | None:
        return values.numbers(ds, keyword, {"ImagePositionPatient": 3, "ImageOrientationPatient": 6}.get(keyword, 2))

    return SlicePlane(
        where.required(three, dataset, "ImagePositionPatient"),
        where.required(three, dataset, "ImageOrientationPatient"),
        where.required(three, dataset, "PixelSpacing"),
        where.required(values.integer, dataset, "Rows"),
        where.required(values.integer, dataset, "Columns"),
    )


def _pet_slope(dataset: Dataset, where: _Where) -> float:
    slope = where.required(values.number, dataset, "RescaleSlope")
    if slope <= 0:
        raise where.refuse("RESCALE_SLOPE_INVALID", "The rescale slope is not positive", "RescaleSlope", f"{slope:g}")
    intercept = where.optional(values.number, dataset, "RescaleIntercept")
    if intercept:
        message = "A PET with a rescale intercept has no zero of activity"
        raise where.refuse("PET_INTERCEPT_NONZERO", message, "RescaleIntercept", f"{intercept:g}", "0")
    return slope


def _pet_tags(dataset: Dataset) -> tuple[int, ...]:
    return _IMAGE_TAGS + pet_header.SERIES_TAGS + pet_header.SLICE_TAGS + pet_header.private_tags(dataset)


def _creators_moved(dataset: Dataset, wanted: tuple[int, ...]) -> bool:
    """Whether a private creator that the first file has is missing here, so that the blocks may lie elsewhere."""
    return any(
        tag not in dataset for tag in wanted if tag >> 16 in pet_header.PRIVATE_GROUPS and 0x10 <= tag & 0xFFFF <= 0xFF
    )


def _raw_values(dataset: Dataset) -> list[object]:
    return [values.raw_value(dataset, tag) for tag in pet_header.SERIES_TAGS]


def _require_equal(first: PetHeader, other: PetHeader, where: _Where) -> None:
    for field in fields(PetHeader):
        one, two = getattr(first, field.name), getattr(other, field.name)
        if one != two:
            keyword = pet_header.FIELD_KEYWORDS.get(field.name, field.name)
            message = "Slices of one series contradict each other"
            raise where.refuse("HEADER_INCONSISTENT", message, keyword, f"{one} and {two}")


def _hounsfield(stored: NDArray[np.integer], slope: float, intercept: float) -> NDArray[np.generic]:
    low, high = float(stored.min()) * slope + intercept, float(stored.max()) * slope + intercept
    if slope == int(slope) and intercept == int(intercept) and -32768 <= min(low, high) <= max(low, high) <= 32767:
        return (stored.astype(np.int32) * int(slope) + int(intercept)).astype(np.int16)
    return (stored * slope + intercept).astype(np.float32)
