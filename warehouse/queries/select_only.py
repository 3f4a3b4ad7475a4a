"""Running one reading statement with a time limit, and refusing everything else."""

from __future__ import annotations

import csv
import io
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from warehouse.errors import WarehouseError
from warehouse.snapshots.connection import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_EXPLAIN = re.compile(r"\s*explain(\s+analyze)?\s", re.IGNORECASE)


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query; ``types`` are DuckDB's, ``truncated`` tells that there were more rows than asked for."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    truncated: bool

    @property
    def distinct_columns(self) -> tuple[str, ...]:
        """The names of the columns, a second one of a name with its number: ``n``, ``n_2``."""
        names: dict[str, None] = {}
        for column in self.columns:
            number, name = 1, column
            while name in names:
                number += 1
                name = f"{column}_{number}"
            names[name] = None
        return tuple(names)

    def to_parquet(self) -> bytes:
        """Return the rows as the bytes of a Parquet file.

        Types without a counterpart are inferred from the values, and what cannot be stored as it is becomes text.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        known = {
            "VARCHAR": pa.string(),
            "BIGINT": pa.int64(),
            "INTEGER": pa.int32(),
            "DOUBLE": pa.float64(),
            "BOOLEAN": pa.bool_(),
            "DATE": pa.date32(),
            "TIMESTAMP": pa.timestamp("us"),
        }
        values = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.columns)
        arrays = []
        for column, kind in zip(values, self.types, strict=True):
            try:
                arrays.append(pa.array(list(column), known.get(kind)))
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                arrays.append(pa.array([None if value is None else str(value) for value in column], pa.string()))
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_arrays(arrays, names=list(self.distinct_columns)), sink)
        data: bytes = sink.getvalue().to_pybytes()
        return data

    def to_csv(self) -> str:
        """Return the rows as CSV with a heading; a missing value is an empty cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()


def run(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[object] | Mapping[str, object],
    *,
    row_limit: int | None,
    timeout_s: float,
) -> QueryResult:
    """Run one statement that only reads.

    Raises
    ------
    WarehouseError
        SQL_NOT_READ_ONLY, SQL_FAILED with DuckDB's message, SQL_TIMEOUT, SQL_MEMORY.
    """
    with executed(connection, query, parameters, timeout_s) as cursor:
        description = cursor.description or []
        rows = cursor.fetchall() if row_limit is None else cursor.fetchmany(row_limit + 1)
    truncated = row_limit is not None and len(rows) > row_limit
    columns, types = tuple(str(column[0]) for column in description), tuple(str(column[1]) for column in description)
    return QueryResult(columns, types, tuple(rows[:row_limit]), truncated)


@contextmanager
def executed(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[object] | Mapping[str, object],
    timeout_s: float,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a cursor of its own on which the statement runs; the time limit covers the block that fetches, too."""
    cursor = connection.cursor()
    # DuckDB works while rows are fetched: the timer is only stopped when the block has taken all of them.
    timer = threading.Timer(timeout_s, cursor.interrupt)
    timer.daemon = True
    try:
        statement = _reading_statement(cursor, query)
        timer.start()
        cursor.execute(statement, parameters or None)
        yield cursor
    except duckdb.InterruptException:
        raise timed_out(timeout_s) from None
    except duckdb.OutOfMemoryException as error:
        raise out_of_memory(one_line(error)) from error
    except (duckdb.Error, RuntimeError, ValueError) as error:
        raise WarehouseError("SQL_FAILED", one_line(error)) from error
    finally:
        timer.cancel()
        cursor.close()


def timed_out(seconds: float) -> WarehouseError:
    """Return the refusal of a query that took too long."""
    return WarehouseError("SQL_TIMEOUT", f"The query was stopped after {seconds:g} s", hint="Ask for less at once.")


def out_of_memory(found: str) -> WarehouseError:
    """Return the refusal of a query that needs too much memory."""
    return WarehouseError(
        "SQL_MEMORY",
        "The query needs more memory than a query may have",
        # What follows is advice for who may change settings.
        found=found.partition(" Possible solutions")[0].rstrip("."),
        hint="Ask for fewer rows or columns, or aggregate them first.",
    )


def _reading_statement(cursor: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """Return the only statement: a SELECT (so are FROM, VALUES, DESCRIBE, SHOW and SUMMARIZE), or its EXPLAIN."""
    statements = cursor.extract_statements(query)
    try:
        kinds = [statement.type for statement in statements]
    except ValueError:
        # A kind that DuckDB's Python does not know, for example UPDATE EXTENSIONS.
        raise _not_reading("a statement of another kind") from None
    explained = _EXPLAIN.match(query)
    if kinds == [duckdb.StatementType.EXPLAIN] and explained is not None:
        # The type says nothing of what is explained, and EXPLAIN ANALYZE runs it.
        kinds = [statement.type for statement in cursor.extract_statements(query[explained.end() :])]
    if kinds != [duckdb.StatementType.SELECT]:
        raise _not_reading(", ".join(kind.name for kind in kinds) or "no statement")
    return statements[0]


def _not_reading(found: str) -> WarehouseError:
    return WarehouseError(
        "SQL_NOT_READ_ONLY",
        "A snapshot only answers one reading statement at a time",
        found=found,
        expected="SELECT, FROM, VALUES, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN",
    )
