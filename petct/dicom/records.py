"""What the index of a DICOM folder says, as rows: files, series, findings, and what was set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True)
class FileRecord:
    """One indexed DICOM instance; ``path`` is relative to the DICOM root, with forward slashes."""

    patient_id: str
    series_instance_uid: str
    sop_instance_uid: str
    path: str
    size_bytes: int
    modified_ns: int
    sha256: str


@dataclass(frozen=True)
class SeriesRecord:
    """One series with the role it was given (``petct.dicom.roles``), or NONE and the reason why it is not used."""

    patient_id: str
    scan_id: str | None
    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str | None
    modality: str
    role: str
    set_aside_code: str | None
    series_description: str | None
    series_date: date | None
    series_time: str | None
    n_instances: int
    referenced_series_instance_uid: str | None
    sha256: str


@dataclass(frozen=True)
class Finding:
    """Something that does not stop the work but that a reader should know (a row of ``qc_events``)."""

    patient_id: str
    scan_id: str | None
    series_instance_uid: str | None
    table_name: str
    code: str
    severity: str
    message: str


@dataclass(frozen=True)
class SetAside:
    """A file of the tree that the index does not use, and why."""

    path: str
    code: str
    message: str


@dataclass(frozen=True)
class DicomIndex:
    """The content of a folder tree, sorted: the same tree gives the same index wherever it lies."""

    files: tuple[FileRecord, ...]
    series: tuple[SeriesRecord, ...]
    findings: tuple[Finding, ...]
    set_aside: tuple[SetAside, ...]
