"""Enhanced PET and Legacy Converted Enhanced PET: many frames in one file, said in the terms of single slices.

Frames are flattened: what the functional groups say of a frame is laid over what the file says of all (PS3.3,
C.7.6.16), and the enhanced elements are translated into those of the PET Image IOD, so that one set of rules serves
both.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset

from petct.dicom import pet_header, values
from petct.dicom.pet_header import HeaderReader
from petct.dicom.pixels import stored_frames
from petct.dicom.slices import plane_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from petct.dicom.images import PetHeader, PetSlice
    from petct.dicom.parsing import Header
    from petct.dicom.series_files import SeriesPlace
    from petct.dicom.slices import SlicePlane

DECAY_CORRECTED_TO_DATETIME = "DATETIME"
"""Stands for Decay Correction where an image is corrected to its Decay Correction DateTime (0018,9701)."""

_PER_FRAME = "PerFrameFunctionalGroupsSequence"
_SHARED = "SharedFunctionalGroupsSequence"
_MACROS = (
    "UnassignedSharedConvertedAttributesSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "PixelMeasuresSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "FrameContentSequence",
    "PixelValueTransformationSequence",
    "PETReconstructionSequence",
)
_CORRECTIONS = (
    ("AttenuationCorrected", "ATTN"),
    ("DecayCorrected", "DECY"),
    ("ScatterCorrected", "SCAT"),
    ("RandomsCorrected", "RAN"),
    ("DeadTimeCorrected", "DTIM"),
)
_SUV_TYPES = {
    "SUVBW": "BW",
    "SUVLBM": "LBM",
    "SUVLBM(JAMES128)": "LBMJAMES128",
    "SUVLBM(JANMA)": "LBMJANMA",
    "SUVBSA": "BSA",
    "SUVIBW": "IBW",
}
_ANNOTATION = re.compile(r"\{([^}]*)\}")
_UNITS = {"BQ/ML": "BQML", "G/ML": "GML", "CM2/ML": "CM2ML"}
_CONVENTIONAL_UNITS = ("BQML", "GML", "CM2ML", "CNTS", "PROPCNTS", "CPS")
_PREFERRED = ("BQML", "GML", "CM2ML")


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: values (rows, columns) in the units of the header, its place, and what is said about it."""

    values: NDArray[np.float64]
    plane: SlicePlane
    slice: PetSlice
    header: PetHeader


@dataclass(frozen=True)
class _Mapping:
    """From stored values to values with units."""

    units: str | None
    suv_type: str | None
    slope: float
    first: float = -np.inf
    last: float = np.inf


def read_frames(parsed: Header, data: bytes, where: SeriesPlace, *, is_legacy: bool) -> Iterator[Frame]:
    """The frames of one file, in the order of the file (inside ``parsing.lenient_parsing``).

    Parameters
    ----------
    parsed
        The whole header, up to the pixels.
    is_legacy
        Legacy Converted: the elements of the PET Image IOD are kept, and win over the enhanced ones.

    Raises
    ------
    DicomError
        Those of ``pixels.stored_frames``; HEADER_VALUE_MISSING, HEADER_VALUE_INVALID, FRAMES_MISMATCH,
        PET_INTERCEPT_NONZERO, RESCALE_SLOPE_INVALID, REAL_WORLD_VALUE_RANGE.
    """
    dataset = parsed.dataset
    stored = where.read(lambda: stored_frames(data, parsed))
    groups = where.read(lambda: values.items(dataset, _PER_FRAME))
    shared = where.read(lambda: values.items(dataset, _SHARED))[:1]
    if len(groups) != len(stored):
        message = "The functional groups do not describe every frame"
        raise where.refuse("FRAMES_MISMATCH", message, _PER_FRAME, f"{len(groups)}", f"{len(stored)} frames")
    uid = where.required(values.uid, dataset, "SOPInstanceUID")
    for group, pixels in zip(groups, stored, strict=True):
        layers = [dataset, *_layers(shared, where), *_layers((group,), where)]
        flat = _flat(layers)
        mapping = _mapping((group, *shared), flat, where)
        if pixels.min() < mapping.first or pixels.max() > mapping.last:
            raise where.refuse(
                "REAL_WORLD_VALUE_RANGE",
                "Stored values lie outside the range that the mapping to real-world values covers",
                "RealWorldValueMappingSequence",
                f"{pixels.min()} to {pixels.max()}",
                f"{mapping.first:g} to {mapping.last:g}",
            )
        where.read(lambda flat=flat: _translate(flat, is_legacy=is_legacy))  # type: ignore[misc]
        one, damaged = pet_header.slice_facts(flat, uid, mapping.slope)
        head = HeaderReader(flat, damaged)
        one = replace(one, frame_reference=pet_header.moment(head, "FrameReferenceDateTime", head))
        if one.acquisition is None and one.frame_reference is not None:
            one = replace(one, acquisition=one.frame_reference, acquisition_date_keyword="AcquisitionDateTime")
        header = pet_header.series_facts(flat)
        header = replace(
            header,
            units=mapping.units or header.units,
            suv_type=mapping.suv_type or header.suv_type,
            decay_correction_datetime=_corrected_to(flat, header, damaged),
            damaged=tuple(sorted((dict(header.damaged) | damaged).items())),
        )
        yield Frame(np.multiply(pixels, mapping.slope, dtype=np.float64), plane_of(flat, where), one, header)


def _layers(groups: Sequence[Dataset], where: SeriesPlace) -> Iterator[Dataset]:
    """The functional groups of a frame (or those that all share) that say something in elements of single slices."""
    for group in groups:
        for macro in _MACROS:
            yield from where.read(lambda group=group, macro=macro: values.items(group, macro))[:1]  # type: ignore[misc]


