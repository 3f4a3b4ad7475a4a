"""Every command that README and docs/ show is one that petlake has, with options that it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from orchestration.cli import petlake
from orchestration.commands.options import Written
from petct.errors import SurvivalError

REPOSITORY = Path(__file__).resolve().parents[3]
# Decisions and the changelog say what was true on a day.
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?petlake (.*)", re.DOTALL)


def shown() -> list[tuple[str, str]]:
    """Return the commands of the pages, as (page, arguments of petlake)."""
    found = []
    for page in PAGES:
        for block in BLOCK.findall(page.read_text("utf-8")):
            lines = iter(block.splitlines())
            for line in lines:
                if matched := COMMAND.match(line):
                    text = matched[1]
                    # A query in quotes goes on in the next lines.
                    while text.count('"') % 2:
                        text += "\n" + next(lines)
                    found.append((page.name, text))
    return found


def check(words: list[str]) -> None:
    """Raise click's UsageError, or the refusal of a value, where petlake would not understand ``words``."""
    command: click.Command = petlake
    context = click.Context(petlake, info_name="petlake")
    while isinstance(command, click.Group):
        name = words.pop(0)
        inner = command.get_command(context, name)
        if inner is None:
            raise click.UsageError(f"no command {name}")
        command, context = inner, click.Context(inner, info_name=name, parent=context, **inner.context_settings)
    # The values of options are converted, those of arguments (files) are not looked for.
    values, _, _ = command.make_parser(context).parse_args(words)
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice | Written) and isinstance(values.get(parameter.name or ""), str):
            parameter.type.convert(values[parameter.name or ""], parameter, context)
    # `petlake export FOLDER km ...` and `petlake saved add NAME km ...` hold a command.
    if isinstance(words := values.get("words"), tuple):
        check(list(words))


def test_pages_show_commands() -> None:
    assert len(shown()) > 30


@pytest.mark.parametrize("text", [pytest.param(text, id=f"{page}: {text}") for page, text in shown()])
def test_a_shown_command_is_understood(text: str) -> None:
    words = shlex.split(text, comments=True)
    # What follows a pipe or goes into a file is the shell's.
    end = next((index for index, word in enumerate(words) if word in ("|", ">")), len(words))

    check(words[:end])


@pytest.mark.parametrize("text", ["kn --by age", "km --bye age", "km --correction none", "export figures km --bye age"])
def test_a_command_that_petlake_has_not_is_found(text: str) -> None:
    with pytest.raises((click.UsageError, SurvivalError)):
        check(shlex.split(text))
