"""OS, PFS and TTP by hand, with and without a data lock, and what is said of their dates."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from petct.clinical.endpoints import endpoint, endpoint_findings
from petct.clinical.rows import parse_patient
from petct.clinical.spec import ClinicalSpec, EndpointSpec, VariableSpec
from petct.errors import ClinicalError

OS = EndpointSpec("OS", "start", ("death",), "seen")
PFS = EndpointSpec("PFS", "start", ("progression", "death"), "seen", unit="month")
TTP = EndpointSpec("TTP", "start", ("progression",), "seen", "death", unit="year")
SPEC = ClinicalSpec("id", (VariableSpec("ki67", "ki67", "number", "%", "limit"),), (OS, PFS, TTP))
#: The day of each event is 2021-01-01 plus so many days.
ROW = {"id": "P1", "start": "2021-01-01", "progression": "", "death": "", "seen": "", "ki67": "5"}


@pytest.mark.parametrize(
    ("dates", "lock", "os", "pfs", "ttp"),
    [
        # Alive and free of progression after 2 years.
        ({"seen": "2023-01-01"}, None, (730, 0), (730, 0), (730, 0)),
        # Progression after 100 days, death after 400.
        ({"progression": "2021-04-11", "death": "2022-02-05"}, None, (400, 1), (100, 1), (100, 1)),
        # Death without progression: an event of PFS, a competing one of TTP.
        ({"death": "2022-02-05"}, None, (400, 1), (400, 1), (400, 2)),
        # The lock on day 364 comes before the death: OS and TTP end there, and progression stands.
        ({"progression": "2021-04-11", "death": "2022-02-05"}, "2021-12-31", (364, 0), (100, 1), (100, 1)),
        # The lock comes before both.
        ({"progression": "2021-04-11", "death": "2022-02-05"}, "2021-03-02", (60, 0), (60, 0), (60, 0)),
        # The event on the very day of the lock is known.
        ({"death": "2022-02-05"}, "2022-02-05", (400, 1), (400, 1), (400, 2)),
        # The follow-up goes on after the lock.
        ({"seen": "2023-01-01"}, "2022-01-01", (365, 0), (365, 0), (365, 0)),
        # The lock is after everything and changes nothing.
        ({"seen": "2023-01-01"}, "2024-01-01", (730, 0), (730, 0), (730, 0)),
    ],
)
def test_times_by_hand(
    dates: dict[str, str],
    lock: str | None,
    os: tuple[int, int],
    pfs: tuple[int, int],
    ttp: tuple[int, int],
) -> None:
    spec = dataclasses.replace(SPEC, data_lock=date.fromisoformat(lock) if lock else None)
    for endpoint_spec, expected in ((OS, os), (PFS, pfs), (TTP, ttp)):
        record = endpoint({**ROW, **dates}, spec, endpoint_spec, [], 90)
        assert (record.duration_days, record.event) == expected
        days = {"OS": 1.0, "PFS": 30.4375, "TTP": 365.25}[record.endpoint]
        assert record.duration == pytest.approx(record.duration_days / days)
        assert record.unit == endpoint_spec.unit


@pytest.mark.parametrize(
    ("dates", "lock", "endpoint_spec", "codes"),
    [
        ({"seen": "2023-01-01"}, None, OS, []),
        ({"seen": "01.01.2023"}, None, OS, [("CLINICAL_DATE_FORMAT", "seen")]),
        ({"death": "2022-02-05"}, "2021-12-31", OS, [("EVENT_AFTER_DATA_LOCK", "death")]),
        ({"death": "2022-02-05"}, "2021-12-31", TTP, [("COMPETING_AFTER_DATA_LOCK", "death")]),
        ({"seen": "2022-02-05"}, "2021-12-31", OS, [("FOLLOW_UP_AFTER_DATA_LOCK", "seen")]),
        (
            {"progression": "2021-04-11", "death": "2021-04-11"},
            None,
            TTP,
            [("EVENT_AND_COMPETING_SAME_DAY", "progression")],
        ),
        ({"progression": "2021-04-11", "seen": "2021-03-01"}, None, TTP, [("FOLLOW_UP_BEFORE_EVENT", "seen")]),
        ({"death": "2021-04-11", "seen": "2021-03-01"}, None, OS, []),
        ({"death": "2021-01-01"}, None, OS, [("NO_FOLLOW_UP_TIME", "start")]),
    ],
)
def test_what_is_said_of_usable_dates(
    dates: dict[str, str], lock: str | None, endpoint_spec: EndpointSpec, codes: list[tuple[str, str]]
) -> None:
    spec = dataclasses.replace(SPEC, data_lock=date.fromisoformat(lock) if lock else None)
    row = {**ROW, **dates}
    found = endpoint_findings(row, spec, endpoint_spec, endpoint(row, spec, endpoint_spec, [], 90))
    assert [(finding.code, finding.column) for finding in found] == codes
    assert [finding.patient_id for finding in found] == ["P1"] * len(codes)


def test_the_first_event_names_the_column_of_a_refusal() -> None:
    row = {**ROW, "progression": "2020-12-01", "death": "2022-02-05"}
    with pytest.raises(ClinicalError) as refused:
        endpoint(row, SPEC, PFS, [], 90)
    assert (refused.value.code, refused.value.keyword) == ("EVENT_BEFORE_ORIGIN", "progression")


@pytest.mark.parametrize(("text", "value"), [(">30", 30.0), ("≤ 2,5", 2.5), ("<1", 1.0), ("7", 7.0)])
def test_a_bound_is_taken_where_the_variable_says_so(text: str, value: float) -> None:
    parsed = parse_patient({**ROW, "ki67": text}, SPEC)
    assert [v.value_number for v in parsed.values] == [value]
    assert [(a.code, a.value_from) for a in parsed.adaptations] == (
        [] if text == "7" else [("CLINICAL_NUMBER_BOUND", text)]
    )


def test_a_bound_without_a_number_is_refused_all_the_same() -> None:
    (refusal,) = parse_patient({**ROW, "ki67": ">high"}, SPEC).refusals
    assert (refusal.code, refusal.keyword) == ("CLINICAL_NUMBER_INVALID", "ki67")


@pytest.mark.parametrize(
    ("day", "ki67", "codes"),
    [
        ("2020-12-01", "5", []),
        ("2021-01-01", "5", []),
        ("2021-01-31", "5", ["COVARIATE_AFTER_ORIGIN"]),
        ("2021-01-31", "n/a", []),
    ],
)
def test_a_covariate_that_became_known_after_the_origin_is_said(day: str, ki67: str, codes: list[str]) -> None:
    variable = dataclasses.replace(SPEC.variables[0], measured_on="ki67_day")
    spec = dataclasses.replace(SPEC, variables=(variable,))
    assert spec.columns() == ("id", "ki67", "ki67_day", "start", "death", "seen", "progression")
    row = {**ROW, "seen": "2023-01-01", "ki67": ki67, "ki67_day": day}
    found = endpoint_findings(row, spec, OS, endpoint(row, spec, OS, [], 90))
    assert [finding.code for finding in found] == codes
    assert {"30 days after the origin" in finding.message for finding in found} <= {True}
