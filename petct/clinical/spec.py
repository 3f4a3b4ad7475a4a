"""How the columns of a clinical table map to variables and endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from petct.errors import ClinicalError

Kind = Literal["number", "category", "date"]
TimeUnit = Literal["day", "week", "month", "year"]

DAYS_OF_UNIT: dict[TimeUnit, float] = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
"""Days in each unit of time; months and years are those of the Julian calendar on average."""

DEFAULT_MISSING_VALUES = (
    "",
    "NA",
    "N/A",
    "n.a.",
    "NaN",
    "None",
    "null",
    "-",
    ".",
    "unknown",
    "Not Collected",
    "missing",
    "not available",
    "not applicable",
    "not recorded",
    "#N/A",
    "<NA>",
    "?",
)
"""Texts that mean "no value", compared without case and surrounding blanks."""

_KINDS = ("number", "category", "date")


@dataclass(frozen=True)
class VariableSpec:
    """A column of the clinical table to be kept as a variable.

    Parameters
    ----------
    kind
        ``number``, ``category`` or ``date``.
    bounds
        What to do with ``>100``: ``refuse`` it, or take the ``limit`` itself (recorded).
    measured_on
        Column of the day on which the value became known; after the origin it is a finding.
    """

    name: str
    column: str
    kind: Kind
    unit: str | None = None
    bounds: Literal["refuse", "limit"] = "refuse"
    measured_on: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ClinicalError(
                "CLINICAL_KIND_UNKNOWN",
                f"Variable {self.name} has an unknown kind",
                found=str(self.kind),
                expected=", ".join(_KINDS),
            )


@dataclass(frozen=True)
class EndpointSpec:
    """A survival endpoint: which columns hold its dates.

    Parameters
    ----------
    origin_column
        Day 0: the first therapy cycle.
    event_columns
        Dates of the event, missing when it did not happen; of several (progression and death for PFS) the first counts.
    censor_column
        Date the patient was last known to be free of the event.
    competing_column
        Date of the event that makes this one impossible, if there is one.
    event_is_death
        The event ends all observation: a scan or a follow-up after it is a contradiction. None: true exactly for OS.
    unit
        Unit of the time: day, week, month (30.4375 days) or year (365.25 days).
    """

    name: str
    origin_column: str
    event_columns: tuple[str, ...]
    censor_column: str
    competing_column: str | None = None
    event_is_death: bool | None = None
    unit: TimeUnit = "day"

    @property
    def ends_observation(self) -> bool:
        """Whether nothing can be observed after the event."""
        return self.name.upper() == "OS" if self.event_is_death is None else self.event_is_death

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the endpoint needs."""
        named = (self.origin_column, *self.event_columns, self.censor_column, self.competing_column)
        return tuple(column for column in named if column is not None)


@dataclass(frozen=True)
class ClinicalSpec:
    """How the columns of a clinical table map to roles.

    Parameters
    ----------
    patient_id_column
        Column that holds the patient's identifier, the same as in the DICOM headers.
    data_lock
        Day of the data lock: what happened later is not known, follow-up ends there.
    missing_values
        Texts that mean "no value".
    """

    patient_id_column: str
    variables: tuple[VariableSpec, ...] = ()
    endpoints: tuple[EndpointSpec, ...] = ()
    data_lock: date | None = None
    missing_values: tuple[str, ...] = DEFAULT_MISSING_VALUES

    def is_missing(self, text: str) -> bool:
        """Whether the text means "no value"; an empty text always does."""
        stripped = text.strip()
        return not stripped or stripped.casefold() in {value.strip().casefold() for value in self.missing_values}

    def columns(self) -> tuple[str, ...]:
        """Every column that is needed, once, in the order of the specification."""
        named = [self.patient_id_column, *(variable.column for variable in self.variables)]
        named += [variable.measured_on for variable in self.variables if variable.measured_on is not None]
        named += [column for endpoint_spec in self.endpoints for column in endpoint_spec.columns]
        return tuple(dict.fromkeys(named))
