"""What strict refuses and lenient adapts, dates that are not stated, and the factors to other body sizes."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.errors import SuvError
from petct.suv import body_size
from petct.suv.compute import compute_suv
from petct.suv.policy import REFUSED_WHEN_STRICT, SuvPolicy
from petct.suv.result import SuvResult
from tests.petct.suv.suv_series import F18, INJECTION, LAMBDA, ONE_SUV, SCAN, SLICE, suv_series

ZIRCONIUM = {"half_life_s": 78.4 * 3600, "nuclide_code": "C-168A4", "nuclide_meaning": None}


def _codes(result: SuvResult) -> set[str]:
    return {row.code for row in (*result.adaptations, *result.findings)}


# Each code of the table with a header that raises it, and whether the value hangs on it.
_SLIPS: list[tuple[str, str, dict[str, object]]] = [
    ("SUV_DOSE_MBQ", "RadionuclideTotalDose", {"total_dose": 368.08}),
    ("SUV_WEIGHT_GRAMS", "PatientWeight", {"weight": 70000.0}),
    ("SUV_SIZE_CENTIMETRES", "PatientSize", {"units": "GML", "suv_type": "IBW", "size": 175.0}),
    ("SUV_SEX_MEAN", "PatientSex", {"units": "GML", "suv_type": "IBW", "sex": "O"}),
    ("SUV_ADMINISTRATION_DATE_REBUILT", "RadiopharmaceuticalStartTime", {"start_datetime": None}),
    ("SUV_ACQUISITION_DATE_SUBSTITUTED", "AcquisitionDate", {"acquisition_date_keyword": "SeriesDate"}),
    (
        "SUV_ACQUISITION_DATE_UNKNOWN",
        "AcquisitionDate",
        {"acquisition_date_keyword": None, "acquisition": datetime(1900, 1, 1, 11)},
    ),
    (
        "SUV_CORRECTIONS_NOT_STATED",
        "CorrectedImage",
        {"units": "GML", "corrected_image": (), "image_type": ("DERIVED",)},
    ),
    ("SUV_SCAN_START_IMPLAUSIBLE", "ScanStart (private)", {"scan_start": SCAN - timedelta(days=30)}),
    ("SUV_ADMINISTRATION_TIMES_DIFFER", "RadiopharmaceuticalStartTime", {"start_time": time(10, 20)}),
    (
        "SUV_DECAY_CORRECTION_CONTRADICTORY",
        "DecayCorrection",
        {"decay_correction": "NONE", "corrected_image": ("ATTN", "DECY")},
    ),
    ("SUV_DECAY_FACTOR_MISFIT", "DecayFactor", {"decay_factor": 1.5}),
    (
        "SUV_FRAME_REFERENCE_MISFIT",
        "FrameReferenceDateTime",
        {"decay_correction": "NONE", "corrected_image": ("ATTN",), "frame_reference": SCAN},
    ),
    ("SUV_NUCLIDE_UNKNOWN", "RadionuclideCodeSequence", {"nuclide_code": "X", "nuclide_meaning": None}),
]


@pytest.mark.parametrize(("code", "keyword", "changes"), _SLIPS)
def test_strict_refuses_what_lenient_records(code: str, keyword: str, changes: dict[str, object]) -> None:
    series = suv_series(**changes)
    lenient = compute_suv(series, "scan")
    assert code in _codes(lenient)
    assert lenient.record("digest").policy == "lenient"
    with pytest.raises(SuvError) as caught:
        compute_suv(series, "scan", SuvPolicy.STRICT)
    assert (caught.value.code, caught.value.keyword) == (code, keyword)
    assert (caught.value.patient_id, caught.value.series_instance_uid) == ("P1", "1.2.3")
    assert caught.value.hint is not None
    assert "lenient" in caught.value.hint


def test_a_scan_start_that_varies_is_refused_when_strict() -> None:
    slices = (SLICE, suv_series(scan_start=SCAN).slices[0], suv_series(scan_start=SCAN + timedelta(60)).slices[0])
    assert "SUV_SCAN_START_VARIES" in _codes(compute_suv(suv_series(slices=slices), "scan"))
    with pytest.raises(SuvError, match="SUV_SCAN_START_VARIES"):
        compute_suv(suv_series(slices=slices), "scan", SuvPolicy.STRICT)


def test_every_code_that_strict_refuses_is_shown_here() -> None:
    assert {code for code, _, _ in _SLIPS} | {"SUV_SCAN_START_VARIES"} == set(REFUSED_WHEN_STRICT)


def test_strict_gives_the_same_value_where_nothing_is_assumed() -> None:
    later = {"acquisition": SCAN + timedelta(minutes=30), "frame_reference_s": 1950.0}
    for changes in ({}, later, {"units": "GML", "suv_type": "LBMJANMA"}):
        series = suv_series(**changes)
        strict, lenient = compute_suv(series, "scan", SuvPolicy.STRICT), compute_suv(series, "scan")
        assert strict.volume.array.tobytes() == lenient.volume.array.tobytes()
        assert strict.record("digest").policy == "strict"


def test_strict_keeps_the_suv_where_only_a_body_size_would_be_assumed() -> None:
    result = compute_suv(suv_series(sex="O"), "scan", SuvPolicy.STRICT)
    assert result.volume.array == pytest.approx(1.0)
    assert (result.factors.sul_janma_per_suv_bw, result.factors.body_size_reason) == (None, "SUV_SEX_MEAN")
    assert result.factors.suv_bsa_per_suv_bw is not None


def test_times_of_day_are_enough_where_no_date_is_stated() -> None:
    unknown = {"acquisition_date_keyword": None, "acquisition": datetime(1900, 1, 1, 0, 30), "series_time": time(0, 30)}
    series = suv_series(**unknown, start_datetime=None, start_time=time(23, 30))
    result = compute_suv(series, "scan")
    assert result.volume.array == pytest.approx(1.0)
    assert result.facts.uptake_duration_s == 3600
    # What is not known is not invented.
    assert (result.facts.administration_datetime, result.facts.reference_datetime) == (None, None)
    assert series.acquisition_date is None
    assert suv_series().acquisition_date == date(2025, 1, 1)
    with pytest.raises(SuvError, match="SUV_ADMINISTRATION_DATE_UNKNOWN"):
        compute_suv(suv_series(**unknown, **ZIRCONIUM, start_time=time(23, 30)), "scan")


@pytest.mark.parametrize(("uptake", "rebuilt"), [(-3600.0, False), (-3601.0, True), (2 * F18, True)])
def test_the_window_of_a_stated_administration_is_half_open(uptake: float, rebuilt: bool) -> None:
    administration = SCAN - timedelta(seconds=uptake)
    series = suv_series(start_datetime=administration, start_time=None)
    if uptake < -3600:
        # A time of day after the reference must not become an uptake of a day.
        with pytest.raises(SuvError, match="SUV_UPTAKE_IMPLAUSIBLE"):
            compute_suv(series, "scan")
        return
    result = compute_suv(series, "scan")
    assert ("SUV_ADMINISTRATION_DATE_REBUILT" in _codes(result)) is rebuilt
    assert result.facts.uptake_duration_s == pytest.approx(uptake)


@pytest.mark.parametrize("decay_correction", ["START", "NONE"])
def test_the_day_of_the_study_is_not_that_of_a_scan_days_later(decay_correction: str) -> None:
    """Injected on the day of the study, scanned on the next: with the study's day the uptake is a day too short."""
    stated = {"acquisition_date_keyword": "StudyDate", "decay_correction": decay_correction}
    with pytest.raises(SuvError, match="SUV_ACQUISITION_DATE_AMBIGUOUS") as refused:
        compute_suv(suv_series(**stated, **ZIRCONIUM), "scan")
    assert (refused.value.keyword, refused.value.series_instance_uid) == ("AcquisitionDate", "1.2.3")
    assert "SUV_ACQUISITION_DATE_SUBSTITUTED" in _codes(compute_suv(suv_series(**stated), "scan"))
    compute_suv(suv_series(**ZIRCONIUM, acquisition_date_keyword="SeriesDate"), "scan")


