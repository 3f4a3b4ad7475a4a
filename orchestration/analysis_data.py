"""What an analysis is made on: columns and outcomes of a snapshot, or of any CSV."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyses.context import default_endpoint, feature_table_of
from orchestration.study import lake_root
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.outcome import Outcome, cause_specific
from petct.survival.competing.outcome import CompetingOutcome
from warehouse.queries.open_snapshot import Snapshot, open_snapshot
from warehouse.queries.selection import Selection

_MISSING = {"", "na", "n/a", "nan", "null", "none"}


@dataclass(frozen=True)
class Source:
    """Where the data of an analysis come from, as the options say."""

    study_folder: Path
    snapshot_id: str | None
    endpoint: str | None
    csv_file: Path | None
    duration_column: str | None
    event_column: str | None
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class AnalysisData:
    """Columns with one value a row, and the outcome of each row.

    Attributes
    ----------
    columns
        Numbers as float64 with NaN where there is none, categories as text with None.
    primary
        Pairs of endpoint and variable that were declared before looking.
    n_without_outcome
        Selected patients without the endpoint, who are left out.
    selection
        Who was selected from the cohort, and how; None for a CSV.
    """

    source: str
    snapshot_id: str | None
    endpoint: str | None
    row_ids: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str | None]
    primary: frozenset[tuple[str, str]]
    n_without_outcome: int
    _outcome: Outcome | None
    _competing: CompetingOutcome | None = None
    selection: Selection | None = None

    @property
    def outcome(self) -> Outcome:
        """Survival times and events; raises ``SurvivalError`` OUTCOME_MISSING."""
        if self._outcome is None:
            raise SurvivalError("OUTCOME_MISSING", "This analysis has no outcome")
        return self._outcome

    @property
    def competing_outcome(self) -> CompetingOutcome:
        """The outcome with competing events told apart, when it was asked for; raises OUTCOME_MISSING."""
        if self._competing is None:
            raise SurvivalError("OUTCOME_MISSING", "This analysis has no outcome")
        return self._competing

    @property
    def table(self) -> Columns:
        """The columns as an analysis asks for them."""
        return Columns(self.columns, self.units)

    def is_number(self, name: str) -> bool:
        """Whether a column holds numbers."""
        return self.table.is_number(name)

    def number(self, name: str) -> NDArray[np.float64]:
        """A numeric column; raises ``SurvivalError`` COLUMN_NOT_NUMERIC."""
        return self.table.number(name)

    def texts(self, name: str) -> list[str | None]:
        """A column as categories."""
        return self.table.texts(name)

    def unit(self, name: str) -> str | None:
        """The unit of a column."""
        return self.table.unit(name)

    def title(self) -> str:
        """What the analysis is made on, in a few words."""
        selected = f", {self.selection.sentence}" if self.selection and self.selection.conditions else ""
        if not self.endpoint:
            return f"{self.source}{selected}"
        without = f", {self.n_without_outcome} patients without it left out" if self.n_without_outcome else ""
        return f"{self.endpoint}{without}, {self.source}{selected}"

    def badge(self, *variables: str, plain: bool) -> str:
        """Whether the test was declared beforehand; nothing for a CSV, which declares nothing.

        ``plain`` is that of ``analyses.requests.tested``: another test of a declared variable was not declared.
        """
        if self.snapshot_id is None or not variables:
            return ""
        return ", primary hypothesis" if plain and self.is_primary(*variables) else ", exploratory"

    def header(self, *variables: str, plain: bool = False) -> dict[str, object]:
        """What goes before the numbers in the JSON; ``plain`` as in ``badge``."""
        declared = "primary" if plain and self.is_primary(*variables) else "exploratory"
        selection = self.selection
        return {
            "source": self.source,
            "snapshot_id": self.snapshot_id,
            "cohort": None if selection is None else selection.summary,
            "endpoint": self.endpoint,
            "n_without_outcome": self.n_without_outcome,
            "declared": declared if self.snapshot_id is not None and variables else None,
        }

    def is_primary(self, *variables: str) -> bool:
        """Whether the test of these variables was declared in study.yaml beforehand, which is about all patients."""
        if self.selection is not None and not self.selection.is_everyone:
            return False
        # A model of several variables is a hypothesis of its own, which study.yaml has no words for yet.
        return len(variables) == 1 and (self.endpoint, variables[0]) in self.primary


def load_analysis(
    source: Source,
    names: Sequence[str] | None,
    *,
    feature_table: str | None = None,
    with_outcome: bool = True,
    competing: bool = False,
) -> AnalysisData:
    """Read the columns an analysis needs, and the outcome.

    Parameters
    ----------
    names
        The columns; None for all of ``feature_table``, or all numeric ones of a CSV.
    feature_table
        ``<feature set>__<aggregation>``, where no columns are named.
    competing
        Read the outcome as ``competing_outcome`` instead of ``outcome``.
    """
    if source.csv_file is not None:
        return _from_csv(source, source.csv_file, names, with_outcome=with_outcome, competing=competing)
    return _from_snapshot(source, names, feature_table, with_outcome=with_outcome, competing=competing)


def _from_snapshot(
    source: Source, names: Sequence[str] | None, feature_table: str | None, *, with_outcome: bool, competing: bool
) -> AnalysisData:
    if source.duration_column or source.event_column:
        raise SurvivalError("OPTION_NEEDS_CSV", "--duration and --event go with --csv", keyword="--duration, --event")
    with open_snapshot(lake_root(source.study_folder), source.snapshot_id) as snapshot:
        known = {column.name: column for column in snapshot.analysis_columns()}
        if names is None:
            family = feature_table_of(known, feature_table)
            names = [name for name in known if name.startswith(f"{family}:")]
        selection = snapshot.selection(source.conditions)
        if not selection.patient_ids and selection.n_cohort:
            raise SurvivalError(
                "SELECTION_EMPTY", "No patient meets all conditions", keyword="--where", found=selection.sentence
            )
        values = snapshot.values(list(names), selection.protocol_id)
        units = {name: known[name].unit for name in names}
        title = f"snapshot {snapshot.id[:12]}"
        primary = _primary(snapshot)
        position = {patient_id: index for index, patient_id in enumerate(values.patient_ids)}

        def columns_of(patients: Sequence[str]) -> dict[str, NDArray[Any]]:
            rows = np.array([position[patient_id] for patient_id in patients], dtype=int)
            return {name: column[rows] for name, column in values.columns.items()}

        if not with_outcome:
            patients = selection.patient_ids
            columns = columns_of(patients)
            return AnalysisData(
                title, snapshot.id, None, patients, columns, units, primary, 0, None, selection=selection
            )
        endpoint = snapshot.endpoint(source.endpoint or default_endpoint(snapshot.endpoints()))
        # Only patients with the endpoint can be analysed; the others are in the attrition, not in the groups.
        selected = set(selection.patient_ids)
        kept = np.array([patient_id in selected for patient_id in endpoint.patient_ids], dtype=bool)
        patients = tuple(patient_id for patient_id in endpoint.patient_ids if patient_id in selected)
        if not patients:
            raise SurvivalError(
                "ENDPOINT_NOT_SELECTED",
                "None of the selected patients has the endpoint",
                keyword="--where",
                found=f"{endpoint.name}, {selection.sentence}",
            )
        duration_days, event = endpoint.duration_days[kept], endpoint.event[kept]
        without = len(selection.patient_ids) - len(patients)
        outcome = None if competing else cause_specific(duration_days, event, "day")
        causes = None
        if competing:
            causes = CompetingOutcome(
                duration_days, event, "day", (endpoint.name, f"competing event of {endpoint.name}")
            )
        return AnalysisData(
            title,
            snapshot.id,
            endpoint.name,
            patients,
            columns_of(patients),
            units,
            primary,
            without,
            outcome,
            causes,
            selection,
        )


def _primary(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    rows = snapshot.sql("SELECT value_json FROM snapshot_settings WHERE key = 'primary_hypotheses'").rows
    return frozenset((str(e), str(v)) for (text,) in rows for e, v in json.loads(str(text)))


def _from_csv(
    source: Source, path: Path, names: Sequence[str] | None, *, with_outcome: bool, competing: bool
) -> AnalysisData:
    from warehouse.imports import read_table

    if source.conditions:
        raise SurvivalError(
            "OPTION_NEEDS_STUDY",
            "--where selects patients of a snapshot",
            keyword="--csv",
            hint="Leave the rows out of the CSV that you do not want.",
        )
    if source.snapshot_id or source.endpoint:
        raise SurvivalError("OPTION_NEEDS_STUDY", "--snapshot and --endpoint do not go with --csv", keyword="--csv")
    table = read_table(path)
    cells = {column: [row[index] for row in table.rows] for index, column in enumerate(table.columns)}
    outcome = causes = None
    if with_outcome:
        if not source.duration_column or not source.event_column:
            raise SurvivalError(
                "OPTION_MISSING", "A CSV needs the columns of its outcome", keyword="--duration, --event"
            )
        duration, event = _numbers(cells, source.duration_column), _numbers(cells, source.event_column)
        if competing:
            causes = CompetingOutcome(duration, event, "time unit")
        else:
            outcome = Outcome(duration, event, "time unit")
    if names is None:
        outcome_columns = {source.duration_column, source.event_column}
        names = [name for name in table.columns if name not in outcome_columns and _all_numeric(cells[name])]
    columns = {name: _column(cells, name) for name in names}
    row_ids = tuple(str(number) for number in range(1, len(table.rows) + 1))
    units = dict.fromkeys(columns)
    return AnalysisData(path.name, None, None, row_ids, columns, units, frozenset(), 0, outcome, causes)


def _cells(cells: Mapping[str, list[str]], name: str) -> list[str]:
    if name not in cells:
        near = difflib.get_close_matches(name, list(cells), n=1, cutoff=0.4)
        raise SurvivalError(
            "COLUMN_UNKNOWN",
            "The CSV has no such column",
            found=name,
            expected=", ".join(cells),
            hint=f"Nearest: {near[0]}." if near else None,
        )
    return cells[name]


def _all_numeric(texts: list[str]) -> bool:
    present = [text for text in texts if text.strip().casefold() not in _MISSING]
    try:
        [float(text) for text in present]
    except ValueError:
        return False
    return bool(present)


def _column(cells: Mapping[str, list[str]], name: str) -> NDArray[Any]:
    texts = _cells(cells, name)
    if _all_numeric(texts):
        return _numbers(cells, name)
    return np.array([None if text.strip().casefold() in _MISSING else text for text in texts], dtype=object)


def _numbers(cells: Mapping[str, list[str]], name: str) -> NDArray[np.float64]:
    texts = _cells(cells, name)
    if not _all_numeric(texts):
        raise SurvivalError(
            "COLUMN_NOT_NUMERIC", "The column must hold numbers", keyword=name, found=next(iter(texts), None)
        )
    return np.array([np.nan if text.strip().casefold() in _MISSING else float(text) for text in texts])
