"""Reading a snapshot: SQL cannot change anything, and the typed reads give what the tables hold."""

from __future__ import annotations

import io
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.warehouse.study_rows import SETTINGS
from warehouse.errors import WarehouseError
from warehouse.queries import snapshot_reader
from warehouse.queries.analysis_columns import FeatureFamily, Origin
from warehouse.queries.open_snapshot import Snapshot, open_snapshot
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

READS = [
    "SELECT count(*) FROM cohort",
    "  select 1 ; ",
    "-- what is there\nSELECT 1",
    "FROM cohort SELECT patient_id",
    "TABLE cohort",
    "VALUES (1), (2)",
    "WITH x AS (SELECT 1 AS y) SELECT y FROM x",
    "DESCRIBE cohort",
    "SHOW TABLES",
    "SUMMARIZE cohort",
    "EXPLAIN SELECT 1",
    "explain analyze select count(*) from cohort",
    "SELECT * FROM (PIVOT endpoints ON endpoint IN ('OS') USING first(duration_days) GROUP BY patient_id)",
]


@pytest.mark.parametrize("query", READS)
def test_reading_statements_are_answered(snapshot: Snapshot, query: str) -> None:
    assert snapshot.sql(query).rows


def test_a_wrong_query_is_explained_in_one_line(snapshot: Snapshot) -> None:
    with pytest.raises(WarehouseError) as refused:
        snapshot.sql("SELECT agee_years\nFROM cohort")

    assert refused.value.code == "SQL_FAILED"
    assert 'Candidate bindings: "age_years"' in refused.value.message
    assert "^" not in refused.value.message
    with pytest.raises(WarehouseError, match=r"SQL_FAILED.*[Pp]arser"):
        snapshot.sql("SELEC 1")
    with pytest.raises(WarehouseError, match=r"SQL_FAILED"):
        snapshot.sql("SELECT 'a'::INTEGER")
    with pytest.raises(WarehouseError, match=r"SQL_FAILED"):
        snapshot.sql("SELECT ?", [])


def test_a_query_without_end_is_stopped(snapshot: Snapshot) -> None:
    with pytest.raises(WarehouseError, match=r"SQL_TIMEOUT.*0\.2 s"):
        snapshot.sql("SELECT count(*) FROM range(1000000000000) AS a, range(1000000) AS b", timeout_s=0.2)
    assert snapshot.sql("SELECT 1").rows == ((1,),)
    assert threading.active_count() < 20


def test_values_are_bound_and_never_part_of_the_text(snapshot: Snapshot) -> None:
    name = "001' OR true --"
    assert snapshot.sql("SELECT * FROM cohort WHERE patient_id = ?", [name]).rows == ()
    assert snapshot.sql("SELECT $x AS y", {"x": name}).rows == ((name,),)


def test_a_result_tells_columns_types_and_whether_there_is_more(snapshot: Snapshot) -> None:
    result = snapshot.sql("SELECT patient_id, age_years, n_lesions, first_cycle FROM cohort", row_limit=3)

    assert result.columns == ("patient_id", "age_years", "n_lesions", "first_cycle")
    assert result.types == ("VARCHAR", "DOUBLE", "BIGINT", "DATE")
    assert (len(result.rows), result.truncated) == (3, True)
    assert not snapshot.sql("SELECT * FROM cohort", row_limit=4).truncated
    assert snapshot.sql("SELECT * FROM cohort WHERE false").columns[0] == "patient_id"


def test_a_result_becomes_parquet(snapshot: Snapshot) -> None:
    for query, n_rows in (("SELECT * FROM cohort", 4), ("SELECT * FROM cohort WHERE false", 0)):
        result = snapshot.sql(query)
        table = pq.read_table(io.BytesIO(result.to_parquet()))
        assert (tuple(table.column_names), table.num_rows) == (result.columns, n_rows)
        assert tuple(zip(*(column.to_pylist() for column in table.columns), strict=True)) == result.rows
        assert table.schema.field("patient_id").type == "string"
    assert snapshot.sql("SELECT 1::HUGEINT AS a, [1, 2] AS b, NULL AS c").to_parquet()


def test_an_endpoint_is_times_and_events(snapshot: Snapshot) -> None:
    found = snapshot.endpoint("OS")

    assert snapshot.endpoints() == ("OS",)
    assert found.patient_ids == ("001", "002", "101", "A7")
    assert found.duration_days.tolist() == [100.0, 200.0, 400.0, 300.0]
    assert found.event.tolist() == [1, 0, 0, 1]
    with pytest.raises(WarehouseError, match=r"ENDPOINT_UNKNOWN.*expected OS"):
        snapshot.endpoint("0S")


def test_analysis_columns_are_covariates_with_unit_and_meaning(snapshot: Snapshot) -> None:
    columns = {column.name: column for column in snapshot.analysis_columns()}

    assert columns["age_years"].kind == "number"
    assert columns["age_years"].unit == "a"
    assert columns["sex"].kind == "category"
    assert columns["tumour_volume_ml"].unit == "ml"
    assert columns["liver_n_lesions"].description == "Number of lesions: liver"
    assert columns["pet__largest:original_a"].table == "features__pet__largest"
    assert not {"patient_id", "baseline_scan_id", "OS_duration_days", "OS_event", "first_cycle"} & set(columns)
    assert {column.kind for column in snapshot.columns()} == {"number"}
    assert list(columns)[:2] == ["age_years", "sex"]


