"""`petlake export` and `petlake saved`: a bundle whose script gives its numbers, and the same bytes twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.cli import petlake
from petct.errors import SurvivalError
from tests.dashboard.conftest import publish_study, write_study
from warehouse.errors import WarehouseError

FILES = {
    *("README.md", "analysis.py", "clear.md", "figure.pdf", "figure.png", "figure.svg", "methods.md", "metrics.md"),
    *("numbers.csv", "result.json", "table1.csv", "table1.md"),
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    publish_study(folder)
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def ran(*words: str) -> str:
        petlake.main(list(words), standalone_mode=False)
        return capsys.readouterr().out

    return ran


def test_a_saved_analysis_becomes_a_checked_bundle_of_the_same_bytes_twice(
    run: Callable[..., str], study: Path, tmp_path: Path
) -> None:
    at, folder = ("--study", str(study)), tmp_path / "bundle"
    run("saved", "add", *at, "Volume", "km", "--by", "tumour_volume_ml", "--where", "age >= 60")
    assert "--where 'age>=60'" in run("saved", "show", "Volume", *at)
    said = run("export", str(folder), "--analysis", "Volume", *at)
    assert "was run and gives the numbers" in said
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(first) == FILES

    # Again over the same folder, and directly from the command: other files in it stay.
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    run("export", str(folder), "km", "--by", "tumour_volume_ml", "--where", "age>=60", *at)
    second = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert second.pop("notes.txt") == b"mine"
    assert b"# Volume\n" in first.pop("README.md")
    assert b"# petlake km" in second.pop("README.md")
    assert first == second

    result = json.loads(first["result.json"])
    printed = json.loads(run("km", "--endpoint", "OS", "--by", "tumour_volume_ml", "--where", "age>=60", "--json", *at))
    assert result == printed
    assert first["numbers.csv"].decode().startswith("group,time_days,n_at_risk,")
    assert b"SMD" in first["table1.md"]

    # Someone changes a number by hand: the check finds it.
    result["curves"][0]["median"]["value"] += 1
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    with pytest.raises(SurvivalError) as refused:
        run("export", "--check", *at, str(folder))
    assert refused.value.code == "BUNDLE_NUMBERS_DIFFER"
    assert refused.value.keyword == "curves[0].median.value"


def test_names_can_be_changed_and_taken_off(run: Callable[..., str], study: Path) -> None:
    at = ("--study", str(study))
    assert "one" not in run("saved", "list", *at)
    run("saved", "add", *at, "one", "pca", "--feature-set", "pet_original__largest")
    run("saved", "rename", "one", "two", *at)
    (entry,) = [e for e in json.loads(run("saved", "list", "--json", *at)) if e["name"] == "two"]
    assert entry["command_line"] == "petlake pca --feature-set pet_original__largest"
    assert "PC1" in run("saved", "run", "two", *at)
    run("saved", "delete", "two", *at)
    with pytest.raises(WarehouseError, match="SAVED_UNKNOWN"):
        run("saved", "show", "two", *at)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("EXPORT_NOTHING_NAMED", ("export", "{new}")),
        ("SAVED_UNKNOWN", ("export", "{new}", "--analysis", "nobody")),
        ("RECIPE_COMMAND_UNKNOWN", ("export", "{new}", "sql", "SELECT 1")),
        ("RECIPE_NEEDS_SNAPSHOT", ("export", "{new}", "km", "--csv", "trial.csv")),
        ("RECIPE_OPTION_UNKNOWN", ("export", "{new}", "pca", "--umap", "picture.json")),
        ("COLUMN_UNKNOWN", ("export", "{new}", "km", "--by", "tumor_volume")),
        ("COLUMN_UNKNOWN", ("saved", "add", "x", "km", "--by", "tumor_volume")),
        ("EXPORT_FOLDER_NOT_EMPTY", ("export", "{full}", "km", "--by", "age")),
        ("BUNDLE_INCOMPLETE", ("export", "{full}", "--check")),
    ],
)
def test_refusals(run: Callable[..., str], study: Path, tmp_path: Path, code: str, words: tuple[str, ...]) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("three years of work", encoding="utf-8")
    command, *rest = (word.format(new=tmp_path / "new", full=full) for word in words)
    first = [rest.pop(0)] if command == "saved" else []
    with pytest.raises((SurvivalError, WarehouseError)) as refused:
        run(command, *first, "--study", str(study), *rest)
    assert refused.value.code == code
    assert not (tmp_path / "new").exists()
