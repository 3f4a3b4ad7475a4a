"""The journal of a lake: which tests were run on which snapshot, appended and never rewritten.

A snapshot is immutable and its id is its content, so what people do with it is kept beside it: one file of JSON lines a
snapshot, ``<lake>/journal/<snapshot id>.jsonl``. It holds no patient and no value of one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from warehouse.people import journal_file

if TYPE_CHECKING:
    from pathlib import Path

_WHAT = "the ledger of tests"


@dataclass(frozen=True)
class TestRun:
    """Hypothesis tests of one analysis on one snapshot.

    Attributes
    ----------
    endpoint
        The outcome.
    procedure
        What was computed, for example ``log-rank`` or ``cox``.
    subject
        What was tested, in words that are the same for the same test wherever it is run: variables with their groups or
        scales.
    n, n_events
        Patients and events in it.
    n_tests
        How many hypotheses were tested: 1, or the size of the family in a scan.
    p
        The smallest p-value as it was shown; None where it was withheld.
    primary
        Whether it was declared in study.yaml beforehand; everything else is exploratory.
    """

    # Not a class of tests, whatever pytest thinks of its name.
    __test__ = False

    endpoint: str
    procedure: str
    subject: str
    n: int
    n_events: int
    n_tests: int
    p: float | None
    primary: bool

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two runs the same test."""
        return (self.endpoint, self.procedure, self.subject)


@dataclass(frozen=True)
class LedgerEntry:
    """One test of the ledger, with the moment it was first run."""

    run: TestRun
    first_run_at: datetime


@dataclass(frozen=True)
class Ledger:
    """All distinct tests that were run on a snapshot, in the order in which they were first run."""

    snapshot_id: str
    entries: tuple[LedgerEntry, ...]

    @property
    def n_tests(self) -> int:
        """Hypotheses tested, those of a scan counted one by one."""
        return sum(entry.run.n_tests for entry in self.entries)

    @property
    def n_primary(self) -> int:
        """Those of them that were declared beforehand."""
        return sum(entry.run.n_tests for entry in self.entries if entry.run.primary)

    @property
    def sentence(self) -> str:
        """The count as a reader of a p-value has to know it."""
        tests = "1 test" if self.n_tests == 1 else f"{self.n_tests:,} tests"
        exploratory = self.n_tests - self.n_primary
        return f"{tests} run on this snapshot so far: {self.n_primary:,} primary, {exploratory:,} exploratory"


def record_test(lake_root: Path, snapshot_id: str, run: TestRun) -> Ledger:
    """Enter a test into the ledger of a snapshot, unless it is there already; the ledger after it.

    Running the same test again is not another test. Several processes may record at once: the file is locked, and a
    line is appended whole or not at all.

    Raises
    ------
    WarehouseError
        JOURNAL_NOT_WRITABLE, JOURNAL_CORRUPT.
    """
    path = _path(lake_root, snapshot_id)
    with journal_file.locked(path, _WHAT) as journal:
        ledger = _parsed(snapshot_id, journal.content, path)
        if any(entry.run.identity == run.identity for entry in ledger.entries):
            return ledger
        now = datetime.now(UTC)
        journal.append({"first_run_at": now.isoformat(), **asdict(run)})
        return Ledger(snapshot_id, (*ledger.entries, LedgerEntry(run, now)))


def ledger_of(lake_root: Path, snapshot_id: str) -> Ledger:
    """The tests that were run on a snapshot; empty where none was.

    Raises
    ------
    WarehouseError
        JOURNAL_CORRUPT, JOURNAL_NOT_READABLE.
    """
    path = _path(lake_root, snapshot_id)
    return _parsed(snapshot_id, journal_file.whole_lines(path, _WHAT), path)


def _parsed(snapshot_id: str, content: bytes, path: Path) -> Ledger:
    entries = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            values = json.loads(line)
            first_run_at = datetime.fromisoformat(values.pop("first_run_at"))
            entries.append(LedgerEntry(TestRun(**values), first_run_at))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise journal_file.corrupt(path, number, error, _WHAT) from error
    return Ledger(snapshot_id, tuple(entries))


def _path(lake_root: Path, snapshot_id: str) -> Path:
    return lake_root / journal_file.FOLDER / f"{snapshot_id}{journal_file.SUFFIX}"
