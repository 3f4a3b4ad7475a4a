"""Opening a published snapshot so that nothing can be changed through it: no table, no other file, no setting."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

import duckdb

from warehouse.errors import WarehouseError

_MEMORY_LIMIT = "4GB"
_SPILL_LIMIT = "4GB"
_MAX_THREADS = 4


def connect_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a snapshot for reading.

    Raises
    ------
    WarehouseError
        SNAPSHOT_CORRUPT when DuckDB cannot open the file.
    """
    try:
        return duckdb.connect(path, read_only=True, config=_settings())
    except (duckdb.Error, RuntimeError) as error:
        raise corrupt(path, error) from error


def connect_isolated(path: Path, *, memory_bytes: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Open a snapshot for a query that may not touch any file: it cannot spill, and not read the snapshot as a file.

    For a process that opens nothing else. ``enable_external_access`` leaves the opened file itself readable, byte by
    byte, and no file system can be disabled before it is open.

    Raises
    ------
    WarehouseError
        SNAPSHOT_CORRUPT when DuckDB cannot open the file.
    """
    settings = {
        **_settings(),
        "memory_limit": f"{memory_bytes}B",
        "max_temp_directory_size": "0B",
        "threads": str(threads),
        "lock_configuration": "false",
    }
    try:
        connection = duckdb.connect(path, read_only=True, config=settings)
    except (duckdb.Error, RuntimeError) as error:
        raise corrupt(path, error) from error
    connection.execute("SET disabled_filesystems = 'LocalFileSystem'")
    connection.execute("SET lock_configuration = true")
    return connection


def memory_connection() -> duckdb.DuckDBPyConnection:
    """Open a connection of its own in memory, for statements of ours that read several files; only it can read them."""
    settings = {**_settings(), "enable_external_access": "true", "lock_configuration": "false"}
    return duckdb.connect(":memory:", config=settings)


@cache
def _settings() -> dict[str, str | bool | int | float | list[str]]:
    """All settings, given at the start and once a process: DuckDB shares one instance a file, and it is locked."""
    return {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        # Otherwise a name that is not a table is looked up among the variables of the calling Python code.
        "python_enable_replacements": "false",
        "memory_limit": _MEMORY_LIMIT,
        "max_temp_directory_size": _SPILL_LIMIT,
        # Not beside the file, where DuckDB would spill by default: the lake is read by many and written by one.
        "temp_directory": str(Path(tempfile.gettempdir()) / f"petlake-{os.getpid()}"),
        "threads": str(min(_MAX_THREADS, os.cpu_count() or 1)),
        "lock_configuration": "true",
    }


def corrupt(path: Path, error: Exception) -> WarehouseError:
    """The refusal of a snapshot file that cannot be read."""
    return WarehouseError(
        "SNAPSHOT_CORRUPT",
        "The file of the snapshot cannot be read",
        keyword=path.name,
        found=one_line(error),
        hint="Delete the file and run `petlake snapshot publish` again: the lake still holds the data.",
    )


def one_line(error: Exception) -> str:
    """DuckDB's message without the line that repeats the query and the caret under it."""
    lines = str(error).splitlines()
    kept = [line for line in lines if line.strip(" ^") and not line.startswith("LINE ")]
    return " ".join(" ".join(kept).split())
