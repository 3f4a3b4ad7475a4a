"""Run an untrusted query in a limited process, whose time, memory and answer are bounded.

DuckDB's own limits do not hold everywhere: ``memory_limit`` counts its buffers and not a long text or list, and one
call of a function does not look whether it was interrupted. A process can be ended, and what the system refuses it, it
does not get. What it opens and refuses is the same as everywhere (``warehouse.snapshots.connection``,
``warehouse.queries.select_only``).
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from warehouse.errors import WarehouseError
from warehouse.queries.query_answer import decode
from warehouse.queries.select_only import QueryResult, out_of_memory, timed_out
from warehouse.snapshots import catalog

if TYPE_CHECKING:
    from pathlib import Path

# To stop by itself, and to start: Python, DuckDB, the file.
_GRACE_S = 5.0
_AT_ONCE = threading.BoundedSemaphore(4)


@dataclass(frozen=True)
class QueryLimits:
    """What one query may take.

    Attributes
    ----------
    rows
        Rows of the answer; what is beyond them is left out, and the answer says so.
    timeout_s
        Time, in seconds.
    memory_bytes
        Memory of the process beyond what it starts with. Nothing is spilled to the disk.
    answer_bytes
        Size of the answer; treated as ``rows``.
    """

    rows: int = 10_000
    timeout_s: float = 20.0
    memory_bytes: int = 2 * 1024**3
    answer_bytes: int = 64 * 1024**2


def run_bounded(lake_root: Path, snapshot_id: str, query: str, limits: QueryLimits | None = None) -> QueryResult:
    """Run one reading statement on a snapshot, given by its full id.

    Raises
    ------
    WarehouseError
        SQL_NOT_READ_ONLY; SQL_FAILED with DuckDB's message; SQL_TIMEOUT; SQL_MEMORY; SNAPSHOT_CORRUPT.
    """
    limits = limits or QueryLimits()
    path = catalog.path_of(lake_root, snapshot_id)
    request = json.dumps({"path": str(path.resolve()), "query": query, "limits": asdict(limits)}).encode()
    # Isolated, and without this process' environment: it holds nothing that a query should be able to ask for.
    command = [sys.executable, "-I", "-m", "warehouse.queries.query_process"]
    with (
        _AT_ONCE,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LC_ALL": "C.UTF-8"}
        ) as process,
    ):
        try:
            answer, _ = process.communicate(request, timeout=limits.timeout_s + _GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise timed_out(limits.timeout_s) from None
        finally:
            # Whatever ends this thread ends the query.
            process.kill()
    try:
        outcome = decode(answer)
    except ValueError:
        # The system has ended the process before its answer was whole.
        raise out_of_memory(f"the process ended with code {process.returncode}") from None
    if isinstance(outcome, WarehouseError):
        raise outcome
    return outcome
