"""`petlake snapshot diff`, `audit` and the guard of `petlake dashboard`, on a small study made row by row."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestration.commands import servers
from orchestration.commands.audit import audit
from orchestration.commands.servers import dashboard
from orchestration.commands.snapshots import snapshot
from orchestration.study import StudyError
from tests.some import some
from tests.warehouse.study_rows import SETTINGS, row, write_study
from warehouse.errors import WarehouseError
from warehouse.people.audit import Action, AuditEntry, now, record
from warehouse.snapshots.catalog import current_id
from warehouse.snapshots.publish import publish
from warehouse.source_code import source_code
from warehouse.storage.lake import Lake

LOGIN = '[auth]\nredirect_uri = "http://localhost:8501/oauth2callback"\ncookie_secret = "x"\n'


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "study"
    write_study(Lake(folder / "lake"))
    publish(Lake(folder / "lake"), SETTINGS)
    (folder / "study.yaml").write_text("")
    return folder


@pytest.fixture
def study(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "study"))


def test_show_names_the_code_that_built_a_snapshot(study: Path) -> None:
    said = CliRunner().invoke(snapshot, ["show", "--study", str(study)])
    assert f"built by petlake {source_code().text}\n" in said.output
    found = json.loads(CliRunner().invoke(snapshot, ["show", "--json", "--study", str(study)]).output)
    assert found["petlake"] == asdict(source_code())
    assert {"name": "cohort", "rows": 4} in found["tables"]


def said(command: click.Command, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return result.output


def test_snapshot_diff_in_words_and_as_json(study: Path) -> None:
    lake = Lake(study / "lake")
    first = current_id(lake.root)
    lake.write("endpoints", "001", [row("endpoints", patient_id="001", endpoint="OS", duration_days=101, event=1)])
    second = publish(lake, replace(SETTINGS, code_versions={"lesions": "2"})).snapshot_id

    text = said(snapshot, "diff", first[:8], "--study", str(study))
    assert f"snapshot {first[:12]} -> {second[:12]}" in text
    assert "4 patients before, 4 after: 1 changed." in text
    assert ["endpoints", "changed", "4", "4", "0", "0", "1", "-"] in [line.split() for line in text.splitlines()]
    assert "patients who changed: 001" in text
    assert [line.split() for line in text.splitlines() if "001, OS" in line] == [
        ["endpoints", "001,", "OS", "duration_days", "100", "101"]
    ]
    found = json.loads(said(snapshot, "diff", first, second, "--json", "--study", str(study)))
    assert (found["before"], found["after"]) == (first, second)
    assert found["code_versions"] == [
        {"name": "lesions", "before": "1", "after": "2"},
        {"name": "radiomic_features", "before": "1", "after": None},
    ]
    endpoints = next(table for table in found["tables"] if table["name"] == "endpoints")
    assert (endpoints["n_changed"], endpoints["changed_values"]) == (1, {"duration_days": 1})
    assert "Both are the same snapshot." in said(snapshot, "diff", second, "--study", str(study))


def test_the_audit_log_is_printed(study: Path) -> None:
    assert "Nobody has looked" in said(audit, "--study", str(study))
    entry = AuditEntry(now(), "a@b.example", "analyst", Action.QUERY, "SQL", "ab" * 32, "SELECT\n  1")
    record(study / "lake", entry)
    record(study / "lake", replace(entry, action=Action.VIEW, detail=""))
    text = said(audit, "--study", str(study))
    assert "SELECT 1" in text
    assert text.count("a@b.example") == 2
    assert [line["action"] for line in json.loads(said(audit, "--json", "--last", "1", "--study", str(study)))] == [
        "view"
    ]


def test_the_dashboard_is_not_shown_to_a_network_without_a_login(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(servers, "_run", lambda command, _: started.append(command) or 0)
    with pytest.raises(StudyError, match=r"DASHBOARD_OPEN.*found 0\.0\.0\.0"):
        said(dashboard, "--host", "0.0.0.0", "--study", str(study))
    assert not started

    result = CliRunner().invoke(
        dashboard, ["--host", "0.0.0.0", "--without-login", "--study", str(study)], catch_exceptions=False
    )
    assert "Warning: no login is configured" in result.output
    said(dashboard, "--study", str(study))
    for command in some(started):
        assert command[command.index("--secrets.files") + 1] == str(study / ".streamlit" / "secrets.toml")
    assert [command[command.index("--server.address") + 1] for command in started] == ["0.0.0.0", "127.0.0.1"]


def test_a_login_needs_roles_and_roles_need_a_login(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(servers, "_run", lambda command, _: started.append(command) or 0)
    (study / ".streamlit").mkdir()
    secrets = study / ".streamlit" / "secrets.toml"
    secrets.write_text("[auth")
    with pytest.raises(StudyError, match=r"SECRETS_INVALID"):
        said(dashboard, "--study", str(study))
    secrets.write_text(LOGIN)
    with pytest.raises(WarehouseError, match=r"ACCESS_MISSING"):
        said(dashboard, "--study", str(study))
    (study / "access.yaml").write_text("analyst: {emails: [a@b.example]}\n")
    said(dashboard, "--host", "0.0.0.0", "--study", str(study))
    assert len(started) == 1
    secrets.unlink()
    result = CliRunner().invoke(dashboard, ["--study", str(study)], catch_exceptions=False)
    assert "Warning: access.yaml has no effect" in result.output
