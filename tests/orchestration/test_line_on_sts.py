"""The line on 20 real patients: complete, exact, and honest about what cannot be computed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from assets.work import PatientJob, process_patient
from orchestration.engines import ProcessEngine
from orchestration.study import load_study
from petct.radiomics.feature_set_files import load_feature_set
from records.features import FeatureValue
from records.masks import LesionRecord
from tests.orchestration.sts_study import PATIENTS, SAMPLE, TABLES, Petlake, query
from tests.petct.radiomics.identity import features, sts_case
from tests.some import some
from warehouse.storage.lake import Lake


def test_twenty_of_twenty_patients_are_complete(sts: Path, petlake: Petlake) -> None:
    states = petlake("status", "--json", "--study", sts).json
    assert {(row["patient_id"], row["table"]) for row in states} == {(p, t) for p in PATIENTS for t in TABLES}
    assert {row["state"] for row in states} == {"fresh"}
    (counts,) = query(
        petlake,
        sts,
        "SELECT count(*) AS n, count(OS_duration_days) AS os, count(tumour_volume_ml) AS volume FROM cohort",
    )
    assert counts == {"n": 20, "os": 20, "volume": 20}
    attrition = petlake("status", "--attrition", "--json", "--study", sts).json
    lesions = query(petlake, sts, "SELECT count(DISTINCT (patient_id, lesion_id)) AS n FROM lesions")[0]["n"]
    for name in ("pet_original", "ct_original"):
        of_set = [row for row in attrition if row["feature_set"] == name]
        assert sum(row["n_patients"] for row in of_set) == 20
        assert sum(row["n_lesions"] for row in of_set) == lesions
    assert f"{lesions}" in petlake("status", "--attrition", "--study", sts).out


@pytest.mark.parametrize("modality", ["PET", "CT"])
@pytest.mark.parametrize("patient", PATIENTS)
def test_masks_equal_the_published_voxel_masks(sts: Path, petlake_data: Path, patient: str, modality: str) -> None:
    file = petlake_data / "sts" / "nifti" / patient / f"{modality}_mask.nii.gz"
    published = sitk.GetArrayFromImage(sitk.ReadImage(str(file)))
    lake = Lake(load_study(sts).lake)
    grid = "PT" if modality == "PET" else "CT"
    (lesion,) = (row for row in lake.read("lesions", patient, LesionRecord) if row.modality == grid)
    labels, _ = lake.read_volume(patient, lesion.label_map_sha256)
    assert np.array_equal(labels == lesion.label, published > 0)
    assert lesion.n_voxels == np.count_nonzero(published)


@pytest.mark.parametrize("patient", SAMPLE)
def test_original_features_are_those_of_the_plain_image(sts: Path, petlake_data: Path, patient: str) -> None:
    """The image as pydicom reads it, with the published mask; that its features are pyradiomics' is shown elsewhere."""
    rows = Lake(load_study(sts).lake).read("radiomic_features", patient, FeatureValue)
    for folder, name in (("PET", "pet_original"), ("CT", "ct_original")):
        expected = features(sts_case(petlake_data, patient, folder), load_feature_set(name))
        values = {row.feature_name: row.value for row in rows if row.feature_set_id.startswith(name)}
        assert len(values) == 107
        assert values == pytest.approx({key: item.value for key, item in expected.items()}, rel=1e-9, abs=1e-12)


def test_three_bad_patients_do_not_stop_the_others(
    sts: Path, petlake_data: Path, petlake: Petlake, petlake_process: Petlake, tmp_path: Path
) -> None:
    """An empty CT folder, a truncated RTSTRUCT, a clinical row removed: 17 complete, and every gap has its reason."""
    no_ct, no_contours, no_row = "STS_008", "STS_012", "STS_019"
    dicom = tmp_path / "images"
    shutil.copytree(petlake_data / "sts" / "dicom", dicom)
    study = tmp_path / "study"
    shutil.copytree(sts, study)
    study_file = study / "study.yaml"
    study_file.write_text(
        study_file.read_text(encoding="utf-8").replace(str(petlake_data / "sts" / "dicom"), str(dicom)),
        encoding="utf-8",
    )
    for path in (dicom / no_ct / "CT" / "image").iterdir():
        path.unlink()
    contours = dicom / no_contours / "PET" / "mask" / "RS.dcm"
    contours.write_bytes(contours.read_bytes()[: contours.stat().st_size // 2])
    clinical = study / "clinical.csv"
    lines = clinical.read_text(encoding="utf-8").splitlines(keepends=True)
    clinical.write_text("".join(line for line in lines if not line.startswith(no_row)), encoding="utf-8")

    ingested = petlake("ingest", "--study", study, expect=None)
    assert ingested.code in (0, 3)
    ran = petlake_process("materialize", "--study", study, expect=3)
    assert "17 of 20 patients complete" in ran.out

    states = {(row["patient_id"], row["table"]): row for row in petlake("status", "--json", "--study", study).json}
    others = set(PATIENTS) - {no_ct, no_contours, no_row}
    assert {states[patient, table]["state"] for patient in others for table in TABLES} == {"fresh"}
    incomplete = {key for key, row in states.items() if row["state"] == "refused"}
    assert incomplete == {
        (no_ct, "lesions"),
        (no_ct, "radiomic_features"),
        (no_contours, "lesions"),
        (no_contours, "pictures"),
        (no_contours, "pet_metrics"),
        (no_contours, "radiomic_features"),
        (no_row, "clinical"),
        (no_row, "endpoints"),
    }

    petlake("snapshot", "publish", "--study", study)
    refusals = query(petlake, study, "SELECT patient_id, table_name, code, message FROM refusals")
    assert {(row["patient_id"], row["table_name"]) for row in refusals} == incomplete
    assert all(row["code"] and len(str(row["message"]).split()) > 3 for row in some(refusals))
    codes = {(row["patient_id"], row["code"]) for row in refusals}
    assert {(no_ct, "CT_SERIES_MISSING"), (no_row, "CLINICAL_ROW_MISSING")} <= codes

    # What can be computed is there: the PET side without the CT, the CT side without the PET's contours.
    counted = query(
        petlake,
        study,
        "SELECT patient_id, split_part(feature_set_id, '-', 1) AS feature_set, count(value) AS n "
        "FROM radiomic_features "
        f"WHERE patient_id IN ('{no_ct}', '{no_contours}', '{no_row}') GROUP BY ALL",
    )
    assert {(row["patient_id"], row["feature_set"], row["n"]) for row in counted} == {
        (no_ct, "pet_original", 107),
        (no_contours, "ct_original", 107),
        (no_row, "pet_original", 107),
        (no_row, "ct_original", 107),
    }
    (metrics,) = query(petlake, study, f"SELECT count(*) AS n FROM pet_metrics WHERE patient_id = '{no_ct}'")
    assert metrics["n"] == 3


def test_a_worker_knows_neither_dagster_nor_duckdb(sts: Path) -> None:
    settings = load_study(sts)
    job = PatientJob("STS_019", (), settings)
    (modules,) = ProcessEngine(1).map(modules_after, [job], lambda _: set())
    assert "assets.work" in modules
    assert not {"dagster", "duckdb"} & modules


def test_sql_loads_neither_dagster_nor_pyradiomics(sts: Path) -> None:
    program = (
        "import sys; from orchestration.cli import petlake; "
        f"petlake(['sql', 'SELECT 1', '--study', {str(sts)!r}], standalone_mode=False); "
        "sys.exit(bool({'dagster', 'radiomics', 'pydicom'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def modules_after(job: PatientJob) -> set[str]:
    process_patient(job)
    return set(sys.modules)
