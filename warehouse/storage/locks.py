"""One writer a patient: a reader of the lake sees a patient's tables before or after a change, never in between."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import WarehouseError

_WRITING = b"writing"


@contextmanager
def patient_lock(root: Path, patient_id: str, *, shared: bool = False, repairs: bool = False) -> Iterator[None]:
    """Hold the lock of one patient while its tables are written (exclusive) or read together (shared).

    The lock is advisory and belongs to the open file, so the system releases it when a process dies, however it dies.
    A writer leaves a mark in the file that it takes away at the end: a mark without a writer says that the tables are
    half old, half new. ``patient_id`` must be a validated key: it becomes a file name.

    Parameters
    ----------
    repairs
        For a writer: all tables are written, so that the mark of an interrupted one may go.

    Raises
    ------
    WarehouseError
        PATIENT_HALF_WRITTEN for a reader, when the last writer was interrupted.
    """
    descriptor = os.open(_path(root, patient_id, make=True), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        if shared:
            if os.pread(descriptor, len(_WRITING), 0):
                raise WarehouseError(
                    "PATIENT_HALF_WRITTEN",
                    "The tables of the patient are half old and half new: writing them was interrupted",
                    patient_id=patient_id,
                    hint="Run `petlake materialize`, which computes them again.",
                )
            yield
        else:
            interrupted = bool(os.pread(descriptor, len(_WRITING), 0))
            os.pwrite(descriptor, _WRITING, 0)
            os.fsync(descriptor)
            yield
            if repairs or not interrupted:
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def was_interrupted(root: Path, patient_id: str) -> bool:
    """Whether the last writer of the patient died before it had finished."""
    try:
        descriptor = os.open(_path(root, patient_id, make=False), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return bool(os.pread(descriptor, len(_WRITING), 0))
    except BlockingIOError:
        # Somebody is writing at this moment, and alive.
        return False
    finally:
        os.close(descriptor)


def _path(root: Path, patient_id: str, *, make: bool) -> Path:
    folder = root / ".locks"
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    return folder / patient_id
