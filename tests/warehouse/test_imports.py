"""Tables from elsewhere: text stays text, and what is wrong with a file is said."""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.errors import WarehouseError
from warehouse.imports import read_table

COLUMNS = ("patient_id", "age", "centre")


def csv_file(folder: Path, content: str | bytes, name: str = "clinical.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str, line_end: str) -> None:
    lines = [delimiter.join(values) for values in (COLUMNS, ("001", "61", "A"), ("1e5", "", "B"))]
    table = read_table(csv_file(tmp_path, line_end.join(lines)))

    assert table.columns == COLUMNS
    assert table.rows == (("001", "61", "A"), ("1e5", "", "B"))


def test_decimal_commas_do_not_hide_the_semicolon(tmp_path: Path) -> None:
    table = read_table(csv_file(tmp_path, "id;ki67, %;weight, kg\n001;7,3;71,0\n002;19,8;99,5\n"))

    assert table.columns == ("id", "ki67, %", "weight, kg")
    assert table.rows == (("001", "7,3", "71,0"), ("002", "19,8", "99,5"))


def test_quoted_values_may_hold_anything(tmp_path: Path) -> None:
    table = read_table(csv_file(tmp_path, 'id,"note, free"\n001,"a ""b"", c;\nd"\n'))

    assert table.columns == ("id", "note, free")
    assert table.rows == (("001", 'a "b", c;\nd'),)


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    assert read_table(csv_file(tmp_path, "patient_id\n001\n010\n")).rows == (("001",), ("010",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    table = read_table(csv_file(tmp_path, "größe,ort\n1,Köln\n".encode(encoding)))

    assert table.columns == ("größe", "ort")
    assert table.rows == (("1", "Köln"),)


def test_spaces_around_and_rows_and_columns_without_values_are_left_out(tmp_path: Path) -> None:
    table = read_table(csv_file(tmp_path, " id , age ,\n\n 001 ,61 ,\n,,\n"))

    assert table.columns == ("id", "age")
    assert table.rows == (("001", "61"),)


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    content = b"id\n1\n"
    assert read_table(csv_file(tmp_path, content)).sha256 == hashlib.sha256(content).hexdigest()


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1), st.sampled_from([",", ";", "\t"]))
def test_what_is_written_with_quotes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    rows = [(a.strip(), b.strip()) for a, b in rows]
    lines = [("id", "value"), *rows]
    text = "\n".join(delimiter.join('"' + v.replace('"', '""') + '"' for v in values) for values in lines)
    table = read_table(csv_file(tmp_path_factory.mktemp("csv"), text))

    assert table.rows == tuple(values for values in rows if any(values))


FAULTS = [
    ("", "IMPORT_EMPTY"),
    ("\n,,\n", "IMPORT_EMPTY"),
    ("id,,age\n1,2,3\n", "IMPORT_COLUMN_EMPTY"),
    ("id,age,\n1,2,3\n", "IMPORT_COLUMN_EMPTY"),
    ("id,age,id\n1,2,3\n", "IMPORT_COLUMN_DUPLICATE"),
    ("id,age, id \n1,2,3\n", "IMPORT_COLUMN_DUPLICATE"),
    ("id,age\n1,2\n3\n", "IMPORT_ROW_RAGGED"),
    ("id;age\n1;2;3\n", "IMPORT_ROW_RAGGED"),
    ('id,age\n"1,2\n', "IMPORT_MALFORMED"),
    (b"id,age\n\x00\x01,2\n", "IMPORT_ENCODING_UNKNOWN"),
    (b"id,age\n\x81,2\n", "IMPORT_ENCODING_UNKNOWN"),
    (b"\xff\xfei", "IMPORT_ENCODING_UNKNOWN"),
]


@pytest.mark.parametrize(("content", "code"), FAULTS)
def test_a_faulty_file_is_refused(tmp_path: Path, content: str | bytes, code: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        read_table(csv_file(tmp_path, content))

    assert refused.value.code == code
    assert refused.value.keyword == "clinical.csv"


def test_a_ragged_line_is_named_as_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"Line 4 .*found 3; expected 2"):
        read_table(csv_file(tmp_path, "id,age\n\n1,2\n1,2,3\n"))


@pytest.mark.parametrize(("name", "code"), [("a.ods", "IMPORT_FORMAT_UNKNOWN"), ("a", "IMPORT_FORMAT_UNKNOWN")])
def test_an_unknown_format_is_refused(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(WarehouseError, match=code):
        read_table(csv_file(tmp_path, "id\n1\n", name))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "clinical.csv", tmp_path):
        with pytest.raises(WarehouseError, match=r"IMPORT_FILE_MISSING"):
            read_table(path)


def workbook(path: Path, *sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for position, rows in enumerate(sheets):
        sheet = book.worksheets[0] if position == 0 else book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_excel_cells_become_the_text_that_they_show(tmp_path: Path) -> None:
    cells = ["001", 61, 7.25, 5.0, dt.datetime(2020, 1, 2), dt.datetime(2020, 1, 2, 3, 4), True, None]
    path = workbook(tmp_path / "a.xlsx", [list("abcdefgh"), cells, [None] * 8], [])

    table = read_table(path)

    assert table.columns == tuple("abcdefgh")
    assert table.rows == (("001", "61", "7.25", "5", "2020-01-02", "2020-01-02 03:04:00", "true", ""),)


def test_excel_numbers_shown_with_leading_zeros_keep_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id", "n"])
    book.worksheets[0].append([7, 7])
    book.worksheets[0]["A2"].number_format = "000"
    book.save(tmp_path / "a.xlsx")

    assert read_table(tmp_path / "a.xlsx").rows == (("007", "7"),)


def test_excel_faults_are_refused(tmp_path: Path) -> None:
    faults: list[tuple[list[list[list[object]]], str]] = [
        ([[["id"], ["=1+1"]]], "IMPORT_CELL_ERROR.*A2"),
        ([[["id", "x"], ["1", "#N/A"]]], "IMPORT_CELL_ERROR.*B2"),
        ([[["id"]], [["id"]]], "IMPORT_SHEETS_AMBIGUOUS"),
        ([[["id", "id"]]], "IMPORT_COLUMN_DUPLICATE"),
        ([[["id", None, "x"]]], "IMPORT_COLUMN_EMPTY"),
        ([[]], "IMPORT_EMPTY"),
    ]
    for number, (sheets, code) in enumerate(faults):
        with pytest.raises(WarehouseError, match=code):
            read_table(workbook(tmp_path / f"{number}.xlsx", *sheets))
    with pytest.raises(WarehouseError, match=r"IMPORT_MALFORMED"):
        read_table(csv_file(tmp_path, "id\n1\n", "b.xlsx"))


def test_excel_without_openpyxl_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(WarehouseError, match=r"IMPORT_EXCEL_UNAVAILABLE.*CSV"):
        read_table(path)


def test_parquet_columns_become_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["001", "010"],
            "n": [1, None],
            "x": [0.1, 3.0],
            "d": [dt.date(2020, 1, 2), None],
            "t": pa.array([dt.datetime(2020, 1, 2), dt.datetime(2020, 1, 2, 5)], pa.timestamp("ns")),
            "b": [True, False],
            "c": pa.array(["F", "M"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")

    assert read_table(tmp_path / "a.parquet").rows == (
        ("001", "1", "0.1", "2020-01-02", "2020-01-02", "true", "F"),
        ("010", "", "3", "", "2020-01-02 05:00:00", "false", "M"),
    )


def test_parquet_faults_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [[1, 2]]}), tmp_path / "a.parquet")
    with pytest.raises(WarehouseError, match=r"IMPORT_TYPE_UNSUPPORTED.*id: list"):
        read_table(tmp_path / "a.parquet")
    with pytest.raises(WarehouseError, match=r"IMPORT_MALFORMED"):
        read_table(csv_file(tmp_path, "id\n1\n", "b.parquet"))


def test_a_patient_folder_of_hive_gives_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "patient_id=001"
    folder.mkdir()
    pq.write_table(pa.table({"x": ["1"]}), folder / "a.parquet")

    assert read_table(folder / "a.parquet").columns == ("x",)
