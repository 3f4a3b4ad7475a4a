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
