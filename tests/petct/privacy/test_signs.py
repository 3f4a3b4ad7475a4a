"""What looks as if it said who a patient is, and what does not."""

from __future__ import annotations

from datetime import date

import pytest

from petct.privacy import signs


@pytest.mark.parametrize(
    "text", ["Doe^Jane", "PET of Müller^Eva", "Doe, Jane", "Doe, Jane M.", "for Dr. Who", "Mrs Doe"]
)
def test_names(text: str) -> None:
    assert signs.name_in(text)


@pytest.mark.parametrize(
    "text",
    ["PET WB AC", "PSF+TOF, 2i21s", "Not Collected", "GTV_Mass", "liver, spleen", "Dresden", "G2", "99Tc^m", "a, b"],
)
def test_no_names(text: str) -> None:
    assert not signs.name_in(text)


@pytest.mark.parametrize(
    ("text", "is_contact"),
    [
        ("jane.doe@example.org", True),
        ("+49 351 123456", True),
        ("0351/1234567", True),
        ("2020-01-01", False),
        ("01.02.2020", False),
        ("1.2.840.10008.5.1.4", False),
        ("STS_001/PET/image/000001.dcm", False),
        ("0.0012345678", False),
    ],
)
def test_contacts(text: str, is_contact: bool) -> None:
    assert signs.contact_in(text) is is_contact


def test_dates_in_texts() -> None:
    assert signs.dates_in("born 08.05.1937, seen 20250101 and 2025-13-45") == (date(2025, 1, 1), date(1937, 5, 8))
    assert signs.may_be_birth(date(1937, 5, 8), date(2025, 1, 1))
    assert not signs.may_be_birth(date(2015, 5, 8), date(2025, 1, 1))
    assert not signs.may_be_birth(date(1937, 5, 8), None)


def test_ids_and_columns() -> None:
    assert [signs.id_may_be_name(i) for i in ("doe_jane", "Smith-John", "STS_001", "P-ABCDEFGHIJ", "DOTATOC")] == [
        *(True, True, False, False, False)
    ]
    assert signs.is_named_birth("Date of Birth")
    assert not signs.is_named_birth("birthplace_code")
    assert signs.is_named_name("lastName")
    assert not signs.is_named_name("rename")
    assert signs.may_be_full_names(["Jane Doe", "Max Rot", "Eva Grün"])
    assert not signs.may_be_full_names(["Complete Response", "Partial Response", "Complete Response", "Stable Disease"])


def test_the_shape_does_not_repeat_the_text() -> None:
    assert signs.shape_of("Doe^Jane 12") == "Aaa^Aaaa 99"
    assert len(signs.shape_of("x" * 100)) == 40
