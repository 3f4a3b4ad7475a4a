"""PET and CT series read from their files: one pass per file, values in the units of the header, on one grid."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from petct.dicom import parsing, pet_header, values
from petct.dicom.enhanced import checked_slope, read_frames
from petct.dicom.images import CtSeries, PetHeader, PetSeries, PetSlice
from petct.dicom.pixels import PIXEL_KEYWORDS, stored_values
from petct.dicom.roles import ENHANCED_PET, LEGACY_CONVERTED_PET
from petct.dicom.series_files import SeriesPlace, parse_file
from petct.dicom.slices import SlicePlane, arrange, plane_of
from petct.image.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from petct.dicom.parsing import Header
    from petct.image.volume import Geometry

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
    (
        *("Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "ContrastBolusAgent"),
        *("ContrastBolusAgentSequence", "KVP", "RescaleIntercept", "RescaleSlope", "RescaleType"),
    )
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
        PET_INTERCEPT_NONZERO, RESCALE_SLOPE_INVALID, and those of ``enhanced.read_frames``.
    """
    where = SeriesPlace(patient_id, series_instance_uid)
    stack = _PetStack(where)
    wanted: tuple[int, ...] | None = None
    creators: dict[int, str] = {}
    signature: object = None
    with parsing.lenient_parsing():
        for path in paths:
            # The first file is parsed whole: it tells what kind of image this is, and where the private blocks are.
            parsed, data = parse_file(path, wanted, where)
            sop_class = where.optional(values.text, parsed.dataset, "SOPClassUID")
            if sop_class in ENHANCED_PET:
                if wanted is not None:
                    message = "Single slices and files of many frames are mixed in one series"
                    raise where.refuse("HEADER_INCONSISTENT", message, "SOPClassUID", sop_class)
                stack.add_frames(parsed, data, is_legacy=sop_class == LEGACY_CONVERTED_PET)
                continue
            if wanted is None:
                wanted, creators = _pet_tags(parsed.dataset), pet_header.private_creators(parsed.dataset)
            elif pet_header.private_creators(parsed.dataset) != creators:
                parsed, data = parse_file(path, None, where)
            dataset = parsed.dataset
            slope = checked_slope(
                where.required(values.number, dataset, "RescaleSlope"),
                where.optional(values.number, dataset, "RescaleIntercept"),
                where,
            )
            stored = where.read(lambda parsed=parsed, data=data: stored_values(data, parsed))  # type: ignore[misc]
            uid = where.required(values.uid, dataset, "SOPInstanceUID")
            one, broken = pet_header.slice_facts(dataset, uid, slope)
            stack.add(np.multiply(stored, slope, dtype=np.float64), plane_of(dataset, where), one, broken)
            # Raw bytes are compared first: the headers of a series hardly ever differ in these elements.
            own = _raw_values(dataset)
            if stack.header is None or own != signature:
                stack.require(pet_header.series_facts(dataset))
                signature = own
    return stack.series()


class _PetStack:
    """The slices of a PET series as they are read, and the header that they share."""

    def __init__(self, where: SeriesPlace) -> None:
        self._where = where
        self._arrays: list[NDArray[np.float64]] = []
        self._planes: list[SlicePlane] = []
        self._slices: list[PetSlice] = []
        self._damaged: dict[str, str] = {}
        self.header: PetHeader | None = None

    def add(self, array: NDArray[np.float64], plane: SlicePlane, one: PetSlice, damaged: dict[str, str]) -> None:
        self._arrays.append(array)
        self._planes.append(plane)
        self._slices.append(one)
        self._damaged |= damaged

    def add_frames(self, parsed: Header, data: bytes, *, is_legacy: bool) -> None:
        for frame in read_frames(parsed, data, self._where, is_legacy=is_legacy):
            self.add(frame.values, frame.plane, frame.slice, {})
            self.require(frame.header)

    def require(self, facts: PetHeader) -> None:
        """Refuse facts that contradict those of the slices before."""
        if self.header is None:
            self.header = facts
        elif facts != self.header:
            _require_equal(self.header, facts, self._where)

    def series(self) -> PetSeries:
        where = self._where
        arrangement = arrange(self._planes, patient_id=where.patient_id, series_instance_uid=where.series_instance_uid)
        if self.header is None:
            raise AssertionError  # arrange refuses an empty series
        header = self.header
        if self._damaged:
            header = replace(header, damaged=tuple(sorted((dict(header.damaged) | self._damaged).items())))
        return PetSeries(
            where.patient_id,
            where.series_instance_uid,
            Volume(np.stack([self._arrays[index] for index in arrangement.order]), arrangement.geometry),
            tuple(self._slices[index] for index in arrangement.order),
            header,
        )


