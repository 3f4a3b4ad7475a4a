"""Every command and option of petlake has a help text that is a sentence, and stands in the reference."""

from __future__ import annotations

import re

import click
import pytest

from analyses.requests.known import REQUESTS
from analyses.requests.options import options_of
from orchestration.cli import _COMMANDS, petlake
from scripts.reference import commands as reference
from scripts.reference import requests
from scripts.reference.commands import CommandPage, Described, commands
from tests.some import some

# A sentence that tells what the option makes petlake do: a verb first, a full stop last. A new verb is added here.
VERBS = (
    "accept|adjust|allow|analyse|choose|compare|compute|copy|correct|cut|draw|drop|estimate|evaluate|export|fit|"
    "harmonise|impute|keep|limit|listen|make|model|penalise|plant|print|propose|read|refuse|repeat|replace|require|run|"
    "select|set|show|split|state|stratify|take|test|transform|treat|use|validate|write"
)
# What the option needs may stand before the verb: "With --csv: take this column as ..."
SENTENCE = re.compile(rf"(?=[A-Z])(?:With [^:]+: )?(?i:(?:also )?(?:{VERBS})) .+\.")
OF_COMMAND = re.compile(r"[A-Z][a-z]+,? .+\.")

OPTIONS = [
    pytest.param(option, id=f"{command.path} {option.name}") for command in commands() for option in command.options
]


def test_all_commands_and_options_are_found() -> None:
    paths = [command.path for command in commands()]

    assert {path.split()[1] for path in paths} == set(_COMMANDS)
    assert {"petlake km", "petlake snapshot diff", "petlake model apply"} <= set(paths)
    assert len(OPTIONS) > 120


@pytest.mark.parametrize("option", OPTIONS)
def test_the_help_of_an_option_is_a_sentence(option: Described) -> None:
    assert SENTENCE.fullmatch(option.help), option.help


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.path)
def test_the_help_of_a_command_is_a_sentence(command: CommandPage) -> None:
    assert OF_COMMAND.fullmatch(command.help.split("\n")[0]), command.help


def test_the_summaries_of_petlake_help_are_sentences() -> None:
    assert not [text for _, text in some(_COMMANDS.values()) if not OF_COMMAND.fullmatch(text)]


def test_the_page_has_every_command_with_its_options() -> None:
    sections = dict(re.findall(r"^## (petlake [a-z -]+)\n(.*?)(?=^## |\Z)", reference.page(), re.MULTILINE | re.DOTALL))

    assert set(sections) == {command.path for command in commands()}
    for command in some(commands()):
        assert all(f"| `{option.name}` |" in sections[command.path] for option in some(command.options))


def test_the_reference_says_what_help_prints() -> None:
    command = petlake.get_command(click.Context(petlake), "demo")
    assert command is not None
    context = click.Context(command, info_name="demo", parent=click.Context(petlake, info_name="petlake"))
    printed = " ".join(command.get_help(context).split())

    (demo,) = (each for each in commands() if each.path == "petlake demo")
    assert f"Usage: {demo.usage}" in printed
    for option in some(demo.options):
        assert option.help in printed
        assert f"default: {option.default}" in printed


@pytest.mark.parametrize("text", ["Number of patients.", "With --split optimal.", "Print JSON", "print JSON for all."])
def test_a_help_that_is_no_sentence_is_found(text: str) -> None:
    assert not SENTENCE.fullmatch(text)


def test_the_reference_of_requests_has_every_field_with_its_help() -> None:
    sections = dict(
        re.findall(r"^### petlake\.(\w+)\n(.*?)(?=^### |\Z)", requests.sections(), re.MULTILINE | re.DOTALL)
    )

    assert list(sections) == [kind.__name__ for kind in REQUESTS.values()]
    for kind in some(REQUESTS.values()):
        for option in some(options_of(kind)):
            assert f"| `{option.field}` | `--{option.name}` |" in sections[kind.__name__]
