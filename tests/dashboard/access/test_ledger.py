"""The tests of the pages are counted: each once, as the command line does, and never at the cost of a result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from warehouse.people.journal import Ledger, ledger_of
from warehouse.snapshots.catalog import current_id

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
PETLAKE = Path(sys.executable).with_name("petlake")


def ledger(study: Path) -> Ledger:
    return ledger_of(study / "lake", current_id(study / "lake"))


def captions(app: AppTest) -> str:
    return " ".join(element.value for element in app.caption)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)

    def opened(study: Path, page: str) -> AppTest:
        monkeypatch.setenv(STUDY_VARIABLE, str(study))
        app = AppTest.from_file(APP, default_timeout=60)
        return app.run().switch_page(f"{page}/page.py").run()

    return opened


@pytest.fixture
def own_study(study: Path, tmp_path: Path) -> Path:
    """The study with a ledger of its own: its snapshots are only linked."""
    (tmp_path / "study").mkdir()
    lake = tmp_path / "study" / "lake"
    lake.mkdir()
    for entry in (study / "lake").iterdir():
        if entry.name != "journal":
            (lake / entry.name).symlink_to(entry)
    (tmp_path / "study" / "study.yaml").write_text("study: {name: s}\nmasks: {tumour: [x]}\n", encoding="utf-8")
    return tmp_path / "study"


def test_a_page_counts_its_tests_once_and_as_the_command_line_does(
    open_page: Callable[..., AppTest], own_study: Path
) -> None:
    open_page(own_study, "survival")
    app = open_page(own_study, "survival")
    counted = ledger(own_study)
    assert {entry.run.procedure for entry in counted.entries} > {"log-rank"}
    primary = [entry.run for entry in counted.entries if entry.run.primary]
    assert [run.procedure for run in primary] == ["log-rank"]
    assert f"{counted.n_tests} tests run on this snapshot so far: 1 primary" in captions(app)

    command = [PETLAKE, "km", "--by", "tumour_volume_ml", "--endpoint", "OS", "--json", "--study", own_study]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["ledger"]
    assert said == f"{counted.sentence}."
    assert ledger(own_study) == counted


def test_a_model_is_counted_too(open_page: Callable[..., AppTest], own_study: Path) -> None:
    app = open_page(own_study, "cox")
    app.multiselect(key="covariates").set_value(["tumour_volume_ml", "age"]).run()
    procedures = {entry.run.procedure: entry.run for entry in ledger(own_study).entries}
    assert procedures["Cox"].n_tests == 2
    assert not procedures["Cox"].primary


def test_a_ledger_that_cannot_be_written_costs_no_result(open_page: Callable[..., AppTest], own_study: Path) -> None:
    (own_study / "lake" / "journal").write_text("a file where the folder belongs", encoding="utf-8")
    app = open_page(own_study, "survival")
    assert not app.exception
    assert app.metric
    assert "JOURNAL_NOT_WRITABLE" in captions(app)
