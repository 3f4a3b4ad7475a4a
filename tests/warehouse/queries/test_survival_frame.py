"""The data frame for users of lifelines: what it holds, what it refuses, and the example of docs/lifelines.md."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.study_rows import SETTINGS, row, write_study
from warehouse.errors import WarehouseError
from warehouse.queries.open_snapshot import Snapshot, open_snapshot
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "lifelines.md"
PATIENTS = tuple(f"P{number:02}" for number in range(1, 25))


def test_a_row_is_a_patient_with_the_endpoint(snapshot: Snapshot) -> None:
    frame = snapshot.survival_frame("OS", ["age_years", "sex"])
    times = snapshot.endpoint("OS")
    assert frame.columns.tolist() == ["duration", "event", "age_years", "sex"]
    assert (frame.index.name, tuple(frame.index)) == ("patient_id", times.patient_ids)
    assert frame["duration"].tolist() == times.duration_days.tolist()
    assert frame["event"].tolist() == times.event.tolist()
    values = snapshot.values(["age_years", "sex"]).of(times.patient_ids)
    assert frame["age_years"].tolist() == values.columns["age_years"].tolist()
    assert frame["sex"].tolist() == values.columns["sex"].tolist()
    assert (frame["duration"].dtype, frame["event"].dtype, frame["age_years"].dtype) == ("float64", "int64", "float64")
    assert snapshot.survival_frame("OS").columns.tolist() == ["duration", "event"]


def test_competing_events_are_censored_unless_they_are_asked_for(study: Lake) -> None:
    study.write("endpoints", "001", [row("endpoints", patient_id="001", endpoint="OS", duration_days=50, event=2)])
    publish(study, SETTINGS)
    with open_snapshot(study.root) as snapshot:
        assert snapshot.survival_frame("OS").loc["001"].tolist() == [50, 0]
        assert snapshot.survival_frame("OS", competing=True).loc["001"].tolist() == [50, 2]


def test_only_patients_with_the_endpoint_have_a_row(study: Lake) -> None:
    study.write("endpoints", "001", [])
    publish(study, SETTINGS)
    with open_snapshot(study.root) as snapshot:
        frame = snapshot.survival_frame("OS", ["age_years"])
        assert "001" not in frame.index
        assert (
            frame["age_years"].tolist()
            == snapshot.values(["age_years"]).of(tuple(frame.index)).columns["age_years"].tolist()
        )


@pytest.mark.parametrize(
    ("endpoint", "column", "code"),
    [("PFS", "age_years", "ENDPOINT_UNKNOWN"), ("OS", "agee", "COLUMN_UNKNOWN"), ("OS", "event", "COLUMN_RESERVED")],
)
def test_refusals_have_codes(snapshot: Snapshot, endpoint: str, column: str, code: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        snapshot.survival_frame(endpoint, [column])
    assert refused.value.code == code


def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Lake(tmp_path / "demo" / "lake")
    write_study(lake, PATIENTS)
    rng = np.random.default_rng(3)
    for patient, days in zip(PATIENTS, rng.integers(100, 2000, len(PATIENTS)), strict=True):
        outcome = row("endpoints", patient_id=patient, endpoint="OS", duration_days=int(days), event=1)
        lake.write("endpoints", patient, [outcome])
    publish(lake, SETTINGS)
    (code,) = re.findall(r"```python\n(.*?)```", EXAMPLE.read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}
    with warnings.catch_warnings():
        # lifelines uses deprecated names of pandas and numpy.
        warnings.simplefilter("ignore")
        exec(compile(code, str(EXAMPLE), "exec"), found)
    printed = capsys.readouterr().out
    assert re.search(r"median survival: \d+ days", printed)
    assert re.search(r"age_years +-?\d\.\d+ +\d\.\d+", printed)
    assert len(found["frame"]) == len(PATIENTS)  # type: ignore[arg-type]
    assert 0 < len(found["women"]) < len(PATIENTS)  # type: ignore[arg-type]
