"""The reference of requests: the fields of each, which are the options of its command."""

from __future__ import annotations

import inspect
from dataclasses import fields

from analyses.requests.known import REQUESTS
from analyses.requests.options import Option, options_of
from analyses.requests.request import Request
from scripts.reference.tables import cell, code

MARK = "<!-- requests -->"
"""Stands in a page where the requests go."""


def sections() -> str:
    """Write a section for each request as Markdown."""
    return "\n\n".join(_section(command, kind) for command, kind in REQUESTS.items())


def _section(command: str, kind: type[Request]) -> str:
    types = {each.name: str(each.type) for each in fields(kind)}
    rows = [_row(each, types[each.field]) for each in options_of(kind)]
    said = inspect.getdoc(kind) or ""
    head = [
        f"### petlake.{kind.__name__}",
        "",
        said.split("\n\n")[0],
        "",
        f"The fields are the options of `petlake {command}`.",
        "",
    ]
    return "\n".join([*head, "| field | option | type | default | meaning |", "|---|---|---|---|---|", *rows])


def _row(option: Option, type_: str) -> str:
    default = "required" if option.required else code(repr(option.default))
    columns = (code(option.field), code(f"--{option.name}"), code(type_), default, cell(option.help))
    return f"| {' | '.join(columns)} |"
