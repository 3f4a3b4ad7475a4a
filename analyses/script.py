"""The runnable Python of an analysis: its request, and the call that answers it, as page and command do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from pprint import pformat

from analyses.paper import figure_of, numbers_of
from analyses.requests.answer import Answer
from analyses.requests.request import Request

_WIDTH = 88


def script_of(request: Request, snapshot_id: str, conditions: Sequence[str], version: str) -> str:
    """Return the script of a request.

    Every value is written as a literal of Python, so that no name of a column can be read as code.

    Parameters
    ----------
    request
        What is asked, with the endpoint and the feature set that the snapshot chose for it.
    snapshot_id
        The full id.
    conditions
        What patients have to meet, as ``--where`` takes it.
    version
        Version of petlake that the script is written by.
    """
    command = request.command_line(conditions).replace("\\", "\\\\").replace('"""', "'''")
    fields = "".join(f"    {each.field}={_literal(value)},\n" for each, value in request.given)
    return f'''"""{command}

On snapshot {snapshot_id}.
Written by petlake {version}, with which it is run:

    python analysis.py LAKE             prints the numbers
    python analysis.py LAKE --out DIR   also writes numbers.csv and the figure
"""

import petlake

SNAPSHOT = {_literal(snapshot_id)}
CONDITIONS = {_literal(tuple(conditions))}
REQUEST = petlake.{type(request).__name__}(
{fields})


def analyse(lake):
    """Return the answer to the request, computed from the snapshot."""
    with petlake.open_snapshot(lake, SNAPSHOT) as snapshot:
        return petlake.answer(REQUEST, petlake.load(snapshot, REQUEST, CONDITIONS))


if __name__ == "__main__":
    petlake.run_script(analyse)
'''


def run_script(analyse: Callable[[Path], Answer]) -> None:
    """Run an analysis as its script does: print its numbers as JSON and, with ``--out``, write table and figure.

    Parameters
    ----------
    analyse
        Answers a request on the lake that it is given.
    """
    # matplotlib is loaded only where something is drawn.
    from figures.print_page import FORMATS, save

    parser = argparse.ArgumentParser(description="Run one analysis of a petlake study.")
    parser.add_argument("lake", type=Path, help="folder lake of the study")
    parser.add_argument("--out", type=Path, help="folder for the table and the figures")
    arguments = parser.parse_args()
    found = analyse(arguments.lake)
    print(json.dumps(found.numbers(), indent=2, ensure_ascii=False, allow_nan=False))
    if arguments.out:
        numbers_of(found).to_csv(arguments.out / "numbers.csv", index=False, lineterminator="\n")
        figure = figure_of(found)
        for kind in FORMATS:
            save(figure, arguments.out / f"figure.{kind}")


def _literal(value: object) -> str:
    """A value as Python writes it, over several lines where it is long."""
    return pformat(value, width=_WIDTH, sort_dicts=False).replace("\n", "\n    ")
