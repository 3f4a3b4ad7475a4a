"""Dataclass rows to Arrow and back, checked against the registry, and the digest of their content."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from records.columns import Column, Kind
from records.table import Table
from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import DataclassInstance
    from numpy.typing import NDArray

T = TypeVar("T", bound="DataclassInstance")

_ARROW_TYPES: dict[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("us"),
}
_PYTHON_TYPES: dict[Kind, type] = {
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.BOOLEAN: bool,
    Kind.DATE: dt.date,
    Kind.DATETIME: dt.datetime,
}
_INTEGER_LIMIT = 2**63
_EXACT_IN_FLOAT = 2**53


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of ``table``: types, nullability, and unit and description as metadata of each column."""
    return pa.schema([_field(column) for column in table.columns])


def _field(column: Column) -> pa.Field:
    metadata = {"description": column.description} | ({"unit": column.unit} if column.unit else {})
    return pa.field(column.name, _ARROW_TYPES[column.kind], nullable=column.nullable, metadata=metadata)


def check_row_type(table: Table, row_type: type[DataclassInstance]) -> None:
    """Raise ``WarehouseError`` ROW_FIELDS_MISMATCH unless the fields of ``row_type`` are the columns of ``table``."""
    names = {field.name for field in fields(row_type)}
    columns = {column.name for column in table.columns}
    if names == columns:
        return
    missing, extra = sorted(columns - names), sorted(names - columns)
    found = [f"without {', '.join(missing)}"] * bool(missing) + [f"with {', '.join(extra)}"] * bool(extra)
    raise WarehouseError(
        "ROW_FIELDS_MISMATCH",
        f"The fields of {row_type.__name__} are not the columns of the table",
        keyword=table.name,
        found="; ".join(found),
        expected=", ".join(column.name for column in table.columns),
    )


def to_arrow(table: Table, rows: Sequence[DataclassInstance]) -> pa.Table:
    """Return ``rows`` as an Arrow table, sorted by the table's key.

    Raises
    ------
    WarehouseError
        ROW_FIELDS_MISMATCH; VALUE_INVALID for a wrong type, a missing value in a column that needs one, and for NaN and
        infinities; KEY_DUPLICATE for two rows with one key.
    """
    for row_type in {type(row) for row in rows}:
        check_row_type(table, row_type)
    arrays = [_array(table, column, [getattr(row, column.name) for row in rows]) for column in table.columns]
    arrow = pa.Table.from_arrays(arrays, schema=arrow_schema(table))
    _check_unique(table, arrow)
    # Arrow compares text by its UTF-8 bytes, which is the order of code points, the same on every machine.
    return arrow.sort_by([(name, "ascending") for name in table.key]) if len(rows) > 1 else arrow


def completed(table: Table, arrow: pa.Table) -> pa.Table:
    """Add the columns that an earlier version did not write, without values: those that are no part of the identity."""
    for place, column in enumerate(table.columns):
        if column.nullable and not column.identity and column.name not in arrow.column_names:
            arrow = arrow.add_column(place, _field(column), pa.nulls(arrow.num_rows, _ARROW_TYPES[column.kind]))
    return arrow


def from_arrow(table: Table, arrow: pa.Table, row_type: type[T]) -> tuple[T, ...]:
    """Return the rows of ``arrow`` as instances of ``row_type``; raises ``WarehouseError`` ROW_FIELDS_MISMATCH."""
    check_row_type(table, row_type)
    names = [column.name for column in table.columns]
    columns = [arrow.column(name).to_pylist() for name in names]
    return tuple(row_type(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True))


def digest(table: Table, arrow: pa.Table) -> str:
    """SHA-256 of the identity columns of rows that are in canonical order.

    Every column enters with its name, kind, which rows have a value, and the values: texts as lengths and UTF-8, all
    else as little-endian 64-bit words (-0.0 as 0.0, dates in days and times in microseconds since the epoch). How the
    file is encoded and compressed has no say, nor have the columns that are not part of the identity.
    """
    sha = hashlib.sha256(f"petlake rows 1\n{table.name}\n{arrow.num_rows}\n".encode())
    for column in table.columns:
        if column.identity:
            array = pa.concat_arrays(arrow.column(column.name).chunks or [pa.array([], _ARROW_TYPES[column.kind])])
            sha.update(f"{column.name}\n{column.kind}\n".encode())
            sha.update(np.packbits(array.is_valid().to_numpy(zero_copy_only=False)).tobytes())
            if column.kind is Kind.TEXT:
                lengths, text = _text_buffers(array)
                sha.update(lengths.tobytes())
                sha.update(text)
            else:
                sha.update(_words(column.kind, array).tobytes())
    return sha.hexdigest()


