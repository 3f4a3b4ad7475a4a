"""A weight of the chart reaches the SUV; another cell of it makes the SUV stale, and any other cell does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.status import State, table_states
from orchestration.study import StudyError, load_study
from petct.suv import SuvAdaptation, SuvRecord
from warehouse.lake import Lake

FIRST, SECOND = "NET-001", "NET-002"
OF_SUV = {"suv", "lesions", "pet_metrics", "radiomic_features"}
OVERRIDES = "suv:\n  overrides:\n    weight: {column: chart_weight_kg, unit: kg}\n\nmasks:\n"


def _stale(study, patient: str) -> set[str]:
    return {s.table for s in table_states(study.settings, [patient]) if s.state is State.STALE}


def _with_weights(folder: Path, **weights: str) -> None:
    """Write the clinical table with a column of weights of the chart."""
    header, *lines = (folder / "clinical.csv").read_text(encoding="utf-8").splitlines()
    if "chart_weight_kg" in header:
        header, lines = header.rsplit(",", 1)[0], [line.rsplit(",", 1)[0] for line in lines]
    rows = [f"{line},{weights.get(line.split(',')[0].replace('-', '_'), '')}" for line in lines]
    text = "\n".join([f"{header},chart_weight_kg", *rows]) + "\n"
    (folder / "clinical.csv").write_text(text, encoding="utf-8")


def test_a_weight_of_the_chart_from_the_table_to_the_suv(computed) -> None:
    lake = Lake(computed.settings.lake)
    (before,) = lake.read("suv", FIRST, SuvRecord)
    computed.replace("masks:\n", OVERRIDES)
    computed.replace("feature_sets: [pet_original, ct_original]", "feature_sets: [pet_original]")
    _with_weights(computed.folder, NET_001="100")
    assert _stale(computed, FIRST) == OF_SUV
    computed.ingest()
    assert set(computed.materialize()) == {FIRST, SECOND}
    (after,) = lake.read("suv", FIRST, SuvRecord)
    assert after.patient_weight_kg == 100
    assert after.suv_max == pytest.approx(before.suv_max * 100 / before.patient_weight_kg, rel=1e-6)
    (row,) = lake.read("suv_adaptations", FIRST, SuvAdaptation)
    assert (row.code, row.keyword, row.value_to) == ("SUV_WEIGHT_OVERRIDDEN", "PatientWeight", "100")
    assert "chart_weight_kg" in row.message
    assert lake.read("suv_adaptations", SECOND, SuvAdaptation) == ()

    _with_weights(computed.folder, NET_001="100", NET_002="7000")
    computed.ingest()
    assert (_stale(computed, FIRST), _stale(computed, SECOND)) == (set(), OF_SUV)
    assert computed.dagster_states()[SECOND, "suv"] == "STALE"
    computed.materialize()
    (state,) = [s for s in table_states(computed.settings, [SECOND]) if s.table == "suv"]
    assert state.state is State.REFUSED
    assert "SUV_OVERRIDE_IMPLAUSIBLE" in state.reasons[0]
    assert "chart_weight_kg" in state.reasons[0]


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
