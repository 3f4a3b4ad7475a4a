"""The clinical table de-identified: durations stay, identities go."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.clinical.columns import ColumnKind, describe_columns, words_of
from petct.clinical.spec import ClinicalSpec
from petct.errors import ClinicalError
from petct.privacy.clinical import deidentify_table
from petct.privacy.pseudonyms import PatientPseudonym, Pseudonyms
from tests.some import some

KEY = bytes(range(32))
COLUMNS = (
    *("patient_id", "name", "birth_date", "mrn", "sex", "age_years", "diagnosis_year", "therapy_start", "death_date"),
    *("syringe_measured", "weight_kg", "notes", "grade"),
)
ROWS = (
    (
        *("A1", "Jane Doe", "1937-05-08", "4711", "F", "87", "2019", "2020-03-01", "01.06.2021"),
        *("2020-03-01 09:40", "71,5", "came with Mr Doe", "G1"),
    ),
    (
        *("A2", "Max Rot", "1920-01-01", "4712", "M", "99", "2018", "2020-05-10", ""),
        *("2020-05-10 10:05", ">100", "fine", "G2"),
    ),
    (
        *("A3", "Eva Grün", "1950-01-01", "4713", "F", "70", "2017", "20200601", "03/04/2021"),
        *("2020-06-01 11:00", "62", "-", "2021-01-01"),
    ),
    ("", "Nobody", "", "", "", "", "", "", "", "", "", "", ""),
)


def _pseudonyms() -> Pseudonyms:
    return Pseudonyms(KEY, [PatientPseudonym(f"A{n}", f"S{n}", -1000 - n) for n in (1, 2, 3)])


def test_a_table_with_all_that_may_stand_in_one() -> None:
    table = deidentify_table(COLUMNS, ROWS, _pseudonyms())
    assert table.columns == (
        *("patient_id", "sex", "age_years", "therapy_start", "death_date", "syringe_measured", "weight_kg", "grade"),
    )
    assert table.rows == (
        ("S1", "F", "87", "2017-06-04", "2018-09-04", "2017-06-04 09:40", "71,5", "G1"),
        ("S2", "M", "90", "2017-08-12", "", "2017-08-12 10:05", ">100", "G2"),
        ("S3", "F", "70", "2017-09-02", "", "2017-09-02 11:00", "62", "2018-04-04"),
    )
    assert [(note.code, note.column, note.n_cells) for note in table.notes] == [
        ("DEID_COLUMN_DROPPED", "name", 4),
        ("DEID_COLUMN_DROPPED", "birth_date", 4),
        ("DEID_COLUMN_DROPPED", "mrn", 4),
        ("DEID_COLUMN_DROPPED", "diagnosis_year", 4),
        ("DEID_COLUMN_DROPPED", "notes", 4),
        ("DEID_AGE_CAPPED", "age_years", 1),
        ("DEID_DATE_UNREADABLE", "death_date", 1),
        ("DEID_ROW_DROPPED", "patient_id", 1),
    ]


def test_a_text_among_numbers_is_emptied() -> None:
    rows = [(f"A{n}", "7.5") for n in (1, 2, 3)] * 2 + [("A1", "asked Mr Doe")]
    table = deidentify_table(("patient_id", "ki67"), rows, _pseudonyms())
    assert [row[1] for row in table.rows] == ["7.5"] * 6 + [""]
    assert [(note.code, note.column) for note in table.notes] == [("DEID_TEXT_REMOVED", "ki67")]


@given(st.lists(st.tuples(st.dates(date(1990, 1, 1)), st.dates(date(1990, 1, 1))), min_size=1, max_size=8))
def test_every_duration_stays(dates: list[tuple[date, date]]) -> None:
    rows = [(f"P{n}", a.isoformat(), b.isoformat()) for n, (a, b) in enumerate(dates)]
    table = deidentify_table(("patient_id", "a", "b"), rows, Pseudonyms(KEY), patient_id_column="patient_id")
    for (_, new_a, new_b), (a, b) in some(zip(table.rows, dates, strict=True)):
        assert date.fromisoformat(new_b) - date.fromisoformat(new_a) == b - a
        assert date.fromisoformat(new_a) != a


def test_the_column_of_the_ids_is_found_by_the_ids_or_refused() -> None:
    rows = [("x", "A2", "2020-01-01"), ("y", "A1", "2020-01-01")]
    assert deidentify_table(("code", "who", "day"), rows, _pseudonyms()).rows[0][0] == "x"
    with pytest.raises(ClinicalError, match="DEID_PATIENT_COLUMN_UNKNOWN"):
        deidentify_table(("code", "who", "day"), rows, Pseudonyms(KEY))
    with pytest.raises(ClinicalError, match="CLINICAL_COLUMN_MISSING"):
        deidentify_table(("code", "who", "day"), rows, _pseudonyms(), keep=["whom"])


def test_a_column_that_the_user_has_looked_at_is_kept() -> None:
    rows = [(f"A{n}", f"response number {n} of the four that there are") for n in (1, 2, 3)]
    assert deidentify_table(("patient_id", "response"), rows, _pseudonyms()).columns == ("patient_id",)
    table = deidentify_table(("patient_id", "response"), rows, _pseudonyms(), keep=["response"])
    assert [row[1] for row in table.rows] == [row[1] for row in rows]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("a", ["1", "2,5", ">100", "n/a"], ColumnKind.NUMBER),
        ("a", ["2020-01-01", "01.02.2020", "3 Mar 2020", "03/04/2020"], ColumnKind.DATE),
        ("a", ["2020-01-01 10:00", "2020-01-02T11:30:15"], ColumnKind.DATETIME),
        ("a", ["10:00", "23:59:59"], ColumnKind.TIME),
        ("diagnosis_year", ["2019", "2020"], ColumnKind.YEAR),
        ("suv_limit", ["2019", "2020"], ColumnKind.NUMBER),
        ("a", ["G1", "G2", "G1", "G2"], ColumnKind.CATEGORY),
        ("a", ["one", "two", "three", "four"], ColumnKind.FREE_TEXT),
        ("a", ["", "n/a", "Not Collected"], ColumnKind.EMPTY),
    ],
)
def test_kinds_of_columns(name: str, cells: list[str], kind: ColumnKind) -> None:
    (column,) = describe_columns([name], [[cell] for cell in cells], ClinicalSpec("id"))
    assert column.kind is kind


def test_words_of_a_name() -> None:
    assert words_of("lastFollowUp_date2 (OS)") == ("last", "follow", "up", "date", "2", "os")
    assert words_of("GEBURTSDATUM") == ("geburtsdatum",)
