"""The asset graph as it is meant to be: a change of it is a change of this file."""

from __future__ import annotations

import importlib
from pathlib import Path

import dagster as dg
import pytest

from orchestration import definitions
from orchestration.definitions import StudyResource
from orchestration.study import STUDY_FILE, STUDY_VARIABLE, StudyError, load_study

# asset: (group, what it is computed from, its checks)
GRAPH = {
    "dicom_files": ("imaging", [], []),
    "patients": ("imaging", [], ["some_patients"]),
    "series": ("imaging", ["dicom_files"], ["accounts_for_every_file", "as_recorded"]),
    "scans": ("imaging", ["series"], ["as_recorded", "one_row_a_scan"]),
    "suv": ("imaging", ["scans", "series", "suv_overrides"], ["as_recorded", "plausible_maximum"]),
    "protocols": ("masks", [], ["not_empty"]),
    "lesions": ("masks", ["dicom_files", "scans", "series", "suv"], ["as_recorded", "no_empty_lesion"]),
    "pictures": (
        "masks",
        ["dicom_files", "lesions", "scans", "series", "suv"],
        ["as_recorded", "every_picture_is_there"],
    ),
    "feature_sets": ("features", [], ["not_empty"]),
    "feature_definitions": ("features", [], ["not_empty"]),
    "pet_metrics": ("features", ["lesions", "suv"], ["as_recorded", "volumes_add_up"]),
    "radiomic_features": ("features", ["lesions", "scans", "suv"], ["as_recorded", "every_feature_or_a_reason"]),
    "perturbed_features": (
        "features",
        ["lesions", "scans", "suv"],
        ["as_recorded", "compared_with_no_change"],
    ),
    "robustness": ("features", ["perturbed_features", "radiomic_features"], ["not_empty"]),
    "clinical_table": ("clinical", [], []),
    "suv_overrides": ("clinical", [], []),
    "clinical": ("clinical", ["clinical_table"], ["as_recorded", "one_value_a_variable"]),
    "endpoints": ("clinical", ["clinical_table", "scans"], ["as_recorded", "no_negative_time"]),
    "conformance": ("cohort", [], ["nothing_fails"]),
    "snapshot": (
        "cohort",
        [
            *(
                "clinical",
                "conformance",
                "endpoints",
                "feature_definitions",
                "feature_sets",
                "lesions",
                "perturbed_features",
                "pet_metrics",
                "pictures",
                "protocols",
            ),
            *("radiomic_features", "robustness", "scans", "series", "suv"),
        ],
        ["holds_patients"],
    ),
}
NOT_OF_A_PATIENT = {
    *("patients", "protocols", "feature_sets", "feature_definitions", "conformance", "robustness", "snapshot"),
}
ASKED_FOR = {"perturbed_features", "robustness"}
WITHOUT_OUTCOME = "study: {name: no outcome}\nmasks: {tumour: [lesion*]}\n"


def graph_of(built: dg.Definitions) -> dict[str, tuple[str, list[str], list[str]]]:
    graph = built.resolve_asset_graph()
    found = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        parents = sorted(parent.to_user_string() for parent in node.parent_keys)
        checks = sorted(check.name for check in node.check_keys)
        found[key.to_user_string()] = (node.group_name, parents, checks)
    return found


def test_the_graph_without_a_study_is_the_whole_graph() -> None:
    assert graph_of(definitions.build_definitions(None)) == GRAPH


def test_what_is_of_a_patient_is_partitioned_by_patient() -> None:
    graph = definitions.build_definitions(None).resolve_asset_graph()
    partitioned = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).partitions_def}
    assert partitioned == set(GRAPH) - NOT_OF_A_PATIENT


def without(names: set[str]) -> dict[str, tuple[str, list[str], list[str]]]:
    return {
        name: (group, [parent for parent in parents if parent not in names], checks)
        for name, (group, parents, checks) in GRAPH.items()
        if name not in names
    }


def test_robustness_is_there_only_where_the_study_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / STUDY_FILE).write_text(WITHOUT_OUTCOME + "robustness: {retest_within_days: 7}\n", encoding="utf-8")
    found = graph_of(definitions.build_definitions(load_study(tmp_path)))
    assert found["robustness"][1] == ["radiomic_features"]
    assert "perturbed_features" not in found


def test_the_demo_study_has_all_that_need_not_be_asked_for(tmp_path: Path) -> None:
    template = Path(definitions.__file__).with_name("study_demo.yaml")
    (tmp_path / STUDY_FILE).write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    assert graph_of(definitions.build_definitions(load_study(tmp_path))) == without(ASKED_FOR)


def test_a_study_without_a_clinical_table_has_no_clinical_assets(tmp_path: Path) -> None:
    (tmp_path / STUDY_FILE).write_text(WITHOUT_OUTCOME, encoding="utf-8")
    found = graph_of(definitions.build_definitions(load_study(tmp_path)))
    assert set(GRAPH) - set(found) == {"clinical", "endpoints", *ASKED_FOR}
    assert "clinical" not in found["snapshot"][1]


def test_jobs_and_sensors_are_there() -> None:
    built = definitions.build_definitions(None)
    assert {job.name for job in built.jobs} == {"publish_snapshot", "register_patients"}
    started = {sensor.name: sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in built.sensors}
    assert started == {"publish_after_success": True, "publish_after_failure": True, "look_for_patients": False}


@pytest.mark.parametrize("with_study", [True, False])
def test_definitions_load_with_and_without_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_study: bool
) -> None:
    (tmp_path / STUDY_FILE).write_text(WITHOUT_OUTCOME, encoding="utf-8")
    if with_study:
        monkeypatch.setenv(STUDY_VARIABLE, str(tmp_path))
    else:
        monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    try:
        loaded = importlib.reload(definitions)
        dg.Definitions.validate_loadable(loaded.defs)
        assert ("clinical" in graph_of(loaded.defs)) == (not with_study)
    finally:
        monkeypatch.undo()
        importlib.reload(definitions)


def test_without_a_study_nothing_can_be_computed() -> None:
    with pytest.raises(StudyError, match="STUDY_NOT_NAMED"):
        StudyResource(None).settings()
