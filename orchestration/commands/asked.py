"""From the words of a command, as they are typed, to a request with its patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from analyses.requests.known import kind_of
from analyses.requests.options import options_of
from analyses.requests.request import Request, fields_of
from orchestration.commands.options import request_of_options
from petct.errors import SurvivalError

# Options of an analysis that say where its data are or how it is printed, and not what it is.
_OF_PLACE = ("study_folder", "snapshot_id", "conditions", "as_json", "top", "components")


@dataclass(frozen=True)
class Asked:
    """An analysis as it was typed: what to run, and of which patients; snapshot and study where it names them."""

    request: Request
    conditions: tuple[str, ...]
    snapshot_id: str | None
    study_folder: Path | None


def asked_for(words: Sequence[str]) -> Asked:
    """Read the words of a command such as ``km --by grade --where sex=F``, as the command itself reads them.

    Raises
    ------
    SurvivalError
        RECIPE_COMMAND_UNKNOWN, RECIPE_OPTION_UNKNOWN, RECIPE_NEEDS_SNAPSHOT, and what the request refuses.
    click.UsageError
        What the command refuses of its options.
    """
    kind = kind_of(words[0] if words else "")
    context = _command(kind.command).make_context(kind.command, list(words[1:]))
    known = {each.field for each in options_of(kind)}
    for parameter in context.command.params:
        name, option = str(parameter.name), parameter.opts[0].removeprefix("--")
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE or name in (*known, *_OF_PLACE):
            continue
        if option in ("csv", "duration", "event"):
            raise SurvivalError(
                "RECIPE_NEEDS_SNAPSHOT",
                "Only an analysis of a snapshot can be saved or exported",
                keyword=f"--{option}",
                hint="A CSV may change; a snapshot never does.",
            )
        fields_of(kind, [(option, "")])
    given = context.params
    named = context.get_parameter_source("study_folder") is ParameterSource.COMMANDLINE
    return Asked(
        request_of_options(kind, given),
        tuple(given["conditions"]),
        given["snapshot_id"],
        given["study_folder"] if named else None,
    )


def run_command(request: Request, conditions: Sequence[str], study_folder: Path, snapshot_id: str) -> None:
    """Run the command of a request for people; raises what it refuses."""
    words = [*request.words(conditions)[1:], "--study", str(study_folder), "--snapshot", snapshot_id]
    command = _command(request.command)
    # Not `main`, which would return the exit code of the command to nobody.
    with command.make_context(f"petlake {request.command}", words) as context:
        command.invoke(context)


def _command(name: str) -> click.Command:
    from orchestration.cli import petlake

    command = petlake.get_command(click.Context(petlake), name)
    if command is None:
        raise click.UsageError(f"There is no command {name}.")
    return command
