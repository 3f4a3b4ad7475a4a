"""One file: its digest and the header facts by which it is sorted into a series and a role."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from petct.dicom import parsing, values
from petct.dicom.pixels import pixel_data_is_cut, transfer_syntax
from petct.dicom.slices import SlicePlane
from petct.dicom.values import HeaderValueError
from petct.errors import DicomError
from records.imaging import FileRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, time
    from pathlib import Path

    from pydicom.dataset import Dataset

PATIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a patient key must look like before it may become a path."""

_T = TypeVar("_T")
_INDEX_TAGS = values.tags(
    (
        "SpecificCharacterSet",
        "ImageType",
        "SOPClassUID",
        "SOPInstanceUID",
        "StudyDate",
        "SeriesDate",
        "AcquisitionDate",
        "SeriesTime",
        "AcquisitionTime",
        "Modality",
        "SeriesDescription",
        "SeriesNumber",
        "ReferencedSeriesSequence",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "FrameOfReferenceUID",
        "SamplesPerPixel",
        "Rows",
        "Columns",
        "PixelSpacing",
        "CorrectedImage",
        "LossyImageCompression",
        "AttenuationCorrected",
        "NumberOfFrames",
        "NumberOfSlices",
        "SeriesType",
        "Units",
        "ReferencedFrameOfReferenceSequence",
    )
)
# A person has one of each; they are compared, and never stored.
_UNCHANGING = ("PatientBirthDate", "PatientSex")
_ALWAYS_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
"""JPEG Baseline and Extended."""
_PERHAPS_LOSSY = ("1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203")
"""JPEG-LS near-lossless, JPEG 2000 and HTJ2K: loss is allowed, and the header may say that there was none."""

