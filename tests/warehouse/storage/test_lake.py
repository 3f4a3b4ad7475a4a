"""The lake: where files are, what a reader sees while they are written, and which files are refused."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.some import some
from tests.warehouse.study_rows import ROW_TYPES, row
from warehouse.errors import WarehouseError
from warehouse.registry.tables import TABLES
from warehouse.storage.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def ages(patient: str, *values: float) -> list[Any]:
    return [
        row("clinical", patient_id=patient, variable=f"v{i}", kind="number", value_number=value)
        for i, value in enumerate(values)
    ]


def read(lake: Lake, patient: str) -> tuple[Any, ...]:
    return lake.read("clinical", patient, ROW_TYPES["clinical"])


def test_a_table_is_one_file_a_patient(lake: Lake) -> None:
    written = lake.write("clinical", "001", ages("001", 60.0))

    assert written.relative_path == "clinical/patient_id=001/part-0.parquet"
    assert (lake.root / written.relative_path).is_file()
    assert (written.table, written.patient_id, written.n_rows) == ("clinical", "001", 1)
    assert written.sha256 == lake.digest("clinical", "001")
    assert read(lake, "001") == tuple(ages("001", 60.0))
    assert lake.read_if_computed("clinical", "001", ROW_TYPES["clinical"]) == read(lake, "001")


def test_a_table_of_the_study_is_one_file(lake: Lake) -> None:
    written = lake.write("protocols", None, [row("protocols")])

    assert written.relative_path == "protocols/part-0.parquet"
    assert lake.read("protocols", None, ROW_TYPES["protocols"]) == (row("protocols"),)


def test_a_table_without_rows_is_computed_and_a_missing_file_is_not(lake: Lake) -> None:
    lake.write("lesions", "001", [])

    assert lake.exists("lesions", "001")
    assert lake.read("lesions", "001", ROW_TYPES["lesions"]) == ()
    assert not lake.exists("lesions", "002")
    assert lake.read_if_computed("clinical", "001", ROW_TYPES["clinical"]) == ()
    for refused in (lambda: read(lake, "001"), lambda: lake.digest("clinical", "001")):
        with pytest.raises(WarehouseError, match=r"TABLE_NOT_COMPUTED.*001.*clinical"):
            refused()


def test_removing_leaves_no_trace_of_the_patient(lake: Lake) -> None:
    lake.write("clinical", "001", [])
    lake.remove("clinical", "001")
    lake.remove("clinical", "001")

    assert lake.patients("clinical") == ()
    assert not list(lake.root.rglob("*001*"))


def test_patients_are_those_with_a_file(lake: Lake) -> None:
    for patient in ("10", "9", "A7", "a.b-c_d"):
        lake.write("clinical", patient, [])
    (lake.root / "clinical" / "patient_id=empty").mkdir()
    (lake.root / "clinical" / "notes.txt").write_text("not a patient")

    assert lake.patients("clinical") == ("10", "9", "A7", "a.b-c_d")
    assert lake.patients("endpoints") == ()
    assert [p.patient_id for p in lake.partitions()] == ["10", "9", "A7", "a.b-c_d"]


@pytest.mark.parametrize(
    "patient",
    ["", ".", "..", "../x", "a/b", "a\\b", "/etc", "a\n", "a b", "ä", "-a", "_a", "a" * 65, "a\0", "a=b", "%2e"],
)
def test_a_key_that_is_no_name_for_a_directory_is_refused(lake: Lake, patient: str) -> None:
    for refused in (
        lambda: lake.write("clinical", patient, []),
        lambda: lake.exists("clinical", patient),
        lambda: lake.remove("clinical", patient),
        lambda: lake.volume_path(patient, "0" * 64),
    ):
        with pytest.raises(WarehouseError, match=r"PATIENT_ID_INVALID"):
            refused()
    assert not lake.root.exists()


def test_a_table_that_is_not_in_the_registry_is_refused(lake: Lake) -> None:
    for name in ("../clinical", "volumes", "snapshots", ""):
        with pytest.raises(WarehouseError, match=r"TABLE_UNKNOWN"):
            lake.exists(name, "001")


def test_a_patient_is_named_exactly_where_tables_are_kept_by_patient(lake: Lake) -> None:
    for table, patient in (("clinical", None), ("protocols", "001")):
        with pytest.raises(WarehouseError, match=r"PARTITION_MISMATCH"):
            lake.write(table, patient, [])


def test_a_row_of_another_patient_is_refused(lake: Lake) -> None:
    with pytest.raises(WarehouseError, match=r"PARTITION_MISMATCH.*found 002"):
        lake.write("clinical", "001", [*ages("001", 1.0), *ages("002", 1.0)])
    assert not lake.exists("clinical", "001")


@pytest.mark.parametrize("patient", ["001", "101", "1e5", "2020-01-01", "NaN", "true", "A7"])
def test_ids_that_look_like_something_else_stay_text(lake: Lake, patient: str) -> None:
    written = lake.write("clinical", patient, ages(patient, 1.0))

    assert read(lake, patient)[0].patient_id == patient
    assert lake.patients("clinical") == (patient,)
    # As text in the file itself, whatever a reader makes of the directory's name.
    stored = pq.ParquetFile(lake.root / written.relative_path).read()
    assert stored.schema.field("patient_id").type == pa.string()
    assert stored.column("patient_id").to_pylist() == [patient]


def test_the_file_says_what_it_is(lake: Lake) -> None:
    written = lake.write("suv", "001", [row("suv", patient_id="001")])
    file = pq.ParquetFile(lake.root / written.relative_path)
    metadata = file.metadata.metadata

    assert metadata[b"petlake.table"] == b"suv"
    assert metadata[b"petlake.rows"] == b"1"
    assert metadata[b"petlake.sha256"].decode() == written.sha256
    assert file.schema_arrow.field("half_life_s").metadata[b"unit"] == b"s"
    assert file.schema_arrow.equals(pq.ParquetFile(lake.root / written.relative_path).schema_arrow)
    assert not file.schema_arrow.field("units").nullable


def test_the_same_rows_are_the_same_bytes(lake: Lake) -> None:
    first = (lake.root / lake.write("clinical", "001", ages("001", 1.0, 2.0)).relative_path).read_bytes()
    again = (lake.root / lake.write("clinical", "001", ages("001", 1.0, 2.0)[::-1]).relative_path).read_bytes()

    assert first == again


def test_a_failure_before_the_rename_leaves_the_old_table(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write("clinical", "001", ages("001", 1.0))

    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match=r"no space"):
        lake.write("clinical", "001", ages("001", 2.0))

    assert read(lake, "001") == tuple(ages("001", 1.0))
    assert len(list((lake.root / "clinical" / "patient_id=001").iterdir())) == 1


# Without the packages that the tests need: a process then starts quickly.
WRITER = """
import os, sys
from dataclasses import make_dataclass
from pathlib import Path
from warehouse.storage.lake import Lake
from warehouse.registry.tables import TABLES
columns = TABLES["provenance"].columns
row_type = make_dataclass("row_type", [column.name for column in columns], frozen=True)
root, patient, first, times, mode = sys.argv[1:]
if mode == "killed":
    os.replace = lambda *_: os._exit(9)
