"""``petlake saved``: analyses of a study that have a name."""

from pathlib import Path

import click

from analyses.requests.known import request_of
from analyses.requests.request import FORMER_COMMANDS, command_line_of
from orchestration import console
from orchestration.commands.asked import asked_for, run_command
from orchestration.study import lake_root
from warehouse.people.saved_analyses import (
    SavedAnalysis,
    SavedEntry,
    delete_analysis,
    rename_analysis,
    save_analysis,
    saved_analyses,
    saved_analysis,
)
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import resolve_id

_WORDS = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group()
def saved() -> None:
    """Analyses that were saved under a name, here or in the dashboard: the command and its snapshot."""


@saved.command(name="list")
@console.STUDY_OPTION
@console.JSON_OPTION
def list_(study_folder: Path, as_json: bool) -> None:
    """List the saved analyses."""
    entries = saved_analyses(lake_root(study_folder))
    if as_json:
        console.say_json([_dict(entry) for entry in entries])
        return
    if not entries:
        console.say("Nothing is saved yet: petlake saved add NAME km --by tumour_volume_ml")
        return
    console.say_table(
        ("name", "analysis", "snapshot", "saved"),
        [
            (
                e.analysis.name,
                _command_line(e.analysis),
                e.analysis.snapshot_id[:12],
                f"{e.saved_at:%Y-%m-%d %H:%M} UTC",
            )
            for e in entries
        ],
    )


@saved.command()
@click.argument("name")
@console.STUDY_OPTION
@console.JSON_OPTION
def show(name: str, study_folder: Path, as_json: bool) -> None:
    """Show a saved analysis: its command, its conditions and its snapshot."""
    root = lake_root(study_folder)
    analysis = saved_analysis(root, name)
    if as_json:
        console.say_json(next(_dict(entry) for entry in saved_analyses(root) if entry.analysis.name == name))
        return
    console.say(_command_line(analysis))
    console.say(f"  snapshot {analysis.snapshot_id}")
    console.say(f"Next: petlake saved run '{name}', or petlake export DIR --analysis '{name}'")


@saved.command(context_settings=_WORDS)
@console.STUDY_OPTION
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, required=True)
def add(study_folder: Path, name: str, words: tuple[str, ...]) -> None:
    """Save an analysis under a name: give the name, and the command with its options.

    \b
    petlake saved add "Volume, median" km --by tumour_volume_ml
    petlake saved add --study demo "Women" cox --covariates age_years --where sex=F
    """  # noqa: D301 (click reads the character \b)
    asked = asked_for(words)
    root = lake_root(asked.study_folder or study_folder)
    snapshot_id = resolve_id(root, asked.snapshot_id)
    with open_snapshot(root, snapshot_id) as snapshot:
        # What does not exist is refused now and not when it is opened.
        snapshot.check_columns(asked.request.columns)
        conditions = snapshot.selection(asked.conditions).texts
    entry = save_analysis(
        root, SavedAnalysis(name, asked.request.command, asked.request.pairs, snapshot_id, conditions)
    )
    console.say(f"Saved '{entry.analysis.name}': {_command_line(entry.analysis)}, snapshot {snapshot_id[:12]}")


@saved.command()
@click.argument("name")
@console.STUDY_OPTION
def run(name: str, study_folder: Path) -> None:
    """Run a saved analysis on its snapshot."""
    analysis = saved_analysis(lake_root(study_folder), name)
    run_command(request_of(analysis.command, analysis.options), analysis.conditions, study_folder, analysis.snapshot_id)


@saved.command()
@click.argument("name")
@click.argument("new_name")
@console.STUDY_OPTION
def rename(name: str, new_name: str, study_folder: Path) -> None:
    """Give a saved analysis another name."""
    rename_analysis(lake_root(study_folder), name, new_name)
    console.say(f"'{name}' is now '{new_name.strip()}'")


@saved.command()
@click.argument("name")
@console.STUDY_OPTION
def delete(name: str, study_folder: Path) -> None:
    """Delete a saved analysis; its journal entry remains."""
    delete_analysis(lake_root(study_folder), name)
    console.say(f"'{name}' deleted (its journal entry remains)")


def _command_line(analysis: SavedAnalysis) -> str:
    command = FORMER_COMMANDS.get(analysis.command, analysis.command)
    return command_line_of(command, analysis.options, analysis.conditions)


def _dict(entry: SavedEntry) -> dict[str, object]:
    analysis = entry.analysis
    return {
        "name": analysis.name,
        "command": analysis.command,
        "options": [list(option) for option in analysis.options],
        "conditions": list(analysis.conditions),
        "snapshot_id": analysis.snapshot_id,
        "command_line": _command_line(analysis),
        "saved_at": entry.saved_at.isoformat(),
    }
