"""Clinical overrides: the net dose by hand, every replacement recorded, implausible values refused by their column."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.clinical.spec import ClinicalSpec
from petct.dicom.images import PetHeader, PetSeries, PetSlice
from petct.errors import ClinicalError, SuvError
from petct.image.volume import Geometry, Volume
from petct.suv.compute import compute_suv
from petct.suv.override_cells import Quantity, SuvOverrides, SuvOverrideSpec, read_overrides
from petct.suv.policy import SuvPolicy
from petct.suv.result import SuvResult

INJECTION, SCAN = datetime(2025, 1, 1, 10), datetime(2025, 1, 1, 11)
F18 = 6586.2
RATE = math.log(2) / F18
SPEC = SuvOverrideSpec(
    measured_activity=Quantity("full_mbq", "MBq"),
    measured_time="full_at",
    residual_activity=Quantity("rest_mbq", "MBq"),
    residual_time="rest_at",
    injection_time="injected_at",
    weight=Quantity("weight", "kg"),
    height=Quantity("height_cm", "cm"),
    scan_date="scan_day",
)
CLINICAL = ClinicalSpec("id")
EMPTY = {"id": "P1", **dict.fromkeys(SPEC.columns(), "")}
HEADER = PetHeader(
    manufacturer="SIEMENS",
    manufacturer_model_name=None,
    reconstruction_method=None,
    image_type=("ORIGINAL", "PRIMARY"),
    corrected_image=("ATTN", "DECY"),
    units="BQML",
    suv_type=None,
    decay_correction="START",
    sex="F",
    weight=70.0,
    size=1.75,
    n_radiopharmaceuticals=1,
    total_dose=400e6,
    half_life_s=F18,
    nuclide_code="C-111A1",
    nuclide_meaning=None,
    start_time=time(10),
    start_datetime=INJECTION,
    series_time=time(11),
)
SLICE = PetSlice("1.2", SCAN, "AcquisitionDate", 300.0, 0.0, None, 1.0)


def _series(**changes: object) -> PetSeries:
    volume = Volume(np.full((1, 2, 2), 5000.0), Geometry((1, 2, 2), (4, 4, 4), (0, 0, 0)))
    return PetSeries("P1", "1.2.3", volume, (SLICE,), replace(HEADER, **changes))


def _read(**cells: str) -> SuvOverrides:
    return read_overrides(EMPTY | cells, SPEC, CLINICAL)


def _suv(result: SuvResult) -> float:
    return float(result.volume.array[0, 0, 0])


def _codes(result: SuvResult) -> list[str]:
    return [adaptation.code for adaptation in result.adaptations]


BASE = _suv(compute_suv(_series(), "scan"))


def test_net_dose_by_hand() -> None:
    """400 MBq at 9:30 and 8 MBq at 10:10, 18F, injected at 10:00: 330.970 - 8.521 = 322.449 MBq."""
    overrides = _read(full_mbq="400", full_at="2025-01-01 09:30", rest_mbq="8,0", rest_at="10:10")
    result = compute_suv(_series(), "scan", overrides=overrides)
    net = 400e6 * 2 ** (-1800 / F18) - 8e6 * 2 ** (600 / F18)
    assert net == pytest.approx(322.449e6, rel=1e-5)
    assert result.facts.injected_dose_bq == pytest.approx(net, rel=1e-12)
    assert _suv(result) == pytest.approx(BASE * 400e6 / net, rel=1e-6)
    assert _codes(result) == ["SUV_SYRINGE_MEASURED", "SUV_SYRINGE_RESIDUAL", "SUV_DOSE_OVERRIDDEN"]
    measured, residual, dose = result.adaptations
    assert (measured.keyword, measured.value_from) == ("full_mbq", "400")
    assert (residual.keyword, residual.value_from) == ("rest_mbq", "8,0")
    assert (dose.keyword, dose.value_from, float(dose.value_to)) == ("RadionuclideTotalDose", "400000000.0", net)


def test_the_residual_alone_is_taken_from_the_dose_of_the_header() -> None:
    result = compute_suv(_series(), "scan", overrides=_read(rest_mbq="20", rest_at="2025-01-01 10:00"))
    assert result.facts.injected_dose_bq == pytest.approx(380e6)
    in_mbq = compute_suv(_series(total_dose=400.0), "scan", overrides=_read(rest_mbq="20", rest_at="10:00"))
    assert in_mbq.facts.injected_dose_bq == pytest.approx(380e6)
    assert _codes(in_mbq) == ["SUV_DOSE_MBQ", "SUV_SYRINGE_RESIDUAL", "SUV_DOSE_OVERRIDDEN"]
    with pytest.raises(SuvError, match="SUV_DOSE_MBQ"):
        compute_suv(_series(total_dose=400.0), "scan", SuvPolicy.STRICT, _read(rest_mbq="20", rest_at="10:00"))


def test_weight_height_and_the_time_of_the_injection() -> None:
    result = compute_suv(_series(), "scan", overrides=_read(weight="84", height_cm="168", injected_at="09:40"))
    assert _suv(result) == pytest.approx(BASE * 84 / 70 * math.exp(RATE * 1200), rel=1e-6)
    assert (result.facts.patient_weight_kg, result.facts.patient_size_m) == (84, 1.68)
    assert result.facts.administration_datetime == datetime(2025, 1, 1, 9, 40)
    assert _codes(result) == ["SUV_WEIGHT_OVERRIDDEN", "SUV_SIZE_OVERRIDDEN", "SUV_INJECTION_OVERRIDDEN"]
    assert [(a.value_from, a.value_to) for a in result.adaptations[:2]] == [("70", "84"), ("1.75", "1.68")]


def test_what_the_header_lacks_comes_from_the_chart() -> None:
    series = _series(weight=None, total_dose=None, start_datetime=None, start_time=None)
    cells = {"weight": "70", "full_mbq": "400", "full_at": "10:00", "injected_at": "2025-01-01 10:00"}
    assert _suv(compute_suv(series, "scan", overrides=_read(**cells))) == pytest.approx(BASE, rel=1e-6)
    strict = compute_suv(series, "scan", SuvPolicy.STRICT, _read(**cells))
    assert _suv(strict) == pytest.approx(BASE, rel=1e-6)
    with pytest.raises(SuvError, match=r"SUV_OVERRIDE_INJECTION_UNKNOWN.*full_mbq"):
        compute_suv(series, "scan", overrides=_read(weight="70", full_mbq="400", full_at="10:00"))


def test_times_of_day_may_lie_on_the_other_side_of_midnight() -> None:
    late = datetime(2025, 1, 2, 0, 10)
    series = replace(
        _series(start_datetime=late, start_time=late.time(), series_time=time(1, 10)),
        slices=(replace(SLICE, acquisition=datetime(2025, 1, 2, 1, 10)),),
    )
    result = compute_suv(series, "scan", overrides=_read(full_mbq="400", full_at="23:40"))
    assert result.facts.injected_dose_bq == pytest.approx(400e6 * 2 ** (-1800 / F18))
    result = compute_suv(series, "scan", overrides=_read(injected_at="23:50"))
    assert result.facts.administration_datetime == datetime(2025, 1, 1, 23, 50)


@given(st.floats(50, 1000), st.floats(0, 0.4), st.integers(0, 7200), st.integers(0, 7200))
def test_suv_is_inverse_in_the_net_dose(full: float, share: float, before: int, after: int) -> None:
    full_bq, rest_bq = full * 1e6, full * share * 1e6 * 2 ** (-(before + after) / F18)
    cells = {
        "full_mbq": f"{full_bq / 1e6:.9f}",
        "full_at": str(datetime.fromtimestamp(INJECTION.timestamp() - before)),
        "rest_mbq": f"{rest_bq / 1e6:.9f}",
        "rest_at": str(datetime.fromtimestamp(INJECTION.timestamp() + after)),
    }
    result = compute_suv(_series(), "scan", overrides=_read(**cells))
    net = full_bq * 2 ** (-before / F18) * (1 - share)
    assert _suv(result) == pytest.approx(BASE * 400e6 / net, rel=1e-5)


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"weight": "7000"}, "SUV_OVERRIDE_IMPLAUSIBLE", "weight"),
        ({"weight": "-70"}, "SUV_OVERRIDE_IMPLAUSIBLE", "weight"),
        ({"weight": "heavy"}, "CLINICAL_NUMBER_INVALID", "weight"),
        ({"weight": ">100"}, "CLINICAL_NUMBER_BOUND", "weight"),
        ({"height_cm": "1.75"}, "SUV_OVERRIDE_IMPLAUSIBLE", "height_cm"),
        ({"full_mbq": "400000000", "full_at": "09:00"}, "SUV_OVERRIDE_IMPLAUSIBLE", "full_mbq"),
        ({"full_mbq": "0", "full_at": "09:00"}, "SUV_OVERRIDE_IMPLAUSIBLE", "full_mbq"),
        ({"full_mbq": "400"}, "SUV_OVERRIDE_TIME_MISSING", "full_at"),
        ({"rest_mbq": "4", "rest_at": "n/a"}, "SUV_OVERRIDE_TIME_MISSING", "rest_at"),
        ({"rest_mbq": "-1", "rest_at": "10:10"}, "SUV_OVERRIDE_IMPLAUSIBLE", "rest_mbq"),
        ({"full_mbq": "400", "full_at": "morning"}, "CLINICAL_TIME_INVALID", "full_at"),
        ({"full_mbq": "400", "full_at": "25:00"}, "CLINICAL_TIME_INVALID", "full_at"),
        ({"full_mbq": "400", "full_at": "03/04/2025 09:00"}, "CLINICAL_DATE_AMBIGUOUS", "full_at"),
        ({"injected_at": "2025-02-30 10:00"}, "CLINICAL_DATE_INVALID", "injected_at"),
        ({"scan_day": "soon", "weight": "70"}, "CLINICAL_DATE_INVALID", "scan_day"),
    ],
)
def test_cells_that_are_refused(cells: dict[str, str], code: str, column: str) -> None:
    with pytest.raises(ClinicalError) as refused:
        _read(**cells)
    assert (refused.value.code, refused.value.keyword, refused.value.patient_id) == (code, column, "P1")


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"full_mbq": "400", "full_at": "10:30"}, "SUV_OVERRIDE_TIME_IMPLAUSIBLE", "full_at"),
        ({"full_mbq": "400", "full_at": "2024-12-31 09:30"}, "SUV_OVERRIDE_TIME_IMPLAUSIBLE", "full_at"),
        ({"rest_mbq": "4", "rest_at": "09:30"}, "SUV_OVERRIDE_TIME_IMPLAUSIBLE", "rest_at"),
        ({"rest_mbq": "200", "rest_at": "10:00"}, "SUV_OVERRIDE_RESIDUAL_IMPLAUSIBLE", "rest_mbq"),
    ],
)
def test_overrides_that_contradict_the_injection(cells: dict[str, str], code: str, column: str) -> None:
    with pytest.raises(SuvError) as refused:
        compute_suv(_series(), "scan", overrides=_read(**cells))
    assert (refused.value.code, refused.value.keyword) == (code, column)


def test_a_time_of_day_is_no_injection_of_a_nuclide_that_is_imaged_days_later() -> None:
    copper = {"half_life_s": 45720.0, "nuclide_code": "C-127A2", "start_datetime": datetime(2024, 12, 31, 10)}
    with pytest.raises(SuvError, match="SUV_OVERRIDE_INJECTION_UNKNOWN") as refused:
        compute_suv(_series(**copper), "scan", overrides=_read(injected_at="10:00"))
    assert (refused.value.keyword, refused.value.found) == ("injected_at", "10:00")
    dated = compute_suv(_series(**copper), "scan", overrides=_read(injected_at="2024-12-31 10:00"))
    assert dated.facts.uptake_duration_s == 25 * 3600


def test_an_image_that_is_an_suv_already_keeps_what_it_was_divided_by() -> None:
    series = _series(units="GML")
    same = compute_suv(series, "scan", overrides=_read(weight="70.2", height_cm="175"))
    assert np.array_equal(same.volume.array, compute_suv(series, "scan").volume.array)
    assert same.adaptations == ()
    for cells in ({"weight": "84"}, {"rest_mbq": "4", "rest_at": "10:10"}, {"injected_at": "09:30"}):
        with pytest.raises(SuvError, match="SUV_OVERRIDE_NOT_APPLICABLE"):
            compute_suv(series, "scan", overrides=_read(**cells))


def test_a_chart_that_differs_much_from_the_header_is_a_finding() -> None:
    result = compute_suv(_series(), "scan", overrides=_read(weight="107"))
    assert [finding.code for finding in result.findings] == ["SUV_OVERRIDE_DIFFERS"]
    assert "weight" in result.findings[0].message


def test_which_scan_a_row_is_about() -> None:
    dated, undated = _read(weight="70", scan_day="2025-01-01"), _read(weight="70")
    assert dated.of_scan(date(2025, 1, 1), 2) == dated
    assert dated.of_scan(date(2025, 3, 1), 2).is_empty()
    assert dated.of_scan(date(2025, 3, 1), 1).is_empty()
    assert undated.of_scan(date(2025, 3, 1), 1) == undated
    assert _read().of_scan(None, 2).is_empty()
    with pytest.raises(ClinicalError, match="SUV_OVERRIDE_SCAN_AMBIGUOUS"):
        undated.of_scan(date(2025, 1, 1), 2)
