"""The exams beside a study: run once, again when something changed, and listed where they cannot be run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assets.exams import CONFORMANCE, conformance_if_stale, write_conformance
from assets.settings import ConformanceSettings, StudySettings
from assets.steps.order import PATIENT_TABLES
from orchestration.study import StudyError, load_study
from petct.conformance.exam import EXAM_FOLDERS
from petct.conformance.suv_objects import suv_objects
from records.cohort import ConformanceRow
from tests.petct.conformance.suv_synthesis import small_phantom, write_object
from warehouse.storage.lake import Lake


@pytest.fixture
def settings(tmp_path: Path) -> StudySettings:
    """Return a study whose reference data are two objects, of which one is to be refused."""
    (tmp_path / "study.yaml").write_text(
        "study: {name: exam}\nmasks: {tumour: ['*']}\nconformance: {data: reference}\n", encoding="utf-8"
    )
    for name in ("DRO_0_0", "DRO_error_2_0"):
        write_object(suv_objects()[name], small_phantom(), tmp_path / "reference" / "suv_dro" / name)
    return load_study(tmp_path)


def _rows(settings: StudySettings) -> tuple[ConformanceRow, ...]:
    return Lake(settings.lake).read(CONFORMANCE, None, ConformanceRow)


def test_the_lines_of_an_exam_become_rows(settings: StudySettings) -> None:
    assert conformance_if_stale(settings) == (CONFORMANCE,)
    assert write_conformance(settings) == {"pass": 2}
    assert [(row.exam, row.case_id, row.found) for row in _rows(settings)] == [
        ("suv", "DRO_0_0", "0.200/1.000/4.000"),
        ("suv", "DRO_error_2_0", "SUV_WEIGHT_MISSING"),
    ]
    assert conformance_if_stale(settings) == ()


def test_an_exam_is_run_again_when_code_data_or_the_list_of_exams_changed(
    settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_conformance(settings)
    with monkeypatch.context() as patch:
        patch.setitem(PATIENT_TABLES, "suv", replace(PATIENT_TABLES["suv"], code_version="of another day"))
        assert conformance_if_stale(settings) == (CONFORMANCE,)
    data = settings.conformance.data_folder
    assert data is not None
    assert conformance_if_stale(replace(settings, conformance=ConformanceSettings(data, ("suv", "survival"))))
    assert conformance_if_stale(replace(settings, conformance=ConformanceSettings(data, ())))
    write_object(suv_objects()["DRO_1_0"], small_phantom(), data / "suv_dro" / "DRO_1_0")
    assert conformance_if_stale(settings) == (CONFORMANCE,)


def test_an_exam_without_reference_data_is_listed_as_not_run(settings: StudySettings) -> None:
    for folder, words in ((None, "study.yaml does not name"), (settings.folder / "nowhere", "they are not there")):
        without = replace(settings, conformance=ConformanceSettings(folder))
        assert write_conformance(without) == {"not_run": 1}
        (row,) = _rows(without)
        assert words in str(row.note)
        assert str(settings.folder) not in str(row)
        assert conformance_if_stale(without) == ()
    # The data have come.
    assert conformance_if_stale(settings) == (CONFORMANCE,)


def test_an_exam_that_cannot_be_taken_has_failed(settings: StudySettings) -> None:
    folder = settings.conformance.data_folder
    assert folder is not None
    (folder / "suv_dro" / "DRO_list.csv").write_text("no,list\n", encoding="utf-8")
    assert write_conformance(settings) == {"fail": 1}
    assert _rows(settings)[0].found == "EXAM_LIST_INVALID"
    empty = folder.parent / "empty"
    (empty / "suv_dro").mkdir(parents=True)
    assert write_conformance(replace(settings, conformance=ConformanceSettings(empty))) == {"fail": 1}


def test_study_yaml_names_exams_that_exist_and_each_once(tmp_path: Path) -> None:
    def with_exams(names: str) -> tuple[str, ...]:
        text = f"study: {{name: exam}}\nmasks: {{tumour: ['*']}}\nconformance: {{exams: [{names}]}}\n"
        (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
        return load_study(tmp_path).conformance.exams

    assert with_exams(", ".join(EXAM_FOLDERS)) == tuple(EXAM_FOLDERS)
    for wrong in ("suvs", "suv, suv"):
        with pytest.raises(StudyError) as refusal:
            with_exams(wrong)
        assert "at most once" in str(refusal.value)
