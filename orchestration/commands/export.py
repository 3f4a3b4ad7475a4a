"""``petlake export``: an analysis as a folder of files that go into a paper, checked by running its script."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from analyses.bundle import NUMBERS, RESULT, SCRIPT, Difference, bundle_of, first_difference
from analyses.requests.known import answer, request_of
from analyses.requests.ledger import enter
from analyses.requests.load import load
from orchestration import console
from orchestration.commands.asked import Asked, asked_for
from orchestration.study import lake_root
from petct.errors import SurvivalError
from warehouse.people.saved_analyses import saved_analysis
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.source_code import source_code

_SECONDS = 600


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@console.STUDY_OPTION
@click.option(
    "--analysis",
    "name",
    metavar="NAME",
    help="Export this saved analysis. Without this option, give the command after FOLDER.",
)
@click.option("--check", is_flag=True, help="Run the script of an existing export again and compare its numbers.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.argument("words", metavar="[COMMAND OPTIONS]", nargs=-1, type=click.UNPROCESSED)
def export(study_folder: Path, name: str | None, check: bool, folder: Path, words: tuple[str, ...]) -> None:
    """Export an analysis: figure, numbers, methods, Table 1, checklists and a script whose numbers are checked.

    \b
    petlake export --analysis "Volume, median" volume
    petlake export volume km --by tumour_volume_ml --where sex=F
    petlake export --study demo --check volume
    """  # noqa: D301 (click reads the character \b)
    study_folder, name, check, words = _trailing(study_folder, name, check, words)
    if check:
        root = lake_root(study_folder)
        check_bundle(folder, root)
        console.say(f"{folder / SCRIPT} gives the numbers of {folder / RESULT}")
        return
    if (name is None) == (not words):
        raise SurvivalError(
            "EXPORT_NOTHING_NAMED",
            "Say which analysis to export",
            expected="--analysis NAME before DIR, or a command after it",
            hint="`petlake saved list` lists the saved analyses.",
        )
    if name is not None:
        saved = saved_analysis(lake_root(study_folder), name)
        asked = Asked(request_of(saved.command, saved.options), saved.conditions, saved.snapshot_id, None)
    else:
        asked = asked_for(words)
        study_folder = asked.study_folder or study_folder
    _refuse_other_content(folder)
    snapshot_id = _export(asked, study_folder, folder, name)
    console.say(f"Wrote {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    console.say(f"  snapshot {snapshot_id[:12]}; {SCRIPT} was run and gives the numbers of {RESULT}")


def check_bundle(folder: Path, root: Path) -> None:
    """Run the script of a bundle in a process of its own, and compare what it prints and writes with what is there.

    Raises
    ------
    SurvivalError
        BUNDLE_INCOMPLETE, BUNDLE_SCRIPT_FAILED, BUNDLE_NUMBERS_DIFFER.
    """
    missing = [name for name in (SCRIPT, RESULT, NUMBERS) if not (folder / name).is_file()]
    if missing:
        raise SurvivalError(
            "BUNDLE_INCOMPLETE", "This is no bundle", keyword=str(folder), found=f"without {', '.join(missing)}"
        )
    with tempfile.TemporaryDirectory(prefix="petlake-check-") as out:
        printed = _run(folder / SCRIPT, root, Path(out))
        expected = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        difference = first_difference(printed, expected)
        if difference is None:
            difference = _difference_of_tables(Path(out) / NUMBERS, folder / NUMBERS)
    if difference is not None:
        raise SurvivalError(
            "BUNDLE_NUMBERS_DIFFER",
            "The script gives other numbers than the bundle has",
            keyword=difference.path,
            found=difference.found,
            expected=difference.expected,
            hint="Was a file of the bundle changed, or petlake updated? CHANGELOG.md lists numbers that change.",
        )


def _trailing(
    study_folder: Path, name: str | None, check: bool, words: tuple[str, ...]
) -> tuple[Path, str | None, bool, tuple[str, ...]]:
    """Options of the export itself that stand between DIR and the command."""
    if not words or not words[0].startswith("-"):
        return study_folder, name, check, words
    parser = click.Command(
        "export",
        context_settings={"allow_interspersed_args": False},
        params=[
            click.Option(["--study", "study"], type=click.Path(path_type=Path), default=study_folder),
            click.Option(["--analysis", "name"], default=name),
            click.Option(["--check", "check"], is_flag=True, default=check),
            click.Argument(["rest"], nargs=-1, type=click.UNPROCESSED),
        ],
    )
    found = parser.make_context("petlake export", list(words)).params
    return found["study"], found["name"], found["check"], found["rest"]


def _export(asked: Asked, study_folder: Path, folder: Path, name: str | None) -> str:
    root = lake_root(study_folder)
    with open_snapshot(root, asked.snapshot_id) as snapshot:
        found = answer(asked.request, load(snapshot, asked.request, asked.conditions))
        # First of all the tests are entered into the ledger that the methods cite.
        ledger = enter(root, found)
        files = bundle_of(root, snapshot, found, ledger, title=name or found.command_line, version=source_code().text)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            made = Path(temporary) / "bundle"
            made.mkdir()
            for file, content in files.items():
                (made / file).write_bytes(content)
            check_bundle(made, root)
            folder.mkdir(exist_ok=True)
            for file in files:
                (made / file).replace(folder / file)
        return snapshot.id


def _refuse_other_content(folder: Path) -> None:
    """Only a new or empty folder, or that of an earlier bundle, is written to."""
    if folder.is_dir() and any(folder.iterdir()) and not all((folder / n).is_file() for n in (SCRIPT, RESULT)):
        raise SurvivalError(
            "EXPORT_FOLDER_NOT_EMPTY",
            "The folder holds something else than a bundle",
            keyword="DIR",
            found=str(folder),
            hint="Choose a folder that is new or empty.",
        )


def _run(script: Path, root: Path, out: Path) -> Mapping[str, object]:
    command = [sys.executable, str(script.resolve()), str(root.resolve()), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise SurvivalError(
            "BUNDLE_SCRIPT_FAILED",
            "The script of the bundle does not run",
            keyword=script.name,
            found=(done.stderr.strip().splitlines() or ["no message"])[-1],
        )
    found: Mapping[str, object] = json.loads(done.stdout)
    return found


def _difference_of_tables(found: Path, expected: Path) -> Difference | None:
    def rows(path: Path) -> list[list[object]]:
        return [[_cell(cell) for cell in line.split(",")] for line in path.read_text(encoding="utf-8").splitlines()]

    return first_difference(rows(found), rows(expected), NUMBERS)


def _cell(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text
