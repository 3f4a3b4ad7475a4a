"""Files of JSON lines that are only ever appended to, by several processes at once."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FOLDER = "journal"
SUFFIX = ".jsonl"


@dataclass(frozen=True)
class OpenJournal:
    """A file of the journal that nobody else writes to meanwhile.

    Attributes
    ----------
    content
        Its whole lines.
    """

    content: bytes
    _descriptor: int

    def append(self, values: Mapping[str, object]) -> None:
        """Append one line, whole or not at all."""
        line = json.dumps(values, sort_keys=True, allow_nan=False)
        os.write(self._descriptor, f"{line}\n".encode())
        os.fsync(self._descriptor)


@contextmanager
def locked(path: Path, what: str, *, mode: int = 0o644) -> Iterator[OpenJournal]:
    """Open a file of the journal, made if need be, and keep other writers out.

    Parameters
    ----------
    what
        What it holds, for the message of a refusal: ``the ledger of tests``.
    mode
        Who may read a file that is made here.

    Raises
    ------
    WarehouseError
        JOURNAL_NOT_WRITABLE.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    except OSError as error:
        raise _not_writable(error, what) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield OpenJournal(_whole_lines(descriptor), descriptor)
    except OSError as error:
        raise _not_writable(error, what) from error
    finally:
        os.close(descriptor)


def whole_lines(path: Path, what: str) -> bytes:
    """Return the whole lines of a file, none where there is no file; raises ``WarehouseError`` JOURNAL_NOT_READABLE."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise WarehouseError(
            "JOURNAL_NOT_READABLE",
            f"{what[:1].upper()}{what[1:]} cannot be read",
            keyword=path.name,
            found=error.strerror,
        ) from error
    # A line without its end is being written, or its writer died: it is not there yet.
    return content[: content.rfind(b"\n") + 1]


def corrupt(path: Path, number: int, error: Exception, what: str) -> WarehouseError:
    """The refusal of line ``number`` (from 1)."""
    return WarehouseError(
        "JOURNAL_CORRUPT",
        f"A line of {what} cannot be read",
        keyword=f"{path.name}, line {number}",
        found=" ".join(str(error).split()),
        hint="The file is only ever appended to; restore it from a backup.",
    )


def _not_writable(error: OSError, what: str) -> WarehouseError:
    return WarehouseError(
        "JOURNAL_NOT_WRITABLE",
        f"Nothing can be entered into {what}",
        found=error.strerror,
        hint="Who enters must be able to write below the lake's folder journal.",
    )


def _whole_lines(descriptor: int) -> bytes:
    """The content of the open, locked file, after removing the remains of a writer that died."""
    content = b""
    while chunk := os.pread(descriptor, 1 << 20, len(content)):
        content += chunk
    end = content.rfind(b"\n") + 1
    if end != len(content):
        os.ftruncate(descriptor, end)
    return content[:end]