def test_a_column_says_what_it_is_of(snapshot: Snapshot) -> None:
    columns = {column.name: column for column in snapshot.analysis_columns()}
    feature = columns["pet__largest:original_a"]

    assert feature.family == FeatureFamily("pet__largest", "pet", "pet-1", None, "largest")
    assert (feature.column, feature.origin, feature.organ) == ("original_a", Origin.FEATURE, None)
    assert feature.is_of("pet__largest")
    assert not feature.is_of("pet")
    of = {name: (columns[name].origin, columns[name].organ) for name in columns if columns[name].family is None}
    assert of["age_years"] == of["sex"] == (Origin.CLINICAL, None)
    assert of["scan_manufacturer"] == of["scan_injected_dose_bq"] == (Origin.SCAN, None)
    assert of["tumour_volume_ml"] == of["suv_max_to_liver"] == (Origin.UPTAKE, None)
    assert of["liver_suv_max"] == of["liver_volume_share"] == (Origin.UPTAKE, "liver")
    assert Counter(origin for origin, _ in of.values()) == {Origin.CLINICAL: 2, Origin.SCAN: 13, Origin.UPTAKE: 22}


def test_features_of_which_another_version_knows_the_rule_are_refused(
    lake_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(snapshot_reader.AGGREGATIONS, "sum")
    with open_snapshot(lake_root) as snapshot, pytest.raises(WarehouseError) as refused:
        snapshot.analysis_columns()
    assert (refused.value.code, refused.value.found) == ("SNAPSHOT_FEATURES_UNKNOWN", "features__ct__sum")


def test_values_are_one_a_patient_of_the_cohort(snapshot: Snapshot) -> None:
    names = ["pet__sum:original_a", "sex", "liver_suv_max", "age_years", "ct__sum:original_b"]
    found = snapshot.values(names)

    assert found.patient_ids == ("001", "002", "101", "A7")
    assert list(found.columns) == names
    assert found.columns["sex"].tolist() == ["M", "F", "F", "M"]
    assert found.columns["age_years"].dtype == np.float64
    np.testing.assert_array_equal(found.columns["pet__sum:original_a"], [3.0, 5.0, np.nan, 7.0])
    np.testing.assert_array_equal(found.columns["liver_suv_max"], [9.0, 9.0, np.nan, 9.0])
    frame = found.to_frame()
    assert frame.index.tolist() == ["001", "002", "101", "A7"]
    assert frame.columns.tolist() == names
    assert snapshot.values([]).patient_ids == found.patient_ids


def test_categories_without_a_value_are_none(study: Lake) -> None:
    study.write("clinical", "002", [])
    publish(study, SETTINGS)
    with open_snapshot(study.root) as opened:
        assert opened.values(["sex"]).columns["sex"].tolist() == ["M", None, "F", "M"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("age", "age_years"),
        ("pet__largest:original_aa", "pet__largest:original_a"),
        ("OS_event", None),
        ('x" FROM cohort; --', None),
    ],
)
def test_an_unknown_column_is_refused_with_the_nearest(snapshot: Snapshot, name: str, nearest: str | None) -> None:
    with pytest.raises(WarehouseError) as refused:
        snapshot.values(["age_years", name])

    assert refused.value.code == "COLUMN_UNKNOWN"
    assert refused.value.found == name
    assert refused.value.expected is not None
    if nearest is not None:
        assert refused.value.hint == f"Nearest: {nearest}."


def test_wide_tables_come_as_frames(snapshot: Snapshot) -> None:
    assert snapshot.cohort()["patient_id"].tolist() == ["001", "002", "101", "A7"]
    features = snapshot.features("pet", "mean")
    assert features.columns.tolist() == ["patient_id", "original_a", "original_b"]
    assert features["original_a"].tolist() == [1.5, 2.5, 3.5]
    with pytest.raises(WarehouseError, match=r"FEATURES_UNKNOWN.*Nearest: features__pet__mean"):
        snapshot.features("pet", "meen")


def test_tables_are_listed_with_rows_and_columns(snapshot: Snapshot) -> None:
    tables = {table.name: table for table in snapshot.tables()}

    assert (tables["patients"].n_rows, tables["patients"].n_columns) == (4, 7)
    assert tables["features__pet__mean"].n_columns == 3
    assert next(iter(tables)) == "patients"


def test_threads_may_share_a_snapshot(snapshot: Snapshot) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: snapshot.sql("SELECT ?::INTEGER, count(*) FROM lesions", [n]).rows, range(100)))
    assert found == [((n, 12),) for n in range(100)]


def test_a_snapshot_may_be_open_several_times(lake_root: Path) -> None:
    with open_snapshot(lake_root) as one, open_snapshot(lake_root, one.id[:6]) as other:
        one.close()
        assert other.id == one.id
        assert other.sql("SELECT count(*) FROM cohort").rows == ((4,),)


def test_a_query_that_needs_the_disk_does_not_write_beside_the_snapshot(snapshot: Snapshot) -> None:
    setting = snapshot.sql("SELECT current_setting('temp_directory')").rows[0][0]
    assert snapshot.path.parent not in Path(str(setting)).parents
