"""PET volumes that are not DICOM, as a study declares them; without pydicom, which settings must not load."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from petct.errors import DicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Formats of one file: a header that points to another file would hide a change of that file.
_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")
_PLACEHOLDER = re.compile(r"\{(patient_id|scan_date)\}|(\*)")
_GROUPS = {"patient_id": r"(?P<patient_id>[^/]+?)", "scan_date": r"(?P<scan_date>\d{8})"}


class DeclaredUnits(StrEnum):
    """What the values of a volume may be declared to be."""

    SUV_BW = "SUVbw"
    BQ_PER_ML = "BQML"


@dataclass(frozen=True)
class DeclaredPet:
    """The PET volumes of a study that are not DICOM.

    Attributes
    ----------
    files
        Path below the DICOM folder, with ``{patient_id}``, and ``{scan_date}`` (YYYYMMDD) where it is known; ``*``
        stands for anything within a name.
    units
        What the values are.
    """

    files: str
    units: DeclaredUnits

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
        expected="a pattern of `dicom: volumes` in study.yaml",
        hint="If it is a PET, declare its files and units there.",
    )
