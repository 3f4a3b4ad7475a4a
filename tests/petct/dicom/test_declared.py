"""PET as NIfTI or NRRD: accepted where its files and units are declared, refused everywhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from petct.dicom.declarations import DeclaredPet, DeclaredUnits
from petct.dicom.declared import read_declared_pet
from petct.dicom.index import index_files, index_folder
from petct.dicom.records import DicomIndex
from petct.dicom.scans import scans_of
from petct.errors import DicomError, SuvError
from petct.suv.compute import compute_suv
from petct.suv.policy import SuvPolicy
from tests.petct.conftest import DicomWriter
from tests.some import some

SUV = DeclaredUnits.SUV_BW
DATED = DeclaredPet("{patient_id}/pet_{scan_date}.nii.gz", SUV)


def _write(path: Path, array: np.ndarray | None = None, direction: tuple[float, ...] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.float32).reshape(3, 4, 5) if array is None else array)
    if image.GetDimension() == 3:
        image.SetSpacing((2.0, 2.5, 3.0))
        image.SetOrigin((-10.0, 20.0, 5.0))
        if direction is not None:
            image.SetDirection(direction)
    sitk.WriteImage(image, str(path))
    return path


def _series(index: DicomIndex) -> list[tuple[str, str, str]]:
    return [(s.patient_id, s.role, s.series_description or "") for s in index.series]


def test_a_declared_volume_is_the_pet_of_a_scan(tmp_path: Path) -> None:
    _write(tmp_path / "P1" / "pet_20250101.nii.gz")
    _write(tmp_path / "P1" / "pet_20250301.nii.gz", np.ones((3, 4, 5), dtype=np.float32))
    index = index_folder(tmp_path, declared=[DATED])
    assert index.set_aside == ()
    assert index.findings == ()
    assert [role for _, role, _ in _series(index)] == ["PET", "PET"]
    first, second = scans_of(index.series)
    assert (first.scan_id[:9], first.time_point) == ("20250101-", 1)
    assert (second.scan_id[:9], second.time_point) == ("20250301-", 2)
    assert index_files(tmp_path, index.files, declared=[DATED]).series == index.series
    known = {record.path: record for record in index.files}
    assert index_folder(tmp_path, known, declared=[DATED]).files == index.files


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd", "mha"])
def test_its_values_are_taken_as_declared(tmp_path: Path, suffix: str) -> None:
    path = _write(tmp_path / f"P1.{suffix}")
    pet = read_declared_pet(path, SUV, patient_id="P1", series_instance_uid="2.25.1")
    assert np.array_equal(pet.volume.array, np.arange(60).reshape(3, 4, 5))
    assert pet.volume.geometry.spacing_mm == (2.0, 2.5, 3.0)
    assert pet.volume.geometry.origin_mm == (-10.0, 20.0, 5.0)
    for policy in some(SuvPolicy):
        result = compute_suv(pet, "scan", policy)
        assert np.array_equal(result.volume.array, pet.volume.array.astype(np.float32))
        # That it was declared is a row beside the values.
        assert [(row.code, row.value_to) for row in result.adaptations] == [("SUV_UNITS_DECLARED", "GML")]
        assert result.factors.body_size_reason == "SUV_WEIGHT_MISSING"


def test_activity_is_refused_until_weight_dose_and_times_are_known(tmp_path: Path) -> None:
    path = _write(tmp_path / "P1.nii.gz")
    pet = read_declared_pet(path, DeclaredUnits.BQ_PER_ML, patient_id="P1", series_instance_uid="2.25.1")
    with pytest.raises(SuvError, match="SUV_WEIGHT_MISSING"):
        compute_suv(pet, "scan")


def test_without_a_declaration_it_is_set_aside(dicom: DicomWriter) -> None:
    dicom.pet()
    _write(dicom.root / "P1" / "pet_20250101.nii.gz")
    for declared in ((), (DeclaredPet("{patient_id}/other.nii.gz", SUV),)):
        index = index_folder(dicom.root, declared=declared)
        assert [(s.path, s.code) for s in index.set_aside] == [("P1/pet_20250101.nii.gz", "VOLUME_NOT_DECLARED")]
        assert len(index.series) == 1
        assert index.findings == ()


@pytest.mark.parametrize(
    ("files", "path", "patient"),
    [
        ("{patient_id}.nii.gz", "P1.nii.gz", "P1"),
        ("*/{patient_id}_*.nrrd", "site/P1_pet.nrrd", "P1"),
        ("{patient_id}/{patient_id}_pet.nii.gz", "P1/P1_pet.nii.gz", "P1"),
        ("{patient_id}/{patient_id}_pet.nii.gz", "P1/P2_pet.nii.gz", None),
        ("{patient_id}/pet.nii.gz", "a/P1/pet.nii.gz", None),
        ("a.b/{patient_id}.nii.gz", "aXb/P1.nii.gz", None),
    ],
)
def test_patterns(files: str, path: str, patient: str | None) -> None:
    match = DeclaredPet(files, SUV).match(path)
    assert (match["patient_id"] if match else None) == patient


@pytest.mark.parametrize(
    ("name", "code"),
    [("P 1/pet_20250101.nii.gz", "PATIENT_ID_INVALID"), ("P1/pet_20251301.nii.gz", "SCAN_DATE_INVALID")],
)
def test_paths_that_name_nothing_usable(tmp_path: Path, name: str, code: str) -> None:
    _write(tmp_path / name)
    assert [s.code for s in index_folder(tmp_path, declared=[DATED]).set_aside] == [code]


def test_the_same_volume_for_two_patients_is_a_finding(tmp_path: Path) -> None:
    _write(tmp_path / "P1" / "pet_20250101.nii.gz")
    _write(tmp_path / "P2" / "pet_20250101.nii.gz")
    findings = index_folder(tmp_path, declared=[DATED]).findings
    assert {(f.patient_id, f.code) for f in findings} == {
        ("P1", "INDEX_PATIENT_ID_CHANGED"),
        ("P2", "INDEX_PATIENT_ID_CHANGED"),
    }


def test_refusals(tmp_path: Path) -> None:
    where = {"patient_id": "P1", "series_instance_uid": "2.25.1"}
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no volume")
    nan = np.ones((3, 4, 5), dtype=np.float32)
    nan[1, 1, 1] = np.nan
    cases = {
        "VOLUME_UNREADABLE": broken,
        "VOLUME_NOT_3D": _write(tmp_path / "series.nii.gz", np.ones((2, 3, 4, 5), dtype=np.float32)),
        "VOLUME_NOT_FINITE": _write(tmp_path / "nan.nrrd", nan),
    }
    for code, path in cases.items():
        with pytest.raises(DicomError) as caught:
            read_declared_pet(path, SUV, **where)
        assert (caught.value.code, caught.value.patient_id) == (code, "P1")
