"""The process of ``bounded_query``: reads a request, binds itself, answers with a result or a refusal."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.errors import WarehouseError
from warehouse.queries.query_answer import encode, encoded_rows
from warehouse.queries.select_only import QueryResult, executed, out_of_memory
from warehouse.snapshots.connection import connect_isolated

if TYPE_CHECKING:
    import duckdb

# Of the process' memory; the rest is for what DuckDB does not count, and for the answer.
_SHARE_OF_DUCKDB = 0.5
_THREADS = 2
_ROWS_AT_ONCE = 256


def main() -> None:
    """Answer one request of standard input on standard output."""
    request = json.loads(sys.stdin.buffer.read())
    limits = request["limits"]
    outcome: QueryResult | WarehouseError
    try:
        memory = int(limits["memory_bytes"])
        path, share = Path(request["path"]), int(memory * _SHARE_OF_DUCKDB)
        connection = connect_isolated(path, memory_bytes=share, threads=_THREADS)
        _bind(memory, float(limits["timeout_s"]))
        with executed(connection, request["query"], (), float(limits["timeout_s"])) as cursor:
            outcome = _fetched(cursor, int(limits["rows"]), int(limits["answer_bytes"]))
    except WarehouseError as refusal:
        outcome = refusal
    except MemoryError:
        outcome = out_of_memory("no more memory")
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(encode(outcome))
        sys.stdout.buffer.flush()
    # DuckDB's threads may still be at it.
    os._exit(0)


def _bind(memory_bytes: int, timeout_s: float) -> None:
    """Take from this process what it does not need: more memory, more time, and any file to write."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + memory_bytes
    seconds = math.ceil((timeout_s + 1) * _THREADS) + 1
    for kind, limit in (
        (resource.RLIMIT_AS, most),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _fetched(cursor: duckdb.DuckDBPyConnection, most_rows: int, most_bytes: int) -> QueryResult:
    """Fetch until the answer is long or large enough."""
    description = cursor.description or []
    rows: list[tuple[object, ...]] = []
    n_bytes, truncated = 0, False
    while not truncated and (chunk := cursor.fetchmany(_ROWS_AT_ONCE)):
        n_bytes += len(json.dumps(encoded_rows(chunk)))
        truncated = n_bytes > most_bytes or len(rows) + len(chunk) > most_rows
        if n_bytes <= most_bytes:
            rows += chunk
    columns, types = (tuple(str(column[position]) for column in description) for position in (0, 1))
    return QueryResult(columns, types, tuple(rows[:most_rows]), truncated)


if __name__ == "__main__":
    main()
