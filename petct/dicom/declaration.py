"""What a study declares of PET volumes that are not DICOM; free of pydicom, which a reader of study.yaml does not need."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

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
