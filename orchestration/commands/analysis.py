"""What the commands that analyse share: where the data come from, the answer with its entry in the ledger, notes."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from analyses.requests.answer import Answer
from analyses.requests.data import AnalysisData, Basis
from analyses.requests.known import answer
from analyses.requests.ledger import enter_tests
from analyses.requests.request import Request
from analyses.requests.tested import Tested
from orchestration import console
from orchestration.analysis_data import Source, load_from
from orchestration.study import lake_root

_OF_SNAPSHOT = (
    console.STUDY_OPTION,
    console.SNAPSHOT_OPTION,
    click.option(
        "--where",
        "conditions",
        multiple=True,
        metavar="CONDITION",
        help="Analyse only patients who meet this condition, for example 'age_years>=60', 'sex=F|M' or 'grade?' "
        "(known). Repeat the option for several conditions. protocol_id=NAME takes the lesions of another "
        "segmentation method.",
    ),
    console.JSON_OPTION,
)
_OF_CSV = (
    click.option(
        "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Read this CSV instead of a study."
    ),
    click.option("--duration", "duration_column", help="With --csv: take this column as the survival time."),
    click.option("--event", "event_column", help="With --csv: take this column as the event (1) or censoring (0)."),
)


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where its data come from, as one argument ``source``."""
    return _with_source(command, (*_OF_CSV, *_OF_SNAPSHOT))


def snapshot_options(command: Callable[..., None]) -> Callable[..., None]:
    """As ``source_options``, for an analysis that no CSV has the data for."""
    return _with_source(command, _OF_SNAPSHOT)


def _with_source(command: Callable[..., None], options: tuple[Callable[..., Any], ...]) -> Callable[..., None]:
    @functools.wraps(command)
    def with_source(**given: Any) -> None:
        fields = {name: given.pop(name) for name in Source.__dataclass_fields__ if name in given}
        command(source=Source(**fields), **given)

    for option in reversed(options):
        with_source = option(with_source)
    return with_source


def answered(source: Source, request: Request) -> tuple[Answer, str | None, AnalysisData]:
    """Read, answer, and enter the tests into the ledger: the answer, the sentence of the ledger, the data."""
    data = load_from(source, request)
    found = answer(request, data)
    return found, counted(source, found.basis, found.tested), data


def counted(source: Source, basis: Basis, tests: Sequence[Tested]) -> str | None:
    """Enter tests into the ledger of the study; the sentence that goes beside them, None for a CSV."""
    return None if source.csv_file is not None else enter_tests(lake_root(source.study_folder), basis, tests)


def say_notes(notes: Sequence[str]) -> None:
    """Print the sentences a reader of the numbers has to know."""
    for note in notes:
        console.say(f"  {note}")
