"""The clinical table at ingest: importing it again is an upsert; who is unknown or gone is said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from assets.ingest import IngestReport, ingest
from assets.ingest_clinical import unknown_patients
from assets.settings import StudySettings
from orchestration.study import load_study
from petct.errors import ClinicalError
from records.clinical import ClinicalCell
from warehouse.storage.lake import Lake

STUDY = """
study: {name: re-import}
clinical:
  variables: {age: {kind: number}, grade: {kind: category}}
masks: {tumour: [a]}
"""
HEADER = "patient_id,age,grade,remark\n"
FIRST = HEADER + "A1,60,G1,x\nA2,61,G2,x\nA3,62,G3,x\n"


@dataclass(frozen=True)
class Study:
    folder: Path

    @property
    def settings(self) -> StudySettings:
        return load_study(self.folder)

    def ingest(self, table: str, *, allow_loss: bool = False) -> IngestReport:
        (self.folder / "clinical.csv").write_text(table, encoding="utf-8")
        return ingest(self.settings, allow_loss=allow_loss)

    def cells(self) -> dict[str, dict[str, str]]:
        lake = Lake(self.settings.lake)
        return {
            patient: {cell.column: cell.value for cell in lake.read("clinical_cells", patient, ClinicalCell)}
            for patient in lake.patients("clinical_cells")
        }


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "dicom").mkdir()
    return Study(tmp_path)


def _changed(report: IngestReport) -> dict[str, tuple[bool, bool]]:
    return {p.record.patient_id: (p.is_new, p.cells_changed) for p in report.patients}


def test_the_same_table_again_changes_nothing(study: Study) -> None:
    assert _changed(study.ingest(FIRST)) == dict.fromkeys(("A1", "A2", "A3"), (True, True))
    before = study.cells()
    assert _changed(study.ingest(FIRST)) == dict.fromkeys(("A1", "A2", "A3"), (False, False))
    # Another order of rows and columns, another remark: what has a role is the same.
    turned = "remark,grade,patient_id,age\ny,G3,A3,62\ny,G1,A1,60\ny,G2,A2,61\n"
    assert _changed(study.ingest(turned)) == dict.fromkeys(("A1", "A2", "A3"), (False, False))
    assert study.cells() == before


def test_a_row_is_updated_and_a_new_one_inserted(study: Study) -> None:
    study.ingest(FIRST)
    report = study.ingest(FIRST.replace("A2,61", "A2,71") + "A4,64,G1,x\n")
    assert _changed(report) == {"A1": (False, False), "A2": (False, True), "A3": (False, False), "A4": (True, True)}
    cells = study.cells()
    assert (cells["A2"]["age"], cells["A4"]["age"], cells["A1"]["age"]) == ("71", "64", "60")
    assert "remark" not in cells["A1"]


def test_a_row_that_is_gone_is_said_and_most_rows_gone_are_refused(study: Study) -> None:
    study.ingest(FIRST)
    report = study.ingest(FIRST.replace("A3,62,G3,x\n", ""))
    assert report.gone == ("A3",)
    assert set(study.cells()) == {"A1", "A2"}
    study.ingest(FIRST)
    with pytest.raises(ClinicalError, match="CLINICAL_ROWS_LOST"):
        study.ingest(HEADER + "A4,64,G1,x\n")
    assert set(study.cells()) == {"A1", "A2", "A3"}, "nothing was changed"
    study.ingest(HEADER + "A4,64,G1,x\n", allow_loss=True)
    assert set(study.cells()) == {"A4"}


def test_rows_without_a_usable_id_are_set_aside(study: Study) -> None:
    report = study.ingest(FIRST + "Doe/Jane,1,G1,x\n,2,G2,x\n")
    assert [error.code for error in report.clinical_set_aside] == ["PATIENT_ID_INVALID", "PATIENT_ID_INVALID"]
    assert set(study.cells()) == {"A1", "A2", "A3"}


def test_a_missing_column_is_refused_with_the_nearest_and_the_way_to_a_proposal(study: Study) -> None:
    with pytest.raises(ClinicalError) as refused:
        study.ingest(FIRST.replace("grade", "grades"))
    assert refused.value.code == "CLINICAL_COLUMN_MISSING"
    assert refused.value.hint is not None
    assert "Did you mean grades?" in refused.value.hint
    assert "petlake init DIR --clinical FILE" in refused.value.hint


def test_patients_that_no_file_knows_are_named_with_their_likely_id() -> None:
    cells = {"STS_001": [], "sts-2": [], "STS_0033": [], "other": []}
    files = {"STS_001": [], "STS_002": [], "STS_003": []}
    assert unknown_patients(cells, files) == {"sts-2": "STS_002", "STS_0033": "STS_003", "other": None}
    assert unknown_patients(cells, {}) == {}
