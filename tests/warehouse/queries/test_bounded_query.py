"""The SQL of strangers: whatever is tried, nothing is written, no file is read, and it ends in time."""

from __future__ import annotations

import hashlib
import os
import time
from json import JSONDecodeError
from pathlib import Path

import pytest

from tests.some import some
from warehouse.errors import WarehouseError
from warehouse.queries.bounded_query import QueryLimits, run_bounded
from warehouse.queries.open_snapshot import Snapshot
from warehouse.queries.query_answer import decode
from warehouse.snapshots.catalog import current_id, path_of

SMALL = QueryLimits(rows=1000, timeout_s=0.4, memory_bytes=256 * 1024**2, answer_bytes=1024**2)


# What is tried, and a word of the refusal; {outside} is a folder with secret.csv, {snapshot} the snapshot's own file.
NOT_READING = [
    "",
    "-- nothing",
    "/* nothing */ ;",
    # Writing.
    "DROP TABLE cohort",
    "DELETE FROM cohort",
    "UPDATE cohort SET age_years = 1",
    "INSERT INTO cohort (patient_id) VALUES ('x')",
    "INSERT INTO cohort BY NAME SELECT 'x' AS patient_id RETURNING *",
    "MERGE INTO cohort USING cohort AS s ON true WHEN MATCHED THEN DELETE",
    "ALTER TABLE cohort RENAME TO c",
    "CREATE TABLE x AS SELECT 1",
    "CREATE OR REPLACE TEMP TABLE x AS SELECT 1",
    "CREATE VIEW x AS SELECT 1",
    "CREATE MACRO f(x) AS x",
    "CREATE FUNCTION f(x) AS TABLE SELECT * FROM read_text(x)",
    "CREATE SEQUENCE s",
    "CREATE SCHEMA s",
    "CREATE TYPE mood AS ENUM ('a')",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "TRUNCATE cohort",
    "COMMENT ON TABLE cohort IS 'changed'",
    # Files.
    "COPY cohort TO '{outside}/copied.csv'",
    "COPY (SELECT 1) TO '{outside}/copied.parquet' (FORMAT parquet)",
    "COPY cohort FROM '{outside}/secret.csv'",
    "COPY FROM DATABASE memory TO cohort",
    "EXPORT DATABASE '{outside}/exported'",
    "IMPORT DATABASE '{outside}/exported'",
    # Other databases, extensions, settings.
    "ATTACH '{outside}/other.duckdb' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH snapshot",
    "USE memory",
    "INSTALL httpfs",
    "FORCE INSTALL httpfs FROM 'https://example.org'",
    "LOAD httpfs",
    "UPDATE EXTENSIONS",
    "SET enable_external_access = true",
    "SET GLOBAL lock_configuration = false",
    "SET SESSION memory_limit = '1TB'",
    "SET VARIABLE x = 1",
    "SET temp_directory = '{outside}'",
    "RESET ALL",
    "PRAGMA database_list",
    "PRAGMA memory_limit = '1TB'",
    "PRAGMA enable_profiling = 'json'",
    "PRAGMA profiling_output = '{outside}/profile.json'",
    "CALL pragma_version()",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "BEGIN",
    "ROLLBACK",
    # Prepared statements.
    "PREPARE p AS SELECT 1",
    "PREPARE p AS DELETE FROM cohort",
    "EXECUTE p",
    "DEALLOCATE p",
    # Chains, comments, explanations.
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE cohort",
    "SELECT 1;;;DROP TABLE cohort;",
    "SELECT 1 /* ; */ ; DELETE FROM cohort -- done",
    "SELECT '--'; DROP TABLE cohort",
    "SELECT $$;$$; DROP TABLE cohort",
    "SELECT 1;\u00a0DROP TABLE cohort",
    "EXPLAIN ANALYZE DELETE FROM cohort",
    "EXPLAIN ANALYZE COPY cohort TO '{outside}/copied.csv'",
    "/* x */ EXPLAIN ANALYZE DELETE FROM cohort",
    "EXPLAIN /* x */ ANALYZE DELETE FROM cohort",
    "EXPLAIN (ANALYZE, FORMAT json) DELETE FROM cohort",
    "EXPLAIN CREATE TABLE x AS SELECT 1",
    "EXPLAIN EXPLAIN SELECT 1",
]
REFUSED = [
    # A statement within another.
    "WITH x AS (INSERT INTO cohort (patient_id) VALUES ('x') RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM cohort RETURNING *) SELECT * FROM x",
    "SELECT * FROM query('DROP TABLE cohort')",
    "SELECT * FROM query('COPY cohort TO ''{outside}/copied.csv''')",
    "SELECT * FROM query('SELECT * FROM read_text(''{outside}/secret.csv'')')",
    "SELECT * FROM query_table('{outside}/secret.csv')",
    # Files that are read.
    "SELECT * FROM '{outside}/secret.csv'",
    'SELECT * FROM "{outside}/secret.csv"',
    "FROM '{outside}/secret.csv'",
    "SELECT * FROM '{outside}/*.parquet'",
    "SELECT * FROM '{snapshot}'",
    "SELECT * FROM read_csv('{outside}/secret.csv')",
    "SELECT * FROM read_csv_auto('{outside}/secret.csv')",
    "SELECT * FROM ReAd_CsV/**/('{outside}/secret.csv')",
    "SELECT * FROM system.main.read_csv('{outside}/secret.csv')",
    "SELECT * FROM read_text('{outside}/secret.csv')",
    "SELECT * FROM read_blob('{outside}/secret.csv')",
    "SELECT * FROM read_json('{outside}/secret.csv')",
    "SELECT * FROM read_ndjson_objects('{outside}/secret.csv')",
    "SELECT * FROM read_parquet('{outside}/*.parquet')",
    "SELECT * FROM parquet_scan('{outside}/secret.csv')",
    "SELECT * FROM parquet_metadata('{outside}/secret.csv')",
    "SELECT * FROM read_duckdb('{snapshot}')",
    "SELECT * FROM glob('{outside}/*')",
    "SELECT * FROM sniff_csv('{outside}/secret.csv')",
    "SELECT * FROM read_csv('/dev/stdin')",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM read_csv('https://example.org/a.csv')",
    "SELECT * FROM 's3://bucket/a.parquet'",
    "\ufeffSELECT * FROM read_text('{outside}/secret.csv')",
    "SELECT * FROM read_text(U&'{outside}/secret.csv')",
    "SELECT * FROM read_text(chr(47) || 'etc/passwd')",
    # The process, its environment and its Python.
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM which_secret('s3://bucket', 's3')",
    "SELECT * FROM local_variable",
    "SELECT * FROM python_map_function()",
    "SELECT * FROM pandas_scan(0)",
    "SELECT * FROM arrow_scan(0, 0, 0)",
    "SELECT * FROM seq_scan(0)",
    "SELECT * FROM force_checkpoint()",
    "SELECT * FROM sqlite_scan('{outside}/a.db', 't')",
    "SELECT nextval('s')",
    "SELECT set_config('memory_limit', '1TB')",
]


