"""The line on 20 real patients: complete, exact, reproducible, and honest about what cannot be computed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from playwright.sync_api import expect, sync_playwright

from assets.work import PatientJob, process_patient
from orchestration.engines import ProcessEngine
from orchestration.study import load_study
from petct.lesions import LesionRecord
from petct.radiomics.feature_set_files import load_feature_set
from petct.radiomics.features import FeatureValue
from tests.petct.radiomics.identity import features, sts_case
from warehouse.lake import Lake

PATIENTS = [f"STS_{number:03d}" for number in range(1, 21)]
SMALL = ["STS_002", "STS_003", "STS_008", "STS_012", "STS_015", "STS_019"]
TABLES = ["series", "scans", "suv", "lesions", "pet_metrics", "radiomic_features", "clinical", "endpoints"]
Petlake = Callable[..., "object"]


def query(petlake: Petlake, study: Path, sql: str) -> list[dict[str, object]]:
    return petlake("sql", sql, "--study", study, "--format", "json").json


def current_id(petlake: Petlake, study: Path) -> str:
    listed = petlake("snapshot", "list", "--json", "--study", study).json
    return next(row["snapshot_id"] for row in listed if row["current"])


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


@pytest.mark.parametrize("patient", PATIENTS)
def test_original_features_are_those_of_the_plain_image(sts: Path, petlake_data: Path, patient: str) -> None:
    """The image as pydicom reads it, with the published mask; that its features are pyradiomics' is shown elsewhere."""
    rows = Lake(load_study(sts).lake).read("radiomic_features", patient, FeatureValue)
    for folder, name in (("PET", "pet_original"), ("CT", "ct_original")):
        expected = features(sts_case(petlake_data, patient, folder), load_feature_set(name))
        values = {row.feature_name: row.value for row in rows if row.feature_set_id.startswith(name)}
        assert len(values) == 107
        assert values == pytest.approx({key: item.value for key, item in expected.items()}, rel=1e-9, abs=1e-12)


def test_the_snapshot_id_is_that_of_the_content(
    sts: Path, petlake_data: Path, petlake: Petlake, make_study: Callable[..., Path], tmp_path: Path
) -> None:
    """Built twice, with one worker or two, from a copy elsewhere: the same. One setting or one byte: another."""
    first = current_id(petlake, sts)
    again = petlake("snapshot", "publish", "--json", "--study", sts).json
    assert (again["snapshot_id"], again["created"]) == (first, False)

    dicom = tmp_path / "elsewhere" / "images"
    shutil.copytree(petlake_data / "sts" / "dicom", dicom)
    copy = make_study(tmp_path / "copy", dicom, petlake_data / "sts" / "clinical_simulated.csv")
    petlake("ingest", "--study", copy)
    petlake("materialize", "--study", copy, "--workers", "1")
    assert petlake("snapshot", "publish", "--json", "--study", copy).json["snapshot_id"] == first

    study_file = copy / "study.yaml"
    before = study_file.read_text(encoding="utf-8")
    study_file.write_text(before + "baseline: {within_days: 60}\n", encoding="utf-8")
    other = petlake("snapshot", "publish", "--json", "--study", copy).json["snapshot_id"]
    assert other != first

    study_file.write_text(before, encoding="utf-8")
    pixel_file = dicom / "STS_019" / "PET" / "image" / "000010.dcm"
    content = bytearray(pixel_file.read_bytes())
    content[-1] ^= 1
    pixel_file.write_bytes(content)
    petlake("ingest", "--study", copy)
    states = petlake("status", "--json", "--study", copy).json
    assert {row["patient_id"] for row in states if row["state"] == "stale"} == {"STS_019"}
    petlake("materialize", "--study", copy)
    changed = petlake("snapshot", "publish", "--json", "--study", copy).json["snapshot_id"]
    assert changed not in (first, other)


