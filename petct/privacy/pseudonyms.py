"""Pseudonyms, shifted dates and UIDs that follow from a secret: consistent for its holder, meaningless without it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from petct.errors import PetctError

OLDEST_AGE_YEARS = 89
"""Ages above this are one group (US HIPAA safe harbor, 45 CFR 164.514(b)(2)(i)(C))."""

_KEY_BYTES = 32
_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# One to ten years back: a shifted date is never in the future, and never near the true one.
_LEAST_SHIFT_DAYS, _MOST_SHIFT_DAYS = 366, 3652


class PseudonymError(PetctError):
    """A key, a mapping or a date that de-identification cannot work with."""


@dataclass(frozen=True)
class PatientPseudonym:
    """What one patient becomes; all dates of the patient move by ``shift_days`` (a negative number of whole days)."""

    patient_id: str
    pseudonym: str
    shift_days: int

    def shifted(self, day: date) -> date:
        """The day moved by the patient's constant; raises ``PseudonymError`` DEID_DATE_OUT_OF_RANGE."""
        try:
            return day + timedelta(days=self.shift_days)
        except OverflowError:
            raise PseudonymError(
                "DEID_DATE_OUT_OF_RANGE", "The shifted day would lie before the calendar begins", found=day.isoformat()
            ) from None


def new_key() -> bytes:
    """A secret key from the system's source of random numbers."""
    return secrets.token_bytes(_KEY_BYTES)


@dataclass
class Pseudonyms:
    """The patients met so far, and the key from which every pseudonym, constant and UID follows.

    Parameters
    ----------
    key
        At least 16 secret bytes. The same key gives the same pseudonyms, dates and UIDs in every run.
    known
        Patients of an earlier run, or with pseudonyms that the user has chosen.

    Raises
    ------
    PseudonymError
        DEID_KEY_WEAK, DEID_PSEUDONYM_INVALID, DEID_PSEUDONYM_TAKEN, DEID_SHIFT_ZERO.
    """

    key: bytes
    known: Iterable[PatientPseudonym] = ()
    _patients: dict[str, PatientPseudonym] = field(init=False, default_factory=dict)
    _uids: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.key) < 16:
            raise PseudonymError(
                "DEID_KEY_WEAK", "The secret key is too short", found=f"{len(self.key)} bytes", expected="16 or more"
            )
        for patient in self.known:
            self._add(patient)

    @property
    def patients(self) -> tuple[PatientPseudonym, ...]:
        """All patients, by original id."""
        return tuple(self._patients[patient_id] for patient_id in sorted(self._patients))

    def patient(self, patient_id: str) -> PatientPseudonym:
        """The pseudonym and constant of a patient; raises ``PseudonymError`` DEID_PSEUDONYM_TAKEN."""
        if patient_id not in self._patients:
            name = base64.b32encode(self._digest("patient", patient_id))[:10].decode()
            span = _MOST_SHIFT_DAYS - _LEAST_SHIFT_DAYS + 1
            days = _LEAST_SHIFT_DAYS + int.from_bytes(self._digest("shift", patient_id)[:8], "big") % span
            self._add(PatientPseudonym(patient_id, f"P-{name}", -days))
        return self._patients[patient_id]

    def uid(self, original: str) -> str:
        """A UID below 2.25 (ITU-T X.667); one that DICOM itself registers stays."""
        if original.startswith("1.2.840.10008."):
            return original
        if original not in self._uids:
            self._uids[original] = f"2.25.{int.from_bytes(self._digest('uid', original)[:16], 'big')}"
        return self._uids[original]

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.new(self.key, f"{purpose}|{text}".encode(), hashlib.sha256).digest()

    def _add(self, patient: PatientPseudonym) -> None:
        if not _PSEUDONYM.fullmatch(patient.pseudonym) or patient.pseudonym == patient.patient_id:
            raise PseudonymError(
                "DEID_PSEUDONYM_INVALID",
                "This cannot be a pseudonym",
                found=repr(patient.pseudonym),
                expected="1 to 64 letters, digits, dots, underscores or hyphens; not the id itself",
            )
        if patient.shift_days == 0:
            raise PseudonymError(
                "DEID_SHIFT_ZERO", "A patient's dates would stay as they are", found=f"{patient.pseudonym}: 0 days"
            )
        if any(patient.pseudonym == other.pseudonym for other in self._patients.values()):
            raise PseudonymError(
                "DEID_PSEUDONYM_TAKEN", "Two patients would have the same pseudonym", found=patient.pseudonym
            )
        self._patients[patient.patient_id] = patient
