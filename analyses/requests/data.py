"""What an analysis is made on: columns and outcomes of a snapshot, or of any CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analyses.requests.tested import Tested
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.outcome import Outcome, cause_specific
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.features.feature_table import FeatureTable
from warehouse.queries.analysis_columns import AnalysisColumn, Endpoint
from warehouse.queries.protocol_queries import TumourBurden
from warehouse.queries.selection import Selection


@dataclass(frozen=True, eq=False)
class SurvivalTimes:
    """Times and event codes (0 censored, 1 event, 2 competing event), from which both kinds of outcome are made.

    Attributes
    ----------
    causes
        Names of the event and of what competes with it; None where only ``--competing`` may take a 2, as in a CSV.
    """

    duration: NDArray[np.float64]
    event: NDArray[np.float64] | NDArray[np.int64]
    unit: str = "day"
    causes: tuple[str, str] | None = None

    def cause_specific(self) -> Outcome:
        """Competing events are censored, where they were declared; raises what ``Outcome`` refuses."""
        if self.causes is None:
            return Outcome(self.duration, np.asarray(self.event), self.unit)
        return cause_specific(self.duration, self.event, self.unit)

    def competing(self) -> CompetingOutcome:
        """Competing events are told apart; raises what ``CompetingOutcome`` refuses."""
        named = () if self.causes is None else (self.causes,)
        return CompetingOutcome(self.duration, np.asarray(self.event), self.unit, *named)


def survival_times(endpoint: Endpoint) -> SurvivalTimes:
    """Return the times of an endpoint of a snapshot."""
    causes = (endpoint.name, f"competing event of {endpoint.name}")
    return SurvivalTimes(endpoint.duration_days, endpoint.event, "day", causes)


@dataclass(frozen=True, eq=False)
class Basis:
    """Where the data of an analysis come from, without the data.

    Attributes
    ----------
    source
        The snapshot or the file, in a few words.
    snapshot_id
        The full id; None for a CSV.
    endpoint
        Name of the outcome; None where the analysis looks at none.
    n_without_outcome
        Selected patients without the endpoint, who are left out.
    primary
        Pairs of endpoint and variable that were declared in study.yaml.
    selection
        Who was selected from the cohort, and how; None for a CSV.
    columns
        The analysis columns that take part, by name; empty for a CSV.
    feature_set
        The feature set and aggregation that was read as a whole; None where columns were named.
    """

    source: str
    snapshot_id: str | None = None
    endpoint: str | None = None
    n_without_outcome: int = 0
    primary: frozenset[tuple[str, str]] = frozenset()
    selection: Selection | None = None
    columns: Mapping[str, AnalysisColumn] = field(default_factory=dict)
    feature_set: str | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """What patients have to meet, as ``--where`` takes it, in the one form that it has."""
        return () if self.selection is None else self.selection.texts

    @property
    def title(self) -> str:
        """What the analysis is made on, in a few words."""
        selected = f", {self.selection.sentence}" if self.selection and self.selection.conditions else ""
        if not self.endpoint:
            return f"{self.source}{selected}"
        without = f", {self.n_without_outcome} patients without it left out" if self.n_without_outcome else ""
        return f"{self.endpoint}{without}, {self.source}{selected}"

    def short(self, name: str) -> str:
        """The name of a column; that of a feature without the family that all of them are of."""
        column = self.columns.get(name) if self.feature_set else None
        return name if column is None else column.column

    def is_primary(self, test: Tested) -> bool:
        """Whether a test was declared in study.yaml, which is about all patients; all others are exploratory."""
        everyone = self.selection is None or self.selection.is_everyone
        # A model of several variables is a hypothesis of its own, which study.yaml has no words for yet.
        alone = len(test.variables) == 1 and (self.endpoint, test.variables[0]) in self.primary
        return test.may_be_primary and everyone and alone

    def as_json(self) -> dict[str, object]:
        """What goes before the numbers in the JSON."""
        return {
            "source": self.source,
            "snapshot_id": self.snapshot_id,
            "cohort": None if self.selection is None else self.selection.summary,
            "endpoint": self.endpoint,
            "n_without_outcome": self.n_without_outcome,
            "declared": None,
        }


@dataclass(frozen=True, eq=False)
class AnalysisData:
    """Columns with one value per patient, and the outcome of each patient.

    Attributes
    ----------
    basis
        Where they come from.
    row_ids
        The patients; numbers of rows for a CSV.
    table
        The columns.
    features
        Those of them that are the features of a family.
    times
        The outcome; None where there is none.
    refused
        Why there is no outcome, for an analysis that can do without.
    burdens
        The tumour of the selected patients under each protocol, for a comparison of protocols.
    """

    basis: Basis
    row_ids: tuple[str, ...]
    table: Columns
    features: tuple[str, ...] = ()
    times: SurvivalTimes | None = None
    refused: SurvivalError | None = None
    burdens: tuple[TumourBurden, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Survival times and events; raises OUTCOME_MISSING, and what ``Outcome`` refuses."""
        return self._times.cause_specific()

    @property
    def competing_outcome(self) -> CompetingOutcome:
        """The same with competing events told apart; raises OUTCOME_MISSING, and what ``CompetingOutcome`` refuses."""
        return self._times.competing()

    @property
    def _times(self) -> SurvivalTimes:
        if self.times is None:
            raise self.refused or SurvivalError("OUTCOME_MISSING", "This analysis has no outcome")
        return self.times

    def labelled(self, labels: Mapping[str, str]) -> AnalysisData:
        """The same data, whose columns are called ``labels`` in results."""
        return replace(self, table=replace(self.table, labels=labels))

    def feature_table(self, batch: Sequence[str] | None = None) -> FeatureTable:
        """The features as one matrix; raises ``FeatureError``."""
        values = np.column_stack([self.table.number(name) for name in self.features])
        return FeatureTable(self.features, values, None if batch is None else tuple(batch))
