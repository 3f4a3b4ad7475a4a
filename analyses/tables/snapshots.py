"""Tables about snapshots: the tests that were run on one, and what changed from one to another."""

from __future__ import annotations

from collections.abc import Sequence

from analyses.tables.table import P, Table, table
from warehouse.people.journal import Ledger
from warehouse.snapshots.changes import TableChange

_MOST_COLUMNS = 4


def tests_run(ledger: Ledger) -> Table:
    """Every test, in the order in which they were run first."""
    return table(
        [(f"{entry.first_run_at:%Y-%m-%d %H:%M}", entry.run) for entry in ledger.entries],
        ("First run (UTC)", "", lambda row: row[0]),
        ("Endpoint", "", lambda row: row[1].endpoint),
        ("Test", "", lambda row: row[1].procedure),
        ("Of what", "", lambda row: row[1].subject),
        ("n", "", lambda row: row[1].n),
        ("Events", "", lambda row: row[1].n_events),
        ("Tests", "", lambda row: row[1].n_tests),
        ("p, uncorrected", P, lambda row: "withheld" if row[1].p is None else row[1].p),
        ("Standing", "", lambda row: "primary" if row[1].primary else "exploratory"),
    )


def changed_tables(changes: Sequence[TableChange]) -> Table:
    """How many rows of each table came, went and changed, and which columns."""
    return table(
        changes,
        ("Table", "", lambda change: change.name),
        ("Change", "", lambda change: change.change),
        ("Rows before", "", lambda change: change.n_before),
        ("Rows after", "", lambda change: change.n_after),
        ("Added", "", lambda change: change.n_added),
        ("Removed", "", lambda change: change.n_removed),
        ("Changed", "", lambda change: change.n_changed),
        ("Columns", "", _columns_in_words),
    )


def _columns_in_words(change: TableChange) -> str | None:
    parts = []
    for verb in ("added", "removed", "redefined"):
        names = [column.name for column in change.columns if column.change == verb]
        more = f" and {len(names) - _MOST_COLUMNS} more" if len(names) > _MOST_COLUMNS else ""
        parts += [f"{verb}: {', '.join(names[:_MOST_COLUMNS])}{more}"] if names else []
    return "; ".join(parts) or None
