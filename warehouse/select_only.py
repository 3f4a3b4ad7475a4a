"""Running one reading statement with a time limit, and refusing everything else."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from warehouse.connection import one_line
from warehouse.errors import WarehouseError

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

    def to_parquet(self) -> bytes:
        """Return the rows as the bytes of a Parquet file; types without a counterpart are inferred from the values."""
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
        arrays = [pa.array(list(column), known.get(kind)) for column, kind in zip(values, self.types, strict=True)]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_arrays(arrays, names=list(self.columns)), sink)
        data: bytes = sink.getvalue().to_pybytes()
        return data


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
        SQL_NOT_READ_ONLY, SQL_FAILED with DuckDB's message, SQL_TIMEOUT.
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
        raise WarehouseError(
            "SQL_TIMEOUT",
            f"The query was stopped after {timeout_s:g} s",
            hint="Ask for less, or give it more time.",
        ) from None
    except (duckdb.Error, RuntimeError, ValueError) as error:
        raise WarehouseError("SQL_FAILED", one_line(error)) from error
    finally:
        timer.cancel()
        cursor.close()


def _reading_statement(cursor: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """Return the only statement: a SELECT (so are FROM, VALUES, DESCRIBE, SHOW and SUMMARIZE), or its EXPLAIN."""
    statements = cursor.extract_statements(query)
    kinds = [statement.type for statement in statements]
    explained = _EXPLAIN.match(query)
    if kinds == [duckdb.StatementType.EXPLAIN] and explained is not None:
        # The type says nothing of what is explained, and EXPLAIN ANALYZE runs it.
        kinds = [statement.type for statement in cursor.extract_statements(query[explained.end() :])]
    if kinds != [duckdb.StatementType.SELECT]:
        raise WarehouseError(
            "SQL_NOT_READ_ONLY",
            "A snapshot only answers one reading statement at a time",
            found=", ".join(kind.name for kind in kinds) or "no statement",
            expected="SELECT, FROM, VALUES, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN",
        )
    return statements[0]
