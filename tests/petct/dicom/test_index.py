"""The index of a folder tree: roles, scans, findings, and what is set aside."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from petct.dicom.index import index_files, index_folder
from petct.dicom.records import DicomIndex
from petct.dicom.scans import scans_of
from petct.errors import DicomError
from tests.petct.conftest import DicomWriter
from tests.some import some

SQUARE = np.array([[-8.0, 22, 5], [-2, 22, 5], [-2, 30, 5], [-8, 30, 5]])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _roles(index: DicomIndex) -> dict[str, tuple[str, str | None]]:
    return {s.series_instance_uid: (s.role, s.set_aside_code) for s in index.series}


def _codes(index: DicomIndex) -> list[str]:
    return [finding.code for finding in index.findings]


def test_a_study_becomes_one_scan(dicom: DicomWriter) -> None:
    dicom.pet()
    dicom.ct()
    dicom.rtstruct({"GTV": [SQUARE]})
    index = index_folder(dicom.root)
    assert _roles(index) == {"1.2.3.1": ("PET", None), "1.2.3.2": ("CT", None), "1.2.3.3": ("RTSTRUCT", None)}
    assert index.findings == ()
    assert index.set_aside == ()
    scan_id = "20250101-" + hashlib.sha256(b"1.2.3").hexdigest()[:8]
    (scan,) = scans_of(index.series)
    assert (scan.patient_id, scan.scan_id) == ("P1", scan_id)
    assert scan.require_pet().series_instance_uid == "1.2.3.1"
    assert scan.require_ct().series_instance_uid == "1.2.3.2"
    assert [c.referenced_series_instance_uid for c in scan.contours] == ["1.2.3.1"]
    assert len(index.files) == 9
    first = index.files[0]
    assert first.sha256 == _digest(dicom.root / first.path)


def test_the_index_does_not_depend_on_where_the_tree_lies(dicom: DicomWriter, tmp_path: Path) -> None:
    dicom.pet()
    dicom.ct()
    (dicom.root / "pet" / "notes.txt").write_text("not DICOM")
    copy = shutil.copytree(dicom.root, tmp_path / "elsewhere" / "copy")
    there, here = index_folder(copy), index_folder(dicom.root)
    assert (there.series, there.findings, there.set_aside) == (here.series, here.findings, here.set_aside)
    # A copy is younger, and that is all.
    assert [replace(file, modified_ns=0) for file in there.files] == [
        replace(file, modified_ns=0) for file in here.files
    ]


def test_a_known_file_keeps_its_digest_until_it_changes(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    first = index_folder(dicom.root)
    known = {record.path: replace(record, sha256="known") for record in first.files}
    seen: list[int] = []
    again = index_folder(dicom.root, known, seen.append)
    assert {record.sha256 for record in again.files} == {"known"}
    assert again.series[0].role == "PET"
    assert seen == [1, 2, 3, 4]
    os.utime(paths[0], ns=(1, 1))
    changed = index_folder(dicom.root, known)
    assert sorted({record.sha256 for record in changed.files} - {"known"}) == [_digest(paths[0])]


def test_files_beside_the_images_are_set_aside(dicom: DicomWriter) -> None:
    dicom.pet()
    (dicom.root / "readme.txt").write_text("hello")
    (dicom.root / "pet" / "empty.dcm").write_bytes(b"")
    (dicom.root / "pet" / "999").write_bytes(b"no extension, as its neighbours")
    directory = Dataset()
    directory.DirectoryRecordSequence = []
    directory.SOPClassUID = "1.2.840.10008.1.3.10"
    directory.SOPInstanceUID, directory.SeriesInstanceUID = "1.9", "1.9.1"
    dicom.save(directory, "DICOMDIR")
    index = index_folder(dicom.root)
    assert [(s.path, s.code) for s in index.set_aside] == [
        ("DICOMDIR", "DICOMDIR"),
        ("pet/999", "DICOM_UNREADABLE"),
        ("pet/empty.dcm", "DICOM_UNREADABLE"),
        ("readme.txt", "NOT_DICOM"),
    ]
    assert _codes(index) == ["INDEX_FILE_UNREADABLE"] * 2
    assert {finding.patient_id for finding in index.findings} == {"P1"}


def test_indexing_the_records_again_gives_the_same_series(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    dicom.ct()
    dicom.rtstruct({"GTV": [SQUARE]})
    index = index_folder(dicom.root)
    again = index_files(dicom.root, index.files)
    assert (again.files, again.series) == (index.files, index.series)
    paths[0].write_bytes(paths[0].read_bytes()[:-2])
    with pytest.raises(DicomError, match="FILE_CHANGED"):
        index_files(dicom.root, index.files)
    paths[0].unlink()
    with pytest.raises(DicomError, match="FILE_MISSING"):
        index_files(dicom.root, index.files)


@pytest.mark.parametrize("patient_id", ["", "../P1", "P 1", "-P1", "P/1", "P:1"])
def test_a_patient_id_that_cannot_be_a_key_is_set_aside(dicom: DicomWriter, patient_id: str) -> None:
    dicom.patient_id = patient_id
    dicom.pet(n=2)
    index = index_folder(dicom.root)
    assert index.files == ()
    assert [s.code for s in index.set_aside] == ["PATIENT_ID_INVALID"] * 2


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomError, match="DICOM_ROOT_MISSING"):
        index_folder(tmp_path / "nowhere")


def _with(**values: object) -> Callable[[Dataset, int], None]:
    def edit(dataset: Dataset, _index: int) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)

    return edit


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ("PET", None)),
        ({"CorrectedImage": ["DECY", "NORM"]}, ("NONE", "NOT_ATTENUATION_CORRECTED")),
        ({"ImageType": ["DERIVED", "SECONDARY"], "Units": "GML", "CorrectedImage": None}, ("PET", None)),
        (
            {"ImageType": ["DERIVED", "SECONDARY"], "Units": "GML", "CorrectedImage": ["DECY"]},
            ("NONE", "NOT_ATTENUATION_CORRECTED"),
        ),
        ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, ("NONE", "PROJECTION")),
        ({"SeriesDescription": "WB MIP"}, ("NONE", "PROJECTION")),
        ({"SeriesType": ["WHOLE BODY", "REPROJECTION"]}, ("NONE", "PROJECTION")),
        ({"SeriesType": ["DYNAMIC", "IMAGE"]}, ("NONE", "DYNAMIC_OR_GATED")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, ("NONE", "SECONDARY_CAPTURE")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.67", "Modality": "SR"}, ("NONE", "DOSE_REPORT")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.22", "Modality": "SR"}, ("NONE", "STRUCTURED_REPORT")),
        ({"Modality": "MR"}, ("NONE", "MODALITY_NOT_USED")),
        ({"ImageType": ["DERIVED", "SECONDARY"], "Units": "CM2ML", "CorrectedImage": None}, ("PET", None)),
        ({"ImageType": ["DERIVED", "SECONDARY"], "CorrectedImage": None}, ("NONE", "NOT_ATTENUATION_CORRECTED")),
    ],
)
def test_the_role_of_a_pet_like_series(
    dicom: DicomWriter, values: dict[str, object], expected: tuple[str, str | None]
) -> None:
    dicom.pet(n=2, edit=_with(**values))
    assert _roles(index_folder(dicom.root)) == {"1.2.3.1": expected}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "LOCALIZER"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "SECONDARY_CAPTURE"),
        ({"SeriesDescription": "Topogram 0.6"}, "LOCALIZER"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "DOSE_INFO"]}, "SECONDARY_CAPTURE"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"}, "ENHANCED_CT_UNSUPPORTED"),
        ({"FrameOfReferenceUID": "1.2.3.10"}, "FRAME_OF_REFERENCE_DIFFERS"),
    ],
)
def test_a_ct_that_is_not_the_ct_of_the_pet(dicom: DicomWriter, values: dict[str, object], expected: str) -> None:
    dicom.pet()
    dicom.ct(edit=_with(**values))
    assert _roles(index_folder(dicom.root))["1.2.3.2"] == ("NONE", expected)


def test_scans_of_several_studies(dicom: DicomWriter) -> None:
    dicom.pet("1.2.3.1", folder="a")
    dicom.study, dicom.frame = "1.2.4", "1.2.4.9"
    dicom.pet("1.2.4.1", folder="b", edit=_with(AcquisitionDate="20250301"))
    dicom.study = "1.2.5"
    dicom.ct("1.2.5.2", folder="ct of the second, in a study of its own")
    dicom.rtstruct({"GTV": [SQUARE]}, referenced="1.2.3.1", series="1.2.5.3")
    first, second = scans_of(index_folder(dicom.root).series)
    assert first.scan_id.startswith("20250101-")
    assert second.scan_id.startswith("20250301-")
    assert second.require_ct().series_instance_uid == "1.2.5.2"
    assert [c.series_instance_uid for c in first.contours] == ["1.2.5.3"]
    with pytest.raises(DicomError, match="CT_SERIES_MISSING"):
        first.require_ct()


@pytest.mark.parametrize(
    ("first", "second", "taken"), [("4", "3", "a"), ("3", "4", "b"), ("10", "9", "a"), ("", "1", "b")]
)
def test_the_series_number_decides_between_two_reconstructions(
    dicom: DicomWriter, first: str, second: str, taken: str
) -> None:
    """And not the UID, which would not be in the same order once it is de-identified."""
    uids = {"a": "1.2.3.1", "b": "1.2.3.7"}
    for uid_of_a, uid_of_b in (uids.values(), list(uids.values())[::-1]):
        root = dicom.root / uid_of_a
        dicom.pet(uid_of_a, folder=f"{uid_of_a}/a", edit=_with(SeriesNumber=first))
        dicom.pet(uid_of_b, folder=f"{uid_of_a}/b", edit=_with(SeriesNumber=second))
        (scan,) = scans_of(index_folder(root).series)
        assert scan.require_pet().series_instance_uid == {"a": uid_of_a, "b": uid_of_b}[taken]


def test_a_scan_without_pet_says_so(dicom: DicomWriter) -> None:
    dicom.ct(edit=_with(StudyDate="", SeriesDate="", AcquisitionDate=""))
    (scan,) = scans_of(index_folder(dicom.root).series)
    assert scan.scan_id.startswith("undated-")
    with pytest.raises(DicomError, match="PET_SERIES_MISSING"):
        scan.require_pet()


def test_duplicates_are_kept_once(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    before = index_folder(dicom.root)
    shutil.copy(paths[0], dicom.root / "pet" / "copy")
    index = index_folder(dicom.root)
    assert {f.sha256 for f in index.files} == {f.sha256 for f in before.files}
    assert len(index.files) == 4
    assert _codes(index) == ["INDEX_DUPLICATE_INSTANCE"]
    assert index.series == before.series


def test_copies_with_other_content_make_a_series_unusable(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    dataset = dcmread(paths[0])
    dataset.RescaleSlope = 2.5
    dataset.save_as(dicom.root / "pet" / "copy")
    dicom.ct()
    index = index_folder(dicom.root)
    assert set(_roles(index)) == {"1.2.3.2"}
    assert _codes(index) == ["INDEX_CONFLICTING_INSTANCE"]
    assert [s.code for s in index.set_aside].count("CONFLICTING_INSTANCES") == 4
    # What is indexed again from the records must not forget about it.
    assert index_files(dicom.root, index.files).series == index.series


def _drop(index: int) -> Callable[[Dataset, int], None]:
    def edit(dataset: Dataset, i: int) -> None:
        if i >= index:
            x, y, z = dataset.ImagePositionPatient
            dataset.ImagePositionPatient = [x, y, z + 3]

    return edit


def _turn(dataset: Dataset, index: int) -> None:
    if index == 2:
        dataset.ImageOrientationPatient = [0, 1, 0, 1, 0, 0]


def _tilt(dataset: Dataset, index: int) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y + index, z]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (_drop(2), "INDEX_SLICE_MISSING"),
        (_turn, "INDEX_ORIENTATION_MIXED"),
        (_tilt, "INDEX_GANTRY_TILT"),
        (lambda ds, i: setattr(ds, "PixelSpacing", [2, 2 + i]), "INDEX_PIXEL_SPACING_MIXED"),
        (lambda ds, _: setattr(ds, "ImagePositionPatient", [0, 0, 0]), "INDEX_SLICE_DUPLICATE"),
        (lambda ds, _: setattr(ds, "NumberOfSlices", 9), "INDEX_SLICES_FEWER"),
        (lambda ds, _: setattr(ds, "LossyImageCompression", "01"), "INDEX_LOSSY_COMPRESSION"),
        (lambda ds, _: delattr(ds, "ImagePositionPatient"), "INDEX_GEOMETRY_MISSING"),
    ],
)
def test_findings_about_a_series(dicom: DicomWriter, edit: Callable[[Dataset, int], None], code: str) -> None:
    dicom.pet(edit=edit)
    index = index_folder(dicom.root)
    assert _codes(index) == [code]
    assert index.findings[0].series_instance_uid == "1.2.3.1"


@pytest.mark.parametrize("implicit", [False, True])
def test_a_truncated_rtstruct_keeps_its_patient(dicom: DicomWriter, implicit: bool) -> None:
    dicom.implicit = implicit
    dicom.pet()
    path = dicom.rtstruct({"GTV": [SQUARE] * 40})
    data = path.read_bytes()
    whole = index_folder(dicom.root)
    for share in (0.9, 0.5):
        path.write_bytes(data[: int(len(data) * share)])
        index = index_folder(dicom.root)
        assert _roles(index) == _roles(whole)
    path.write_bytes(data[:200])
    index = index_folder(dicom.root)
    assert "1.2.3.3" not in _roles(index)
    assert [(s.path, s.code) for s in index.set_aside] == [("rs/RS.dcm", "DICOM_UNREADABLE")]
    assert [(f.patient_id, f.code) for f in index.findings] == [("P1", "INDEX_FILE_UNREADABLE")]


def test_a_file_cut_at_any_place_never_stops_the_index(dicom: DicomWriter) -> None:
    dicom.pet()
    path = dicom.ct(n=1)[0]
    data = path.read_bytes()
    for size in some(range(0, len(data), 13)):
        path.write_bytes(data[:size])
        index = index_folder(dicom.root)
        in_index = "1.2.3.2" in _roles(index)
        assert in_index != any(s.path == "ct/000.dcm" for s in index.set_aside)
        if in_index:
            assert "INDEX_FILE_TRUNCATED" in _codes(index)


def test_private_elements_beyond_the_functional_groups_are_no_sign_of_a_cut(dicom: DicomWriter) -> None:
    def philips(dataset: Dataset, _index: int) -> None:
        dataset.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x09, "DS", "1.6")

    paths = dicom.pet(edit=philips)
    assert "INDEX_FILE_TRUNCATED" not in _codes(index_folder(dicom.root))
    paths[0].write_bytes(paths[0].read_bytes()[:-1])
    assert "INDEX_FILE_TRUNCATED" in _codes(index_folder(dicom.root))


def test_a_damaged_type_of_an_element_sets_the_file_aside(dicom: DicomWriter) -> None:
    paths = dicom.pet()
    data = paths[0].read_bytes()
    place = data.index(b"\x10\x00\x20\x00LO")
    paths[0].write_bytes(data[: place + 5] + b"\xcf" + data[place + 6 :])
    index = index_folder(dicom.root)
    assert [file.path for file in index.set_aside] == [paths[0].relative_to(dicom.root).as_posix()]


def test_flipped_bits_never_stop_the_index(dicom: DicomWriter) -> None:
    dicom.pet(n=2)
    path = dicom.rtstruct({"GTV": [SQUARE]})
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(7)
    for _ in range(200):
        spoiled = bytearray(data)
        spoiled[int(random.integers(132, len(data)))] ^= 1 << int(random.integers(8))
        path.write_bytes(spoiled)
        index_folder(dicom.root)


def test_real_patients(petlake_data: Path) -> None:
    index = index_folder(petlake_data / "sts" / "dicom")
    assert index.findings == ()
    assert index.set_aside == ()
    scans = [
        scan for p in range(1, 21) for scan in scans_of([s for s in index.series if s.patient_id == f"STS_{p:03d}"])
    ]
    assert len(scans) == 20
    for scan in some(scans):
        images = {scan.require_pet().series_instance_uid, scan.require_ct().series_instance_uid}
        assert {contours.referenced_series_instance_uid for contours in scan.contours} == images
    assert scans[0].scan_id == "20000907-d0706f9a"
