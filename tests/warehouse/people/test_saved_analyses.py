"""Saved analyses: names that belong to one, a file that only grows, and writers that wait for each other."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from warehouse.errors import WarehouseError
from warehouse.people.saved_analyses import (
    SavedAnalysis,
    delete_analysis,
    rename_analysis,
    save_analysis,
    saved_analyses,
    saved_analysis,
)

ANALYSIS = SavedAnalysis(
    "Volume, median",
    "km",
    (("endpoint", "OS"), ("by", "tumour_volume_ml"), ("trend", "")),
    "ab" * 32,
    ("sex=F|M",),
    "a=b",
)


def names(root: Path) -> list[str]:
    return [entry.analysis.name for entry in saved_analyses(root)]


def test_what_is_saved_is_read_as_it_was(tmp_path: Path) -> None:
    assert saved_analyses(tmp_path) == ()
    entry = save_analysis(tmp_path, replace(ANALYSIS, name="  Volume, median "))
    assert entry.analysis == ANALYSIS
    assert saved_analyses(tmp_path) == (entry,)
    assert saved_analysis(tmp_path, "Volume, median") == ANALYSIS


def test_a_name_belongs_to_one_analysis_and_saving_it_again_changes_nothing(tmp_path: Path) -> None:
    first = save_analysis(tmp_path, ANALYSIS)
    assert save_analysis(tmp_path, ANALYSIS) == first
    with pytest.raises(WarehouseError) as refused:
        save_analysis(tmp_path, replace(ANALYSIS, command="cox"))
    assert refused.value.code == "SAVED_NAME_TAKEN"
    assert len((tmp_path / "journal" / "saved-analyses.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_renaming_and_deleting_are_lines_of_a_file_that_only_grows(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        save_analysis(tmp_path, replace(ANALYSIS, name=name))
    before = (tmp_path / "journal" / "saved-analyses.jsonl").read_bytes()
    rename_analysis(tmp_path, "two", "zwei")
    delete_analysis(tmp_path, "one")
    save_analysis(tmp_path, replace(ANALYSIS, name="one", command="cox"))
    assert names(tmp_path) == ["zwei", "three", "one"]
    assert saved_analysis(tmp_path, "one").command == "cox"
    after = (tmp_path / "journal" / "saved-analyses.jsonl").read_bytes()
    assert after.startswith(before)
    assert len(after.splitlines()) == 6


@pytest.mark.parametrize("name", ["", "   ", "a" * 81, "two\nlines", "a\x00b"])
def test_a_name_is_one_short_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        save_analysis(tmp_path, replace(ANALYSIS, name=name))
    assert refused.value.code == "SAVED_NAME_INVALID"


def test_unknown_and_taken_names_are_refused(tmp_path: Path) -> None:
    save_analysis(tmp_path, ANALYSIS)
    save_analysis(tmp_path, replace(ANALYSIS, name="other"))
    for refuse, code in (
        (partial(saved_analysis, tmp_path, "nobody"), "SAVED_UNKNOWN"),
        (partial(delete_analysis, tmp_path, "nobody"), "SAVED_UNKNOWN"),
        (partial(rename_analysis, tmp_path, "nobody", "x"), "SAVED_UNKNOWN"),
        (partial(rename_analysis, tmp_path, "other", ANALYSIS.name), "SAVED_NAME_TAKEN"),
    ):
        with pytest.raises(WarehouseError) as refused:
            refuse()
        assert refused.value.code == code


def _save(number: int, root: Path) -> None:
    save_analysis(root, replace(ANALYSIS, name=f"analysis {number % 20}"))


def test_processes_that_save_at_once_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(partial(_save, root=tmp_path), range(60)))
    assert sorted(names(tmp_path)) == sorted(f"analysis {number}" for number in range(20))


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[1]",
        "not json",
        json.dumps({"what": "rename", "name": "nobody", "new_name": "x"}),
        '{"what": "x", "name": "a"}',
    ],
)
def test_a_line_that_cannot_be_read_is_refused_and_not_skipped(tmp_path: Path, line: str) -> None:
    save_analysis(tmp_path, ANALYSIS)
    with (tmp_path / "journal" / "saved-analyses.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(WarehouseError) as refused:
        saved_analyses(tmp_path)
    assert refused.value.code == "JOURNAL_CORRUPT"
    assert refused.value.keyword == "saved-analyses.jsonl, line 2"


def test_half_a_line_of_a_writer_that_died_goes_with_the_next(tmp_path: Path) -> None:
    save_analysis(tmp_path, ANALYSIS)
    with (tmp_path / "journal" / "saved-analyses.jsonl").open("ab") as file:
        file.write(b'{"what": "save", "na')
    assert names(tmp_path) == [ANALYSIS.name]
    save_analysis(tmp_path, replace(ANALYSIS, name="other"))
    assert names(tmp_path) == [ANALYSIS.name, "other"]
