"""Clinical data: cells, typed values, survival times."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from records.columns import About, Text, own
from records.keys import PatientId
from records.table import Table


@dataclass(frozen=True)
class ClinicalCell:
    """The cells of the clinical table that study.yaml gives a role, as text: the input of clinical and endpoints."""

    patient_id: PatientId
    row: Annotated[int, About("1 for the patient's first row of the file, 2 for a second one, ...")]
    column: Annotated[str, About("Column of the file")]
    value: Annotated[str, About("The cell, as it stands in the file", text=Text.VALUE, named_by="column")]


@dataclass(frozen=True)
class SuvOverrideCell(ClinicalCell):
    """The cells of the clinical table that override the header of the PET, as text: an input of suv."""


@dataclass(frozen=True)
class ClinicalValue:
    """The clinical table, long: one row per patient and declared variable, typed.

    Exactly the field of its kind is set when RECORDED.
    """

    patient_id: PatientId
    variable: Annotated[str, About("Name of the variable, as declared in study.yaml")]
    kind: Annotated[str, own("number, category or date")]
    value_number: Annotated[float | None, About("Value of a number")]
    value_text: Annotated[str | None, About("Value of a category", named_by="variable")]
    value_date: Annotated[date | None, About("Value of a date", named_by="variable")]
    unit: Annotated[str | None, About("Unit as declared")]
    status: Annotated[str, own("RECORDED, or MISSING")]


@dataclass(frozen=True)
class EndpointRecord:
    """Survival times: from the origin to the event or to censoring.

    ``duration`` is ``duration_days`` in the endpoint's ``unit``.
    """

    patient_id: PatientId
    endpoint: Annotated[str, About("Name of the endpoint, for example OS")]
    origin_date: Annotated[date, About("Day 0")]
    end_date: Annotated[date, About("Day of the event or of censoring")]
    duration_days: Annotated[int, About("From origin to end", "day")]
    duration: Annotated[float, About("The same in the unit of the endpoint")]
    unit: Annotated[str, own("Unit of duration: day, week (7 days), month (30.4375 days) or year (365.25 days)")]
    event: Annotated[int, About("0 censored, 1 event, 2 competing event")]
    baseline_scan_id: Annotated[str | None, own("Nearest scan before the origin within the window")]
    scan_to_origin_days: Annotated[int | None, About("From the baseline scan to the origin", "day")]


TABLES = (
    Table("clinical_cells", ClinicalCell, "clinical", "cell", ("patient_id", "row", "column")),
    Table("suv_override_cells", SuvOverrideCell, "clinical", "cell", ("patient_id", "row", "column")),
    Table("clinical", ClinicalValue, "clinical", "patient and variable", ("patient_id", "variable")),
    Table("endpoints", EndpointRecord, "clinical", "patient and endpoint", ("patient_id", "endpoint")),
)
