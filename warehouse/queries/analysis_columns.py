"""What the analyses read of a snapshot: columns, values and survival times of patients."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.snapshots.derived import slug

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray


class Origin(StrEnum):
    """What a column is about."""

    CLINICAL = "clinical"
    SCAN = "scan"
    UPTAKE = "uptake"
    """Tumour burden and uptake, of all lesions or of those in an organ."""
    FEATURE = "feature"
    QUALITY = "quality"
    """Refusals and findings of the patient."""


@dataclass(frozen=True)
class FeatureFamily:
    """All features of one feature set under one rule from lesions to patient: a wide table of the snapshot.

    Attributes
    ----------
    name
        ``<feature set>__<rule>`` or ``<feature set>__<organ>__<rule>``, as ``petlake screen --feature-set`` takes it.
    feature_set, feature_set_id
        The set as tables are named after it, and its id.
    organ
        Only the lesions in this organ; None for all lesions.
    rule
        One of ``AGGREGATIONS``.
    """

    name: str
    feature_set: str
    feature_set_id: str
    organ: str | None
    rule: str

    @property
    def organ_slug(self) -> str | None:
        """The organ as it stands in the names of tables and columns."""
        return slug(self.organ) if self.organ else None

    @property
    def label(self) -> str:
        """``<feature set>, <organ>, <rule>`` as words."""
        parts = (self.feature_set, *((self.organ,) if self.organ else ()), self.rule.replace("_", " "))
        return ", ".join(parts)


@dataclass(frozen=True)
class AnalysisColumn:
    """A column that may serve as a covariate, with one value per patient.

    Attributes
    ----------
    name
        Name to ask for in ``Snapshot.values``: that of a cohort column, ``<feature set>__<aggregation>:<feature>``, or
        ``<feature set>__<organ>__<aggregation>:<feature>``.
    table, column
        Where it is in the snapshot, for SQL.
    kind
        ``number`` or ``category``.
    origin
        What it is about.
    family
        Of a feature: its feature set, organ and rule; ``column`` is then the name of the feature.
    organ
        The organ whose lesions it is of; None for all lesions and for what is not of lesions.
    """

    name: str
    table: str
    column: str
    kind: str
    unit: str | None
    description: str
    origin: Origin
    family: FeatureFamily | None = None
    organ: str | None = None

    def is_of(self, family: str) -> bool:
        """Whether it is a feature of the family of this name."""
        return self.family is not None and self.family.name == family


@dataclass(frozen=True, eq=False)
class Endpoint:
    """Survival times of the patients who have the endpoint; ``event`` is 0 censored, 1 event, 2 competing event."""

    name: str
    patient_ids: tuple[str, ...]
    duration_days: NDArray[np.float64]
    event: NDArray[np.int64]

    def of(self, patients: Collection[str]) -> Endpoint:
        """The times of those of ``patients`` who have the endpoint, in the order of this one."""
        wanted = set(patients)
        kept = np.array([patient in wanted for patient in self.patient_ids], dtype=bool)
        chosen = tuple(patient for patient in self.patient_ids if patient in wanted)
        return Endpoint(self.name, chosen, self.duration_days[kept], self.event[kept])


@dataclass(frozen=True, eq=False)
class PatientValues:
    """Analysis columns of all patients of the cohort, in the order of ``patient_ids``.

    Attributes
    ----------
    columns
        Numbers as float64 with NaN where there is no value, categories as objects (str) with None.
    """

    patient_ids: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]

    def of(self, patients: Sequence[str]) -> PatientValues:
        """The values of ``patients``, in their order; raises ``KeyError`` for one who is not in the cohort."""
        place = {patient: row for row, patient in enumerate(self.patient_ids)}
        rows = np.array([place[patient] for patient in patients], dtype=int)
        return PatientValues(tuple(patients), {name: column[rows] for name, column in self.columns.items()})

    def texts(self, name: str) -> list[str | None]:
        """A column as categories, None where there is no value; numbers as text."""
        column = self.columns[name]
        if column.dtype.kind == "f":
            return [None if np.isnan(value) else f"{value:g}" for value in column]
        return [None if value is None else str(value) for value in column]

    def to_frame(self) -> pd.DataFrame:
        """Return the columns as a data frame, indexed by ``patient_id``."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns), index=pd.Index(self.patient_ids, name="patient_id", dtype=object))
