"""What a snapshot holds: the tables of the registry, the cohort, and what it says about itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.some import some
from tests.warehouse.study_rows import SETTINGS, row, write_study
from warehouse.errors import WarehouseError
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.registry.tables import TABLES
from warehouse.snapshots.publish import list_snapshots, publish, show
from warehouse.storage.lake import Lake


def test_every_table_of_the_registry_is_there_with_its_columns(study: Lake) -> None:
    published = publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        for table in some(TABLES.values()):
            described = opened.sql(f'DESCRIBE "{table.name}"').rows
            assert [(name, null) for name, _, null, *_ in described] == [
                (column.name, "YES" if column.nullable else "NO") for column in table.columns
            ]
            assert published.tables[table.name] == opened.sql(f'SELECT count(*) FROM "{table.name}"').rows[0][0]
        comments = dict(opened.sql("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'suv'").rows)
        defined = opened.sql("SELECT table_name, column_name FROM column_definitions").rows
        columns = opened.sql("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").rows

    assert comments["half_life_s"] == "Radionuclide Half Life (0018,1075) [s]"
    described_tables = {name for name, _ in defined}
    assert set(defined) == {(table, column) for table, column in columns if table in described_tables}
    assert {"cohort", "clinical_wide", "baseline_scans", "features__pet__mean", "features__ct__sd"} <= described_tables


def test_a_snapshot_tells_what_it_is_made_of(study: Lake) -> None:
    published = publish(study, SETTINGS)
    details = show(study.root, published.snapshot_id[:8])

    assert details.snapshot_id == published.snapshot_id
    assert {key: json.loads(text) for key, text in details.settings_json.items()} == json.loads(SETTINGS.settings_json)
    assert details.code_versions == SETTINGS.code_versions
    assert details.aggregations == SETTINGS.aggregations
    assert details.default_protocol_id == "suv4"
    assert (details.n_patients, details.n_files) == (4, 31)
    assert details.tables == published.tables
    with open_snapshot(study.root) as opened:
        digests = opened.sql("SELECT table_name, patient_id, sha256 FROM table_digests").rows
    assert len(digests) == 31
    assert all(sha256 == study.digest(str(table), patient) for table, patient, sha256 in some(digests))  # type: ignore[arg-type]


def test_nothing_of_the_place_or_the_time_is_in_the_tables(study: Lake, tmp_path: Path) -> None:
    published = publish(study, SETTINGS)
    assert str(tmp_path).encode() not in published.path.read_bytes()


def test_rows_lie_sorted_and_ids_stay_text(study: Lake) -> None:
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        assert opened.sql("SELECT patient_id FROM cohort").rows == (("001",), ("002",), ("101",), ("A7",))
        assert opened.sql("SELECT DISTINCT typeof(patient_id) FROM clinical").rows == (("VARCHAR",),)
        rows = opened.sql("SELECT patient_id, lesion_id, modality FROM lesions").rows
        assert list(rows) == sorted(rows)  # type: ignore[type-var]


def test_only_numeric_ids_stay_text(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    write_study(lake, ("001", "002", "010"))
    publish(lake, SETTINGS)
    with open_snapshot(tmp_path) as opened:
        assert opened.sql("SELECT patient_id FROM features__pet__mean").rows == (("001",), ("002",))
        assert opened.values(["age_years"]).patient_ids == ("001", "002", "010")


def test_the_cohort_has_one_row_a_patient(study: Lake) -> None:
    study.remove("pet_metrics", "002")
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        names = (
            "patient_id, baseline_scan_id, age_years, sex, OS_duration_days, OS_event, scan_manufacturer,"
            "tumour_volume_ml, n_lesions, suv_max, total_lesion_expression_ml,"
            "liver_tumour_volume_ml, liver_n_lesions, liver_suv_max, liver_suv_mean"
        )
        rows = opened.sql(f"SELECT {names} FROM cohort").rows

    scan = "2020-01-02_ab"
    assert rows == (
        ("001", scan, 61.0, "M", 100, 1, "GE", 3.0, 2, 9.0, 15.0, 3.0, 2, 9.0, 5.0),
        ("002", scan, 62.0, "F", 200, 0, "GE", None, None, None, None, None, None, None, None),
        ("101", scan, 64.0, "F", 400, 0, "GE", 0.0, 0, None, 0.0, 0.0, 0, None, None),
        ("A7", scan, 63.0, "M", 300, 1, "GE", 7.0, 2, 9.0, 35.0, 7.0, 2, 9.0, 5.0),
    )


def test_a_registered_patient_without_anything_is_in_the_cohort(study: Lake) -> None:
    study.write("patients", "new", [row("patients", patient_id="new")])
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        (found,) = opened.sql("SELECT * EXCLUDE (patient_id) FROM cohort WHERE patient_id = 'new'").rows
    assert set(found) == {None}


def test_the_baseline_is_the_declared_scan_else_the_earliest(study: Lake) -> None:
    import datetime as dt

    def scans(patient: str, **dates: dt.date | None) -> None:
        rows = [row("scans", patient_id=patient, scan_id=name, scan_date=date) for name, date in dates.items()]
        study.write("scans", patient, rows)

    def endpoints(patient: str, **baselines: str | None) -> None:
        rows = [row("endpoints", patient_id=patient, endpoint=e, baseline_scan_id=s) for e, s in baselines.items()]
        study.write("endpoints", patient, rows)

    scans("001", a=dt.date(2021, 1, 1), b=dt.date(2020, 1, 1), c=None)
    endpoints("001", OS=None)
    scans("002", a=dt.date(2021, 1, 1), b=dt.date(2020, 1, 1))
    endpoints("002", PFS="a", OS="a")
    scans("A7", a=None, b=None)
    endpoints("A7", AAA=None, OS="b")
    scans("101")
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        rows = opened.sql("SELECT * FROM baseline_scans").rows
    assert rows == (("001", "b", "EARLIEST"), ("002", "a", "ENDPOINT"), ("A7", "b", "ENDPOINT"))


def test_endpoints_with_different_baseline_scans_are_not_published(study: Lake) -> None:
    rows = [row("endpoints", patient_id="002", endpoint=e, baseline_scan_id=s) for e, s in (("OS", "a"), ("PFS", "b"))]
    study.write("endpoints", "002", rows)
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_BASELINE_AMBIGUOUS.*002.*OS, PFS"):
        publish(study, SETTINGS)


def test_values_of_other_scans_and_protocols_stay_out_of_the_cohort(study: Lake) -> None:
    where = {"patient_id": "001", "grain": "patient", "region": "all"}
    rows = [
        row("pet_metrics", **where, scan_id="2020-01-02_ab", protocol_id="suv4", volume_ml=3.0),
        row("pet_metrics", **where, scan_id="2020-01-02_ab", protocol_id="other", volume_ml=30.0),
        row("pet_metrics", **where, scan_id="2022-01-02_cd", protocol_id="suv4", volume_ml=300.0),
    ]
    study.write("pet_metrics", "001", rows)
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        query = "SELECT tumour_volume_ml FROM cohort WHERE patient_id = '001'"
        assert opened.sql(query).rows == ((3.0,),)
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_PROTOCOL_UNDECLARED.*other, suv4"):
        publish(study, replace(SETTINGS, default_protocol_id=None))
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_PROTOCOL_UNKNOWN"):
        publish(study, replace(SETTINGS, default_protocol_id="suv5"))
    assert len(list_snapshots(study.root)) == 1


@pytest.mark.parametrize("variable", ["suv_max", "SUV_MAX", "patient_id", "os_event", "liver_n_lesions"])
def test_a_clinical_variable_with_the_name_of_another_column_is_refused(study: Lake, variable: str) -> None:
    study.write("clinical", "001", [row("clinical", patient_id="001", variable=variable, kind="number")])
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_COLUMN_CONFLICT"):
        publish(study, SETTINGS)
    assert not list((study.root / "snapshots").iterdir())


def test_a_variable_of_two_kinds_is_refused(study: Lake) -> None:
    study.write("clinical", "001", [row("clinical", patient_id="001", variable="sex", kind="number")])
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_KIND_CONFLICT.*category, number"):
        publish(study, SETTINGS)


def test_names_with_quotes_and_spaces_are_only_names(study: Lake) -> None:
    variable = "x\"; DROP TABLE cohort; --' Σ"
    study.write(
        "clinical", "001", [row("clinical", patient_id="001", variable=variable, kind="number", value_number=7.0)]
    )
    sets = [row("feature_sets", feature_set_id="pet-1", name='pet\'s "best" set', modality="PT")]
    study.write("feature_sets", None, sets)
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        name = 'pet\'s "best" set__mean:original_a'
        values = opened.values([variable, name])
        assert opened.features('pet\'s "best" set', "mean").shape == (3, 3)
    assert values.columns[variable][0] == 7.0
    assert values.columns[name][0] == 1.5


def test_feature_sets_of_one_name_are_kept_apart(study: Lake) -> None:
    sets = [row("feature_sets", feature_set_id=i, name="pet", modality="PT") for i in ("pet-1", "pet-2")]
    study.write("feature_sets", None, sets)
    tables = publish(study, SETTINGS).tables
    assert (tables["features__pet-1__mean"], tables["features__pet-2__mean"]) == (3, 0)


def test_a_study_without_imaging_can_be_published(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write("patients", "001", [row("patients", patient_id="001")])
    published = publish(lake, replace(SETTINGS, default_protocol_id=None))
    assert published.tables["cohort"] == 1


def test_missingness_counts_values_gaps_and_refusals(study: Lake) -> None:
    for number, patient in enumerate(("001", "002", "A7", "101")):
        study.write("patients", patient, [row("patients", patient_id=patient, has_clinical=patient != "101")])
        values = [
            row("clinical", patient_id=patient, variable="age_years", kind="number", unit="a", status="RECORDED"),
            row("clinical", patient_id=patient, variable="ki67", kind="number", status="MISSING"),
        ]
        # The first patient's ki67 was refused: neither a value nor a gap. The last has no row at all.
        study.write("clinical", patient, values[: 1 if number == 0 else 2] if patient != "101" else [])
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        rows = opened.sql("SELECT * FROM clinical_missingness").rows
    assert rows == (("age_years", "number", "a", 3, 3, 0, 0, 0.0), ("ki67", "number", None, 3, 0, 2, 1, 1.0))