def _flat(layers: Sequence[Dataset]) -> Dataset:
    flat = Dataset()
    for layer in layers:
        for tag in list(layer.keys()):
            if tag in (0x52009229, 0x52009230):
                continue
            # pydicom converts private elements here, and on damaged ones it raises nearly any type of exception.
            with suppress(Exception):
                flat[tag] = layer.get_item(tag, keep_deferred=True)
    return flat


def _translate(flat: Dataset, *, is_legacy: bool) -> None:
    """Write what the enhanced elements say as elements of the PET Image IOD."""
    if "FrameAcquisitionDateTime" in flat:
        # Read in preference to date and time of the whole file.
        flat.AcquisitionDateTime = values.text(flat, "FrameAcquisitionDateTime")
        for keyword in ("AcquisitionDate", "AcquisitionTime"):
            if keyword in flat:
                del flat[keyword]
    elif not is_legacy:
        # The start of the whole acquisition is not that of the frame.
        for keyword in ("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime"):
            if keyword in flat:
                del flat[keyword]
    if "FrameAcquisitionDuration" in flat:
        flat.ActualFrameDuration = values.text(flat, "FrameAcquisitionDuration")
    if is_legacy and "DecayCorrection" in flat:
        return
    stated = {keyword: values.text(flat, keyword) for keyword, _ in _CORRECTIONS}
    if any(stated.values()):
        flat.CorrectedImage = [name for keyword, name in _CORRECTIONS if (stated[keyword] or "").upper() == "YES"]
    flat.DecayCorrection = {"YES": DECAY_CORRECTED_TO_DATETIME, "NO": "NONE"}.get(
        (stated["DecayCorrected"] or "").upper()
    )
    if "ReconstructionMethod" not in flat:
        parts = [
            values.text(flat, keyword)
            for keyword in ("ReconstructionAlgorithm", "ReconstructionType", "IterativeReconstructionMethod")
        ]
        flat.ReconstructionMethod = " ".join(part for part in parts if part) or None


def _corrected_to(flat: Dataset, header: PetHeader, damaged: dict[str, str]) -> datetime | None:
    if header.decay_correction != DECAY_CORRECTED_TO_DATETIME:
        return None
    head = HeaderReader(flat, damaged)
    return pet_header.moment(head, "DecayCorrectionDateTime", head)


def _mapping(groups: Sequence[Dataset], flat: Dataset, where: SeriesPlace) -> _Mapping:
    """The real-world value mapping with units of activity, else of SUV; without any, the rescale of the frame."""
    found: list[_Mapping] = []
    for group in groups:
        for item in where.read(lambda group=group: values.items(group, "RealWorldValueMappingSequence")):  # type: ignore[misc]
            codes = where.read(lambda item=item: values.items(item, "MeasurementUnitsCodeSequence"))  # type: ignore[misc]
            code = where.optional(values.text, codes[0], "CodeValue") if codes else None
            units, suv_type = units_of(code)
            if units in _PREFERRED and "RealWorldValueSlope" in item:
                found.append(_real_world(item, units, suv_type, where))
    if found:
        return min(found, key=lambda one: (_PREFERRED.index(one.units or ""), one.suv_type not in (None, "BW")))
    slope = where.required(values.number, flat, "RescaleSlope")
    intercept = where.optional(values.number, flat, "RescaleIntercept")
    units, suv_type = units_of(where.optional(values.text, flat, "RescaleType"))
    if units not in _CONVENTIONAL_UNITS:
        units = suv_type = None
    return _Mapping(units, suv_type, checked_slope(slope, intercept, where))


def _real_world(item: Dataset, units: str, suv_type: str | None, where: SeriesPlace) -> _Mapping:
    slope = where.required(values.number, item, "RealWorldValueSlope")
    intercept = where.optional(values.number, item, "RealWorldValueIntercept")
    limits = []
    for end in ("First", "Last"):
        limit = where.optional(values.number, item, f"DoubleFloatRealWorldValue{end}ValueMapped")
        if limit is None:
            limit = where.optional(values.number, item, f"RealWorldValue{end}ValueMapped")
        limits.append(limit)
    first, last = limits
    return _Mapping(
        units,
        suv_type,
        checked_slope(slope, intercept, where, "RealWorldValueSlope", "RealWorldValueIntercept"),
        -np.inf if first is None else first,
        np.inf if last is None else last,
    )


def units_of(code: str | None) -> tuple[str | None, str | None]:
    """Units (0054,1001) and SUV Type (0054,1006) that a UCUM code stands for, for example ``{SUVbw}g/ml`` (CID 85)."""
    if code is None:
        return None, None
    text = code.upper().replace(" ", "")
    annotation = _ANNOTATION.search(text)
    bare = _ANNOTATION.sub("", text)
    units = _UNITS.get(bare, bare or None)
    return units, _SUV_TYPES.get(annotation[1], annotation[1]) if annotation else None


def checked_slope(
    slope: float,
    intercept: float | None,
    where: SeriesPlace,
    slope_keyword: str = "RescaleSlope",
    intercept_keyword: str = "RescaleIntercept",
) -> float:
    """The slope of a PET image, whose zero must be zero activity.

    Raises
    ------
    DicomError
        RESCALE_SLOPE_INVALID, PET_INTERCEPT_NONZERO.
    """
    if slope <= 0:
        raise where.refuse("RESCALE_SLOPE_INVALID", "The rescale slope is not positive", slope_keyword, f"{slope:g}")
    if intercept:
        message = "A PET with a rescale intercept has no zero of activity"
        raise where.refuse("PET_INTERCEPT_NONZERO", message, intercept_keyword, f"{intercept:g}", "0")
    return slope
