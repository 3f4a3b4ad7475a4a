"""From an error to the row of the table `refusals`, and back to a sentence."""

from petct.errors import PetctError
from records.imaging import RefusalRecord
from refusals.coded_error import CodedError


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
