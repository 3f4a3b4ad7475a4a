"""Tables from elsewhere (CSV, Excel, Parquet) as text: a patient called 001 stays 001."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# Where several would do, the first: commas also stand in numbers and in words.
_DELIMITERS = ("\t", ";", ",")
_CSV_SUFFIXES = (".csv", ".tsv", ".txt")
_EXCEL_ERRORS = ("#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#N/A")


@dataclass(frozen=True)
class ImportedTable:
    """A table as text.

    Attributes
    ----------
    columns
        Names of the columns: none empty, none twice, without surrounding spaces.
    rows
        Values in the order of ``columns``, without surrounding spaces; an empty text is a missing value.
    sha256
        Digest of the file's bytes.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sha256: str


def read_table(path: Path) -> ImportedTable:
    """Read a table; rows without any value, and such columns at the end, are left out.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv`` or ``.txt`` (comma, semicolon or tab; UTF-8, UTF-16 with its mark, or Windows-1252),
        ``.xlsx`` (one worksheet), or ``.parquet``.

    Raises
    ------
    WarehouseError
        IMPORT_FILE_MISSING, IMPORT_FORMAT_UNKNOWN, IMPORT_ENCODING_UNKNOWN, IMPORT_MALFORMED, IMPORT_EMPTY,
        IMPORT_COLUMN_EMPTY, IMPORT_COLUMN_DUPLICATE, IMPORT_ROW_RAGGED; for Excel IMPORT_EXCEL_UNAVAILABLE,
        IMPORT_SHEETS_AMBIGUOUS, IMPORT_CELL_ERROR; for Parquet IMPORT_TYPE_UNSUPPORTED.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise WarehouseError(
            "IMPORT_FILE_MISSING",
            "There is no such file",
            keyword=path.name,
            found=str(path),
            hint="Is the path right? In study.yaml it is absolute, or relative to the folder of study.yaml.",
        ) from None
    suffix = path.suffix.lower()
    if suffix in _CSV_SUFFIXES:
        lines = _csv_lines(path, _decoded(path, content))
    elif suffix == ".xlsx":
        lines = _excel_lines(path, content)
    elif suffix == ".parquet":
        lines = _parquet_lines(path, content)
    else:
        raise _refusal(
            "IMPORT_FORMAT_UNKNOWN",
            "The format is not known by its name",
            path,
            suffix,
            ".csv, .tsv, .xlsx or .parquet",
        )
    columns, rows = _checked(path, lines)
    return ImportedTable(columns, rows, hashlib.sha256(content).hexdigest())


def _checked(
    path: Path, lines: Iterable[tuple[int, Sequence[str]]]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    stripped = [(number, tuple(value.strip() for value in values)) for number, values in lines]
    filled = [(number, values) for number, values in stripped if any(values)]
    if not filled:
        raise _refusal("IMPORT_EMPTY", "The table has no header", path)
    if len({len(values) for _, values in filled}) == 1:
        # Columns at the end without name and value come from spreadsheets.
        width = max(position + 1 for _, values in filled for position, value in enumerate(values) if value)
        filled = [(number, values[:width]) for number, values in filled]
    (_, columns), *body = filled
    if not all(columns):
        raise _refusal(
            "IMPORT_COLUMN_EMPTY", "A column has no name", path, f"column {columns.index('') + 1} of the header"
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise _refusal("IMPORT_COLUMN_DUPLICATE", "Two columns have the same name", path, ", ".join(twice))
    for number, values in body:
        if len(values) != len(columns):
            raise _refusal(
                "IMPORT_ROW_RAGGED",
                f"Line {number} has another number of values than the header",
                path,
                str(len(values)),
                str(len(columns)),
            )
    return columns, tuple(values for _, values in body)


def _decoded(path: Path, content: bytes) -> str:
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _refusal("IMPORT_ENCODING_UNKNOWN", "The file is not text in a known encoding", path, None, "UTF-8")


def _csv_lines(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Parse with the delimiter that gives all lines the width of the header; if there is none, the widest header."""
    best: tuple[tuple[bool, bool, int], list[tuple[int, list[str]]]] | None = None
    failure: csv.Error | None = None
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            lines = [(reader.line_num, values) for values in reader if values]
        except csv.Error as error:
            failure = failure or error
            continue
        widths = [len(values) for _, values in lines] or [0]
        even = len(set(widths)) == 1
        rank = (widths[0] > 1, even, 0 if even else widths[0])
        if best is None or rank > best[0]:
            best = (rank, lines)
    if best is None:
        raise _refusal("IMPORT_MALFORMED", "The file is not a CSV table", path, str(failure), "quotes in pairs")
    return best[1]


