"""The reference of the command line, written from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

from orchestration.cli import petlake
from scripts.reference.tables import cell, code

_DEFAULT = re.compile(r"\s*\[default: (?P<default>.*)\]$")


@dataclass(frozen=True)
class Described:
    """An argument or option of a command, as the reference shows it."""

    name: str
    takes: str
    help: str
    default: str
    required: bool


@dataclass(frozen=True)
class CommandPage:
    """A command without subcommands: its path, usage, help and parameters."""

    path: str
    usage: str
    help: str
    arguments: tuple[str, ...]
    options: tuple[Described, ...]


def commands() -> list[CommandPage]:
    """Every command of ``petlake``, in the order of ``petlake --help``."""
    return list(_below(petlake, click.Context(petlake, info_name="petlake")))


def _below(group: click.Group, context: click.Context) -> Iterator[CommandPage]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _below(command, inner)
        else:
            yield _described(command, inner)


def _described(command: click.Command, context: click.Context) -> CommandPage:
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    return CommandPage(
        path=context.command_path,
        usage=" ".join([context.command_path, *command.collect_usage_pieces(context)]),
        help=inspect.cleandoc(command.help or ""),
        arguments=tuple(each.human_readable_name for each in command.params if isinstance(each, click.Argument)),
        options=tuple(_option(each, context) for each in options),
    )


def _option(option: click.Option, context: click.Context) -> Described:
    text = " ".join((option.help or "").split())
    in_help = _DEFAULT.search(text)
    return Described(
        name=", ".join((*option.opts, *option.secondary_opts)),
        takes="" if option.is_flag else _takes(option, context),
        help=_DEFAULT.sub("", text),
        default=in_help["default"] if in_help else _default(option, context),
        required=option.required,
    )


def _takes(option: click.Option, context: click.Context) -> str:
    if isinstance(option.type, click.Choice):
        return ", ".join(map(str, option.type.choices))
    if isinstance(option.type, click.IntRange | click.FloatRange):
        name = option.type.name.removesuffix(" range")
        if option.type.max is None:
            return f"{name}, {option.type.min} or more"
        return f"{name}, {option.type.min} to {option.type.max}"
    return option.make_metavar(context).strip("[]").replace("|", ", ").lower()


def _default(option: click.Option, context: click.Context) -> str:
    # What `--help` shows as the default; a text stands for one that cannot be written as a value.
    return str(option.get_help_extra(context).get("default", "")).removeprefix("(").removesuffix(")")


def page() -> str:
    """Write the page as Markdown."""
    parts = [_HEAD]
    parts += [_section(each) for each in commands()]
    return "\n\n".join(parts) + "\n"


_HEAD = """\
# Commands

Every command works on the study in the current folder, or on the folder that `--study` names.

| exit code | meaning |
|---|---|
| 0 | All is complete. |
| 1 | The command was refused; the message says why. |
| 2 | The command was used wrongly. |
| 3 | Some patients or files are incomplete; `petlake status` says which and why. |
| 130 | The command was stopped from the keyboard. |

This page is written from the commands; `petlake COMMAND --help` prints the same."""


def _section(command: CommandPage) -> str:
    lines = [f"## {command.path}", "```text\n" + command.usage + "\n```", _help(command.help)]
    if command.options:
        rows = [f"| {code(o.name)} | {_values(o)} | {cell(o.help)} |" for o in command.options]
        lines.append("\n".join(["| option | value | meaning |", "|---|---|---|", *rows]))
    return "\n\n".join(line for line in lines if line)


def _help(text: str) -> str:
    """The help of a command; what click is told to leave unwrapped are examples."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b"):
            paragraphs.append("```sh\n" + paragraph.removeprefix("\b").strip() + "\n```")
        else:
            paragraphs.append(" ".join(paragraph.split()))
    return "\n\n".join(paragraphs)


def _values(option: Described) -> str:
    said = [cell(option.takes)] if option.takes else []
    if option.required:
        said.append("required")
    if option.default:
        said.append(f"default: {cell(option.default)}")
    return "; ".join(said)