def read_ct(paths: Sequence[Path], *, patient_id: str, series_instance_uid: str) -> CtSeries:
    """Read a CT series in Hounsfield units; parameters and errors as ``read_pet``, and CT_NOT_HOUNSFIELD."""
    where = SeriesPlace(patient_id, series_instance_uid)
    arrays: list[NDArray[np.generic]] = []
    planes: list[SlicePlane] = []
    first: Dataset | None = None
    wanted = _IMAGE_TAGS + _CT_TAGS
    manufacturer = model = kernel = contrast = kvp = None
    with parsing.lenient_parsing():
        for path in paths:
            parsed, data = parse_file(path, wanted, where)
            dataset = parsed.dataset
            slope = where.required(values.number, dataset, "RescaleSlope")
            intercept = where.required(values.number, dataset, "RescaleIntercept")
            unit = where.optional(values.text, dataset, "RescaleType")
            if slope == 0 or unit not in (None, "HU"):
                raise where.refuse("CT_NOT_HOUNSFIELD", "The CT is not in Hounsfield units", "RescaleType", unit, "HU")
            stored = where.read(lambda parsed=parsed, data=data: stored_values(data, parsed))  # type: ignore[misc]
            arrays.append(_hounsfield(stored, slope, intercept))
            planes.append(plane_of(dataset, where))
            if first is None:
                first = dataset
                manufacturer = where.optional(values.text, dataset, "Manufacturer")
                model = where.optional(values.text, dataset, "ManufacturerModelName")
                kernel = where.optional(values.text, dataset, "ConvolutionKernel")
                contrast = _contrast_agent(dataset, where)
                kvp = where.optional(values.number, dataset, "KVP")
    arrangement = arrange(planes, patient_id=patient_id, series_instance_uid=series_instance_uid)
    return CtSeries(
        patient_id,
        series_instance_uid,
        Volume(np.stack([arrays[index] for index in arrangement.order]), arrangement.geometry),
        manufacturer,
        model,
        kernel,
        contrast,
        kvp,
    )


def read_grid(paths: Sequence[Path], *, patient_id: str, series_instance_uid: str) -> Geometry:
    """The grid of a series of single slices of any modality, without its values.

    Raises
    ------
    DicomError
        The codes of ``slices.arrange`` and ``series_files.parse_file``; HEADER_VALUE_MISSING, HEADER_VALUE_INVALID.
    """
    where = SeriesPlace(patient_id, series_instance_uid)
    with parsing.lenient_parsing():
        planes = [plane_of(parse_file(path, _IMAGE_TAGS, where)[0].dataset, where) for path in paths]
    return arrange(planes, patient_id=patient_id, series_instance_uid=series_instance_uid).geometry


def _contrast_agent(dataset: Dataset, where: SeriesPlace) -> str | None:
    """Contrast/Bolus Agent (0018,0010), or the meaning of its code."""
    stated = where.optional(values.text, dataset, "ContrastBolusAgent")
    codes = where.read(lambda: values.items(dataset, "ContrastBolusAgentSequence"))
    return stated or (where.optional(values.text, codes[0], "CodeMeaning") if codes else None)


def _pet_tags(dataset: Dataset) -> tuple[int, ...]:
    return _IMAGE_TAGS + pet_header.SERIES_TAGS + pet_header.SLICE_TAGS + pet_header.private_tags(dataset)


def _raw_values(dataset: Dataset) -> list[object]:
    raw = [values.raw_value(dataset, tag) for tag in pet_header.SERIES_TAGS]
    # Only of counts are the vendor's factors a part of the value.
    is_counts = (values.text(dataset, "Units") or "").upper() == "CNTS"
    return [*raw, *pet_header.philips_texts(dataset)] if is_counts else raw


def _require_equal(first: PetHeader, other: PetHeader, where: SeriesPlace) -> None:
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
