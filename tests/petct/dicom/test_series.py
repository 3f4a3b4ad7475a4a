"""Reading PET and CT series: values, geometry, header facts, and every refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from petct.dicom.images import PetSeries
from petct.dicom.index import index_folder
from petct.dicom.scans import scan_record, scans_of
from petct.dicom.series import read_ct, read_pet
from petct.errors import DicomError
from tests.petct.conftest import DicomWriter
from tests.some import some


def _read(paths: list[Path]) -> PetSeries:
    return read_pet(paths, patient_id="P1", series_instance_uid="1.2.3.1")


@pytest.mark.parametrize("implicit", [False, True])
def test_pet_values_are_stored_times_the_slope_of_the_slice(dicom: DicomWriter, implicit: bool) -> None:
    dicom.implicit = implicit
    series = _read(dicom.pet()[::-1])
    expected = np.stack([dicom.stored(z) * (1 + z / 2) for z in range(4)])
    assert np.array_equal(series.volume.array, expected)
    assert series.volume.array.dtype == np.float64
    geometry = series.volume.geometry
    assert geometry.shape == (4, 6, 7)
    assert geometry.spacing_mm == (2.0, 2.5, 3.0)
    assert geometry.origin_mm == (-10.0, 20.0, 5.0)
    assert [one.rescale_slope for one in series.slices] == [1, 1.5, 2, 2.5]
    assert [one.sop_instance_uid for one in series.slices] == [f"1.2.3.1.{i}" for i in (1, 2, 3, 4)]


def test_header_facts_are_plain(dicom: DicomWriter) -> None:
    series = _read(dicom.pet())
    header, first = series.header, series.slices[0]
    assert (header.units, header.decay_correction, header.sex) == ("BQML", "START", "F")
    assert (header.weight, header.size, header.total_dose, header.half_life_s) == (70, 1.75, 368080000, 6586.2)
    assert (header.nuclide_code, header.nuclide_meaning) == ("C-111A1", "^18^Fluorine")
    assert header.start_time == time(10)
    assert header.start_datetime == datetime(2025, 1, 1, 10)
    assert header.series_time == time(11)
    assert first.acquisition == datetime(2025, 1, 1, 11)
    assert (first.frame_duration_s, first.frame_reference_s, first.decay_factor) == (300, 0, None)
    assert header.damaged == ()


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_slices_are_sorted_along_the_normal_of_any_orientation(dicom: DicomWriter, turn: int) -> None:
    axes = np.roll(np.eye(3), turn, axis=0)

    def edit(dataset: Dataset, index: int) -> None:
        dataset.ImageOrientationPatient = [*axes[0], *axes[1]]
        dataset.ImagePositionPatient = list(np.array([1.0, 2.0, 3.0]) + (10 - index) * 3 * axes[2])

    series = _read(dicom.pet(edit=edit))
    assert series.volume.array[0, 0, 0] == dicom.stored(3)[0, 0] * 2.5
    points = series.volume.geometry.to_physical(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    assert points[0] == pytest.approx(np.array([1, 2, 3]) + 21 * axes[2])
    assert points[1] - points[0] == pytest.approx(2.0 * axes[0])
    assert points[2] - points[0] == pytest.approx(2.5 * axes[1])
    assert points[3] - points[0] == pytest.approx(3 * axes[2])


def test_ct_is_in_hounsfield_units(dicom: DicomWriter) -> None:
    paths = dicom.ct()
    series = read_ct(paths, patient_id="P1", series_instance_uid="1.2.3.2")
    assert series.volume.array.dtype == np.int16
    assert np.array_equal(series.volume.array, np.stack([dicom.stored(z) for z in range(4)]) - 1024)
    assert series.convolution_kernel == "STANDARD"


def test_a_ct_with_a_broken_slope_stays_exact_as_float(dicom: DicomWriter) -> None:
    paths = dicom.ct(edit=lambda ds, _: setattr(ds, "RescaleSlope", 0.5))
    series = read_ct(paths, patient_id="P1", series_instance_uid="1.2.3.2")
    assert series.volume.array.dtype == np.float32
    assert series.volume.array[0, 0, 1] == -1023.5


def test_bits_above_the_stored_ones_are_dropped_and_the_sign_extended(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, _index: int) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PixelData = (np.full(42, -5, dtype=np.int16) & 0x0FFF | 0x3000).astype("<u2").tobytes()

    assert (_read(dicom.pet(edit=edit)).volume.array[0] == -5).all()


def test_compressed_pixels_are_read(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    plain = _read(paths)
    for path in paths:
        dataset = dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    assert np.array_equal(_read(paths).volume.array, plain.volume.array)


def _private(
    group: int, creator: str, offset: int, vr: str, value: object, element: int = 0x10
) -> Callable[[Dataset, int], None]:
    def edit(dataset: Dataset, _index: int) -> None:
        dataset.add_new((group << 16) | element, "LO", creator)
        dataset.add_new((group << 16) | (element << 8) | offset, vr, value)

    return edit


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("element", [0x10, 0x11, 0xE1])
def test_private_elements_are_found_through_their_creator(dicom: DicomWriter, implicit: bool, element: int) -> None:
    dicom.implicit = implicit
    siemens = _private(0x0071, "SIEMENS MED PT", 0x22, "DT", "20250101105500.5", element)
    assert _read(dicom.pet(folder="s", edit=siemens)).slices[2].scan_start == datetime(2025, 1, 1, 10, 55, 0, 500000)
    ge = _private(0x0009, "GEMS_PETD_01", 0x0D, "DT", "20250101105600", element)
    assert _read(dicom.pet(folder="g", edit=ge)).slices[2].scan_start == datetime(2025, 1, 1, 10, 56)
    philips = _private(0x7053, "Philips PET Private Group", 0x00, "DS", "0.25", element)
    assert _read(dicom.pet(folder="p", edit=philips)).header.philips_suv_factor == 0.25
    other = _private(0x0071, "SOMEBODY ELSE", 0x22, "DT", "20250101105500", element)
    assert _read(dicom.pet(folder="o", edit=other)).slices[2].scan_start is None


def test_a_private_block_that_moves_between_slices_is_still_found(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, index: int) -> None:
        _private(0x0009, "GEMS_PETD_01", 0x0D, "DT", "20250101105600", 0x10 + index)(dataset, index)

    series = _read(dicom.pet(edit=edit))
    assert {one.scan_start for one in series.slices} == {datetime(2025, 1, 1, 10, 56)}


def _counts_of_philips(factor: str, block: int = 0x10) -> Callable[[Dataset, int], None]:
    def edit(dataset: Dataset, index: int) -> None:
        dataset.Units = "CNTS"
        _private(0x7053, "SOMEBODY ELSE" if block != 0x10 else "Philips PET Private Group", 0x09, "DS", "8")(dataset, 0)
        if index == 2:
            _private(0x7053, "Philips PET Private Group", 0x09, "DS", factor, block)(dataset, index)

    return edit


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("factor", "block"), [("16", 0x10), ("8", 0x11), ("16", 0x11)])
def test_a_scale_factor_that_differs_between_slices_is_refused(
    dicom: DicomWriter, factor: str, block: int, reverse: bool
) -> None:
    paths = dicom.pet(edit=_counts_of_philips(factor, block))
    with pytest.raises(DicomError, match="HEADER_INCONSISTENT") as refused:
        _read(paths[::-1] if reverse else paths)
    assert refused.value.keyword == "(7053,xx09) Philips PET Private Group"
    assert refused.value.series_instance_uid == "1.2.3.1"


def test_a_scale_factor_written_in_two_ways_is_one(dicom: DicomWriter) -> None:
    series = _read(dicom.pet(edit=_counts_of_philips("8.0")))
    assert series.header.philips_activity_factor == 8


@pytest.mark.parametrize("block", [0x10, 0x11, 0x25])
def test_a_scan_start_that_only_a_later_file_has_is_found(dicom: DicomWriter, block: int) -> None:
    def edit(dataset: Dataset, index: int) -> None:
        if index != 1:
            _private(0x0071, "SOMEBODY ELSE", 0x22, "DT", "20250101080000")(dataset, index)
        if index == 1 or (index == 2 and block != 0x10):
            _private(0x0071, "SIEMENS MED PT", 0x22, "DT", "20250101105500", block)(dataset, index)

    paths = dicom.pet(edit=edit)
    ahead = _read(paths)
    assert ahead.slices[1].scan_start == datetime(2025, 1, 1, 10, 55)
    assert ahead.slices == _read(paths[::-1]).slices


def test_a_scan_start_in_utc_needs_the_timezone_of_the_other_times(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, index: int) -> None:
        _private(0x0071, "SIEMENS MED PT", 0x22, "DT", "20250101085500+0000")(dataset, index)

    def with_zone(dataset: Dataset, index: int) -> None:
        edit(dataset, index)
        dataset.TimezoneOffsetFromUTC = "+0200"

    series = _read(dicom.pet(folder="a", edit=edit))
    assert {one.scan_start for one in series.slices} == {None}
    assert "(0071,xx22) SIEMENS MED PT" in dict(series.header.damaged)
    located = _read(dicom.pet(folder="b", edit=with_zone))
    assert {one.scan_start for one in located.slices} == {datetime(2025, 1, 1, 10, 55)}


def test_a_damaged_value_is_kept_for_whoever_needs_it(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b"1.75", b"tall"))
    header = _read(paths).header
    assert header.size is None
    assert dict(header.damaged) == {"PatientSize": "tall"}


def test_an_offset_from_utc_needs_the_timezone_of_the_other_times(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, _index: int) -> None:
        dataset.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime = "20250101090000+0000"

    header = _read(dicom.pet(folder="a", edit=edit)).header
    assert header.start_datetime is None
    assert "RadiopharmaceuticalStartDateTime" in dict(header.damaged)

    def edit_both(dataset: Dataset, index: int) -> None:
        edit(dataset, index)
        dataset.TimezoneOffsetFromUTC = "+0100"

    assert _read(dicom.pet(folder="b", edit=edit_both)).header.start_datetime == datetime(2025, 1, 1, 10)


def _at(index: int, keyword: str, value: object) -> Callable[[Dataset, int], None]:
    def edit(dataset: Dataset, i: int) -> None:
        if i == index:
            setattr(dataset, keyword, value)

    return edit


def _gap(dataset: Dataset, index: int) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y, z + (3 if index > 1 else 0)]


def _uneven(dataset: Dataset, index: int) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y, z + 0.1 * index**2]


def _tilt(dataset: Dataset, index: int) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y + index, z]


@pytest.mark.parametrize(
    ("edit", "code", "keyword"),
    [
        (_gap, "SLICE_MISSING", "ImagePositionPatient"),
        (_uneven, "SLICE_SPACING_MIXED", "ImagePositionPatient"),
        (_tilt, "GANTRY_TILT", "ImagePositionPatient"),
        (_at(1, "ImagePositionPatient", [-10, 20, 5]), "SLICE_DUPLICATE", "ImagePositionPatient"),
        (_at(1, "ImageOrientationPatient", [1, 0, 0, 0, 0, 1]), "ORIENTATION_MIXED", "ImageOrientationPatient"),
        (_at(1, "PixelSpacing", [2, 2]), "PIXEL_SPACING_MIXED", "PixelSpacing"),
        (_at(1, "RescaleIntercept", 1), "PET_INTERCEPT_NONZERO", "RescaleIntercept"),
        (_at(1, "RescaleSlope", 0), "RESCALE_SLOPE_INVALID", "RescaleSlope"),
        (_at(1, "RescaleSlope", None), "HEADER_VALUE_MISSING", "RescaleSlope"),
        (_at(1, "PatientWeight", "80"), "HEADER_INCONSISTENT", "PatientWeight"),
        (_at(1, "Units", "CNTS"), "HEADER_INCONSISTENT", "Units"),
        (_at(1, "PatientID", "P2"), "SERIES_FILE_MISPLACED", "PatientID"),
        (_at(1, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.130"), "HEADER_INCONSISTENT", "SOPClassUID"),
        (_at(1, "SamplesPerPixel", 3), "PIXEL_FORMAT_UNSUPPORTED", "SamplesPerPixel"),
        (_at(1, "NumberOfFrames", 2), "PIXEL_FORMAT_UNSUPPORTED", "NumberOfFrames"),
        (_at(1, "PixelData", b"\0" * 20), "PIXELS_TRUNCATED", "PixelData"),
    ],
)
def test_refusals(dicom: DicomWriter, edit: Callable[[Dataset, int], None], code: str, keyword: str) -> None:
    paths = dicom.pet(edit=edit)
    with pytest.raises(DicomError) as caught:
        _read(paths)
    assert (caught.value.code, caught.value.keyword) == (code, keyword)
    assert caught.value.patient_id == "P1"
    assert caught.value.series_instance_uid == "1.2.3.1"


def test_equal_values_written_differently_are_no_contradiction(dicom: DicomWriter) -> None:
    assert _read(dicom.pet(edit=_at(1, "PatientWeight", "70.0"))).header.weight == 70


def test_a_series_of_no_or_one_file_is_refused(dicom: DicomWriter) -> None:
    with pytest.raises(DicomError, match="SERIES_EMPTY"):
        _read([])
    with pytest.raises(DicomError, match="SERIES_SINGLE_SLICE"):
        _read(dicom.pet(n=1))


def test_a_file_cut_at_any_place_is_refused(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    data = paths[2].read_bytes()
    codes = set()
    for size in some(range(0, len(data), 11)):
        paths[2].write_bytes(data[:size])
        with pytest.raises(DicomError) as caught:
            _read(paths)
        codes.add(caught.value.code)
    assert codes <= {"DICOM_PREFIX_MISSING", "DICOM_UNREADABLE", "PIXELS_TRUNCATED"}
    paths[2].unlink()
    with pytest.raises(DicomError, match="FILE_UNREADABLE"):
        _read(paths)


def test_flipped_bits_give_values_or_a_refusal(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    data = bytearray(paths[1].read_bytes())
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(200):
        spoiled = bytearray(data)
        spoiled[int(random.integers(len(data) - 100))] ^= 1 << int(random.integers(8))
        paths[1].write_bytes(spoiled)
        try:
            _read(paths)
        except DicomError:
            refused += 1
    assert refused > 20


def test_the_row_of_a_scan(dicom: DicomWriter) -> None:
    pet = _read(dicom.pet(edit=lambda ds, _: setattr(ds, "ManufacturerModelName", "Biograph")))
    ct = read_ct(dicom.ct(), patient_id="P1", series_instance_uid="1.2.3.2")
    (scan,) = scans_of(index_folder(dicom.root).series)
    row = scan_record(scan, pet, ct, "digest")
    assert row.scan_date == datetime(2025, 1, 1).date()
    assert (row.pet_spacing_x_mm, row.pet_spacing_y_mm, row.pet_spacing_z_mm, row.pet_n_slices) == (2.0, 2.5, 3.0, 4)
    assert (row.manufacturer_model_name, row.ct_convolution_kernel, row.ct_image_sha256) == (
        "Biograph",
        "STANDARD",
        "digest",
    )
    assert scan_record(scan, pet, None, None).ct_n_slices is None
    assert (row.time_point, row.pet_frame_duration_s, row.reconstruction_has_psf, row.ct_has_contrast) == (
        1,
        300.0,
        None,
        None,
    )


@pytest.mark.parametrize(("agent", "expected"), [("Ultravist", True), ("NONE", False), (None, None)])
def test_what_a_scan_states_about_its_making(dicom: DicomWriter, agent: str | None, expected: bool | None) -> None:
    def pet_edit(dataset: Dataset, _index: int) -> None:
        dataset.ReconstructionMethod, dataset.ConvolutionKernel = "PSF+TOF 3i21s", "XYZ Gauss2.00"
        dataset.SoftwareVersions = ["VG60A", "1"]

    def ct_edit(dataset: Dataset, _index: int) -> None:
        dataset.KVP = "120"
        if agent is not None:
            dataset.ContrastBolusAgent = agent

    pet = _read(dicom.pet(edit=pet_edit))
    ct = read_ct(dicom.ct(edit=ct_edit), patient_id="P1", series_instance_uid="1.2.3.2")
    (scan,) = scans_of(index_folder(dicom.root).series)
    row = scan_record(scan, pet, ct, "digest")
    assert (row.reconstruction_has_psf, row.reconstruction_has_tof) == (True, True)
    assert (row.reconstruction_iterations, row.reconstruction_subsets) == (3, 21)
    assert (row.pet_convolution_kernel, row.software_versions) == ("XYZ Gauss2.00", "VG60A\\1")
    assert (row.ct_contrast_agent, row.ct_has_contrast, row.ct_kvp) == (agent, expected, 120.0)


def test_real_series_agree_with_pydicom(petlake_data: Path) -> None:
    for modality, read in (("PET", read_pet), ("CT", read_ct)):
        paths = sorted((petlake_data / "sts" / "dicom" / "STS_002" / modality / "image").iterdir())
        head = dcmread(paths[0], specific_tags=["SeriesInstanceUID"])
        series = read(paths, patient_id="STS_002", series_instance_uid=str(head.SeriesInstanceUID))
        datasets = sorted((dcmread(path) for path in paths), key=lambda ds: ds.ImagePositionPatient[2])
        expected = np.stack([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in datasets])
        assert np.array_equal(series.volume.array, expected)