def test_three_bad_patients_do_not_stop_the_others(
    sts: Path, petlake_data: Path, petlake: Petlake, tmp_path: Path
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
    ran = petlake("materialize", "--study", study, expect=3)
    assert "17 of 20 patients complete" in ran.out

    states = {(row["patient_id"], row["table"]): row for row in petlake("status", "--json", "--study", study).json}
    others = set(PATIENTS) - {no_ct, no_contours, no_row}
    assert {states[patient, table]["state"] for patient in others for table in TABLES} == {"fresh"}
    incomplete = {key for key, row in states.items() if row["state"] == "refused"}
    assert incomplete == {
        (no_ct, "lesions"),
        (no_ct, "radiomic_features"),
        (no_contours, "lesions"),
        (no_contours, "pet_metrics"),
        (no_contours, "radiomic_features"),
        (no_row, "clinical"),
        (no_row, "endpoints"),
    }

    petlake("snapshot", "publish", "--study", study)
    refusals = query(petlake, study, "SELECT patient_id, table_name, code, message FROM refusals")
    assert {(row["patient_id"], row["table_name"]) for row in refusals} == incomplete
    assert all(row["code"] and len(str(row["message"]).split()) > 3 for row in refusals)
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


@pytest.fixture
def changing(sts: Path, petlake: Petlake, tmp_path: Path) -> Iterator[tuple[Path, threading.Event, ThreadPoolExecutor]]:
    """A study whose lesions are computed again under another name of their organ, published over and over meanwhile.

    The test adds loops to the pool that run until the event is set; what they raise fails it.
    """
    study = tmp_path / "study"
    shutil.copytree(sts, study)
    study_file = study / "study.yaml"
    masks = 'masks: {tumour: ["GTV_Mass*"]'
    text = study_file.read_text(encoding="utf-8")
    assert masks in text
    study_file.write_text(text.replace(masks, masks + ", elsewhere: thigh"), encoding="utf-8")
    ended = threading.Event()

    def publish() -> None:
        while not ended.is_set():
            petlake("snapshot", "publish", "--study", study)

    def materialize() -> None:
        try:
            petlake("materialize", "--study", study, "--patients", ",".join(SMALL))
        finally:
            ended.set()

    with ThreadPoolExecutor() as pool:
        loops = [pool.submit(publish), pool.submit(materialize)]
        yield study, ended, pool
        for loop in loops:
            loop.result()


def test_sql_never_sees_an_error_or_half_a_patient(
    changing: tuple[Path, threading.Event, ThreadPoolExecutor], petlake: Petlake
) -> None:
    study, ended, _ = changing
    question = (
        "SELECT count(*) AS patients, count(*) FILTER (l.organ = 'thigh') AS changed, "
        "count(*) FILTER (f.n IS DISTINCT FROM 214 OR m.region IS DISTINCT FROM l.organ) AS halves "
        "FROM patients "
        "LEFT JOIN (SELECT patient_id, count(*) AS n FROM radiomic_features GROUP BY 1) f USING (patient_id) "
        "LEFT JOIN (SELECT patient_id, region FROM pet_metrics WHERE grain = 'organ') m USING (patient_id) "
        "LEFT JOIN (SELECT patient_id, organ FROM lesions WHERE modality = 'PT') l USING (patient_id)"
    )
    seen = []
    while not ended.is_set():
        (row,) = query(petlake, study, question)
        seen.append(row)
    assert len(seen) > 3
    assert {(row["patients"], row["halves"]) for row in seen} == {(20, 0)}
    petlake("snapshot", "publish", "--study", study)
    (after,) = query(petlake, study, question)
    assert after == {"patients": 20, "changed": len(SMALL), "halves": 0}


@pytest.mark.browser
def test_an_open_dashboard_never_sees_an_error(
    changing: tuple[Path, threading.Event, ThreadPoolExecutor], serve: Callable[..., object]
) -> None:
    study, ended, _ = changing
    chromium = shutil.which("chromium")
    if chromium is None:
        ended.wait()
        pytest.skip("no chromium: apt-get install chromium")
    pages = ["", "survival", "cox", "pca"]
    seen = 0
    with serve("dashboard", "--study", study, health="/_stcore/health") as address, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page()
        while not ended.is_set() or seen < len(pages):
            page.goto(f"{address}/{pages[seen % len(pages)]}")
            expect(page.get_by_test_id("stSidebar")).to_contain_text("20 patients", timeout=60_000)
            expect(page.get_by_test_id("stException")).to_have_count(0)
            seen += 1
        browser.close()


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