def _text_buffers(array: pa.Array) -> tuple[NDArray[np.int64], memoryview]:
    array = _without_nulls(array, "")
    _, offsets, text = array.buffers()
    if len(array) == 0 or text is None:
        return np.zeros(len(array), "<i8"), memoryview(b"")
    ends = np.frombuffer(offsets, "<i4")[array.offset : array.offset + len(array) + 1]
    return np.diff(ends).astype("<i8"), memoryview(text)[ends[0] : ends[-1]]


def _words(kind: Kind, array: pa.Array) -> NDArray[Any]:
    if kind is Kind.NUMBER:
        return np.asarray(_without_nulls(array, 0.0).to_numpy() + 0.0, "<f8")
    if kind is Kind.DATE:
        array = array.cast(pa.int32())
    return np.asarray(_without_nulls(array.cast(pa.int64()), 0).to_numpy(), "<i8")


def _without_nulls(array: pa.Array, value: str | float) -> pa.Array:
    """Fill an array; one without nulls, as most are, is taken as it is."""
    return array.fill_null(value) if array.null_count else array


def _array(table: Table, column: Column, values: list[object]) -> pa.Array:
    expected = _PYTHON_TYPES[column.kind]
    if {type(value) for value in values} - {expected}:
        values = [_converted(table, column, value) for value in values]
    try:
        array = pa.array(values, _ARROW_TYPES[column.kind])
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError) as error:
        raise _invalid(table, column, "a value that cannot be stored", str(error)) from error
    if column.kind is Kind.NUMBER:
        if not pc.all(pc.is_finite(array), min_count=0).as_py():
            raise _invalid(table, column, "NaN or infinity", "a finite number, or no value with the reason as status")
        array = pc.add(array, 0.0)  # -0.0 becomes 0.0: equal rows are stored alike
    return array


def _converted(table: Table, column: Column, value: object) -> object:
    """``value`` as the exact type of the column, or VALUE_INVALID; bool is not an int and a datetime is not a date."""
    if value is None:
        if column.nullable:
            return None
        raise _invalid(table, column, "no value", "a value in every row")
    if column.kind is Kind.TEXT and isinstance(value, str):
        return str.__str__(value)  # also for members of a StrEnum
    if column.kind is Kind.NUMBER and isinstance(value, float):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if column.kind is Kind.INTEGER and -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
            return int(value)
        if column.kind is Kind.NUMBER and abs(value) <= _EXACT_IN_FLOAT:
            return float(value)
    if column.kind is Kind.DATETIME and isinstance(value, dt.datetime) and value.tzinfo is None:
        return value
    if type(value) is _PYTHON_TYPES[column.kind] and column.kind in (Kind.BOOLEAN, Kind.DATE):
        return value
    raise _invalid(table, column, f"{value!r:.80} ({type(value).__name__})", _PYTHON_TYPES[column.kind].__name__)


def _invalid(table: Table, column: Column, found: str, expected: str) -> WarehouseError:
    return WarehouseError(
        "VALUE_INVALID",
        f"The column {column.name} cannot hold this",
        keyword=f"{table.name}.{column.name}",
        found=found,
        expected=expected,
    )


def _check_unique(table: Table, arrow: pa.Table) -> None:
    keys = list(zip(*(arrow.column(name).to_pylist() for name in table.key), strict=True))
    if len(set(keys)) == len(keys):
        return
    (key, times), *_ = Counter(keys).most_common(1)
    raise WarehouseError(
        "KEY_DUPLICATE",
        f"{times} rows have the same key",
        keyword=table.name,
        found=", ".join(f"{name}={value}" for name, value in zip(table.key, key, strict=True)),
        expected="one row per key",
    )
