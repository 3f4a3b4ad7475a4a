"""SUV rules one by one, on series made in memory: values by formula, adaptations, and a table of refusals."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.dicom.images import PetSeries
from petct.errors import SuvError
from petct.suv.compute import compute_suv
from petct.suv.result import SuvResult
from tests.petct.suv.suv_series import INJECTION, LAMBDA, ONE_SUV, SCAN, SLICE, suv_series


def _suv(series: PetSeries) -> float:
    result = compute_suv(series, "scan")
    assert np.ptp(result.volume.array) == 0
    return float(result.volume.array[0, 0, 0])


def _codes(result: SuvResult) -> list[str]:
    return [adaptation.code for adaptation in result.adaptations]


def test_the_straight_path() -> None:
    result = compute_suv(suv_series(), "scan")
    assert result.volume.array.dtype == np.float32
    assert result.volume.array == pytest.approx(1.0)
    assert (result.adaptations, result.findings) == ((), ())
    record = result.record("digest")
    assert (record.patient_id, record.scan_id, record.series_instance_uid) == ("P1", "scan", "1.2.3")
    assert (record.radionuclide, record.uptake_duration_s, record.suv_image_sha256) == ("18F", 3600, "digest")
    assert record.reference_datetime == SCAN
    assert record.administration_datetime == INJECTION
    assert record.suv_max == pytest.approx(1.0)


@given(st.floats(1, 500), st.floats(2e4, 1e12), st.floats(0.001, 1e6))
def test_suv_is_linear_in_weight_and_activity_and_inverse_in_dose(weight: float, dose: float, value: float) -> None:
    expected = value / ONE_SUV * weight / 70 * 368.08e6 / dose
    assert _suv(suv_series(value, weight=weight, total_dose=dose)) == pytest.approx(expected, rel=1e-6)


@given(st.integers(-40000, 40000), st.integers(0, 86399))
def test_a_common_shift_of_all_times_changes_nothing(days: int, seconds: int) -> None:
    shift = timedelta(days=days // 10, seconds=seconds)
    series = suv_series(
        acquisition=SCAN + shift,
        series_time=(SCAN + shift).time(),
        start_datetime=INJECTION + shift,
        start_time=(INJECTION + shift).time(),
    )
    assert _suv(series) == pytest.approx(1.0, rel=1e-6)


def test_admin_means_no_decay() -> None:
    result = compute_suv(suv_series(decay_correction="ADMIN"), "scan")
    assert result.volume.array == pytest.approx(math.exp(-LAMBDA * 3600))
    assert result.facts.reference_datetime == INJECTION
    assert result.facts.uptake_duration_s == 3600
    without_times = suv_series(decay_correction="ADMIN", start_time=None, start_datetime=None)
    assert compute_suv(without_times, "scan").facts.administration_datetime is None


def test_none_corrects_each_slice_for_its_own_frame() -> None:
    second = replace(SLICE, acquisition=SCAN + timedelta(minutes=30), frame_duration_s=600.0)
    series = suv_series(slices=(SLICE, second), decay_correction="NONE", corrected_image=("ATTN",))
    result = compute_suv(series, "scan")
    for index, (delay, duration) in enumerate([(0, 300), (1800, 600)]):
        x = LAMBDA * duration
        expected = math.exp(LAMBDA * delay) * x / (1 - math.exp(-x))
        assert result.volume.array[index] == pytest.approx(expected)
    assert result.facts.reference_datetime is None
    assert result.findings == ()


@pytest.mark.parametrize(
    ("changes", "code", "factor"),
    [
        ({"total_dose": 368.08}, "SUV_DOSE_MBQ", 1),
        ({"weight": 70000.0}, "SUV_WEIGHT_GRAMS", 1),
        ({"start_datetime": None}, "SUV_ADMINISTRATION_DATE_REBUILT", 1),
        ({"start_datetime": datetime(1900, 1, 1, 10)}, "SUV_ADMINISTRATION_DATE_REBUILT", 1),
        ({"acquisition_date_keyword": "SeriesDate"}, "SUV_ACQUISITION_DATE_SUBSTITUTED", 1),
        ({"scan_start": SCAN - timedelta(days=30)}, "SUV_SCAN_START_IMPLAUSIBLE", 1),
    ],
)
def test_adaptations_are_recorded(changes: dict[str, object], code: str, factor: float) -> None:
    result = compute_suv(suv_series(**changes), "scan")
    assert result.volume.array == pytest.approx(factor)
    assert _codes(result) == [code]
    (row,) = result.adaptations
    assert (row.patient_id, row.scan_id, row.series_instance_uid) == ("P1", "scan", "1.2.3")


def test_the_reference_time_is_the_first_rule_that_applies() -> None:
    later = SCAN + timedelta(minutes=30)

    def reference(**changes: object) -> tuple[datetime | None, list[str]]:
        result = compute_suv(suv_series(**changes), "scan")
        return result.facts.reference_datetime, _codes(result)

    assert reference(acquisition=later, scan_start=SCAN) == (SCAN, [])
    assert reference(acquisition=SCAN.replace(microsecond=700000)) == (SCAN.replace(microsecond=700000), [])
    mean_time = math.log(LAMBDA * 300 / (1 - math.exp(-LAMBDA * 300))) / LAMBDA
    found, codes = reference(acquisition=later, frame_reference_s=1950.0)
    assert found is not None
    assert abs((found - later).total_seconds() - (mean_time - 1950)) < 1e-5
    assert codes == ["SUV_REFERENCE_FROM_FRAME_MEAN"]
    found, codes = reference(acquisition=later, frame_reference_s=1800.0, manufacturer="GE MEDICAL SYSTEMS")
    assert (found, codes) == (SCAN, ["SUV_REFERENCE_FROM_FRAME_START"])


def test_the_earliest_slice_decides() -> None:
    later = replace(SLICE, acquisition=SCAN + timedelta(minutes=5))
    assert compute_suv(suv_series(slices=(later, SLICE, later)), "scan").facts.reference_datetime == SCAN
    # Where all slices repeat one time, the smallest Frame Reference Time is the earliest.
    moved = replace(SLICE, acquisition=SCAN + timedelta(minutes=5), frame_reference_s=600.0)
    first = replace(moved, frame_reference_s=300.0)
    result = compute_suv(suv_series(slices=(moved, first), manufacturer="GE MEDICAL SYSTEMS"), "scan")
    assert result.facts.reference_datetime == SCAN


def test_uptake_over_midnight() -> None:
    night = datetime(2025, 1, 2, 0, 30)
    series = suv_series(acquisition=night, series_time=time(0, 30), start_datetime=None, start_time=time(23, 30))
    assert _suv(series) == pytest.approx(1.0)
    assert compute_suv(series, "scan").facts.administration_datetime == datetime(2025, 1, 1, 23, 30)


def test_an_injection_after_the_start_of_a_dynamic_scan_is_negative_uptake() -> None:
    result = compute_suv(suv_series(start_datetime=SCAN + timedelta(seconds=30)), "scan")
    assert result.facts.uptake_duration_s == -30
    assert result.volume.array == pytest.approx(math.exp(-LAMBDA * 3630), rel=1e-6)


def test_zirconium_with_a_day_of_uptake() -> None:
    half_life = 78.4 * 3600
    series = suv_series(
        half_life_s=half_life,
        nuclide_code="C-168A4",
        nuclide_meaning="^89^Zirconium",
        start_datetime=SCAN - timedelta(hours=60),
        start_time=None,
    )
    expected = ONE_SUV * 70000 / 368.08e6 * 2 ** (60 / 78.4)
    assert _suv(series) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("half_life", [4057.0, 4057.7, 4080.0])
def test_gallium_half_lives_as_vendors_write_them(half_life: float) -> None:
    series = suv_series(half_life_s=half_life, nuclide_code=None, nuclide_meaning="^68^Gallium")
    result = compute_suv(series, "scan")
    assert result.facts.radionuclide == "68Ga"
    expected = ONE_SUV * 70000 / 368.08e6 * 2 ** (3600 / half_life)
    assert result.volume.array == pytest.approx(expected, rel=1e-6)


def test_gml_is_taken_as_it_is_and_needs_no_facts() -> None:
    nothing = {"weight": None, "total_dose": None, "half_life_s": None, "start_time": None, "start_datetime": None}
    result = compute_suv(suv_series(2.5, units="GML", suv_type=None, acquisition=None, **nothing), "scan")
    assert result.volume.array == pytest.approx(2.5)
    assert result.adaptations == ()
    assert (result.facts.half_life_s, result.facts.patient_weight_kg) == (None, None)
    full = compute_suv(suv_series(2.5, units="GML", suv_type="BW"), "scan")
    assert full.facts.uptake_duration_s == 3600


_LEAN = {
    # W 70 kg, H 1.75 m; by hand from the formulas.
    ("LBMJANMA", "M"): 9270 * 70 / (6680 + 216 * 70 / 1.75**2),
    ("LBMJANMA", "F"): 9270 * 70 / (8780 + 244 * 70 / 1.75**2),
    ("LBMJAMES128", "M"): 1.10 * 70 - 128 * 0.16,
    ("LBMJAMES128", "F"): 1.07 * 70 - 148 * 0.16,
    ("IBW", "M"): 48.0 + 1.06 * 23,
    ("IBW", "F"): 45.5 + 0.91 * 23,
}


@pytest.mark.parametrize("suv_type", ["LBMJANMA", "LBMJAMES128", "IBW"])
@pytest.mark.parametrize("sex", ["M", "F", "O"])
def test_other_body_sizes_are_converted(suv_type: str, sex: str) -> None:
    body = (_LEAN[suv_type, "M"] + _LEAN[suv_type, "F"]) / 2 if sex == "O" else _LEAN[suv_type, sex]
    result = compute_suv(suv_series(body / 70, units="GML", suv_type=suv_type, sex=sex, size=175.0), "scan")
    assert result.volume.array == pytest.approx(1.0, rel=1e-6)
    expected = ["SUV_SIZE_CENTIMETRES", *(["SUV_SEX_MEAN"] if sex == "O" else []), "SUV_TYPE_CONVERTED"]
    assert _codes(result) == expected


def test_body_surface_is_converted() -> None:
    area = 0.007184 * 175**0.725 * 70**0.425
    assert _suv(suv_series(area * 1e4 / 70000, units="CM2ML", suv_type="BSA")) == pytest.approx(1.0)
    assert _suv(suv_series(area * 1e4 / 70000, units="CM2ML")) == pytest.approx(1.0)


def test_counts_of_philips() -> None:
    philips = {"units": "CNTS", "manufacturer": "Philips Medical Systems"}
    activity = suv_series(ONE_SUV / 8, philips_activity_factor=8.0, philips_suv_factor=99.0, **philips)
    assert _suv(activity) == pytest.approx(1.0)
    assert _codes(compute_suv(activity, "scan")) == ["SUV_PHILIPS_ACTIVITY_FACTOR"]
    suv = suv_series(4.0, philips_suv_factor=0.25, total_dose=None, **philips)
    assert _suv(suv) == pytest.approx(1.0)
    assert _codes(compute_suv(suv, "scan")) == ["SUV_PHILIPS_SUV_FACTOR"]


_NO_REFERENCE = ("SUV_REFERENCE_TIME_UNKNOWN", "DecayCorrectionDateTime")
_ZR = {"half_life_s": 78.4 * 3600, "nuclide_code": "C-168A4", "nuclide_meaning": None}
_LATER = {"acquisition": SCAN + timedelta(minutes=30)}


@pytest.mark.parametrize(
    ("changes", "code", "keyword"),
    [
        ({"weight": None}, "SUV_WEIGHT_MISSING", "PatientWeight"),
        ({"weight": 0.0}, "SUV_WEIGHT_MISSING", "PatientWeight"),
        ({"weight": 2e6}, "SUV_WEIGHT_IMPLAUSIBLE", "PatientWeight"),
        ({"total_dose": None}, "SUV_DOSE_MISSING", "RadionuclideTotalDose"),
        ({"total_dose": 0.0}, "SUV_DOSE_MISSING", "RadionuclideTotalDose"),
        ({"total_dose": -1.0}, "SUV_DOSE_MISSING", "RadionuclideTotalDose"),
        ({"n_radiopharmaceuticals": 2}, "SUV_SEVERAL_RADIOPHARMACEUTICALS", "RadiopharmaceuticalInformationSequence"),
        ({"half_life_s": None}, "SUV_HALF_LIFE_MISSING", "RadionuclideHalfLife"),
        ({"half_life_s": None, "decay_correction": "ADMIN"}, "SUV_HALF_LIFE_MISSING", "RadionuclideHalfLife"),
        (
            {"half_life_s": 2.34e7, "nuclide_code": "C-131A3", "nuclide_meaning": "68Ga"},
            "SUV_HALF_LIFE_MISMATCH",
            "RadionuclideHalfLife",
        ),
        ({"half_life_s": 6800.0}, "SUV_HALF_LIFE_MISMATCH", "RadionuclideHalfLife"),
        (
            {"half_life_s": 2.34e7, "nuclide_code": "C-128A2", "nuclide_meaning": "^68^Germanium"},
            "SUV_HALF_LIFE_MISMATCH",
            "RadionuclideHalfLife",
        ),
        (
            {"half_life_s": 2.34e7, "nuclide_code": None, "nuclide_meaning": None},
            "SUV_HALF_LIFE_MISMATCH",
            "RadionuclideHalfLife",
        ),
        ({"start_datetime": SCAN - timedelta(days=1, seconds=-1), "decay_correction": "DATETIME"}, *_NO_REFERENCE),
        ({"units": "PROPCNTS"}, "SUV_UNITS_UNSUPPORTED", "Units"),
        ({"units": "CPS"}, "SUV_UNITS_UNSUPPORTED", "Units"),
        ({"units": None}, "SUV_UNITS_UNSUPPORTED", "Units"),
        ({"units": "CNTS"}, "SUV_COUNTS_UNSCALED", "Manufacturer"),
        ({"units": "CNTS", "manufacturer": "Philips"}, "SUV_COUNTS_UNSCALED", "(7053,xx09) Philips"),
        (
            {
                "units": "CNTS",
                "manufacturer": "Philips",
                "philips_suv_factor": 1.0,
                "decay_correction": "NONE",
                "corrected_image": ("ATTN",),
            },
            "SUV_NOT_DECAY_CORRECTED",
            "DecayCorrection",
        ),
        ({"units": "GML", "suv_type": "LBM"}, "SUV_TYPE_UNSUPPORTED", "SUVType"),
        ({"units": "GML", "suv_type": "BSA"}, "SUV_TYPE_UNSUPPORTED", "SUVType"),
        ({"units": "CM2ML", "suv_type": "BW"}, "SUV_TYPE_UNSUPPORTED", "SUVType"),
        ({"units": "GML", "suv_type": "IBW", "sex": None}, "SUV_SEX_MISSING", "PatientSex"),
        ({"units": "GML", "suv_type": "IBW", "sex": "U"}, "SUV_SEX_MISSING", "PatientSex"),
        ({"units": "GML", "suv_type": "IBW", "size": None}, "SUV_SIZE_MISSING", "PatientSize"),
        ({"units": "GML", "suv_type": "IBW", "size": 0.0}, "SUV_SIZE_MISSING", "PatientSize"),
        ({"units": "GML", "suv_type": "IBW", "size": 1750.0}, "SUV_SIZE_IMPLAUSIBLE", "PatientSize"),
        (
            {"units": "GML", "suv_type": "LBMJAMES128", "size": 1.0, "weight": 150.0},
            "SUV_BODY_SIZE_IMPLAUSIBLE",
            "PatientSize",
        ),
        ({"decay_correction": None}, "SUV_DECAY_CORRECTION_UNKNOWN", "DecayCorrection"),
        ({"corrected_image": ("DECY",)}, "SUV_NOT_ATTENUATION_CORRECTED", "CorrectedImage"),
        ({"corrected_image": ("ATTN",)}, "SUV_NOT_DECAY_CORRECTED", "CorrectedImage"),
        (
            {"start_time": None, "start_datetime": None},
            "SUV_ADMINISTRATION_TIME_MISSING",
            "RadiopharmaceuticalStartDateTime",
        ),
        ({**_ZR, "start_datetime": None}, "SUV_ADMINISTRATION_DATE_UNKNOWN", "RadiopharmaceuticalStartTime"),
        (
            {**_ZR, "start_datetime": datetime(1900, 1, 1, 10)},
            "SUV_ADMINISTRATION_DATE_UNKNOWN",
            "RadiopharmaceuticalStartDateTime",
        ),
        (
            {"start_datetime": None, "start_time": time(11, 0, 30)},
            "SUV_UPTAKE_IMPLAUSIBLE",
            "RadiopharmaceuticalStartTime",
        ),
        ({"acquisition": None}, "SUV_ACQUISITION_TIME_MISSING", "AcquisitionTime"),
        ({**_LATER, "frame_reference_s": None}, "SUV_REFERENCE_TIME_UNKNOWN", "FrameReferenceTime"),
        ({**_LATER, "frame_duration_s": None}, "SUV_REFERENCE_TIME_UNKNOWN", "ActualFrameDuration"),
        ({**_LATER, "manufacturer": None}, "SUV_REFERENCE_TIME_UNKNOWN", "Manufacturer"),
        (
            {"decay_correction": "NONE", "corrected_image": ("ATTN",), "frame_duration_s": None},
            "SUV_FRAME_DURATION_MISSING",
            "ActualFrameDuration",
        ),
    ],
)
def test_refusals(changes: dict[str, object], code: str, keyword: str) -> None:
    with pytest.raises(SuvError) as caught:
        compute_suv(suv_series(**changes), "scan")
    assert (caught.value.code, caught.value.keyword) == (code, keyword)
    assert (caught.value.patient_id, caught.value.series_instance_uid) == ("P1", "1.2.3")


def test_a_value_beyond_every_number_is_refused() -> None:
    with pytest.raises(SuvError, match="SUV_NOT_FINITE"):
        compute_suv(suv_series(1e300), "scan")


def test_a_refusal_shows_the_text_of_a_damaged_element() -> None:
    with pytest.raises(SuvError) as caught:
        compute_suv(suv_series(weight=None, damaged=(("PatientWeight", "heavy"),)), "scan")
    assert caught.value.found == "heavy"


def test_times_on_both_sides_of_midnight_without_dates_are_refused() -> None:
    late = replace(SLICE, acquisition=datetime(2025, 1, 1, 23, 55), acquisition_date_keyword="SeriesDate")
    early = replace(late, acquisition=datetime(2025, 1, 1, 0, 5))
    with pytest.raises(SuvError, match="SUV_ACQUISITION_DATE_AMBIGUOUS"):
        compute_suv(suv_series(slices=(late, early)), "scan")


def test_decay_factors_are_checked_against_the_reference_time() -> None:
    x = LAMBDA * 300
    right = x / (1 - math.exp(-x))
    later = replace(SLICE, acquisition=SCAN + timedelta(minutes=5), decay_factor=right * math.exp(x))
    assert compute_suv(suv_series(slices=(replace(SLICE, decay_factor=right), later)), "scan").findings == ()
    wrong = replace(SLICE, decay_factor=1.2)
    (finding,) = compute_suv(suv_series(slices=(wrong, later)), "scan").findings
    assert (finding.code, finding.table_name, finding.scan_id) == ("SUV_DECAY_FACTOR_MISFIT", "suv", "scan")


def test_findings_that_do_not_change_the_value() -> None:
    result = compute_suv(suv_series(nuclide_code="X", nuclide_meaning="something"), "scan")
    assert [finding.code for finding in result.findings] == ["SUV_NUCLIDE_UNKNOWN"]
    result = compute_suv(suv_series(start_time=time(10, 20)), "scan")
    assert [finding.code for finding in result.findings] == ["SUV_ADMINISTRATION_TIMES_DIFFER"]
    assert result.volume.array == pytest.approx(1.0)
