"""DICOMDIR: the directory on a medium, of use to say what is missing beside it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from petct.dicom import parsing, values
from petct.dicom.values import HeaderValueError
from petct.errors import DicomError

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset


def missing_files(path: Path, relative: str, present: set[str]) -> dict[str | None, list[str]]:
    """Patient id -> the files that a DICOMDIR lists and that are not there (inside ``parsing.lenient_parsing``).

    Parameters
    ----------
    path, relative
        The DICOMDIR, and its path below the DICOM root.
    present
        Relative paths of all files below the root; names are compared without regard to case, as on the media.

    Raises
    ------
    DicomError
        DICOM_UNREADABLE when the directory is damaged.
    """
    parsed = parsing.parse(path.read_bytes(), None, stop_at=parsing.at_pixel_data)
    folder = PurePosixPath(relative).parent
    here = {name.casefold() for name in present}
    missing: dict[str | None, list[str]] = {}
    patient: str | None = None
    try:
        for record in values.items(parsed.dataset, "DirectoryRecordSequence"):
            if values.text(record, "DirectoryRecordType") == "PATIENT":
                patient = values.text(record, "PatientID")
            listed = _file_of(record)
            if listed is not None and str(folder / listed).casefold() not in here:
                missing.setdefault(patient, []).append(str(folder / listed))
    except HeaderValueError as error:
        raise DicomError(
            "DICOM_UNREADABLE", "The directory is damaged", keyword=error.keyword, found=error.found
        ) from error
    return missing


def _file_of(record: Dataset) -> PurePosixPath | None:
    parts = values.texts(record, "ReferencedFileID")
    return PurePosixPath(*parts) if parts else None
