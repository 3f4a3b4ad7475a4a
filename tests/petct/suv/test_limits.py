"""The limits of the SUV's rules, each at the last value on its one side and the first on the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from petct.errors import SuvError
from petct.suv.compute import compute_suv
from tests.petct.suv.suv_series import SCAN, SLICE, suv_series

F18 = 6586.2
UNKNOWN_NUCLIDE: dict[str, object] = {"nuclide_code": None, "nuclide_meaning": None}


def _outcome(**changes: object) -> str:
    """``value``, the codes of the adaptations, or the code of the refusal."""
    try:
        result = compute_suv(suv_series(**changes), "scan")
    except SuvError as error:
        is_placed = error.keyword is not None and error.series_instance_uid == "1.2.3"
        return error.code if is_placed else f"{error.code} without a place"
    return " ".join(row.code for row in result.adaptations) or "value"


@pytest.mark.parametrize(
    ("uptake", "expected"),
    [
        (-3600, "value"),
        (-3600.001, "SUV_UPTAKE_IMPLAUSIBLE"),
        (0, "value"),
        (2 * F18 - 1, "value"),
        (2 * F18, "SUV_ADMINISTRATION_DATE_REBUILT"),
        (4 * F18 - 0.1, "SUV_ADMINISTRATION_DATE_REBUILT"),
        (4 * F18 + 0.1, "SUV_UPTAKE_IMPLAUSIBLE"),
    ],
)
def test_uptake_of_a_stated_administration(uptake: float, expected: str) -> None:
    assert _outcome(start_datetime=SCAN - timedelta(seconds=uptake), start_time=None) == expected


@pytest.mark.parametrize(
    ("uptake", "expected"),
    [
        (-1, "SUV_UPTAKE_IMPLAUSIBLE"),
        (-30, "SUV_UPTAKE_IMPLAUSIBLE"),
        (0, "SUV_ADMINISTRATION_DATE_REBUILT"),
        (4 * F18 - 0.1, "SUV_ADMINISTRATION_DATE_REBUILT"),
        (4 * F18 + 0.1, "SUV_UPTAKE_IMPLAUSIBLE"),
    ],
)
def test_uptake_of_a_time_of_day(uptake: float, expected: str) -> None:
    injected = (SCAN - timedelta(seconds=uptake)).time()
    assert _outcome(start_datetime=None, start_time=injected) == expected


@pytest.mark.parametrize(
    ("half_life", "nuclide", "expected"),
    [
        (41399.9, UNKNOWN_NUCLIDE, "SUV_ADMINISTRATION_DATE_REBUILT"),
        (41400.0, UNKNOWN_NUCLIDE, "SUV_ADMINISTRATION_DATE_UNKNOWN"),
        (45720.0, {"nuclide_code": "C-127A2", "nuclide_meaning": None}, "SUV_ADMINISTRATION_DATE_UNKNOWN"),
    ],
)
def test_half_life_below_which_a_date_is_rebuilt(half_life: float, nuclide: dict[str, object], expected: str) -> None:
    assert _outcome(half_life_s=half_life, **nuclide, start_datetime=None) == expected


@pytest.mark.parametrize(
    ("half_life", "expected"),
    [
        (F18 * 0.9801, "value"),
        (F18 * 0.9799, "SUV_HALF_LIFE_MISMATCH"),
        (F18 * 1.0199, "value"),
        (F18 * 1.0201, "SUV_HALF_LIFE_MISMATCH"),
    ],
)
def test_half_life_of_the_nuclide(half_life: float, expected: str) -> None:
    assert _outcome(half_life_s=half_life) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"total_dose": 9999.9}, "SUV_DOSE_MBQ"),
        ({"total_dose": 1e4}, "value"),
        ({"total_dose": 0.0}, "SUV_DOSE_MISSING"),
        ({"weight": 1000.0}, "value"),
        ({"weight": 1000.1}, "SUV_WEIGHT_GRAMS"),
        ({"weight": 1e6}, "SUV_WEIGHT_GRAMS"),
        ({"weight": 1e6 + 1}, "SUV_WEIGHT_IMPLAUSIBLE"),
        ({"size": 3.0}, "value"),
        ({"size": 3.01}, "SUV_SIZE_CENTIMETRES"),
    ],
)
def test_units_of_dose_weight_and_height(changes: dict[str, object], expected: str) -> None:
    assert _outcome(**changes) == expected


@pytest.mark.parametrize(
    ("apart", "expected"),
    [(12 * 3600, "value"), (12 * 3600 + 1, "SUV_ACQUISITION_TIMES_APART")],
)
def test_slices_of_one_scan(apart: int, expected: str) -> None:
    later = replace(SLICE, acquisition=SCAN + timedelta(seconds=apart))
    assert _outcome(slices=(SLICE, later)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.999999, "value"),
        (1, "SUV_REFERENCE_FROM_FRAME_START"),
        (-0.000001, "SUV_REFERENCE_FROM_FRAME_START"),
    ],
)
def test_the_series_time_is_the_acquisitions_to_the_second(seconds: float, expected: str) -> None:
    first = SCAN + timedelta(seconds=seconds)
    assert _outcome(acquisition=first, frame_reference_s=0.0, manufacturer="GE MEDICAL SYSTEMS") == expected
