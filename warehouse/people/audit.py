"""The audit log of a lake: who looked at what, asked what and took what away; appended and never rewritten.

One file of JSON lines, ``<lake>/journal/audit.jsonl``. It holds no value of a patient, except where somebody typed one
into a query.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from warehouse.people.journal_file import FOLDER, SUFFIX, corrupt, locked, whole_lines

if TYPE_CHECKING:
    from pathlib import Path

_WHAT = "the audit log"
_LONGEST_DETAIL = 10_000


class Action(StrEnum):
    """What somebody did."""

    VIEW = "view"
    QUERY = "query"
    EXPORT = "export"
    REFUSED = "refused"


@dataclass(frozen=True)
class AuditEntry:
    """One line of the log.

    Attributes
    ----------
    at
        When, in UTC.
    who
        The e-mail of the login, or ``local`` where there is none.
    role
        The role that this person had at the time.
    page
        The page of the dashboard.
    snapshot_id
        The snapshot that was shown.
    detail
        The text of a query, the name of what was exported, or what was refused; cut at 10,000 characters.
    """

    at: datetime
    who: str
    role: str
    action: Action
    page: str
    snapshot_id: str
    detail: str = ""


def record(lake_root: Path, entry: AuditEntry) -> None:
    """Append an entry; several processes may append at once, and a line is there whole or not at all.

    Raises
    ------
    WarehouseError
        JOURNAL_NOT_WRITABLE.
    """
    values = asdict(entry) | {"at": entry.at.isoformat(), "detail": entry.detail[:_LONGEST_DETAIL]}
    # For its owner only: it says what people do.
    with locked(_path(lake_root), _WHAT, mode=0o600) as log:
        log.append(values)


def read_audit(lake_root: Path, last: int | None = None) -> tuple[AuditEntry, ...]:
    """Return the entries in their order, or the ``last`` ones; none where nothing was ever entered.

    Raises
    ------
    WarehouseError
        JOURNAL_NOT_READABLE, JOURNAL_CORRUPT with the line.
    """
    path = _path(lake_root)
    lines = whole_lines(path, _WHAT).splitlines()
    first = 0 if last is None else max(0, len(lines) - last)
    return tuple(_parsed(line, number, path) for number, line in enumerate(lines[first:], start=first + 1))


def now() -> datetime:
    """Return the moment, to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def _parsed(line: bytes, number: int, path: Path) -> AuditEntry:
    try:
        values = json.loads(line)
        at, action = datetime.fromisoformat(values.pop("at")), Action(values.pop("action"))
        return AuditEntry(at=at, action=action, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise corrupt(path, number, error, _WHAT) from error


def _path(lake_root: Path) -> Path:
    return lake_root / FOLDER / f"audit{SUFFIX}"
