"""From words of the command line to a recipe, and from a recipe to what its command prints."""

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from analyses.requests.recipe import COMMANDS, Recipe
from petct.errors import SurvivalError

# Options of an analysis that say where its data are or how it is printed, and not what it is.
_OF_PLACE = ("study_folder", "snapshot_id", "conditions", "as_json", "top", "components")


@dataclass(frozen=True)
class Asked:
    """An analysis as it was typed: what to run, and of which patients; snapshot and study where it names them."""

    recipe: Recipe
    conditions: tuple[str, ...]
    snapshot_id: str | None
    study_folder: Path | None


def asked_for(words: Sequence[str]) -> Asked:
    """Read the words of a command such as ``km --by grade --where sex=F``, as the command itself reads them.

    Raises
    ------
    SurvivalError
        RECIPE_COMMAND_UNKNOWN, RECIPE_OPTION_UNKNOWN, RECIPE_NEEDS_SNAPSHOT.
    click.UsageError
        What the command refuses of its options.
    """
    if not words or words[0] not in COMMANDS:
        raise SurvivalError(
            "RECIPE_COMMAND_UNKNOWN",
            "An analysis begins with its command",
            found=words[0] if words else "nothing",
            expected=", ".join(COMMANDS),
            hint="For example: km --by tumour_volume_ml.",
        )
    context = _command(words[0]).make_context(words[0], list(words[1:]))
    options: list[tuple[str, str]] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE or name in _OF_PLACE:
            continue
        option = parameter.opts[0].removeprefix("--")
        if option in ("csv", "duration", "event"):
            raise SurvivalError(
                "RECIPE_NEEDS_SNAPSHOT",
                "Only an analysis of a snapshot can be saved or exported",
                keyword=f"--{option}",
                hint="A CSV may change; a snapshot never does.",
            )
        given = context.params[name]
        if given is True:
            options.append((option, ""))
        else:
            options += [(option, _text(value)) for value in (given if isinstance(given, tuple) else (given,))]
    parameters = context.params
    named = context.get_parameter_source("study_folder") is ParameterSource.COMMANDLINE
    return Asked(
        Recipe(words[0], tuple(options)),
        tuple(parameters["conditions"]),
        parameters["snapshot_id"],
        parameters["study_folder"] if named else None,
    )


def printed_json(
    recipe: Recipe, conditions: Sequence[str], study_folder: Path, snapshot_id: str | None
) -> Mapping[str, object]:
    """Run the command of a recipe and return what it prints with ``--json``; raises what it refuses."""
    words = [*_words(recipe, conditions, study_folder, snapshot_id), "--json"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        _command(recipe.command).main(words, prog_name=f"petlake {recipe.command}", standalone_mode=False)
    found: Mapping[str, object] = json.loads(printed.getvalue())
    return found


def run_command(recipe: Recipe, conditions: Sequence[str], study_folder: Path, snapshot_id: str) -> None:
    """Run the command of a recipe for people; raises what it refuses."""
    words = _words(recipe, conditions, study_folder, snapshot_id)
    _command(recipe.command).main(words, prog_name=f"petlake {recipe.command}", standalone_mode=False)


def _words(recipe: Recipe, conditions: Sequence[str], study_folder: Path, snapshot_id: str | None) -> list[str]:
    of_snapshot = [] if snapshot_id is None else ["--snapshot", snapshot_id]
    return [*recipe.arguments(conditions)[1:], "--study", str(study_folder), *of_snapshot]


def _command(name: str) -> click.Command:
    from orchestration.cli import petlake

    command = petlake.get_command(click.Context(petlake), name)
    assert command is not None
    return command


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
