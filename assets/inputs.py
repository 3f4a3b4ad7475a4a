"""What a table was computed from, as a digest: at the start of the work, after it, and when status is asked."""

import hashlib
from collections.abc import Mapping

from assets.settings import UPSTREAM
from records.imaging import Finding
from warehouse.storage.lake import Lake

DICOM_FILES = "dicom_files"
CLINICAL_TABLE = "clinical_table"
SUV_OVERRIDES = "suv_overrides"
SOURCES = (DICOM_FILES, CLINICAL_TABLE, SUV_OVERRIDES)
"""What comes from outside and is observed by `petlake ingest`."""

# The tables of the lake that stand for an input; what is written together with a table is read together with it.
_TABLES = {
    DICOM_FILES: ("files",),
    CLINICAL_TABLE: ("clinical_cells",),
    SUV_OVERRIDES: ("suv_override_cells",),
    "lesions": ("lesions", "delineations"),
}


def fingerprint(lake: Lake, patient_id: str, name: str) -> str:
    """Digest of one input of a patient as it lies in the lake now.

    Parameters
    ----------
    name
        A table of a patient, or one of the inputs from outside: ``dicom_files``, which is the files with what the walk
        of the folder found about them, ``clinical_table``, which is the patient's cells, and ``suv_overrides``, which
        is those cells that an SUV depends on.
    """
    tables = _TABLES.get(name, (name,))
    parts = [f"{table}={_digest(lake, table, patient_id)}" for table in tables]
    if name == DICOM_FILES:
        parts += _findings(lake, patient_id)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def combined(fingerprints: Mapping[str, str]) -> str:
    """One digest of all inputs of a table."""
    return hashlib.sha256("\n".join(f"{name}={value}" for name, value in fingerprints.items()).encode()).hexdigest()


def input_sha256(lake: Lake, patient_id: str, table: str) -> str:
    """Digest of all that ``table`` is computed from, as it lies in the lake now."""
    return combined({name: fingerprint(lake, patient_id, name) for name in UPSTREAM[table]})


def _digest(lake: Lake, table: str, patient_id: str) -> str:
    return lake.digest(table, patient_id) if lake.exists(table, patient_id) else "absent"


def _findings(lake: Lake, patient_id: str) -> list[str]:
    found = lake.read_if_computed("qc_events", patient_id, Finding)
    return sorted(f"{f.code}={f.message}" for f in found if f.table_name == "files")
