"""Enhanced PET and Legacy Converted Enhanced PET: the same SUV as from single slices, or a coded refusal."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from petct.dicom.enhanced import units_of
from petct.dicom.images import PetSeries
from petct.dicom.index import index_folder
from petct.dicom.series import read_pet
from petct.errors import DicomError, PetctError, SuvError
from petct.suv.compute import compute_suv
from petct.suv.result import SuvResult
from tests.petct.conftest import DicomWriter

LEGACY = "1.2.840.10008.5.1.4.1.1.128.1"
LAMBDA = math.log(2) / 6586.2


def _read(*paths: Path) -> PetSeries:
    return read_pet(list(paths), patient_id="P1", series_instance_uid="1.2.3.1")


def _suv(*paths: Path) -> SuvResult:
    return compute_suv(_read(*paths), "scan")


def test_many_frames_give_the_suv_of_single_slices(dicom: DicomWriter) -> None:
    single = _suv(*dicom.pet(folder="single"))
    many = _suv(dicom.enhanced_pet())
    assert np.array_equal(many.volume.array, single.volume.array)
    assert many.volume.geometry == single.volume.geometry
    assert (many.adaptations, many.findings) == ((), ())
    assert many.facts.decay_correction == "DATETIME"
    assert many.facts.reference_datetime == single.facts.reference_datetime


def test_the_order_of_frames_does_not_matter(dicom: DicomWriter) -> None:
    path = dicom.enhanced_pet()
    before = _suv(path).volume.array
    dataset = dcmread(path)
    dataset.PerFrameFunctionalGroupsSequence = Items(list(dataset.PerFrameFunctionalGroupsSequence)[::-1])
    dataset.PixelData = dataset.pixel_array[::-1].tobytes()
    dataset.save_as(path)
    assert np.array_equal(_suv(path).volume.array, before)


def test_the_index_takes_it_as_the_pet_of_the_scan(dicom: DicomWriter) -> None:
    dicom.enhanced_pet()
    dicom.ct()
    index = index_folder(dicom.root)
    assert {s.series_instance_uid: s.role for s in index.series} == {"1.2.3.1": "PET", "1.2.3.2": "CT"}
    assert index.findings == ()
    dicom.enhanced_pet(edit=lambda ds, _: setattr(ds, "AttenuationCorrected", "NO"))
    series = {s.series_instance_uid: s.set_aside_code for s in index_folder(dicom.root).series}
    assert series["1.2.3.1"] == "NOT_ATTENUATION_CORRECTED"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Bq/ml", ("BQML", None)),
        ("{SUVbw}g/ml", ("GML", "BW")),
        ("g/ml{SUVbw}", ("GML", "BW")),
        ("{SUVlbm(Janma)}g/ml", ("GML", "LBMJANMA")),
        ("{SUVlbm(James128)}g/ml", ("GML", "LBMJAMES128")),
        ("{SUVlbm}g/ml", ("GML", "LBM")),
        ("{SUVibw}g/ml", ("GML", "IBW")),
        ("{SUVbsa}cm2/ml", ("CM2ML", "BSA")),
        ("BQML", ("BQML", None)),
        ("{counts}", (None, "COUNTS")),
        (None, (None, None)),
    ],
)
def test_ucum_codes(code: str | None, expected: tuple[str | None, str | None]) -> None:
    assert units_of(code) == expected


def test_suv_units_are_taken_as_they_are(dicom: DicomWriter) -> None:
    path = dicom.enhanced_pet(units="{SUVbw}g/ml")
    assert np.array_equal(_suv(path).volume.array, _read(path).volume.array.astype(np.float32))


def test_activity_is_preferred_where_both_mappings_are_there(dicom: DicomWriter) -> None:
    expected = _suv(dicom.enhanced_pet()).volume.array

    def add_suv(group: Dataset, _index: int) -> None:
        mapping, unit = Dataset(), Dataset()
        mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 7.0, 0.0
        unit.CodeValue = "{SUVbw}g/ml"
        mapping.MeasurementUnitsCodeSequence = Items([unit])
        group.RealWorldValueMappingSequence = Items([mapping, *group.RealWorldValueMappingSequence])

    assert np.array_equal(_suv(dicom.enhanced_pet(edit_frame=add_suv)).volume.array, expected)


def _rescaled(group: Dataset, index: int) -> None:
    """No real-world mapping: units in Rescale Type."""
    del group.RealWorldValueMappingSequence
    item = Dataset()
    item.RescaleSlope, item.RescaleIntercept, item.RescaleType = 1 + index / 2, 0, "BQML"
    group.PixelValueTransformationSequence = Items([item])


def test_units_of_the_pixel_value_transformation(dicom: DicomWriter) -> None:
    expected = _suv(dicom.enhanced_pet()).volume.array
    assert np.array_equal(_suv(dicom.enhanced_pet(edit_frame=_rescaled)).volume.array, expected)


def test_the_decay_correction_datetime_wins_over_the_series_time(dicom: DicomWriter) -> None:
    def later(dataset: Dataset, _index: int) -> None:
        dataset.SeriesTime = "120000"

    assert np.array_equal(
        _suv(dicom.enhanced_pet(edit=later)).volume.array, _suv(dicom.enhanced_pet(name="pet/other")).volume.array
    )


def _undecayed(dataset: Dataset, _index: int) -> None:
    dataset.DecayCorrected = "NO"
    del dataset.DecayCorrectionDateTime


def _frame_times(*, reference: bool, duration: bool) -> Callable[[Dataset, int], None]:
    def edit(group: Dataset, index: int) -> None:
        content = group.FrameContentSequence[0]
        content.FrameAcquisitionDateTime = f"2025010111{5 * index:02d}00"
        if reference:
            content.FrameReferenceDateTime = f"2025010111{5 * index + 2:02d}30"
        if not duration:
            del content.FrameAcquisitionDuration, content.FrameAcquisitionDateTime

    return edit


def test_without_decay_correction_each_frame_has_its_own_time(dicom: DicomWriter) -> None:
    unit = 70000 / 368.08e6
    from_reference = _suv(dicom.enhanced_pet(edit=_undecayed, edit_frame=_frame_times(reference=True, duration=False)))
    from_duration = _suv(dicom.enhanced_pet(edit=_undecayed, edit_frame=_frame_times(reference=False, duration=True)))
    both = _suv(dicom.enhanced_pet(edit=_undecayed, edit_frame=_frame_times(reference=True, duration=True)))
    for index in range(4):
        stored = dicom.stored(index) * (1 + index / 2) * unit
        expected = stored * math.exp(LAMBDA * (3600 + 300 * index + 150))
        assert from_reference.volume.array[index] == pytest.approx(expected, rel=1e-6)
        x = LAMBDA * 300
        expected = stored * math.exp(LAMBDA * (3600 + 300 * index)) * x / -math.expm1(-x)
        assert from_duration.volume.array[index] == pytest.approx(expected, rel=1e-6)
    assert np.array_equal(both.volume.array, from_reference.volume.array)
    assert both.findings == ()


def test_a_frame_reference_that_is_not_the_mean_time_is_noted(dicom: DicomWriter) -> None:
    def start(group: Dataset, index: int) -> None:
        _frame_times(reference=True, duration=True)(group, index)
        content = group.FrameContentSequence[0]
        content.FrameReferenceDateTime = content.FrameAcquisitionDateTime

    result = _suv(dicom.enhanced_pet(edit=_undecayed, edit_frame=start))
    assert [finding.code for finding in result.findings] == ["SUV_FRAME_REFERENCE_MISFIT"]


def test_a_dose_in_mbq_as_the_enhanced_isotope_module_has_it(dicom: DicomWriter) -> None:
    expected = _suv(dicom.enhanced_pet()).volume.array

    def mbq(dataset: Dataset, _index: int) -> None:
        dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = "368.08"

    result = _suv(dicom.enhanced_pet(edit=mbq))
    assert np.array_equal(result.volume.array, expected)
    assert [adaptation.code for adaptation in result.adaptations] == ["SUV_DOSE_MBQ"]


def _legacy(dataset: Dataset, _index: int) -> None:
    """What a converter of single slices keeps: the elements of the PET Image IOD, some among the unassigned."""
    for keyword in ("AttenuationCorrected", "DecayCorrected", "DecayCorrectionDateTime"):
        delattr(dataset, keyword)
    dataset.Units, dataset.DecayCorrection = "BQML", "START"
    shared = Dataset()
    shared.CorrectedImage = ["ATTN", "DECY"]
    dataset.SharedFunctionalGroupsSequence[0].UnassignedSharedConvertedAttributesSequence = Items([shared])
    for index, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        del group.RealWorldValueMappingSequence
        del group.FrameContentSequence[0].FrameAcquisitionDateTime
        own, rescale = Dataset(), Dataset()
        own.AcquisitionDate, own.AcquisitionTime = "20250101", "110000"
        own.DecayFactor = "1.0158"
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1 + index / 2, 0, "US"
        group.UnassignedPerFrameConvertedAttributesSequence = Items([own])
        group.PixelValueTransformationSequence = Items([rescale])


def test_legacy_converted_pet_keeps_the_rules_of_single_slices(dicom: DicomWriter) -> None:
    single = _suv(*dicom.pet(folder="single"))
    result = _suv(dicom.enhanced_pet(sop_class=LEGACY, edit=_legacy))
    assert np.array_equal(result.volume.array, single.volume.array)
    assert result.facts.decay_correction == "START"
    assert result.findings == ()


def _drop(keyword: str) -> Callable[[Dataset, int], None]:
    return lambda dataset, _index: delattr(dataset, keyword)


def test_refusals(dicom: DicomWriter) -> None:
    with pytest.raises(SuvError) as caught:
        _suv(dicom.enhanced_pet(edit=_drop("DecayCorrectionDateTime")))
    assert (caught.value.code, caught.value.keyword) == ("SUV_REFERENCE_TIME_UNKNOWN", "DecayCorrectionDateTime")
    assert caught.value.series_instance_uid == "1.2.3.1"
    with pytest.raises(SuvError) as caught:
        _suv(dicom.enhanced_pet(edit=_drop("DecayCorrected")))
    assert caught.value.code == "SUV_NOT_DECAY_CORRECTED"
    with pytest.raises(DicomError, match="FRAMES_MISMATCH"):
        _read(dicom.enhanced_pet(edit=_drop("PerFrameFunctionalGroupsSequence")))
    with pytest.raises(DicomError, match="HEADER_VALUE_MISSING"):
        _read(dicom.enhanced_pet(edit_frame=_drop("RealWorldValueMappingSequence")))


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("RealWorldValueIntercept", 1.0, "PET_INTERCEPT_NONZERO"),
        ("RealWorldValueSlope", 0.0, "RESCALE_SLOPE_INVALID"),
        ("RealWorldValueLastValueMapped", 100, "REAL_WORLD_VALUE_RANGE"),
    ],
)
def test_mappings_that_cannot_be_used(dicom: DicomWriter, keyword: str, value: float, code: str) -> None:
    def edit(group: Dataset, _index: int) -> None:
        setattr(group.RealWorldValueMappingSequence[0], keyword, value)

    with pytest.raises(DicomError) as caught:
        _read(dicom.enhanced_pet(edit_frame=edit))
    assert (caught.value.code, caught.value.patient_id) == (code, "P1")


def test_a_dynamic_series_is_not_one_grid(dicom: DicomWriter) -> None:
    def repeated(group: Dataset, index: int) -> None:
        group.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 3 * (index // 2)]

    with pytest.raises(DicomError, match="SLICE_DUPLICATE"):
        _read(dicom.enhanced_pet(edit_frame=repeated))


@pytest.mark.parametrize("legacy", [False, True])
def test_flipped_bits_and_cuts_give_an_suv_or_a_refusal(dicom: DicomWriter, legacy: bool) -> None:
    path = dicom.enhanced_pet(sop_class=LEGACY, edit=_legacy) if legacy else dicom.enhanced_pet()
    data = path.read_bytes()
    random = np.random.default_rng(11)
    refused = 0
    for number in range(60):
        spoiled = bytearray(data)
        if number % 5:
            spoiled[int(random.integers(132, len(data) - 340))] ^= 1 << int(random.integers(8))
        else:
            del spoiled[int(random.integers(132, len(data))) :]
        path.write_bytes(spoiled)
        try:
            assert np.isfinite(_suv(path).volume.array).all()
        except PetctError:
            refused += 1
    assert refused > 15
