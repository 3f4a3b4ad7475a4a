"""What ``petlake km``, ``cox`` and ``pca`` share: where the data come from, and how notes are printed."""

import functools
from collections.abc import Callable
from pathlib import Path

import click

from orchestration import console
from orchestration.analysis_data import Source

WHERE_OPTION = click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Only patients who meet it, for example 'age_years>=60', 'sex=F|M', 'grade?' (known); repeat it for more. "
    "protocol_id=NAME takes the lesions of another protocol.",
)

_OPTIONS = (
    console.STUDY_OPTION,
    console.SNAPSHOT_OPTION,
    click.option("--endpoint", default=None, help="Endpoint of the study.  [default: its only one, or OS]"),
    click.option(
        "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Any CSV instead of a study."
    ),
    WHERE_OPTION,
    click.option("--duration", "duration_column", help="With --csv: column of the survival time."),
    click.option("--event", "event_column", help="With --csv: column of the event (1) or censoring (0)."),
    console.JSON_OPTION,
)


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where its data come from, as one argument ``source``."""

    @functools.wraps(command)
    def with_source(
        study_folder: Path,
        snapshot_id: str | None,
        endpoint: str | None,
        csv_file: Path | None,
        duration_column: str | None,
        event_column: str | None,
        conditions: tuple[str, ...],
        **arguments: object,
    ) -> None:
        source = Source(study_folder, snapshot_id, endpoint, csv_file, duration_column, event_column, conditions)
        command(source=source, **arguments)

    for option in reversed(_OPTIONS):
        with_source = option(with_source)
    return with_source


def say_notes(notes: tuple[str, ...]) -> None:
    """Print the sentences a reader of the numbers has to know."""
    for note in notes:
        console.say(f"  {note}")
