"""What the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

if TYPE_CHECKING:
    # Not at run time: most commands need no statistics.
    from analyses.tables.table import Table

STUDY_OPTION = click.option(
    "--study",
    "study_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current folder",
    help="Use the study in this folder.",
)
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
SNAPSHOT_OPTION = click.option(
    "--snapshot",
    "snapshot_id",
    default=None,
    help="Use the snapshot with this id, or with an id that begins so.  [default: the current one]",
)


def output() -> Console:
    """The console for results; wide enough for a table when it is not a terminal."""
    return Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 160)


def say(text: str = "") -> None:
    """Print one line for people."""
    click.echo(text)


def say_error(text: str) -> None:
    """Print one line on standard error."""
    click.echo(text, err=True)


def say_json(content: object) -> None:
    """Print ``content`` as JSON on standard output."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, default=_plain, allow_nan=False))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None) -> None:
    """Print a table for people; numbers are right-aligned and a missing value is a dash."""
    table = RichTable(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        table.add_column(escape(column), justify="right" if rows and numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(shown(value)) for value in row))
    output().print(table)


def say_result(table: Table, *, title: str | None = None) -> None:
    """Print a table of a result, with as many digits as ``shown`` gives."""
    pairs = zip(table.rows, table.shown(lambda value, _: shown(value)), strict=True)
    rows = [[cell if isinstance(cell, float) else text for cell, text in zip(*pair, strict=True)] for pair in pairs]
    say_table(table.headings, rows, title=title)


def shown(value: object) -> str:
    """A value as people read it: a dash for nothing, four significant digits for a number."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e5 else f"{value:.0f}"
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, date | datetime | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
