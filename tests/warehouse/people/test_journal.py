"""The ledger of tests: every distinct test once, whoever runs it, and never half a line."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from warehouse.errors import WarehouseError
from warehouse.people.journal import TestRun, ledger_of, record_test

SNAPSHOT = "ab" * 32
RUN = TestRun("OS", "log-rank", "tumour_volume_ml: <= 20 | > 20", 67, 38, 1, 0.21, True)


def test_a_snapshot_without_tests_has_an_empty_ledger(tmp_path: Path) -> None:
    assert ledger_of(tmp_path, SNAPSHOT).entries == ()
    assert ledger_of(tmp_path, SNAPSHOT).sentence == "0 tests run on this snapshot so far: 0 primary, 0 exploratory"


def test_the_same_test_counts_once_and_another_one_again(tmp_path: Path) -> None:
    record_test(tmp_path, SNAPSHOT, RUN)
    record_test(tmp_path, SNAPSHOT, replace(RUN, p=0.2100001))
    other = replace(RUN, subject="age_years: <= 67 | > 67", primary=False, p=None)
    ledger = record_test(tmp_path, SNAPSHOT, other)
    assert [entry.run for entry in ledger.entries] == [RUN, other]
    assert ledger == ledger_of(tmp_path, SNAPSHOT)
    assert (ledger.n_tests, ledger.n_primary) == (2, 1)


def test_a_scan_counts_every_hypothesis_of_its_family(tmp_path: Path) -> None:
    record_test(tmp_path, SNAPSHOT, RUN)
    scan = replace(RUN, procedure="scan", subject="pet_original", n_tests=107, primary=False)
    assert record_test(tmp_path, SNAPSHOT, scan).sentence == (
        "108 tests run on this snapshot so far: 1 primary, 107 exploratory"
    )


def test_another_snapshot_has_a_ledger_of_its_own(tmp_path: Path) -> None:
    record_test(tmp_path, SNAPSHOT, RUN)
    assert ledger_of(tmp_path, "cd" * 32).n_tests == 0


def _record(number: int, root: Path) -> None:
    record_test(root, SNAPSHOT, replace(RUN, subject=str(number % 20)))


def test_processes_that_record_at_once_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(partial(_record, root=tmp_path), range(60)))
    assert sorted(entry.run.subject for entry in ledger_of(tmp_path, SNAPSHOT).entries) == sorted(map(str, range(20)))


def test_half_a_line_of_a_writer_that_died_is_not_there_and_goes_with_the_next(tmp_path: Path) -> None:
    record_test(tmp_path, SNAPSHOT, RUN)
    (file,) = (tmp_path / "journal").iterdir()
    with file.open("ab") as journal:
        journal.write(b'{"endpoint": "OS", "proc')
    assert ledger_of(tmp_path, SNAPSHOT).n_tests == 1
    other = replace(RUN, subject="other")
    record_test(tmp_path, SNAPSHOT, other)
    assert [entry.run for entry in ledger_of(tmp_path, SNAPSHOT).entries] == [RUN, other]


@pytest.mark.parametrize("line", ["{}", "[1]", "not json", '{"first_run_at": "2026-01-01", "endpoint": "OS"}'])
def test_a_line_that_cannot_be_read_is_refused_and_not_skipped(tmp_path: Path, line: str) -> None:
    record_test(tmp_path, SNAPSHOT, RUN)
    (file,) = (tmp_path / "journal").iterdir()
    with file.open("a", encoding="utf-8") as journal:
        journal.write(line + "\n")
    with pytest.raises(WarehouseError) as refused:
        ledger_of(tmp_path, SNAPSHOT)
    assert refused.value.code == "JOURNAL_CORRUPT"
    assert refused.value.keyword == f"{SNAPSHOT}.jsonl, line 2"


def test_a_lake_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the folder belongs", encoding="utf-8")
    with pytest.raises(WarehouseError) as refused:
        record_test(tmp_path, SNAPSHOT, RUN)
    assert refused.value.code == "JOURNAL_NOT_WRITABLE"
