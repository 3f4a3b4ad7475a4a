"""What a table was computed from, as a digest: at the start of the work, after it, and when status is asked."""

import hashlib
from collections.abc import Mapping, Sequence

from assets.sources import DICOM_FILES
from assets.steps.order import INPUTS
from records.imaging import Finding
from warehouse.storage.lake import Lake


def fingerprint(lake: Lake, patient_id: str, name: str, tables: Sequence[str]) -> str:
    """Digest of one input of a patient as it lies in the lake now.

    Parameters
    ----------
    name
        A table of a patient, or an input from outside; ``dicom_files`` is the files with what the walk of the folder
        found about them.
    tables
        The tables of the lake that are read of it.
    """
    parts = [f"{table}={_digest(lake, table, patient_id)}" for table in tables]
    if name == DICOM_FILES.name:
        parts += _findings(lake, patient_id)
    return _sha256(parts)


def combined(fingerprints: Mapping[str, str]) -> str:
    """One digest of all inputs of a table."""
    return _sha256([f"{name}={value}" for name, value in fingerprints.items()])


def input_sha256(lake: Lake, patient_id: str, table: str) -> str:
    """Digest of all that ``table`` is computed from, as it lies in the lake now."""
    return combined({name: fingerprint(lake, patient_id, name, read) for name, read in INPUTS[table].items()})


def data_version(lake: Lake, patient_id: str, table: str) -> str:
    """What Dagster knows a table by: the digest of its rows, and of those companions that other tables read."""
    read = {name for inputs in INPUTS.values() for name in inputs.get(table, ())} - {table}
    if not read:
        return lake.digest(table, patient_id)
    return _sha256([f"{name}={_digest(lake, name, patient_id)}" for name in (table, *sorted(read))])


def _digest(lake: Lake, table: str, patient_id: str) -> str:
    return lake.digest(table, patient_id) if lake.exists(table, patient_id) else "absent"


def _findings(lake: Lake, patient_id: str) -> list[str]:
    found = lake.read_if_computed("qc_events", patient_id, Finding)
    return sorted(f"{f.code}={f.message}" for f in found if f.table_name == "files")


def _sha256(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
