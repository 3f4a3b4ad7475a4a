"""``petlake conformance``: run an external exam and print its score."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import click

from orchestration import console
from petct.conformance.exam import EXAM_FOLDERS, Exam, Verdict
from petct.errors import PetctError

DATA_VARIABLE = "PETLAKE_DATA"


@click.command()
@click.argument("exam", type=click.Choice(sorted(EXAM_FOLDERS)))
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--all", "show_all", is_flag=True, help="Print every line, not only failures and known differences.")
@console.JSON_OPTION
@click.pass_context
def conformance(context: click.Context, exam: str, folder: Path | None, show_all: bool, as_json: bool) -> None:
    """Run a conformance test on the data in DIR and print the score. The exit code is 0 only if every line passes.

    Without DIR the data are read from the folder that PETLAKE_DATA names, or from ../shared/data.

    \b
    petlake conformance suv ../shared/data/suv_dro
    petlake conformance survival ../shared/data/survival --json
    """  # noqa: D301 (click reads the character \b)
    folder = folder or Path(os.environ.get(DATA_VARIABLE) or "../shared/data") / EXAM_FOLDERS[exam]
    if not folder.is_dir():
        raise PetctError(
            "EXAM_DATA_MISSING",
            f"The data of the exam {exam} are not there",
            found=str(folder),
            expected="a folder laid out as the exam publishes it",
            hint="Name the folder: petlake conformance EXAM DIR.",
        )
    run: Callable[[Path], Exam] = importlib.import_module(f"petct.conformance.{exam}").run
    taken = run(folder)
    if as_json:
        console.say_json(_as_dict(taken))
    else:
        _say(taken, show_all)
    if not taken.passed:
        context.exit(1)


def _as_dict(taken: Exam) -> dict[str, object]:
    return {
        "exam": taken.name,
        "passed": taken.passed,
        "score": taken.score,
        "counts": {verdict.value: taken.count(verdict) for verdict in Verdict},
        "lines": [
            {
                "case": line.case,
                "quantity": line.quantity,
                "expected": line.expected,
                "found": line.found,
                "tolerance": line.tolerance,
                "verdict": line.verdict.value,
                "note": line.note,
            }
            for line in taken.lines
        ],
    }


def _say(taken: Exam, show_all: bool) -> None:
    shown = [line for line in taken.lines if show_all or line.verdict is not Verdict.PASS or len(taken.lines) <= 40]
    if shown:
        console.say_table(
            ["case", "quantity", "expected", "found", "tolerance", "verdict", "note"],
            [(x.case, x.quantity, x.expected, x.found, x.tolerance, x.verdict.value, x.note) for x in shown],
        )
    console.say(f"{taken.name}: {taken.score}" + ("" if taken.lines else " (there was nothing to examine)"))