for i in range(int(times)):
    values = {column.name: f"{first}{i}" if column.kind == "text" else None for column in columns}
    rows = [row_type(**values | {"patient_id": patient, "table_name": str(n)}) for n in range(20)]
    Lake(Path(root)).write("provenance", patient, rows)
"""


def start_writer(lake: Lake, patient: str, first: str, times: int, mode: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(lake.root), patient, first, str(times), mode])


def test_a_writer_killed_before_the_rename_leaves_the_old_table_and_a_file_that_nobody_reads(lake: Lake) -> None:
    before = lake.write("provenance", "001", []).sha256
    writers = {patient: start_writer(lake, patient, "new", 1, "killed") for patient in ("001", "002")}
    for patient, writer in writers.items():
        assert writer.wait() == 9
        assert list((lake.root / "provenance" / f"patient_id={patient}").glob(".*.tmp"))

    assert lake.digest("provenance", "001") == before
    assert lake.read("provenance", "001", ROW_TYPES["provenance"]) == ()
    assert lake.patients("provenance") == ("001",)
    assert [partition.patient_id for partition in lake.partitions()] == ["001"]


def test_readers_see_the_old_or_the_new_table_while_two_processes_rewrite_it(lake: Lake) -> None:
    rows = [row("provenance", patient_id="001", table_name=str(n)) for n in range(20)]
    lake.write("provenance", "001", rows)
    seen: set[tuple[str, ...]] = set()
    writers = [start_writer(lake, "001", first, 30) for first in ("a", "b")]
    while any(writer.poll() is None for writer in writers):
        found = lake.read("provenance", "001", ROW_TYPES["provenance"])
        seen.add(tuple(r.data_sha256 for r in found))

    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(seen) > 2
    assert all(len(values) == 20 and len(set(values)) == 1 for values in seen)


def test_a_file_without_a_later_column_outside_of_the_identity_is_read(lake: Lake) -> None:
    rows = [row("provenance", patient_id="001", table_name=name, petlake_version=None) for name in ("a", "b")]
    written = lake.write("provenance", "001", rows)
    path = lake.root / written.relative_path
    whole = pq.ParquetFile(path).read()
    for left_out, is_read in ((["petlake_version"], True), (["petlake_version", "code_version"], False)):
        earlier = whole.drop_columns(left_out)
        pq.write_table(earlier.replace_schema_metadata(whole.schema.metadata), path)
        if is_read:
            assert lake.read("provenance", "001", ROW_TYPES["provenance"]) == tuple(rows)
            assert lake.load(lake.partitions()[0])[1] == written.sha256
        else:
            with pytest.raises(WarehouseError, match="LAKE_FILE_OUTDATED"):
                lake.read("provenance", "001", ROW_TYPES["provenance"])


def test_a_damaged_file_is_refused(lake: Lake) -> None:
    path = lake.root / lake.write("clinical", "001", ages("001", 1.0)).relative_path
    whole = path.read_bytes()
    for damaged in (whole[:-10], b"", b"PAR1", whole.replace(b"value_number", b"value_nvmber")):
        path.write_bytes(damaged)
        with pytest.raises(WarehouseError, match=r"LAKE_FILE_(CORRUPT|OUTDATED)"):
            read(lake, "001")


def test_rows_that_are_not_those_that_were_written_are_refused(lake: Lake) -> None:
    path = lake.root / lake.write("clinical", "001", ages("001", 1.0)).relative_path
    metadata = pq.ParquetFile(path).schema_arrow.metadata
    lake.write("clinical", "001", ages("001", 2.0))
    table = pq.ParquetFile(path).read()
    pq.write_table(table.replace_schema_metadata(metadata), path)

    with pytest.raises(WarehouseError, match=r"LAKE_FILE_CORRUPT"):
        read(lake, "001")


def test_a_file_of_another_table_or_program_is_refused(lake: Lake) -> None:
    source = lake.root / lake.write("endpoints", "001", []).relative_path
    target = lake.root / lake.write("clinical", "001", []).relative_path
    target.write_bytes(source.read_bytes())
    with pytest.raises(WarehouseError, match=r"LAKE_FILE_OUTDATED"):
        read(lake, "001")

    pq.write_table(pa.table({"patient_id": ["001"]}), target)
    for refused in (lambda: read(lake, "001"), lambda: lake.digest("clinical", "001")):
        with pytest.raises(WarehouseError, match=r"LAKE_FILE_(CORRUPT|OUTDATED)"):
            refused()


def test_a_lake_can_be_sent_to_a_worker(lake: Lake) -> None:
    assert pickle.loads(pickle.dumps(lake)).root == lake.root


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("warehouse.storage.lake", ("duckdb", "pandas", "SimpleITK", "dagster", "radiomics", "petct")),
        ("warehouse.queries.open_snapshot", ("pyarrow", "pandas", "dagster", "radiomics", "petct")),
        ("warehouse.snapshots.publish", ("pandas", "dagster", "radiomics", "petct")),
    ],
)
def test_what_is_not_needed_is_not_loaded(module: str, absent: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*(name for name in {absent} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert loaded == []


def test_the_registry_has_keys_among_its_columns() -> None:
    for table in some(TABLES.values()):
        names = [column.name for column in table.columns]
        assert set(table.key) <= set(names)
        assert len({name.lower() for name in names}) == len(names)
        assert ("patient_id" in names) is table.per_patient
        assert all(table.column(name).identity for name in some(table.key))
        assert not table.per_patient or table.key[0] == "patient_id"
