"""PET and masks that are not DICOM, as a study declares them; without pydicom, which settings must not load."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from petct.errors import DicomError
from petct.params import read_packaged

if TYPE_CHECKING:
    from collections.abc import Sequence

# Formats of one file: a header that points to another file would hide a change of that file.
_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")
_MASK_SUFFIXES = (".nii.gz", ".seg.nrrd", ".nii", ".nrrd", ".mha")
TOTALSEGMENTATOR = "totalsegmentator"
"""Name of the packaged table of TotalSegmentator's labels."""
_PLACEHOLDER = re.compile(r"\{(patient_id|scan_date)\}|(\*)")
_GROUPS = {"patient_id": r"(?P<patient_id>[^/]+?)", "scan_date": r"(?P<scan_date>\d{8})"}


class DeclaredUnits(StrEnum):
    """What the values of a volume may be declared to be."""

    SUV_BW = "SUVbw"
    BQ_PER_ML = "BQML"


@dataclass(frozen=True)
class _Declared:
    """Files of a study that are not DICOM.

    Attributes
    ----------
    files
        Path below the DICOM folder, with ``{patient_id}``, and ``{scan_date}`` (YYYYMMDD) where it is known, as it must
        be for masks of a patient with several scans; ``*`` stands for anything within a name.
    """

    files: str

    def match(self, relative: str) -> re.Match[str] | None:
        """The patient and the date that a relative path names, or None when the path is not one of these."""
        pattern, place = "", 0
        for found in _PLACEHOLDER.finditer(self.files):
            name = found[1]
            # What is named twice, as a folder and in its file, must be the same twice.
            group = "[^/]*" if not name else f"(?P={name})" if f"(?P<{name}>" in pattern else _GROUPS[name]
            pattern += re.escape(self.files[place : found.start()]) + group
            place = found.end()
        return re.fullmatch(pattern + re.escape(self.files[place:]), relative)


@dataclass(frozen=True)
class DeclaredPet(_Declared):
    """The PET volumes of a study that are not DICOM, and what their values are."""

    units: DeclaredUnits


@dataclass(frozen=True)
class DeclaredMasks(_Declared):
    """The masks of a study that are not DICOM.

    Attributes
    ----------
    labels
        Value and name of each region in a file of labels; None for files of one region each, which is named like its
        file without the suffix.
    """

    labels: tuple[tuple[int, str], ...] | None = None

    def names(self, filename: str) -> tuple[str, ...]:
        """The names of the regions that a file may hold."""
        if self.labels is not None:
            return tuple(name for _, name in self.labels)
        return (next((filename[: -len(s)] for s in _MASK_SUFFIXES if filename.lower().endswith(s)), filename),)


def totalsegmentator_labels() -> tuple[tuple[int, str], ...]:
    """Label and name of every class of TotalSegmentator, version 2, task total."""
    names = cast("Sequence[str]", read_packaged("labels", TOTALSEGMENTATOR)["names"])
    return tuple(enumerate(names, start=1))


def is_volume(relative: str) -> bool:
    """Whether a file is named like a volume that is not DICOM."""
    return relative.lower().endswith(_SUFFIXES)


def declaration_of(relative: str, declared: Sequence[DeclaredPet]) -> DeclaredPet:
    """The declaration of a volume.

    Raises
    ------
    DicomError
        VOLUME_NOT_DECLARED.
    """
    for one in declared:
        if one.match(relative):
            return one
    raise DicomError(
        "VOLUME_NOT_DECLARED",
        "A volume that is not DICOM does not say whose it is or what its values are",
        expected="a pattern of `dicom: volumes` or of `masks: files` in study.yaml",
        hint="If it is a PET, declare its files and units; if it holds masks, its files and labels.",
    )
