"""The reader of the house sees in the written DICOM what the truth says: images, scans and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from petct.dicom.index import index_folder
from petct.dicom.masks import read_contours
from petct.dicom.records import DicomIndex
from petct.dicom.regions import RoiMask
from petct.dicom.scans import ScanSeries, scans_of
from petct.dicom.series import read_ct, read_pet
from petct.image.volume import Geometry
from tests.petct.synthetic.written import WRITTEN, WrittenPatient
from tests.some import some


@pytest.fixture(scope="module")
def index(written: dict[int, WrittenPatient]) -> DicomIndex:
    return index_folder(_root(written))


def _root(written: dict[int, WrittenPatient]) -> Path:
    return written[1].folder.parent


def _scan(index: DicomIndex, patient: WrittenPatient) -> ScanSeries:
    (scan,) = scans_of([record for record in index.series if record.patient_id == patient.record.patient_id])
    return scan


def _paths(index: DicomIndex, root: Path, series_instance_uid: str) -> list[Path]:
    return [root / file.path for file in index.files if file.series_instance_uid == series_instance_uid]


def _read_regions(index: DicomIndex, patient: WrittenPatient, description: str) -> tuple[RoiMask, ...]:
    scan, root = _scan(index, patient), patient.folder.parent
    pet = scan.require_pet().series_instance_uid
    geometry = Geometry.from_affine(patient.voxels["affine"], patient.voxels["suv"].shape)  # type: ignore[arg-type]
    (record,) = [record for record in scan.contours if record.series_description == description]
    (path,) = _paths(index, root, record.series_instance_uid)
    return read_contours(record, path, {pet: geometry})


def test_everything_is_indexed_and_nothing_is_found_wanting(
    index: DicomIndex, written: dict[int, WrittenPatient]
) -> None:
    assert len(index.files) == sum(patient.record.n_files for patient in written.values())
    assert index.set_aside == ()
    assert index.findings == ()


@pytest.mark.parametrize("number", WRITTEN)
def test_a_scan_has_pet_ct_organs_and_tumour(
    index: DicomIndex, written: dict[int, WrittenPatient], number: int
) -> None:
    patient = written[number]
    scan, root = _scan(index, patient), _root(written)
    key = patient.record.patient_id
    pet_uid, ct_uid = scan.require_pet().series_instance_uid, scan.require_ct().series_instance_uid
    pet = read_pet(_paths(index, root, pet_uid), patient_id=key, series_instance_uid=pet_uid)
    ct = read_ct(_paths(index, root, ct_uid), patient_id=key, series_instance_uid=ct_uid)
    assert np.allclose(pet.volume.geometry.affine, patient.voxels["affine"])
    assert ct.volume.geometry.shape[0] == pet.volume.geometry.shape[0]
    assert {record.series_description for record in scan.contours} == {"Organ segmentation", "Tumour segmentation"}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("kind", ["lesions", "organs"])
def test_masks_equal_the_voxelised_truth(
    index: DicomIndex, written: dict[int, WrittenPatient], number: int, kind: str
) -> None:
    patient = written[number]
    description = "Tumour segmentation" if kind == "lesions" else "Organ segmentation"
    regions = _read_regions(index, patient, description)
    assert len(regions) == patient.voxels[kind].max()
    for label, region in some(enumerate(regions, start=1)):
        assert np.array_equal(region.mask.array, patient.voxels[kind] == label), region.name


def test_nothing_drawn_reads_as_no_lesion(index: DicomIndex, written: dict[int, WrittenPatient]) -> None:
    assert _read_regions(index, written[7], "Tumour segmentation") == ()
