"""The base of every refusal: a code, and the facts a reader needs to act on it."""

from __future__ import annotations

from typing import ClassVar


class CodedError(Exception):
    """A refusal: what could not be done, where, what was found, what was expected, and what to do.

    Parameters
    ----------
    code
        Stable identifier in upper snake case, for example ``SUV_WEIGHT_MISSING``. Tests and queries use it.
    message
        One plain sentence, without the facts below (``sentence`` adds them).
    patient_id, series_instance_uid, keyword
        Where: the patient, the DICOM series; and the DICOM keyword, the table, the column or the file.
    found, expected
        What was found there and what would have been accepted, as text.
    hint
        What to do about it.
    """

    keyword_label: ClassVar[str] = "keyword"
    """What the sentence says before ``keyword``."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        patient_id: str | None = None,
        series_instance_uid: str | None = None,
        keyword: str | None = None,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.patient_id = patient_id
        self.series_instance_uid = series_instance_uid
        self.keyword = keyword
        self.found = found
        self.expected = expected
        self.hint = hint

    def sentence(self) -> str:
        """One line with everything that is known: ``CODE: message (where; found; expected). Hint.``."""
        facts = [
            f"{label} {value}"
            for label, value in (
                ("patient", self.patient_id),
                ("series", self.series_instance_uid),
                (self.keyword_label, self.keyword),
                ("found", self.found),
                ("expected", self.expected),
            )
            if value is not None
        ]
        text = f"{self.code}: {self.message.rstrip('.')}"
        if facts:
            text += f" ({'; '.join(facts)})"
        return f"{text}. {self.hint}" if self.hint else f"{text}."

    def __str__(self) -> str:
        return self.sentence()

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword-only arguments do not survive the way back from a worker process by default.
        return (_rebuild, (type(self), self.code, self.message, self.__dict__.copy()))


def _rebuild(kind: type[CodedError], code: str, message: str, facts: dict[str, object]) -> CodedError:
    error = kind(code, message)
    error.__dict__.update(facts)
    return error