@pytest.mark.parametrize("policy", list(SuvPolicy))
def test_a_scan_start_that_cannot_be_read_is_recorded(policy: SuvPolicy) -> None:
    keyword = "(0071,xx22) SIEMENS MED PT"
    result = compute_suv(suv_series(damaged=((keyword, "eleven"),)), "scan", policy)
    (row,) = [row for row in result.adaptations if row.code == "SUV_SCAN_START_UNREADABLE"]
    assert (row.keyword, row.value_from, row.value_to) == (keyword, "eleven", None)
    assert result.volume.array == pytest.approx(1.0)


_LATE = {"acquisition": SCAN + timedelta(minutes=30), "frame_reference_s": 1950.0}
_CHAINS: list[dict[str, object]] = [
    {"scan_start": SCAN - timedelta(minutes=2)},
    _LATE,
    {**_LATE, "manufacturer": "GE MEDICAL SYSTEMS"},
    {**_LATE, "start_datetime": None},
    {"decay_correction": "NONE", "corrected_image": ("ATTN",)},
    {"decay_correction": "NONE", "corrected_image": ("ATTN",), "frame_reference": SCAN + timedelta(minutes=2)},
    {"decay_correction": "ADMIN"},
    {"decay_correction": "DATETIME", "decay_correction_datetime": SCAN + timedelta(minutes=7)},
]


