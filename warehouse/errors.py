"""Refusals of the store, with the same fields as ``petct.errors`` (the two layers never import each other)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class WarehouseError(Exception):
    """A refusal of the store.

    Parameters
    ----------
    code
        Stable identifier in upper snake case, for example ``PATIENT_ID_INVALID``.
    message
        One plain sentence, without the facts below (``sentence`` adds them).
    patient_id, series_instance_uid, keyword
        Where; ``keyword`` is the table, column or file.
    found, expected
        What was found there and what would have been accepted, as text.
    hint
        What to do about it.
    """

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
        """Return all that is known in one line: code, message, where, found, expected, and the hint."""
        facts = [
            f"{label} {value}"
            for label, value in (
                ("patient", self.patient_id),
                ("series", self.series_instance_uid),
                ("in", self.keyword),
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


def _rebuild(kind: type[WarehouseError], code: str, message: str, facts: dict[str, object]) -> WarehouseError:
    error = kind(code, message)
    error.__dict__.update(facts)
    return error


def unknown_name(
    code: str, message: str, found: str, known: Sequence[str], *, keyword: str | None = None
) -> WarehouseError:
    """The refusal of a name that is not among those ``known``, with the nearest of them."""
    near = difflib.get_close_matches(found, known, n=1, cutoff=0.4)
    return WarehouseError(
        code,
        message,
        keyword=keyword,
        found=found,
        expected=", ".join(known) if len(known) <= 12 else f"one of {len(known)} names",
        hint=f"Nearest: {near[0]}." if near else None,
    )
