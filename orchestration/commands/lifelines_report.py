"""The option ``--engine`` of ``petlake km`` and ``cox``, and what it prints: the same analysis by lifelines."""

import click

from analyses.requests.answer import Answer
from analyses.requests.data import AnalysisData
from analyses.requests.lifelines_check import check_with_lifelines, refuse_unchecked
from analyses.requests.request import Request
from analyses.tables import checks
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import answered, say_notes
from petct.survival.cohort.results import as_dict
from petct.survival.with_lifelines.comparison import LifelinesCheck

LIFELINES = "lifelines"

ENGINE_OPTION = click.option(
    "--engine",
    type=click.Choice(["petlake", LIFELINES]),
    default="petlake",
    show_default=True,
    help="With lifelines: also compute the analysis with lifelines, and print both results side by side.",
)


def checked(
    engine: str, source: Source, request: Request
) -> tuple[Answer, str | None, AnalysisData, LifelinesCheck | None]:
    """As ``answered``, and the same by lifelines where it is asked for; raises LIFELINES_UNSUPPORTED."""
    if engine == LIFELINES:
        refuse_unchecked(request)
    found, ledger, data = answered(source, request)
    return found, ledger, data, check_with_lifelines(found, data) if engine == LIFELINES else None


def check_json(check: LifelinesCheck | None) -> dict[str, object]:
    """What JSON has of it."""
    return {} if check is None else {LIFELINES: as_dict(check)}


def say_check(check: LifelinesCheck | None) -> None:
    """Print both numbers of each quantity, why some differ, and what only petlake computes; nothing for None."""
    if check is None:
        return
    if check.compared:
        console.say_result(checks.compared(check))
    console.say(check.sentence)
    say_notes(checks.notes(check))
