"""A weight of the chart reaches the SUV; another cell of it makes the SUV stale, and any other cell does not."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from assets.graph.events import DATA_VERSION_TAG
from assets.status import State, table_states
from assets.work import PatientJob, process_patient
from orchestration.instance import study_instance
from orchestration.study import StudyError, load_study
from records.imaging import SuvAdaptation, SuvRecord
from tests.assets.conftest import Study
from warehouse.storage.lake import Lake

FIRST, SECOND = "NET-001", "NET-002"
OVERRIDES = "suv:\n  overrides:\n    weight: {column: chart_weight_kg, unit: kg}\n\nmasks:\n"


def _suv_state(study: Study, patient: str) -> tuple[State, tuple[str, ...]]:
    (state,) = [s for s in table_states(study.settings, [patient]) if s.table == "suv"]
    return state.state, state.reasons


def _compute(study: Study, *patients: str) -> None:
    for patient in patients:
        process_patient(PatientJob(patient, ("series", "scans", "suv"), study.settings))


def _version_in_dagster(study: Study, patient: str) -> str:
    with study_instance(study.folder) as instance:
        key = dg.AssetKey("suv_overrides")
        record = instance.get_latest_data_version_record(key, is_source=True, partition_key=patient)
        assert record is not None
        return record.event_log_entry.asset_observation.tags[DATA_VERSION_TAG]


def _with_weights(folder: Path, **weights: str) -> None:
    """Write the clinical table with a column of weights of the chart."""
    header, *lines = (folder / "clinical.csv").read_text(encoding="utf-8").splitlines()
    if "chart_weight_kg" in header:
        header, lines = header.rsplit(",", 1)[0], [line.rsplit(",", 1)[0] for line in lines]
    rows = [f"{line},{weights.get(line.split(',')[0].replace('-', '_'), '')}" for line in lines]
    text = "\n".join([f"{header},chart_weight_kg", *rows]) + "\n"
    (folder / "clinical.csv").write_text(text, encoding="utf-8")


def test_a_weight_of_the_chart_from_the_table_to_the_suv(not_computed: Study) -> None:
    study, lake = not_computed, Lake(not_computed.settings.lake)
    _compute(study, FIRST, SECOND)
    (before,) = lake.read("suv", FIRST, SuvRecord)
    study.replace("masks:\n", OVERRIDES)
    assert _suv_state(study, FIRST) == (State.STALE, ("computed with other settings",))
    _with_weights(study.folder, NET_001="100")
    study.ingest()
    _compute(study, FIRST, SECOND)
    (after,) = lake.read("suv", FIRST, SuvRecord)
    assert after.patient_weight_kg == 100
    assert after.suv_max == pytest.approx(before.suv_max * 100 / before.patient_weight_kg, rel=1e-6)
    (row,) = lake.read("suv_adaptations", FIRST, SuvAdaptation)
    assert (row.code, row.keyword, row.value_to) == ("SUV_WEIGHT_OVERRIDDEN", "PatientWeight", "100")
    assert "chart_weight_kg" in row.message
    assert lake.read("suv_adaptations", SECOND, SuvAdaptation) == ()
    assert {_suv_state(study, patient) for patient in (FIRST, SECOND)} == {(State.FRESH, ())}

    version = _version_in_dagster(study, SECOND)
    _with_weights(study.folder, NET_001="100", NET_002="7000")
    study.ingest()
    assert _suv_state(study, FIRST) == (State.FRESH, ())
    assert _suv_state(study, SECOND) == (State.STALE, ("its input has changed",))
    assert _version_in_dagster(study, SECOND) != version
    _compute(study, SECOND)
    state, reasons = _suv_state(study, SECOND)
    assert state is State.REFUSED
    assert "SUV_OVERRIDE_IMPLAUSIBLE" in reasons[0]
    assert "chart_weight_kg" in reasons[0]


def test_another_cell_does_not_make_the_suv_stale(not_computed: Study) -> None:
    not_computed.replace("masks:\n", OVERRIDES)
    _with_weights(not_computed.folder)
    not_computed.ingest()
    _compute(not_computed, FIRST)
    path = not_computed.folder / "clinical.csv"
    text = path.read_text(encoding="utf-8")
    assert f"{FIRST},M," in text
    path.write_text(text.replace(f"{FIRST},M,", f"{FIRST},F,"), encoding="utf-8")
    report = not_computed.ingest()
    assert [p.record.patient_id for p in report.patients if p.cells_changed] == [FIRST]
    assert _suv_state(not_computed, FIRST) == (State.FRESH, ())


@pytest.mark.parametrize(
    ("overrides", "found"),
    [
        ("measured_activity: {column: a, unit: MBq}", "measured_activity and measured_time are needed together"),
        ("weight: {column: a, unit: lb}", "unit"),
        ("weights: {column: a, unit: kg}", "Did you mean weight"),
    ],
)
def test_what_study_yaml_may_not_say(tmp_path: Path, overrides: str, found: str) -> None:
    text = f"study: {{name: x}}\nclinical: {{}}\nmasks: {{tumour: [a]}}\nsuv:\n  overrides:\n    {overrides}\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=found):
        load_study(tmp_path)


def test_overrides_need_a_clinical_table(tmp_path: Path) -> None:
    text = "study: {name: x}\nmasks: {tumour: [a]}\nsuv: {overrides: {weight: {column: a, unit: kg}}}\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"suv\.overrides needs the section `clinical`"):
        load_study(tmp_path)
