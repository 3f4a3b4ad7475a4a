"""What changed from one snapshot to another, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.snapshots.publish import SnapshotDetails

EXAMPLES = 20
"""Patients and rows that are named of each kind; all are counted."""


@dataclass(frozen=True)
class ValueChange:
    """A setting or a version; None on a side where it is not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ColumnChange:
    """A column of a table: ``added``, ``removed``, or ``redefined`` with its kind and unit on both sides."""

    name: str
    change: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class CellChange:
    """One value of one row that is in both snapshots, as text; None where there is no value."""

    key: tuple[str, ...]
    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class TableChange:
    """What changed in one table.

    Attributes
    ----------
    change
        ``added``, ``removed``, or ``changed``.
    key
        The columns that identify a row; empty where rows are compared as a whole, and none can have changed.
    n_before, n_after
        Rows.
    n_added, n_removed, n_changed
        Rows by key: only after, only before, in both with another value in a column that both have.
    columns
        Columns that came, went or were defined anew.
    changed_values
        Number of rows in which a column changed, by column, most first.
    examples
        The first of the changed values, in the order of the key; digests are left out.
    """

    name: str
    change: str
    key: tuple[str, ...]
    n_before: int
    n_after: int
    n_added: int
    n_removed: int
    n_changed: int
    columns: tuple[ColumnChange, ...]
    changed_values: Mapping[str, int]
    examples: tuple[CellChange, ...]


@dataclass(frozen=True)
class SnapshotDiff:
    """What changed from one snapshot to another.

    Attributes
    ----------
    patients_added, patients_removed, patients_changed
        Patients that are only in the second, only in the first, or in both with other rows in a computed table.
    settings, code_versions
        What differs; settings by their dotted path, without the digests of settings.
    tables
        The tables that differ, in the order of the snapshot.
    """

    before: SnapshotDetails
    after: SnapshotDetails
    patients_added: tuple[str, ...]
    patients_removed: tuple[str, ...]
    patients_changed: tuple[str, ...]
    settings: tuple[ValueChange, ...]
    code_versions: tuple[ValueChange, ...]
    tables: tuple[TableChange, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The change in words, most important first."""
        return _sentences(self)


def _sentences(change: SnapshotDiff) -> tuple[str, ...]:
    if change.before.snapshot_id == change.after.snapshot_id:
        return ("Both are the same snapshot.",)
    said = []
    patients = [
        (change.patients_added, "came"),
        (change.patients_removed, "went"),
        (change.patients_changed, "changed"),
    ]
    moved = [f"{len(found):,} {verb}" for found, verb in patients if found]
    total = f"{change.before.n_patients:,} patients before, {change.after.n_patients:,} after"
    said.append(f"{total}: {', '.join(moved)}." if moved else f"{total}; none came, went or changed.")
    for changes, noun in ((change.settings, "setting"), (change.code_versions, "code version")):
        if changes:
            said.append(f"{_counted(len(changes), noun)} {'differs' if len(changes) == 1 else 'differ'}.")
    if change.before.code != change.after.code:
        said.append(f"petlake {change.before.code.text} before; {change.after.code.text} after.")
    for verb in ("added", "removed"):
        names = [table.name for table in change.tables if table.change == verb]
        if names:
            said.append(f"{_counted(len(names), 'table')} {verb}: {', '.join(names[:EXAMPLES])}.")
    changed = [table for table in change.tables if table.change == "changed"]
    with_rows = [table for table in changed if table.n_added or table.n_removed or table.n_changed]
    with_columns = [table for table in changed if table.columns]
    if with_rows:
        counts = [sum(getattr(table, f"n_{verb}") for table in with_rows) for verb in ("added", "removed", "changed")]
        said.append(
            f"Rows differ in {_counted(len(with_rows), 'table')}: {counts[0]:,} added, {counts[1]:,} removed, "
            f"{counts[2]:,} changed."
        )
    elif not said[1:]:
        said.append("No row of any table differs.")
    if with_columns:
        said.append(f"Columns differ in {_counted(len(with_columns), 'table')}.")
    return tuple(said)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
