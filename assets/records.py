"""Rows that describe the work itself rather than the patient's images."""

from dataclasses import dataclass

from petct.errors import PetctError
from refusals.coded_error import CodedError


@dataclass(frozen=True)
class PatientRecord:
    """A row of the table ``patients``."""

    patient_id: str
    n_files: int
    n_series: int
    has_pet: bool
    has_ct: bool
    has_contours: bool
    has_clinical: bool


@dataclass(frozen=True)
class RefusalRecord:
    """A row of the table ``refusals``: what could not be computed, and why."""

    patient_id: str
    table_name: str
    code: str
    message: str
    series_instance_uid: str | None
    keyword: str | None
    found: str | None
    expected: str | None
    hint: str | None


@dataclass(frozen=True)
class ProvenanceRecord:
    """A row of the table ``provenance``: which code made a table of a patient, from which input."""

    patient_id: str
    table_name: str
    code_version: str
    settings_sha256: str
    input_sha256: str
    data_sha256: str


def refusal(error: CodedError, *, patient_id: str, table: str) -> RefusalRecord:
    """The row for ``error`` raised while ``table`` of ``patient_id`` was computed."""
    return RefusalRecord(
        patient_id=patient_id,
        table_name=table,
        code=error.code,
        message=error.message,
        series_instance_uid=error.series_instance_uid,
        keyword=error.keyword,
        found=error.found,
        expected=error.expected,
        hint=error.hint,
    )


def sentence(record: RefusalRecord) -> str:
    """A refusal as one line, with what was found, what was expected and what to do; the patient is said elsewhere."""
    return PetctError(
        record.code,
        record.message,
        keyword=record.keyword,
        found=record.found,
        expected=record.expected,
        hint=record.hint,
    ).sentence()
