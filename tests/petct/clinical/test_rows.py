"""The clinical table: typed values, refusals with codes, and the logic of dates."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import pickle
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.clinical.endpoints import endpoint
from petct.clinical.rows import index_rows, parse_patient
from petct.clinical.spec import ClinicalSpec, EndpointSpec, VariableSpec
from petct.clinical.text import read_date, read_number
from petct.errors import ClinicalError
from records.clinical import ClinicalValue
from tests.some import some

OS = EndpointSpec("OS", "origin", ("death",), "last_seen")
PFS = EndpointSpec("PFS", "origin", ("progression",), "last_seen", "death")
SPEC = ClinicalSpec(
    "id",
    (
        VariableSpec("age", "age", "number", "year"),
        VariableSpec("grade", "grade", "category"),
        VariableSpec("diagnosis", "diagnosis", "date"),
    ),
    (OS, PFS),
)
ROW = {
    "id": "P1",
    "age": "67",
    "grade": "G2",
    "diagnosis": "2019-05-01",
    "origin": "2020-01-10",
    "progression": "",
    "death": "",
    "last_seen": "2021-01-09",
}
SCAN = [("scan-1", date(2020, 1, 1))]


@pytest.mark.parametrize(
    ("text", "value", "adaptation"),
    [
        ("12.5", 12.5, None),
        (" 7 ", 7.0, None),
        ("-.5", -0.5, None),
        ("1e3", 1000.0, None),
        ("12,5", 12.5, "CLINICAL_DECIMAL_COMMA"),
        ("0,123", 0.123, "CLINICAL_DECIMAL_COMMA"),
        ("1.234,5", 1234.5, "CLINICAL_DECIMAL_COMMA"),
        ("1,234.5", 1234.5, "CLINICAL_THOUSANDS_COMMA"),
    ],
)
def test_numbers_with_one_meaning_are_read(text: str, value: float, adaptation: str | None) -> None:
    reading = read_number(text)
    assert (reading.value, reading.adaptation) == (value, adaptation)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1,234", "CLINICAL_NUMBER_AMBIGUOUS"),
        (">100", "CLINICAL_NUMBER_BOUND"),
        ("< 5", "CLINICAL_NUMBER_BOUND"),
        ("71 kg", "CLINICAL_NUMBER_INVALID"),
        ("inf", "CLINICAL_NUMBER_INVALID"),
        ("1e999", "CLINICAL_NUMBER_INVALID"),
        ("1_000", "CLINICAL_NUMBER_INVALID"),
        ("١٢", "CLINICAL_NUMBER_INVALID"),
    ],
)
def test_numbers_with_two_meanings_or_none_are_refused(text: str, code: str) -> None:
    with pytest.raises(ClinicalError) as caught:
        read_number(text)
    assert (caught.value.code, caught.value.found) == (code, text)


@pytest.mark.parametrize(
    "text",
    [
        "2020-04-03",
        "2020/04/03",
        "2020-4-3",
        "20200403",
        "03.04.2020",
        "3-Apr-2020",
        "03 April 2020",
        "2020-04-03 00:00:00",
        "2020-04-03T14:30:00",
    ],
)
def test_dates_with_one_meaning_are_read(text: str) -> None:
    reading = read_date(text)
    assert reading.value == date(2020, 4, 3)
    assert (reading.adaptation is None) == (text == "2020-04-03")


def test_a_day_above_twelve_tells_day_from_month() -> None:
    assert read_date("13/04/2020").value == read_date("04/13/2020").value == date(2020, 4, 13)
    assert read_date("05/05/2020").value == date(2020, 5, 5)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("03/04/2020", "CLINICAL_DATE_AMBIGUOUS"),
        ("03-04-2020", "CLINICAL_DATE_AMBIGUOUS"),
        ("03/04/20", "CLINICAL_DATE_INVALID"),
        ("2020-02-30", "CLINICAL_DATE_INVALID"),
        ("2020-04", "CLINICAL_DATE_INVALID"),
        ("43924", "CLINICAL_DATE_INVALID"),
        ("13/13/2020", "CLINICAL_DATE_INVALID"),
        ("3 Foo 2020", "CLINICAL_DATE_INVALID"),
    ],
)
def test_dates_with_two_meanings_or_none_are_refused(text: str, code: str) -> None:
    with pytest.raises(ClinicalError) as caught:
        read_date(text)
    assert caught.value.code == code


@given(st.dates(), st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_plainly_is_read_back(day: date, number: float) -> None:
    assert read_date(day.isoformat()).value == day
    assert read_number(repr(number)).value == number


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_number, read_date):
        with contextlib.suppress(ClinicalError):
            read(text)


def test_values_are_typed_and_one_refusal_leaves_the_others() -> None:
    parsed = parse_patient({**ROW, "age": "67,5", "grade": "Not collected", "diagnosis": "03/04/2019"}, SPEC)
    assert parsed.values == (
        ClinicalValue("P1", "age", "number", 67.5, None, None, "year", "RECORDED"),
        ClinicalValue("P1", "grade", "category", None, None, None, None, "MISSING"),
    )
    (adaptation,) = parsed.adaptations
    assert (adaptation.code, adaptation.value_from, adaptation.value_to) == ("CLINICAL_DECIMAL_COMMA", "67,5", "67.5")
    (refusal,) = parsed.refusals
    assert (refusal.code, refusal.patient_id, refusal.keyword) == ("CLINICAL_DATE_AMBIGUOUS", "P1", "diagnosis")
    assert pickle.loads(pickle.dumps(parsed)).refusals[0].sentence() == refusal.sentence()


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ClinicalError, match="CLINICAL_KIND_UNKNOWN"):
        VariableSpec("age", "age", "integer")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "spec", "expected"),
    [
        ({}, OS, (365, 0)),
        ({"death": "2020-07-28", "last_seen": "2020-07-28"}, OS, (200, 1)),
        ({"death": "2020-07-28", "last_seen": ""}, OS, (200, 1)),
        ({"death": "2020-01-10", "last_seen": "2020-01-10"}, OS, (0, 1)),
        ({"progression": "2020-03-10"}, PFS, (60, 1)),
        ({"death": "2020-03-10", "last_seen": "2020-03-10"}, PFS, (60, 2)),
        ({"progression": "2020-03-10", "death": "2020-03-10"}, PFS, (60, 1)),
        ({"progression": "2020-03-10", "death": "2020-04-10"}, PFS, (60, 1)),
    ],
)
def test_times_run_from_the_origin_to_the_first_event(
    changes: dict[str, str], spec: EndpointSpec, expected: tuple[int, int]
) -> None:
    record = endpoint({**ROW, **changes}, SPEC, spec, SCAN, 90)
    assert (record.duration_days, record.event) == expected
    assert record.end_date - record.origin_date == (record.end_date - date(2020, 1, 10))
    assert (record.baseline_scan_id, record.scan_to_origin_days) == ("scan-1", 9)


@pytest.mark.parametrize(
    ("changes", "spec", "code", "column"),
    [
        ({"origin": ""}, OS, "ORIGIN_MISSING", "origin"),
        ({"origin": "03/04/2020"}, OS, "CLINICAL_DATE_AMBIGUOUS", "origin"),
        ({"death": "2020-01-09"}, OS, "EVENT_BEFORE_ORIGIN", "death"),
        ({"last_seen": "2019-12-31"}, OS, "FOLLOW_UP_BEFORE_ORIGIN", "last_seen"),
        ({"last_seen": "n/a"}, OS, "FOLLOW_UP_MISSING", "last_seen"),
        ({"death": "2020-07-28"}, OS, "FOLLOW_UP_AFTER_DEATH", "last_seen"),
        ({"death": "2020-01-01"}, PFS, "COMPETING_BEFORE_ORIGIN", "death"),
        ({"progression": "2020-05-01", "death": "2020-04-01"}, PFS, "EVENT_AFTER_COMPETING", "progression"),
    ],
)
def test_contradictions_of_dates_are_refused(
    changes: dict[str, str], spec: EndpointSpec, code: str, column: str
) -> None:
    with pytest.raises(ClinicalError) as caught:
        endpoint({**ROW, **changes}, SPEC, spec, SCAN, 90)
    assert (caught.value.code, caught.value.keyword, caught.value.patient_id) == (code, column, "P1")


@pytest.mark.parametrize(
    ("death", "lock", "expected"),
    [
        ("", "2020-06-30", (172, 0)),
        ("2020-07-28", "2020-06-30", (172, 0)),
        ("2020-07-28", "2020-07-28", (200, 1)),
        ("2020-07-28", "2022-01-01", (200, 1)),
    ],
)
def test_the_data_lock_censors(death: str, lock: str, expected: tuple[int, int]) -> None:
    spec = dataclasses.replace(SPEC, data_lock=date.fromisoformat(lock))
    row = {**ROW, "death": death, "last_seen": death or ROW["last_seen"]}
    record = endpoint(row, spec, OS, SCAN, 90)
    assert (record.duration_days, record.event) == expected


def test_an_origin_after_the_data_lock_is_refused() -> None:
    with pytest.raises(ClinicalError, match="ORIGIN_AFTER_DATA_LOCK"):
        endpoint(ROW, dataclasses.replace(SPEC, data_lock=date(2020, 1, 9)), OS, SCAN, 90)


@pytest.mark.parametrize(
    ("scans", "expected"),
    [
        ([("a", date(2019, 12, 1)), ("b", date(2020, 1, 5)), ("c", date(2020, 2, 1))], ("b", 5)),
        ([("b", date(2020, 1, 10)), ("a", date(2020, 1, 10))], ("a", 0)),
        ([("a", None)], (None, None)),
        ([], (None, None)),
    ],
)
def test_the_baseline_is_the_nearest_scan_before_the_origin(
    scans: list[tuple[str, date | None]], expected: tuple[str | None, int | None]
) -> None:
    record = endpoint(ROW, SPEC, OS, scans, 90)
    assert (record.baseline_scan_id, record.scan_to_origin_days) == expected


@pytest.mark.parametrize(
    ("scan", "changes", "code"),
    [
        (date(2020, 1, 11), {}, "SCAN_AFTER_ORIGIN"),
        (date(2019, 10, 11), {}, "SCAN_OUTSIDE_WINDOW"),
        (date(2020, 8, 1), {"death": "2020-07-28", "last_seen": "2020-07-28"}, "SCAN_AFTER_DEATH"),
    ],
)
def test_scans_that_cannot_be_a_baseline_are_refused(scan: date, changes: dict[str, str], code: str) -> None:
    with pytest.raises(ClinicalError) as caught:
        endpoint({**ROW, **changes}, SPEC, OS, [("s", scan)], 90)
    assert caught.value.code == code


def test_a_scan_after_progression_is_no_contradiction() -> None:
    scans = [*SCAN, ("later", date(2020, 6, 1))]
    assert endpoint({**ROW, "progression": "2020-03-10"}, SPEC, PFS, scans, 90).event == 1


@given(st.integers(0, 4000), st.booleans(), st.integers(-500, 5000))
def test_time_is_never_negative_and_never_beyond_the_lock(days: int, died: bool, lock: int) -> None:
    origin = date(2015, 1, 1)
    end = date.fromordinal(origin.toordinal() + days).isoformat()
    spec = dataclasses.replace(SPEC, data_lock=date.fromordinal(origin.toordinal() + lock))
    row = {**ROW, "origin": origin.isoformat(), "death": end if died else "", "last_seen": end}
    if lock < 0:
        with pytest.raises(ClinicalError, match="ORIGIN_AFTER_DATA_LOCK"):
            endpoint(row, spec, OS, [], 90)
        return
    record = endpoint(row, spec, OS, [], 90)
    assert record.duration_days == min(days, lock)
    assert record.event == int(died and days <= lock)


def test_rows_are_indexed_and_duplicates_refused_alone() -> None:
    columns = tuple(ROW)
    rows = [tuple({**ROW, "id": name}.values()) for name in ("P1", "P2", " P3 ", "")]
    rows += [tuple({**ROW, "id": "P2", "grade": "G3"}.values()), tuple({**ROW, "id": "P1", "grade": " G2 "}.values())]
    indexed = index_rows(columns, [*rows, ("",) * len(columns)], SPEC)
    assert list(indexed.rows) == ["P1", "P3"], "P1 stands twice and says the same"
    assert indexed.refusals[-1].found == "2 rows that differ in grade"
    codes = {(refusal.code, refusal.patient_id) for refusal in indexed.refusals}
    assert codes == {("CLINICAL_PATIENT_DUPLICATE", "P2"), ("CLINICAL_PATIENT_MISSING", None)}


def test_a_table_that_does_not_fit_is_refused_with_the_nearest_column() -> None:
    columns = tuple("last seen" if column == "last_seen" else column for column in ROW)
    with pytest.raises(ClinicalError) as caught:
        index_rows(columns, [], SPEC)
    assert (caught.value.code, caught.value.hint) == ("CLINICAL_COLUMN_MISSING", "Did you mean last seen?")
    with pytest.raises(ClinicalError, match="CLINICAL_COLUMN_DUPLICATE"):
        index_rows(("id", "id"), [], SPEC)


def test_the_real_table_gives_every_patient_a_time(petlake_data: Path) -> None:
    with (petlake_data / "sts" / "clinical_simulated.csv").open(newline="") as file:
        columns, *rows = csv.reader(file)
    spec = ClinicalSpec(
        "patient_id",
        (VariableSpec("age", "age_years", "number", "year"), VariableSpec("scan_date", "scan_date", "date")),
        (EndpointSpec("OS", "therapy_start_date", ("death_date",), "last_follow_up_date"),),
    )
    indexed = index_rows(columns, rows, spec)
    assert len(indexed.rows) == 20
    assert indexed.refusals == ()
    for row in some(indexed.rows.values()):
        parsed = parse_patient(row, spec)
        assert parsed.refusals == ()
        assert [value.status for value in parsed.values] == ["RECORDED", "RECORDED"]
        scan = date.fromisoformat(row["scan_date"])
        record = endpoint(row, spec, spec.endpoints[0], [("s", scan)], 90)
        assert record.duration_days > 0
        assert record.event == int(bool(row["death_date"]))
