"""Which snapshots are published, and which of them is current: file names and the ``CURRENT`` pointer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import duckdb

from warehouse.errors import WarehouseError
from warehouse.snapshots.connection import connect_read_only, corrupt
from warehouse.storage.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "snapshots"
_POINTER = "CURRENT"
_SUFFIX = ".duckdb"
_ID = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{6,64}")
_PUBLISH = "Run `petlake snapshot publish`."
_LIST = "`petlake snapshot list` shows what is published."


@dataclass(frozen=True)
class SnapshotInfo:
    """One published snapshot; ``warehouse.snapshots.publish.show`` tells more of it."""

    snapshot_id: str
    path: Path
    n_patients: int
    size_bytes: int
    published_at: datetime
    is_current: bool


def path_of(lake_root: Path, snapshot_id: str) -> Path:
    """Where the snapshot with this full id is, or will be."""
    return lake_root / _FOLDER / f"{snapshot_id}{_SUFFIX}"


def list_snapshots(lake_root: Path) -> tuple[SnapshotInfo, ...]:
    """Return the published snapshots, the latest first; raises ``WarehouseError`` SNAPSHOT_CORRUPT."""
    current = _pointer(lake_root)
    found = []
    for snapshot_id in _ids(lake_root):
        path = path_of(lake_root, snapshot_id)
        status = path.stat()
        published_at = datetime.fromtimestamp(status.st_mtime, UTC)
        is_current = snapshot_id == current
        n_patients = _n_patients(path, status.st_size, status.st_mtime_ns, status.st_ino)
        found.append(SnapshotInfo(snapshot_id, path, n_patients, status.st_size, published_at, is_current))
    return tuple(sorted(found, key=lambda info: (info.published_at, info.snapshot_id), reverse=True))


def current_id(lake_root: Path) -> str:
    """Return the id of the current snapshot.

    Raises
    ------
    WarehouseError
        SNAPSHOT_NONE when nothing was published yet, SNAPSHOT_UNKNOWN when the pointer leads nowhere.
    """
    current = _pointer(lake_root)
    if current is None:
        raise WarehouseError("SNAPSHOT_NONE", "No snapshot is published in this study", hint=_PUBLISH)
    if _ID.fullmatch(current) is None or not path_of(lake_root, current).is_file():
        raise WarehouseError("SNAPSHOT_UNKNOWN", "The current snapshot is gone", found=current, hint=_PUBLISH)
    return current


def resolve_id(lake_root: Path, snapshot_id: str | None) -> str:
    """Return the full id for a prefix of at least six characters, or the current id for None.

    Raises
    ------
    WarehouseError
        SNAPSHOT_NONE, SNAPSHOT_UNKNOWN, SNAPSHOT_AMBIGUOUS.
    """
    if snapshot_id is None:
        return current_id(lake_root)
    prefix = snapshot_id.strip().lower()
    if _PREFIX.fullmatch(prefix) is None:
        raise WarehouseError(
            "SNAPSHOT_UNKNOWN",
            "This is not the id of a snapshot",
            found=repr(snapshot_id),
            expected="at least the first 6 of its 64 hexadecimal digits",
            hint=_LIST,
        )
    matches = [known for known in _ids(lake_root) if known.startswith(prefix)]
    if not matches:
        raise WarehouseError("SNAPSHOT_UNKNOWN", "There is no such snapshot", found=snapshot_id, hint=_LIST)
    if len(matches) > 1:
        raise WarehouseError(
            "SNAPSHOT_AMBIGUOUS",
            "Several snapshots begin like this",
            found=snapshot_id,
            expected=" or ".join(matches),
            hint="Give more digits.",
        )
    return matches[0]


def set_current(lake_root: Path, snapshot_id: str) -> None:
    """Point ``CURRENT`` to a snapshot."""
    with replacing(lake_root / _FOLDER / _POINTER) as temporary:
        temporary.write_text(f"{snapshot_id}\n", encoding="ascii")


# Whoever asks which snapshots there are asks often, and to open one takes 15 ms; a snapshot never changes.
@lru_cache(maxsize=256)
def _n_patients(path: Path, size_bytes: int, modified_ns: int, inode: int) -> int:
    """Patients of a snapshot, by its file; another file of the same name is counted anew."""
    del size_bytes, modified_ns, inode
    connection = connect_read_only(path)
    try:
        rows: list[tuple[int]] = connection.execute("SELECT n_patients FROM snapshot_info").fetchall()
        return rows[0][0]
    except (duckdb.Error, IndexError) as error:
        raise corrupt(path, error) from error
    finally:
        connection.close()


def _ids(lake_root: Path) -> list[str]:
    files = (lake_root / _FOLDER).glob(f"*{_SUFFIX}")
    return sorted(path.stem for path in files if _ID.fullmatch(path.stem) is not None)


def _pointer(lake_root: Path) -> str | None:
    try:
        return (lake_root / _FOLDER / _POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