def test_whatever_is_tried_nothing_is_written_or_read(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    local_variable = pd.DataFrame({"x": [1]})
    outside, elsewhere = tmp_path / "outside", tmp_path / "elsewhere"
    outside.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (outside / "secret.csv").write_text("a\nsecret\n")
    before = hashlib.sha256(snapshot.path.read_bytes()).hexdigest()
    there = sorted(snapshot.path.parent.iterdir())

    assert len(NOT_READING) + len(REFUSED) >= 100
    for codes, attempts in ((("SQL_NOT_READ_ONLY",), NOT_READING), (("SQL_NOT_READ_ONLY", "SQL_FAILED"), REFUSED)):
        for attempt in some(attempts):
            query = attempt.format(outside=outside, snapshot=snapshot.path)
            with pytest.raises(WarehouseError) as refused:
                snapshot.sql(query)
            assert refused.value.code in ("SQL_FAILED", *codes), query
            sentence = refused.value.sentence()
            assert "\n" not in sentence, query
            assert ".." not in sentence.replace("...", ""), sentence
            assert "secret\n" not in sentence

    assert len(local_variable) == 1
    assert hashlib.sha256(snapshot.path.read_bytes()).hexdigest() == before
    assert sorted(snapshot.path.parent.iterdir()) == there
    assert [path.name for path in outside.iterdir()] == ["secret.csv"]
    assert not list(elsewhere.iterdir())
    assert snapshot.sql("SELECT count(*) FROM cohort").rows == ((4,),)


def test_what_a_query_may_know_of_its_connection_says_nothing_of_others(snapshot: Snapshot) -> None:
    assert snapshot.sql("SELECT current_setting('enable_external_access')").rows == ((False,),)
    assert snapshot.sql("SELECT current_setting('lock_configuration')").rows == ((True,),)


RUNAWAYS = [
    ("SELECT count(*) FROM range(1000000000000) AS a, range(1000000) AS b", {"SQL_TIMEOUT"}),
    ("SELECT max(x) FROM generate_series(1, 1000000000000) AS t(x)", {"SQL_TIMEOUT"}),
    (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
        {"SQL_TIMEOUT", "SQL_MEMORY"},
    ),
    ("SELECT repeat('x', 1000000000)", {"SQL_MEMORY"}),
    ("SELECT list(x) FROM range(1000000000) AS t(x)", {"SQL_MEMORY", "SQL_TIMEOUT"}),
    ("SELECT range(2000000000)", {"SQL_MEMORY"}),
    ("SELECT regexp_matches(repeat('a', 100000000), '(a+)+b')", {"SQL_MEMORY", "SQL_TIMEOUT"}),
]


@pytest.mark.parametrize(("query", "codes"), RUNAWAYS)
def test_a_query_that_runs_away_is_stopped(lake_root: Path, query: str, codes: set[str]) -> None:
    started = time.monotonic()
    with pytest.raises(WarehouseError) as refused:
        run_bounded(lake_root, current_id(lake_root), query, SMALL)
    assert refused.value.code in codes, refused.value.sentence()
    assert "SET " not in refused.value.sentence()
    # Not a claim of speed: it ends within the grace that a process has, and not whenever it likes.
    assert time.monotonic() - started < 60


def test_an_answer_without_end_ends_where_the_limits_are(lake_root: Path) -> None:
    before = hashlib.sha256(path_of(lake_root, current_id(lake_root)).read_bytes()).hexdigest()
    rows = run_bounded(lake_root, current_id(lake_root), "SELECT * FROM range(10000000000)", SMALL)
    assert (len(rows.rows), rows.truncated, rows.rows[999]) == (1000, True, (999,))
    large = run_bounded(lake_root, current_id(lake_root), "SELECT repeat('x', 4000) FROM range(10000000000)", SMALL)
    assert large.truncated
    assert 0 < len(large.rows) < 1000
    assert hashlib.sha256(path_of(lake_root, current_id(lake_root)).read_bytes()).hexdigest() == before


def test_a_bounded_query_answers_as_any_other_and_refuses_alike(
    lake_root: Path, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PETLAKE_SECRET", "hidden")
    query = "SELECT patient_id, age_years, first_cycle, 1.5::DECIMAL(4, 2) AS d, [1, 2] AS l FROM cohort ORDER BY 1"
    assert run_bounded(lake_root, snapshot.id, query) == snapshot.sql(query)
    with pytest.raises(WarehouseError, match=r"SQL_NOT_READ_ONLY"):
        run_bounded(lake_root, snapshot.id, "DROP TABLE cohort")
    with pytest.raises(WarehouseError, match=r"SQL_FAILED.*age_years"):
        run_bounded(lake_root, snapshot.id, "SELECT agee_years FROM cohort")
    # DuckDB lets an open database be read as a file; here not even that.
    with pytest.raises(WarehouseError, match=r"SQL_FAILED.*disabled"):
        run_bounded(lake_root, snapshot.id, f"SELECT * FROM read_blob('{snapshot.path}')")
    assert "PETLAKE_SECRET" in os.environ


# One value of each kind that DuckDB knows, and of each kind within another.
OF_EVERY_KIND = r"""
SELECT 170141183460469231731687303715884105727::HUGEINT AS huge, 1.50::DECIMAL(4, 2) AS exact, -0.1 AS less,
    0.1::DOUBLE + 0.2 AS double, 'inf'::DOUBLE AS infinite, true AS flag, NULL AS nothing, 'é"' || chr(0) AS text,
    DATE '2020-02-29' AS day, TIMESTAMP '2020-02-29 10:00:00.000001' AS at,
    TIMESTAMPTZ '2020-02-29 10:00:00+02' AS zoned, TIME '23:59:59.5' AS time, TIMETZ '10:00:00+02' AS zoned_time,
    INTERVAL '3 days 5 seconds' AS span, '6d3d2cc8-5a5f-4d5f-9d2e-0f9a3b6a1c2d'::UUID AS id,
    '\xAA\x00'::BLOB AS bytes, '101'::BIT AS bits, [DATE '2020-02-29', NULL] AS list, array_value(1, 2) AS fixed,
    {'a': 1.5::DECIMAL(3, 1), 'decimal': ['b']} AS struct, MAP {DATE '2020-02-29': [1]} AS map,
    MAP {[1]: 2} AS by_list, union_value(z := 5) AS either, 'a'::ENUM ('a') AS one_of
"""


def test_a_value_of_every_kind_comes_out_of_the_process_as_it_is(lake_root: Path, snapshot: Snapshot) -> None:
    found, expected = run_bounded(lake_root, snapshot.id, OF_EVERY_KIND), snapshot.sql(OF_EVERY_KIND)
    assert found == expected
    assert len(expected.columns) >= 24
    assert [type(cell) for cell in found.rows[0]] == [type(cell) for cell in expected.rows[0]]
    (not_a_number,) = run_bounded(lake_root, snapshot.id, "SELECT 'nan'::DOUBLE").rows[0]
    assert not_a_number != not_a_number


@pytest.mark.parametrize("answer", [b"", b'{"columns": ["a"], "rows": [[1', b"\x80\x04K\x01."])
def test_an_answer_that_is_not_whole_is_none(answer: bytes) -> None:
    with pytest.raises((JSONDecodeError, UnicodeDecodeError)):
        decode(answer)


def test_names_of_columns_and_values_that_parquet_does_not_know_become_distinct_and_text(snapshot: Snapshot) -> None:
    import io

    import pyarrow.parquet as pq

    result = snapshot.sql("SELECT 1 AS n, 2 AS n, 170141183460469231731687303715884105727::HUGEINT AS big, uuid() AS u")
    table = pq.read_table(io.BytesIO(result.to_parquet()))
    assert table.column_names == ["n", "n_2", "big", "u"]
    assert table.column("big").to_pylist() == ["170141183460469231731687303715884105727"]
    assert result.to_csv().splitlines()[0] == "n,n,big,u"