_HEADER_BYTES = 1 << 16
_DICOMDIR = "1.2.840.10008.1.3.10"
_AFTER_REFERENCED_SERIES = 0x30060010
_FUNCTIONAL_GROUPS = (0x52009229, 0x52009230)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A readable DICOM file: its record, and what its header says about its place in the examination."""

    record: FileRecord
    study_instance_uid: str
    modality: str
    image_type: tuple[str, ...]
    corrected_image: tuple[str, ...] | None
    frame_of_reference_uid: str | None = None
    sop_class_uid: str | None = None
    attenuation_corrected: str | None = None
    units: str | None = None
    series_type: tuple[str, ...] = ()
    series_description: str | None = None
    series_number: int | None = None
    study_date: date | None = None
    series_date: date | None = None
    series_time: time | None = None
    acquisition_date: date | None = None
    acquisition_time: time | None = None
    unchanging: tuple[tuple[str, str], ...] = ()
    samples_per_pixel: int | None = None
    number_of_slices: int | None = None
    number_of_frames: int = 1
    plane: SlicePlane | None = None
    referenced_series_instance_uid: str | None = None
    is_lossy: bool = False
    is_truncated: bool = False
    is_volume: bool = False


def read_instance(path: Path, relative: str, known: FileRecord | None) -> Instance:
    """Read a file's header, and its digest unless ``known`` has the same size and modification time.

    Pixels are not decoded; a file whose pixel data is cut short is marked ``is_truncated``. Call it inside
    ``parsing.lenient_parsing``.

    Raises
    ------
    DicomError
        DICOM_PREFIX_MISSING, DICOM_UNREADABLE, DICOMDIR, DICOM_IDENTIFIER_MISSING, DICOM_IDENTIFIER_INVALID or
        PATIENT_ID_INVALID.
    """
    size, modified_ns, is_known = _status(path, known)
    if known is not None and is_known:
        digest = known.sha256
        with path.open("rb") as stream:
            data = stream.read(_HEADER_BYTES)
            header = parsing.parse(data, _INDEX_TAGS, stop_at=_stop_at)
            # A header longer than the first read looks cut: read on from the file itself.
            if header.stopped_at is None or header.offset + 12 > len(data):
                stream.seek(0)
                data = stream.read()
                header = parsing.parse(data, _INDEX_TAGS, stop_at=_stop_at)
    else:
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        header = parsing.parse(data, _INDEX_TAGS, stop_at=_stop_at)

    dataset = header.dataset
    sop_class = _optional(values.uid, dataset, "SOPClassUID")
    if sop_class == _DICOMDIR or "DirectoryRecordSequence" in dataset or _media_storage_class(header) == _DICOMDIR:
        raise DicomError("DICOMDIR", "The file is a directory of other files")
    patient_id = _optional(values.text, dataset, "PatientID")
    # Nothing of the image or the contours was reached: what is missing may be missing because the file was cut.
    ends_early = header.truncated or header.stopped_at is None
    if patient_id is None or not PATIENT_ID.fullmatch(patient_id):
        if patient_id is None and ends_early:
            raise DicomError("DICOM_UNREADABLE", "The file ends before the patient id", keyword="PatientID")
        raise DicomError(
            "PATIENT_ID_INVALID",
            "The patient id cannot be used as a key",
            keyword="PatientID",
            found=patient_id or "nothing",
            expected="1 to 64 letters, digits, dots, underscores or hyphens, beginning with a letter or digit",
            hint="Pseudonymise the files with ids of that form.",
        )
    identifiers = {
        keyword: _identifier(dataset, keyword, patient_id, ends_early)
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    }
    modality = _optional(values.text, dataset, "Modality")
    if modality is None:
        raise DicomError(
            "DICOM_IDENTIFIER_MISSING", "The file has no modality", patient_id=patient_id, keyword="Modality"
        )
    record = FileRecord(
        patient_id,
        identifiers["SeriesInstanceUID"],
        identifiers["SOPInstanceUID"],
        relative,
        size,
        modified_ns,
        digest,
    )
    is_image = modality in ("PT", "CT")
    # A file cut inside an element that is skipped, or at its very end, shows only in its length.
    cut = header.truncated or (is_image and header.stopped_at is None)
    corrected = _optional(values.texts, dataset, "CorrectedImage") or ()
    return Instance(
        record=record,
        study_instance_uid=identifiers["StudyInstanceUID"],
        frame_of_reference_uid=_optional(values.uid, dataset, "FrameOfReferenceUID"),
        sop_class_uid=sop_class,
        modality=modality,
        image_type=tuple(part.upper() for part in _optional(values.texts, dataset, "ImageType") or ()),
        corrected_image=tuple(part.upper() for part in corrected) or None,
        attenuation_corrected=_optional(values.text, dataset, "AttenuationCorrected"),
        units=_optional(values.text, dataset, "Units"),
        series_type=tuple(part.upper() for part in _optional(values.texts, dataset, "SeriesType") or ()),
        series_description=_optional(values.text, dataset, "SeriesDescription"),
        series_number=_optional(values.integer, dataset, "SeriesNumber"),
        study_date=_optional(values.day, dataset, "StudyDate"),
        series_date=_optional(values.day, dataset, "SeriesDate"),
        series_time=_optional(values.time_of_day, dataset, "SeriesTime"),
        acquisition_date=_optional(values.day, dataset, "AcquisitionDate"),
        acquisition_time=_optional(values.time_of_day, dataset, "AcquisitionTime"),
        unchanging=tuple(
            (keyword, value)
            for keyword in _UNCHANGING
            if (value := _optional(values.text, dataset, keyword)) is not None
        ),
        samples_per_pixel=_optional(values.integer, dataset, "SamplesPerPixel"),
        number_of_slices=_optional(values.integer, dataset, "NumberOfSlices"),
        number_of_frames=_optional(values.integer, dataset, "NumberOfFrames") or 1,
        plane=_plane(dataset),
        referenced_series_instance_uid=_referenced_series(dataset),
        is_lossy=_is_lossy(header),
        is_truncated=cut or pixel_data_is_cut(size, header, data),
    )


def digest_of(path: Path, known: FileRecord | None) -> tuple[int, int, str]:
    """Size, time of the last change and SHA-256 of a file; the digest of ``known`` where nothing changed since."""
    size, modified_ns, is_known = _status(path, known)
    if known is not None and is_known:
        return size, modified_ns, known.sha256
    return size, modified_ns, hashlib.sha256(path.read_bytes()).hexdigest()


def _status(path: Path, known: FileRecord | None) -> tuple[int, int, bool]:
    """Size, time of the last change, and whether both are those of ``known``."""
    status = path.stat()
    # A tool may restore the modification time of a file that it changed, but not the time of that change.
    modified_ns = max(status.st_mtime_ns, status.st_ctime_ns)
    is_known = known is not None and (known.size_bytes, known.modified_ns) == (status.st_size, modified_ns)
    return status.st_size, modified_ns, is_known


def _stop_at(tag: int) -> bool:
    """Contours, per-frame groups and pixels are of no use to an index, and most of the bytes."""
    return parsing.at_pixel_data(tag) or _AFTER_REFERENCED_SERIES < tag < 0x40000000 or tag in _FUNCTIONAL_GROUPS


def _is_lossy(header: parsing.Header) -> bool:
    """Whether the pixels lost something, by what the header says or by how they are compressed."""
    declared = _optional(values.text, header.dataset, "LossyImageCompression")
    syntax = transfer_syntax(header)
    return declared == "01" or syntax in _ALWAYS_LOSSY or (declared is None and syntax in _PERHAPS_LOSSY)


def _media_storage_class(header: parsing.Header) -> str | None:
    meta = getattr(header.dataset, "file_meta", None)
    return None if meta is None else _optional(values.uid, meta, "MediaStorageSOPClassUID")


def _identifier(dataset: Dataset, keyword: str, patient_id: str, ends_early: bool) -> str:
    try:
        found = values.uid(dataset, keyword)
    except HeaderValueError as error:
        raise DicomError(
            "DICOM_IDENTIFIER_INVALID",
            "An identifier of the file is not a UID",
            patient_id=patient_id,
            keyword=keyword,
            found=error.found,
        ) from error
    if found is None:
        raise DicomError(
            "DICOM_UNREADABLE" if ends_early else "DICOM_IDENTIFIER_MISSING",
            "The file ends before its identifiers" if ends_early else "An identifier of the file is missing",
            patient_id=patient_id,
            keyword=keyword,
        )
    return found


def _optional(read: Callable[[Dataset, str], _T | None], dataset: Dataset, keyword: str) -> _T | None:
    """The value, or None when it is damaged: whoever reads the image refuses what it cannot do without."""
    with suppress(HeaderValueError):
        return read(dataset, keyword)
    return None


def _plane(dataset: Dataset) -> SlicePlane | None:
    with suppress(HeaderValueError):
        position = values.numbers(dataset, "ImagePositionPatient", 3)
        orientation = values.numbers(dataset, "ImageOrientationPatient", 6)
        spacing = values.numbers(dataset, "PixelSpacing", 2)
        rows, columns = values.integer(dataset, "Rows"), values.integer(dataset, "Columns")
        if position and orientation and spacing and rows and columns:
            return SlicePlane(position, orientation, spacing, rows, columns)
    return None


def _referenced_series(dataset: Dataset) -> str | None:
    """The one series that contours (RTSTRUCT or SEG) refer to; None when there is none, or more than one."""
    with suppress(HeaderValueError):
        found = values.referenced_series(dataset)
        return found[0] if len(found) == 1 else None
    return None
