"""A proposal of column roles for a clinical table that study.yaml says nothing about yet; a person checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from petct.clinical.columns import Column, ColumnKind, describe_columns, words_of
from petct.clinical.spec import ClinicalSpec, EndpointSpec, VariableSpec
from petct.errors import ClinicalError

# What the words of a date column's name say about it, the surest first.
_ORIGIN = (
    *(("therapy", "start"), ("treatment", "start"), ("prrt",), ("first", "cycle"), ("therapy",), ("treatment",)),
    *(("randomisation",), ("randomization",), ("inclusion",), ("enrolment",), ("baseline",), ("start",)),
)
_DEATH = (("death",), ("died",), ("deceased",), ("exitus",), ("dod",), ("tod",))
_PROGRESSION = (("progression",), ("progress",), ("pd",), ("relapse",), ("recurrence",))
_CENSOR = (
    *(("last", "follow"), ("last", "contact"), ("last", "seen"), ("follow", "up"), ("followup",), ("lfu",)),
    *(("censor",), ("censored",), ("last",)),
)
_UNITS = {
    "kg": "kg",
    "g": "g",
    "cm": "cm",
    "mm": "mm",
    "ml": "ml",
    "mbq": "MBq",
    "gbq": "GBq",
    "percent": "%",
    "year": "year",
    "years": "year",
    "month": "month",
    "months": "month",
    "day": "day",
    "days": "day",
}
_PER = {"ng": "ng", "ug": "ug", "mg": "mg", "g": "g", "u": "U", "iu": "IU", "mmol": "mmol", "umol": "umol"}
_VOLUMES = {"ml": "ml", "dl": "dl", "l": "l"}


@dataclass(frozen=True)
class RoleProposal:
    """Roles that the columns of a table seem to have.

    Attributes
    ----------
    left_out
        (column, reason) of each column without a role.
    """

    patient_id_column: str
    variables: tuple[VariableSpec, ...]
    endpoints: tuple[EndpointSpec, ...]
    left_out: tuple[tuple[str, str], ...]


def propose_roles(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> RoleProposal:
    """Propose what each column of a clinical table is.

    Raises
    ------
    ClinicalError
        CLINICAL_TABLE_EMPTY, CLINICAL_PATIENT_COLUMN_UNKNOWN.
    """
    if not rows:
        raise ClinicalError("CLINICAL_TABLE_EMPTY", "The clinical table has no rows", expected="one row per patient")
    described = describe_columns(columns, rows, ClinicalSpec(""))
    patient = _patient_column(described, columns, len(rows))
    endpoints = _endpoints([column for column in described if column.name != patient and not column.is_personal])
    of_endpoints = {name for endpoint in endpoints for name in endpoint.columns}
    variables, left_out = [], []
    for column in described:
        if column.name == patient or column.name in of_endpoints:
            continue
        reason = _why_left_out(column)
        if reason is not None:
            left_out.append((column.name, reason))
        elif column.kind in (ColumnKind.NUMBER, ColumnKind.YEAR):
            variables.append(VariableSpec(column.name, column.name, "number", unit_of(column.name)))
        elif column.kind is ColumnKind.DATE:
            variables.append(VariableSpec(column.name, column.name, "date"))
        else:
            variables.append(VariableSpec(column.name, column.name, "category"))
    return RoleProposal(patient, tuple(variables), tuple(endpoints), tuple(left_out))


def unit_of(name: str) -> str | None:
    """The unit that the end of a column's name states: ``weight_kg``, ``age_years``, ``chromogranin_a_ng_ml``."""
    words = words_of(name)
    if len(words) >= 3 and words[-2] in _PER and words[-1] in _VOLUMES:
        return f"{_PER[words[-2]]}/{_VOLUMES[words[-1]]}"
    return _UNITS.get(words[-1]) if len(words) > 1 else None


def _patient_column(described: Sequence[Column], columns: Sequence[str], n_rows: int) -> str:
    named = [c for c in described if {"patient", "subject", "pat", "id", "case"} & set(words_of(c.name))]
    # Of "patient_id" and "patient_age" the one in which no value stands twice.
    ranked = sorted(named, key=lambda c: (not c.is_unique, "id" not in words_of(c.name), columns.index(c.name)))
    if not ranked or ranked[0].n_distinct < n_rows / 2:
        raise ClinicalError(
            "CLINICAL_PATIENT_COLUMN_UNKNOWN",
            "No column of the clinical table looks like the patient's id",
            found=", ".join(columns),
            expected="a column such as patient_id, with the ids of the DICOM files",
        )
    return ranked[0].name


def _endpoints(columns: Sequence[Column]) -> list[EndpointSpec]:
    """OS, and PFS and TTP where there is a date of progression; none without an origin and an end of follow-up."""
    dates = [column for column in columns if column.kind is ColumnKind.DATE]
    # Nobody may have died yet.
    events = [column for column in columns if column.kind in (ColumnKind.DATE, ColumnKind.EMPTY)]
    origin, censor = _named(dates, _ORIGIN), _named(dates, _CENSOR)
    death, progression = _named(events, _DEATH), _named(events, _PROGRESSION)
    if origin is None or censor is None:
        return []
    found = []
    if death is not None:
        found.append(EndpointSpec("OS", origin, (death,), censor))
    if progression is not None:
        first_of = (progression,) if death is None else (progression, death)
        found.append(EndpointSpec("PFS", origin, first_of, censor))
        found.append(EndpointSpec("TTP", origin, (progression,), censor, death))
    return found


def _named(dates: Sequence[Column], patterns: Sequence[tuple[str, ...]]) -> str | None:
    for pattern in patterns:
        for column in dates:
            if set(pattern) <= set(words_of(column.name)):
                return column.name
    return None


def _why_left_out(column: Column) -> str | None:
    if column.is_personal:
        return "its name says that it identifies the patient or holds notes"
    reasons = {
        ColumnKind.EMPTY: "it is empty",
        ColumnKind.FREE_TEXT: "it holds free text",
        ColumnKind.TIME: "a time of day is of use only in suv.overrides",
        ColumnKind.DATETIME: "a time is of use only in suv.overrides",
    }
    return reasons.get(column.kind)
