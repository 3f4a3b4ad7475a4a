"""The worker: whatever is wrong with a patient becomes refusals, and what is wrong with the machine does not."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assets import work
from assets.publishing import publish_snapshot
from assets.steps.order import PATIENT_TABLES, asked_names
from assets.work import PatientJob, process_patient, worker_died_outcome
from records.cohort import ProvenanceRecord
from records.features import PetMetrics
from records.imaging import RefusalRecord
from records.masks import DelineationRecord
from tests.assets.conftest import Study
from warehouse.source_code import source_code
from warehouse.storage.lake import Lake

FIRST, SECOND = "NET-001", "NET-002"


def job(study: Study, patient: str) -> PatientJob:
    settings = study.settings
    return PatientJob(patient, asked_names(settings), settings)


def refusals(study: Study, patient: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in Lake(study.settings.lake).read("refusals", patient, RefusalRecord):
        found.setdefault(record.table_name, []).append(record.code)
    return found


def no_contours(study: Study) -> None:
    shutil.rmtree(study.folder / "dicom" / FIRST / "RTSTRUCT")


def names_that_match_nothing(study: Study) -> None:
    study.replace('tumour: ["lesion*"]', 'tumour: ["lesoin*"]')


def two_bad_cells(study: Study) -> None:
    path = study.folder / "clinical.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0].update(age_years="67y", weight_kg="88kg")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_every_table_of_a_patient_names_the_code_that_computed_it(materialized: Study) -> None:
    code = source_code()
    rows = Lake(materialized.settings.lake).read("provenance", FIRST, ProvenanceRecord)
    assert {row.table_name for row in rows} == set(asked_names(materialized.settings))
    assert {(row.petlake_version, row.petlake_commit, row.petlake_modified) for row in rows} == {
        (code.version, code.commit, code.modified)
    }


@pytest.mark.parametrize(
    ("harm", "patients", "table", "codes"),
    [
        (no_contours, {FIRST}, "lesions", ["CONTOURS_MISSING", "CONTOURS_MISSING"]),
        (names_that_match_nothing, {FIRST, SECOND}, "lesions", ["ROI_NAMES_UNMATCHED", "ROI_NAMES_UNMATCHED"]),
        (two_bad_cells, {FIRST}, "clinical", ["CLINICAL_NUMBER_INVALID", "CLINICAL_NUMBER_INVALID"]),
    ],
)
def test_refusals_that_differ_in_one_fact_are_kept_side_by_side(
    computed: Study, harm: Callable, patients: set[str], table: str, codes: list[str]
) -> None:
    harm(computed)
    computed.ingest()
    assert set(computed.materialize()) == patients
    assert refusals(computed, FIRST)[table] == codes
    assert computed.petlake_states()[FIRST, table] == "REFUSED"
    publish_snapshot(computed.settings)


def test_a_full_disk_changes_nothing_and_says_nothing_of_the_patient(
    computed: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device", "/somewhere/else")

    monkeypatch.setattr(Lake, "write_volume", full)
    before = {path: path.read_bytes() for path in Lake(computed.settings.lake).root.rglob("*.parquet")}
    outcome = process_patient(job(computed, FIRST))
    assert not outcome.written
    (reason,) = {refusal.found for table in outcome.tables for refusal in table.refusals}
    assert reason == "OSError: No space left on device"
    assert {path: path.read_bytes() for path in before} == before
    assert not worker_died_outcome(job(computed, FIRST)).complete
    assert set(computed.petlake_states().values()) == {"FRESH"}


def test_an_input_that_changes_during_the_work_makes_it_stale_at_once(
    not_computed: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_patient = work.write_patient

    def correct_the_age(*arguments: object) -> object:
        path = not_computed.folder / "clinical.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        patient, sex, _, rest = lines[1].split(",", 3)
        path.write_text("".join([lines[0], ",".join([patient, sex, "44", rest]), *lines[2:]]), encoding="utf-8")
        not_computed.ingest()
        return write_patient(*arguments)

    monkeypatch.setattr(work, "write_patient", correct_the_age)
    process_patient(job(not_computed, FIRST))
    states = not_computed.petlake_states()
    assert (states[FIRST, "clinical"], states[FIRST, "suv"]) == ("STALE", "FRESH")


def test_no_tumour_is_a_volume_of_zero_with_a_ct_or_without(computed: Study) -> None:
    """An RTSTRUCT without regions: the volume is 0, and a missing CT takes nothing from it."""
    import pydicom

    contours = next((computed.folder / "dicom" / FIRST / "RTSTRUCT").iterdir())
    dataset = pydicom.dcmread(contours)
    dataset.StructureSetROISequence = []
    del dataset.ROIContourSequence
    del dataset.RTROIObservationsSequence
    dataset.save_as(contours)
    shutil.rmtree(computed.folder / "dicom" / FIRST / "CT")
    computed.ingest()
    computed.materialize()
    lake = Lake(computed.settings.lake)
    (total,) = (row for row in lake.read("pet_metrics", FIRST, PetMetrics) if row.grain == "patient")
    assert (total.volume_ml, total.n_lesions, total.uptake_status) == (0.0, 0, "NOT_APPLICABLE")
    (known,) = lake.read("delineations", FIRST, DelineationRecord)
    assert (known.modality, known.n_lesions) == ("PT", 0)
    assert refusals(computed, FIRST) == {
        "lesions": ["CT_SERIES_MISSING"],
        "radiomic_features": ["LESIONS_UNKNOWN"],
    }


def test_regions_that_are_no_tumour_do_not_matter(computed: Study) -> None:
    """A couch that was named and never drawn is in many clinical RTSTRUCTs."""
    import pydicom

    contours = next((computed.folder / "dicom" / FIRST / "RTSTRUCT").iterdir())
    dataset = pydicom.dcmread(contours)
    couch = pydicom.Dataset()
    couch.ROINumber = 99
    couch.ROIName = "Couch"
    couch.ReferencedFrameOfReferenceUID = dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID
    couch.ROIGenerationAlgorithm = ""
    dataset.StructureSetROISequence.append(couch)
    dataset.save_as(contours)
    computed.ingest()
    computed.materialize()
    assert set(computed.petlake_states().values()) == {"FRESH"}


def test_a_folder_that_is_not_mounted_costs_nothing(computed: Study) -> None:
    from petct.errors import DicomError

    away = Path(shutil.move(computed.folder / "dicom", computed.folder / "away"))
    (computed.folder / "dicom").mkdir()
    with pytest.raises(DicomError, match="DICOM_FILES_LOST"):
        computed.ingest()
    assert set(computed.petlake_states().values()) == {"FRESH"}
    (computed.folder / "dicom").rmdir()
    away.rename(computed.folder / "dicom")


def test_a_step_cannot_read_what_its_table_does_not_declare(computed: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would stay fresh when what it read has changed."""
    forgotten = replace(PATIENT_TABLES["pet_metrics"], upstream=("suv", "lesions", "delineations"))
    monkeypatch.setitem(PATIENT_TABLES, "pet_metrics", forgotten)
    outcome = process_patient(PatientJob(FIRST, ("pet_metrics",), computed.settings))
    (refused,) = outcome.tables[0].refusals
    assert (refused.code, refused.found) == (
        "UNEXPECTED_ERROR",
        "LookupError: reference_regions is read, and not declared as upstream",
    )


def test_a_step_writes_the_companions_that_its_table_declares(computed: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PATIENT_TABLES, "suv", replace(PATIENT_TABLES["suv"], companions=()))
    outcome = process_patient(PatientJob(FIRST, ("suv",), computed.settings))
    assert [refused.code for refused in outcome.tables[0].refusals] == ["UNEXPECTED_ERROR"]