def _excel_lines(path: Path, content: bytes) -> list[tuple[int, list[str]]]:
    try:
        import openpyxl
    except ImportError:
        raise WarehouseError(
            "IMPORT_EXCEL_UNAVAILABLE",
            "Excel files cannot be read here, because openpyxl is not installed",
            keyword=path.name,
            hint="Install openpyxl, or save the table as CSV.",
        ) from None
    try:
        # Twice: the values that Excel last computed, and the formulas, which have none if Excel never opened the file.
        values, formulas = (openpyxl.load_workbook(io.BytesIO(content), data_only=only) for only in (True, False))
    except Exception as error:  # openpyxl lets the errors of zipfile, of the XML parser and its own pass
        raise _refusal("IMPORT_MALFORMED", "The file is not an Excel workbook", path, str(error)) from error
    names = [sheet.title for sheet in values.worksheets if any(any(c.value is not None for c in row) for row in sheet)]
    if len(names) > 1:
        raise _refusal(
            "IMPORT_SHEETS_AMBIGUOUS", "More than one worksheet holds values", path, ", ".join(names), "one worksheet"
        )
    lines = []
    for name in names:
        for number, (row, entered) in enumerate(zip(values[name], formulas[name], strict=True), start=1):
            lines.append((number, [_cell_text(path, cell, source) for cell, source in zip(row, entered, strict=True)]))
    return lines


def _cell_text(path: Path, cell: Any, source: Any) -> str:
    if cell.value in _EXCEL_ERRORS or (cell.value is None and source.value is not None):
        raise _refusal(
            "IMPORT_CELL_ERROR",
            "A cell has no value but an error or a formula",
            path,
            f"{cell.coordinate}: {source.value}",
        )
    padded = cell.number_format if set(cell.number_format) == {"0"} else ""
    text = _text(cell.value)
    # A number that the sheet shows as 001 is meant to be 001.
    return text.zfill(len(padded)) if padded and text.isdigit() else text


def _parquet_lines(path: Path, content: bytes) -> list[tuple[int, list[str]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError) as error:
        raise _refusal("IMPORT_MALFORMED", "The file is not a Parquet table", path, str(error)) from error
    columns = [column.to_pylist() for column in table.columns]
    for name, values in zip(table.column_names, columns, strict=True):
        for value in values:
            if value is not None and not isinstance(value, str | bool | int | float | dt.date):
                raise _refusal(
                    "IMPORT_TYPE_UNSUPPORTED",
                    "A column is not text, number or date",
                    path,
                    f"{name}: {type(value).__name__}",
                )
    rows = [[_text(value) for value in values] for values in zip(*columns, strict=True)]
    return list(enumerate([table.column_names, *rows], start=1))


def _text(value: object) -> str:
    """A value as it would stand in a CSV file: 5.0 as 5, midnight as a date, NaN as nothing."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, dt.datetime):
        at_midnight = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if at_midnight else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _refusal(
    code: str, message: str, path: Path, found: str | None = None, expected: str | None = None
) -> WarehouseError:
    plain = None if found is None else " ".join(found.split())
    return WarehouseError(code, message, keyword=path.name, found=plain, expected=expected)
