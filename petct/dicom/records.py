"""What the index of a DICOM folder says, as values: files, series, findings, and what was set aside."""

from __future__ import annotations

from dataclasses import dataclass

from records.imaging import FileRecord, Finding, SeriesRecord


@dataclass(frozen=True)
class SetAside:
    """A file of a tree that is not used, and why; ``path`` is relative to the tree."""

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