@given(st.sampled_from(_CHAINS), st.integers(-4000, 4000), st.integers(0, 86399))
def test_no_rule_depends_on_the_calendar_or_the_clock(changes: dict[str, object], days: int, seconds: int) -> None:
    """One shift of all times, the vendors' private ones included, leaves every voxel as it was."""
    shift = timedelta(days=days, seconds=seconds)
    stated: dict[str, object] = {
        "acquisition": SCAN,
        "start_datetime": INJECTION,
        "start_time": INJECTION.time(),
        "series_time": SCAN.time(),
        **changes,
    }
    shifted: dict[str, object] = {}
    for name, value in stated.items():
        if isinstance(value, datetime):
            shifted[name] = value + shift
        elif isinstance(value, time):
            shifted[name] = (datetime.combine(SCAN.date(), value) + shift).time()
        else:
            shifted[name] = value
    before, after = compute_suv(suv_series(**stated), "scan"), compute_suv(suv_series(**shifted), "scan")
    assert after.volume.array == pytest.approx(before.volume.array, rel=1e-6)
    assert after.facts.uptake_duration_s == before.facts.uptake_duration_s
    assert [row.code for row in after.adaptations] == [row.code for row in before.adaptations]


def test_enhanced_pet_is_corrected_to_the_stated_time() -> None:
    to = INJECTION + timedelta(minutes=90)
    series = suv_series(decay_correction="DATETIME", decay_correction_datetime=to)
    result = compute_suv(series, "scan")
    assert result.volume.array == pytest.approx(math.exp(LAMBDA * 1800))
    assert result.facts.reference_datetime == to


@given(st.floats(40, 150), st.floats(1.5, 2.0), st.sampled_from("MFO"))
def test_factors_turn_suv_into_that_of_another_body_size(weight: float, size: float, sex: str) -> None:
    factors = compute_suv(suv_series(weight=weight, size=size, sex=sex), "scan").factors
    # C x body size / D = (C x weight / D) x factor.
    lean = body_size.lean_body_mass_janmahasatian_kg(weight, size, sex)
    assert factors.sul_janma_per_suv_bw == pytest.approx(lean / weight)
    assert factors.suv_bsa_per_suv_bw == pytest.approx(
        body_size.body_surface_area_m2(weight, size) * 1e4 / (weight * 1000)
    )
    assert factors.suv_ibw_per_suv_bw == pytest.approx(body_size.ideal_body_weight_kg(size, sex) / weight)
    james = body_size.lean_body_mass_james_kg(weight, size, sex)
    if james > 0:
        assert factors.sul_james_per_suv_bw == pytest.approx(james / weight)
        assert factors.body_size_reason is None
    else:
        assert (factors.sul_james_per_suv_bw, factors.body_size_reason) == (None, "SUV_BODY_SIZE_IMPLAUSIBLE")


@pytest.mark.parametrize(
    ("suv_type", "units", "factor"),
    [
        ("LBMJANMA", "GML", "sul_janma_per_suv_bw"),
        ("LBMJAMES128", "GML", "sul_james_per_suv_bw"),
        ("IBW", "GML", "suv_ibw_per_suv_bw"),
        ("BSA", "CM2ML", "suv_bsa_per_suv_bw"),
    ],
)
def test_a_converted_image_times_its_factor_is_the_image_that_came_in(suv_type: str, units: str, factor: str) -> None:
    result = compute_suv(suv_series(2.5, units=units, suv_type=suv_type), "scan")
    back = result.volume.array * getattr(result.factors, factor)
    assert back == pytest.approx(2.5, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason", "has_surface"),
    [
        ({"size": None}, "SUV_SIZE_MISSING", False),
        ({"size": 0.0}, "SUV_SIZE_MISSING", False),
        ({"sex": None}, "SUV_SEX_MISSING", True),
        ({"units": "GML", "weight": None}, "SUV_WEIGHT_MISSING", False),
    ],
)
def test_a_body_size_that_is_not_stated_is_a_reason(changes: dict[str, object], reason: str, has_surface: bool) -> None:
    result = compute_suv(suv_series(**changes), "scan")
    record = result.record("digest")
    assert record.body_size_reason == reason
    assert record.sul_janma_per_suv_bw is None
    assert (record.suv_bsa_per_suv_bw is not None) is has_surface
    assert result.adaptations == ()


def test_an_adaptation_for_a_factor_is_recorded_once() -> None:
    result = compute_suv(suv_series(ONE_SUV, size=175.0, weight=70000.0), "scan")
    assert [row.code for row in result.adaptations] == ["SUV_WEIGHT_GRAMS", "SUV_SIZE_CENTIMETRES"]
    assert result.facts.patient_size_m == 1.75
