"""Pseudonyms: one shift of dates and one new UID for each old one, from the key alone."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.privacy.pseudonyms import PatientPseudonym, PseudonymError, Pseudonyms

KEY = bytes(range(32))


@given(st.binary(min_size=16, max_size=40), st.text(min_size=1), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_the_shift_is_one_to_ten_years_back_and_follows_from_the_key(key: bytes, patient_id: str, day: date) -> None:
    patient = Pseudonyms(key).patient(patient_id)
    assert 366 <= (day - patient.shifted(day)).days <= 3652
    assert Pseudonyms(key).patient(patient_id) == patient
    assert Pseudonyms(key + b"x").patient(patient_id) != patient
    assert patient.pseudonym != patient_id


def test_uids_are_remapped_consistently_and_those_of_the_standard_stay() -> None:
    first, second = Pseudonyms(KEY), Pseudonyms(KEY)
    assert first.uid("1.2.3") == second.uid("1.2.3") != first.uid("1.2.4")
    assert first.uid("1.2.3").startswith("2.25.")
    assert len(first.uid("1.2.3")) <= 64
    assert first.uid("1.2.840.10008.1.2.1") == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize(
    ("key", "known", "code"),
    [
        (b"short", (), "DEID_KEY_WEAK"),
        (KEY, (PatientPseudonym("A", "A", -400),), "DEID_PSEUDONYM_INVALID"),
        (KEY, (PatientPseudonym("A", "a b", -400),), "DEID_PSEUDONYM_INVALID"),
        (KEY, (PatientPseudonym("A", "X", 0),), "DEID_SHIFT_ZERO"),
        (KEY, (PatientPseudonym("A", "X", -400), PatientPseudonym("B", "X", -500)), "DEID_PSEUDONYM_TAKEN"),
    ],
)
def test_keys_and_mappings_that_are_refused(key: bytes, known: tuple[PatientPseudonym, ...], code: str) -> None:
    with pytest.raises(PseudonymError, match=code):
        Pseudonyms(key, known)
