"""Roles proposed from names and cells: enough to begin with, and nothing that identifies."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from petct.clinical.proposal import propose_roles, unit_of
from petct.errors import ClinicalError

TABLE = {
    "PatID": ["1001", "1002", "1003"],
    "Name": ["Doe", "Rot", "Blau"],
    "Geburtsdatum": ["1950-01-01", "1951-01-01", "1952-01-01"],
    "therapyStartDate": ["2020-01-01", "01.02.2020", "2020-03-01"],
    "date_of_progression": ["2020-06-01", "", ""],
    "date_of_death": ["", "2021-01-01", ""],
    "last_contact": ["2021-06-01", "", "2021-07-01"],
    "diagnosis": ["2019-01-01", "2019-02-01", "2019-03-01"],
    "Ki67_percent": ["2", ">20", "3,5"],
    "cga_ng_ml": ["100", "n/a", "50"],
    "grade": ["G1", "G2", "G1"],
    "remarks": ["", "none", ""],
    "injected_at": ["10:00", "11:00", "12:30"],
    "nothing": ["", "", ""],
}
ROWS = list(zip(*TABLE.values(), strict=True))


def test_a_table_of_a_clinic() -> None:
    found = propose_roles(list(TABLE), ROWS)
    assert found.patient_id_column == "PatID"
    assert [(v.name, v.kind, v.unit) for v in found.variables] == [
        ("diagnosis", "date", None),
        ("Ki67_percent", "number", "%"),
        ("cga_ng_ml", "number", "ng/ml"),
        ("grade", "category", None),
    ]
    origin, censor = "therapyStartDate", "last_contact"
    assert [
        (e.name, e.origin_column, e.event_columns, e.censor_column, e.competing_column) for e in found.endpoints
    ] == [
        ("OS", origin, ("date_of_death",), censor, None),
        ("PFS", origin, ("date_of_progression", "date_of_death"), censor, None),
        ("TTP", origin, ("date_of_progression",), censor, "date_of_death"),
    ]
    assert [column for column, _ in found.left_out] == ["Name", "Geburtsdatum", "remarks", "injected_at", "nothing"]


def test_a_table_without_ids_or_rows_is_refused() -> None:
    with pytest.raises(ClinicalError, match="CLINICAL_PATIENT_COLUMN_UNKNOWN"):
        propose_roles(["grade", "age"], [("G1", "60"), ("G2", "70")])
    with pytest.raises(ClinicalError, match="CLINICAL_TABLE_EMPTY"):
        propose_roles(["patient_id"], [])


def test_without_an_end_of_follow_up_there_is_no_endpoint() -> None:
    columns = ["patient_id", "therapy_start", "death"]
    found = propose_roles(columns, [("A1", "2020-01-01", "2021-01-01"), ("A2", "2020-01-01", "")])
    assert found.endpoints == ()
    assert [variable.name for variable in found.variables] == ["therapy_start", "death"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("weight_kg", "kg"),
        ("age_years", "year"),
        ("cga_ug_l", "ug/l"),
        ("ki67_percent", "%"),
        ("kg", None),
        ("sex", None),
    ],
)
def test_units_of_names(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit


def test_the_real_table(petlake_data: Path) -> None:
    with (petlake_data / "sts" / "clinical_simulated.csv").open(newline="") as file:
        columns, *rows = csv.reader(file)
    found = propose_roles(columns, rows)
    assert found.patient_id_column == "patient_id"
    assert [(e.name, e.origin_column, e.event_columns, e.censor_column) for e in found.endpoints] == [
        ("OS", "therapy_start_date", ("death_date",), "last_follow_up_date")
    ]
    assert found.left_out == ()
    assert {v.name: v.kind for v in found.variables}["grade"] == "category"
