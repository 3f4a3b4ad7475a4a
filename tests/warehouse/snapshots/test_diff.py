"""What changed between two snapshots: counted by key, named within bounds, and nothing where nothing changed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.warehouse.study_rows import SETTINGS, row, write_patient
from warehouse.errors import WarehouseError
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import path_of
from warehouse.snapshots.changes import EXAMPLES, CellChange, ColumnChange, TableChange, ValueChange
from warehouse.snapshots.diff import diff
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake


@pytest.fixture(scope="module")
def published(written_study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = Path(shutil.copytree(written_study, tmp_path_factory.mktemp("published") / "lake"))
    return root, publish(Lake(root), SETTINGS).snapshot_id


@pytest.fixture
def study(published: tuple[Path, str], tmp_path: Path) -> Lake:
    """Return a lake with one snapshot, for this test alone."""
    return Lake(shutil.copytree(published[0], tmp_path / "lake"))


@pytest.fixture
def before(published: tuple[Path, str]) -> str:
    """Return the id of that snapshot."""
    return published[1]


def tables(changes: tuple[TableChange, ...]) -> dict[str, TableChange]:
    return {change.name: change for change in changes}


def test_a_snapshot_does_not_differ_from_itself(study: Lake, before: str) -> None:
    found = diff(study.root, before, None)

    assert found.sentences == ("Both are the same snapshot.",)
    assert (found.tables, found.settings, found.code_versions, found.patients_changed) == ((), (), (), ())


def test_a_changed_value_is_one_row_of_one_patient_and_what_follows_from_it(study: Lake, before: str) -> None:
    changed = row("endpoints", patient_id="001", endpoint="OS", duration_days=101, event=0)
    study.write("endpoints", "001", [changed])
    # What is not part of the identity changes no row.
    study.write("files", "002", [row("files", patient_id="002", path="a.dcm", modified_ns=1)])
    # Open, as it is in the dashboard.
    with open_snapshot(study.root, before):
        found = diff(study.root, before, publish(study, SETTINGS).snapshot_id)
    by_name = tables(found.tables)

    assert found.patients_changed == ("001", "002")
    assert (found.patients_added, found.patients_removed) == ((), ())
    assert set(by_name) == {"endpoints", "files", "cohort"}
    endpoints = by_name["endpoints"]
    assert endpoints.key == ("patient_id", "endpoint")
    assert (endpoints.n_before, endpoints.n_after) == (4, 4)
    assert (endpoints.n_added, endpoints.n_removed, endpoints.n_changed) == (0, 0, 1)
    assert endpoints.changed_values == {"duration_days": 1, "event": 1}
    assert endpoints.examples == (
        CellChange(("001", "OS"), "duration_days", "100", "101"),
        CellChange(("001", "OS"), "event", "1", "0"),
    )
    assert by_name["cohort"].changed_values == {"OS_duration_days": 1, "OS_event": 1}
    assert (by_name["files"].n_added, by_name["files"].n_changed) == (1, 0)
    assert found.sentences == (
        "4 patients before, 4 after: 2 changed.",
        "Rows differ in 3 tables: 1 added, 0 removed, 2 changed.",
    )


def test_patients_who_come_and_go_are_named_and_their_rows_counted(study: Lake, before: str) -> None:
    write_patient(study, "new", 5)
    for partition in study.partitions():
        if partition.patient_id == "002":
            study.remove(partition.table, "002")
    found = diff(study.root, before, publish(study, SETTINGS).snapshot_id)
    lesions = tables(found.tables)["lesions"]

    assert (found.patients_added, found.patients_removed, found.patients_changed) == (("new",), ("002",), ())
    assert (lesions.n_added, lesions.n_removed, lesions.n_changed) == (4, 4, 0)
    assert found.sentences[0] == "4 patients before, 4 after: 1 came, 1 went."
    reverse = diff(study.root, found.after.snapshot_id, before)
    assert (reverse.patients_added, tables(reverse.tables)["lesions"].n_added) == (("002",), 4)


def test_settings_versions_tables_and_columns(study: Lake, before: str) -> None:
    for patient in ("001", "002"):
        age = row("clinical", patient_id=patient, variable="age_years", kind="number", value_number=50.0, unit="year")
        study.write("clinical", patient, [age, row("clinical", patient_id=patient, variable="ki67", kind="number")])
    for patient in ("A7", "101"):
        study.write("clinical", patient, [])
    after = replace(
        SETTINGS,
        settings_json='{"tracer": "68Ga-DOTATOC", "threshold": {"suv": 3.0, "liver": true}}',
        code_versions={"lesions": "2", "radiomic_features": "1"},
        aggregations=("largest",),
        with_reliability=True,
    )
    found = diff(study.root, before, publish(study, after).snapshot_id)
    by_name = tables(found.tables)

    assert [change for change in found.settings if change.name.startswith("threshold")] == [
        ValueChange("threshold.liver", None, "true"),
        ValueChange("threshold.suv", "4.0", "3.0"),
    ]
    assert found.code_versions == (ValueChange("lesions", "1", "2"),)
    assert by_name["features__pet__mean"].change == "removed"
    assert by_name["feature_reliability"].change == "added"
    assert by_name["cohort"].columns[:2] == (
        ColumnChange("age_years", "redefined", "number [a]", "number [year]"),
        ColumnChange("first_cycle", "removed", "date", None),
    )
    assert ColumnChange("ki67", "added", None, "number") in by_name["cohort"].columns
    # Without a key, rows are compared as a whole.
    assert by_name["clinical_missingness"].key == ()
    assert by_name["clinical_missingness"].n_changed == 0
    assert by_name["clinical_missingness"].n_added >= 1
    assert "1 code version differs." in found.sentences


def test_the_examples_are_bounded_and_the_counts_are_not(study: Lake) -> None:
    variables = [f"v{number:02}" for number in range(EXAMPLES + 5)]

    def published_with(value: float) -> str:
        rows = [row("clinical", patient_id="001", variable=v, kind="number", value_number=value) for v in variables]
        study.write("clinical", "001", rows)
        return publish(study, SETTINGS).snapshot_id

    clinical = tables(diff(study.root, published_with(1.0), published_with(2.0)).tables)["clinical"]
    assert clinical.n_changed == len(variables)
    assert clinical.changed_values == {"value_number": len(variables)}
    assert [cell.key for cell in clinical.examples] == [("001", variable) for variable in variables[:EXAMPLES]]


def test_what_is_not_a_snapshot_is_refused(study: Lake, before: str) -> None:
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_UNKNOWN"):
        diff(study.root, "000000", None)
    path_of(study.root, before).write_bytes(b"not a database")
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_CORRUPT"):
        diff(study.root, before, None)
