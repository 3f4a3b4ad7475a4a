"""A study whose PET is NIfTI with declared units, from the folder to the rows of its SUV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from assets.ingest import ingest
from assets.work import PatientJob, process_patient
from orchestration.study import load_study
from records.imaging import ScanRecord, SuvAdaptation, SuvRecord
from warehouse.storage.lake import Lake

DECLARATION = "dicom: {volumes: [{files: '{patient_id}/suv_{scan_date}.nii.gz', units: SUVbw}]}\n"
MINIMAL = "study: {name: test}\nmasks: {tumour: ['*']}\nprotocols: [contours]\nfeature_sets: [pet_original]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    array = np.ones((6, 7, 8), dtype=np.float32)
    array[3, 3, 3] = 12.5
    path = tmp_path / "dicom" / "P1" / "suv_20240229.nii.gz"
    path.parent.mkdir(parents=True)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    return tmp_path


def test_from_a_nifti_file_to_its_row_of_suv(folder: Path) -> None:
    (folder / "study.yaml").write_text(MINIMAL + DECLARATION, encoding="utf-8")
    settings = load_study(folder)
    report = ingest(settings)
    assert ([p.record.has_pet for p in report.patients], report.set_aside) == ([True], ())
    outcome = process_patient(PatientJob("P1", ("series", "scans", "suv"), settings))
    assert outcome.complete
    lake = Lake(settings.lake)
    (scan,) = lake.read("scans", "P1", ScanRecord)
    (suv,) = lake.read("suv", "P1", SuvRecord)
    (adaptation,) = lake.read("suv_adaptations", "P1", SuvAdaptation)
    assert (str(scan.scan_date), scan.time_point, scan.pet_n_slices) == ("2024-02-29", 1, 6)
    assert (suv.suv_max, suv.units, suv.radionuclide) == (12.5, "GML", None)
    assert adaptation.code == "SUV_UNITS_DECLARED"


def test_without_a_declaration_the_file_is_set_aside(folder: Path) -> None:
    (folder / "study.yaml").write_text(MINIMAL, encoding="utf-8")
    report = ingest(load_study(folder))
    assert report.patients == ()
    assert [item.code for item in report.set_aside] == ["VOLUME_NOT_DECLARED"]
