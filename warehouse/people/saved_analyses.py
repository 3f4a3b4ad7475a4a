"""Analyses that were saved under a name: what to run, on which snapshot, of which patients.

A saved analysis is the words of a command and not its result: whoever opens it computes it again, and gets the same
numbers, because the snapshot never changes. All of a lake are in one file of JSON lines,
``<lake>/journal/saved-analyses.jsonl``, which is only appended to: renaming and deleting are lines, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from warehouse.errors import WarehouseError
from warehouse.people import journal_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WHAT = "the saved analyses"
_FILE = f"saved-analyses{journal_file.SUFFIX}"
_LONGEST_NAME = 80


@dataclass(frozen=True)
class SavedAnalysis:
    """An analysis with its name.

    Attributes
    ----------
    name
        One line of at most 80 characters, different from all others of the lake.
    command
        ``km``, ``cox``, ``pca``, ``scan`` or ``sensitivity``.
    options
        Options of the command in its own words, without dashes; the value of a flag is empty.
    snapshot_id
        The full id.
    conditions
        What patients have to meet, as ``--where`` takes it.
    query
        Query of the dashboard's page, without its question mark, which shows the view again; empty where it was saved
        elsewhere.
    """

    name: str
    command: str
    options: tuple[tuple[str, str], ...]
    snapshot_id: str
    conditions: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True)
class SavedEntry:
    """A saved analysis and the moment at which it was saved."""

    analysis: SavedAnalysis
    saved_at: datetime


def save_analysis(lake_root: Path, analysis: SavedAnalysis) -> SavedEntry:
    """Save an analysis; saving the same one again under its name changes nothing.

    Raises
    ------
    WarehouseError
        SAVED_NAME_INVALID; SAVED_NAME_TAKEN by another analysis; JOURNAL_NOT_WRITABLE, JOURNAL_CORRUPT.
    """
    analysis = replace(analysis, name=_checked(analysis.name))
    path = _path(lake_root)
    with journal_file.locked(path, _WHAT) as journal:
        known = _parsed(journal.content, path)
        there = known.get(analysis.name)
        if there is not None:
            if there.analysis == analysis:
                return there
            raise _taken(analysis.name)
        now = datetime.now(UTC)
        journal.append(
            {
                "at": now.isoformat(),
                "what": "save",
                "name": analysis.name,
                "command": analysis.command,
                "options": [list(option) for option in analysis.options],
                "snapshot_id": analysis.snapshot_id,
                "conditions": list(analysis.conditions),
                "query": analysis.query,
            }
        )
        return SavedEntry(analysis, now)


def rename_analysis(lake_root: Path, name: str, new_name: str) -> None:
    """Give a saved analysis another name.

    Raises
    ------
    WarehouseError
        SAVED_NAME_INVALID, SAVED_NAME_TAKEN, SAVED_UNKNOWN, JOURNAL_NOT_WRITABLE, JOURNAL_CORRUPT.
    """
    new_name = _checked(new_name)
    path = _path(lake_root)
    with journal_file.locked(path, _WHAT) as journal:
        known = _parsed(journal.content, path)
        if name not in known:
            raise _unknown(name, known)
        if new_name != name and new_name in known:
            raise _taken(new_name)
        journal.append({"at": _now(), "what": "rename", "name": name, "new_name": new_name})


def delete_analysis(lake_root: Path, name: str) -> None:
    """Delete a saved analysis; its line stays in the file.

    Raises
    ------
    WarehouseError
        SAVED_UNKNOWN, JOURNAL_NOT_WRITABLE, JOURNAL_CORRUPT.
    """
    path = _path(lake_root)
    with journal_file.locked(path, _WHAT) as journal:
        known = _parsed(journal.content, path)
        if name not in known:
            raise _unknown(name, known)
        journal.append({"at": _now(), "what": "delete", "name": name})


def saved_analyses(lake_root: Path) -> tuple[SavedEntry, ...]:
    """Return the saved analyses of a lake in the order in which they were saved.

    Raises
    ------
    WarehouseError
        JOURNAL_CORRUPT, JOURNAL_NOT_READABLE.
    """
    path = _path(lake_root)
    return tuple(_parsed(journal_file.whole_lines(path, _WHAT), path).values())


def saved_analysis(lake_root: Path, name: str) -> SavedAnalysis:
    """Return the analysis of a name; raises as ``saved_analyses``, and ``WarehouseError`` SAVED_UNKNOWN."""
    known = {entry.analysis.name: entry.analysis for entry in saved_analyses(lake_root)}
    if name not in known:
        raise _unknown(name, known)
    return known[name]


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise WarehouseError(
            "SAVED_NAME_INVALID",
            "An analysis cannot be saved under this name",
            found=repr(name[: 2 * _LONGEST_NAME]),
            expected=f"one line of 1 to {_LONGEST_NAME} characters",
        )
    return name


def _taken(name: str) -> WarehouseError:
    return WarehouseError(
        "SAVED_NAME_TAKEN",
        "Another analysis has this name",
        found=name,
        hint="Choose another name, or delete that one first.",
    )


def _unknown(name: str, known: Mapping[str, object]) -> WarehouseError:
    return WarehouseError(
        "SAVED_UNKNOWN",
        "No analysis is saved under this name",
        found=name,
        expected=", ".join(known) or "none: nothing is saved yet",
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _parsed(content: bytes, path: Path) -> dict[str, SavedEntry]:
    found: dict[str, SavedEntry] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            found = _after(found, json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise journal_file.corrupt(path, number, error, _WHAT) from error
    return found


def _after(found: dict[str, SavedEntry], line: Mapping[str, object]) -> dict[str, SavedEntry]:
    """The analyses after one more line."""
    what, name = line["what"], str(line["name"])
    if what == "save":
        options, conditions = line["options"], line["conditions"]
        if not isinstance(options, list) or not isinstance(conditions, list):
            raise TypeError("options and conditions are lists")
        analysis = SavedAnalysis(
            name,
            str(line["command"]),
            tuple((str(option), str(value)) for option, value in options),
            str(line["snapshot_id"]),
            tuple(str(condition) for condition in conditions),
            str(line["query"]),
        )
        return {**found, name: SavedEntry(analysis, datetime.fromisoformat(str(line["at"])))}
    entry = found[name]
    if what == "delete":
        return {other: kept for other, kept in found.items() if other != name}
    if what != "rename":
        raise ValueError(f"unknown entry {what!r}")
    new_name = str(line["new_name"])
    renamed = replace(entry, analysis=replace(entry.analysis, name=new_name))
    return {new_name if other == name else other: renamed if other == name else kept for other, kept in found.items()}


def _path(lake_root: Path) -> Path:
    return lake_root / journal_file.FOLDER / _FILE
