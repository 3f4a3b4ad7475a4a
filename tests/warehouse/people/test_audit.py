"""The audit log: every line whole, in order, whoever writes, and never a line less."""

from __future__ import annotations

import datetime as dt
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from warehouse.errors import WarehouseError
from warehouse.people.audit import Action, AuditEntry, read_audit, record

ENTRY = AuditEntry(
    dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    "a@b.example",
    "analyst",
    Action.QUERY,
    "SQL",
    "ab" * 32,
    "SELECT 1",
)


def test_what_is_recorded_is_read_in_its_order(tmp_path: Path) -> None:
    assert read_audit(tmp_path) == ()
    # Separators of lines within a text, which not only \n is.
    entries = [ENTRY, replace(ENTRY, detail="SELECT 1\n\r\u2028\x0b'å'"), replace(ENTRY, action=Action.VIEW, detail="")]
    for entry in entries:
        record(tmp_path, entry)

    assert read_audit(tmp_path) == tuple(entries)
    assert read_audit(tmp_path, last=1) == (entries[2],)
    (file,) = (tmp_path / "journal").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    record(tmp_path, replace(ENTRY, detail="x" * 20_000))
    assert len(read_audit(tmp_path)[0].detail) == 10_000


def test_those_who_record_at_once_lose_nothing(tmp_path: Path) -> None:
    entries = [replace(ENTRY, detail=str(number)) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(record, tmp_path), entries))
    assert {entry.detail for entry in read_audit(tmp_path)} == {str(number) for number in range(40)}


def test_half_a_line_of_a_writer_that_died_goes_with_the_next(tmp_path: Path) -> None:
    record(tmp_path, ENTRY)
    (file,) = (tmp_path / "journal").iterdir()
    with file.open("ab") as log:
        log.write(b'{"at": "2026')
    assert read_audit(tmp_path) == (ENTRY,)
    record(tmp_path, replace(ENTRY, detail="next"))
    assert [entry.detail for entry in read_audit(tmp_path)] == ["SELECT 1", "next"]


@pytest.mark.parametrize("line", ["{}", "[1]", "not json", '{"at": "2026-01-01", "action": "stole"}'])
def test_a_line_that_cannot_be_read_is_refused_and_not_skipped(tmp_path: Path, line: str) -> None:
    record(tmp_path, ENTRY)
    (file,) = (tmp_path / "journal").iterdir()
    with file.open("a", encoding="utf-8") as log:
        log.write(line + "\n")
    with pytest.raises(WarehouseError, match=r"JOURNAL_CORRUPT.*audit\.jsonl, line 2"):
        read_audit(tmp_path)


def test_a_lake_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the folder belongs", encoding="utf-8")
    with pytest.raises(WarehouseError, match=r"JOURNAL_NOT_WRITABLE"):
        record(tmp_path, ENTRY)
