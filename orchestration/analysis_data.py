"""Where the data of an analysis come from, as the options of a command say."""

from dataclasses import dataclass
from pathlib import Path

from analyses.requests.data import AnalysisData
from analyses.requests.load import load, load_csv
from analyses.requests.request import Request
from orchestration.study import lake_root
from petct.errors import SurvivalError
from warehouse.queries.open_snapshot import open_snapshot


@dataclass(frozen=True)
class Source:
    """A snapshot of a study, or a CSV with the columns of its outcome."""

    study_folder: Path
    snapshot_id: str | None = None
    csv_file: Path | None = None
    duration_column: str | None = None
    event_column: str | None = None
    conditions: tuple[str, ...] = ()


def load_from(source: Source, request: Request) -> AnalysisData:
    """Read what a request needs.

    Raises
    ------
    SurvivalError
        OPTION_NEEDS_STUDY, OPTION_NEEDS_CSV, and what ``load`` and ``load_csv`` refuse.
    WarehouseError
        What the snapshot refuses.
    """
    if source.csv_file is None:
        if source.duration_column or source.event_column:
            raise SurvivalError(
                "OPTION_NEEDS_CSV", "--duration and --event go with --csv", keyword="--duration, --event"
            )
        with open_snapshot(lake_root(source.study_folder), source.snapshot_id) as snapshot:
            return load(snapshot, request, source.conditions)
    if source.conditions:
        raise SurvivalError(
            "OPTION_NEEDS_STUDY",
            "--where selects patients of a snapshot",
            keyword="--csv",
            hint="Leave the rows out of the CSV that you do not want.",
        )
    if source.snapshot_id:
        raise SurvivalError("OPTION_NEEDS_STUDY", "--snapshot and --endpoint do not go with --csv", keyword="--csv")
    return load_csv(source.csv_file, request, source.duration_column, source.event_column)
