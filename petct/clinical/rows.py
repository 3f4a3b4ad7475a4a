"""The clinical table: rows by patient and typed values; with ``endpoint`` the way from a table to survival times."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from petct.clinical.spec import ClinicalSpec, VariableSpec
from petct.clinical.text import Reading, located, read_date, read_number
from petct.errors import ClinicalError
from records.clinical import ClinicalValue

T = TypeVar("T")


@dataclass(frozen=True)
class ClinicalAdaptation:
    """A text that was not in the plain form, and how it was read."""

    patient_id: str
    column: str
    code: str
    value_from: str
    value_to: str

    @property
    def message(self) -> str:
        """The adaptation as a sentence."""
        return f"Column {self.column}: '{self.value_from}' was read as {self.value_to}."


@dataclass(frozen=True)
class ParsedClinical:
    """What one row of the table gave: values, how odd texts were read, and what was refused.

    A variable whose text is refused has no value: it is neither recorded nor missing.
    """

    patient_id: str
    values: tuple[ClinicalValue, ...]
    adaptations: tuple[ClinicalAdaptation, ...]
    refusals: tuple[ClinicalError, ...]


@dataclass(frozen=True)
class ClinicalRows:
    """The rows of a clinical table by patient, and the rows that cannot be used."""

    rows: Mapping[str, Mapping[str, str]]
    refusals: tuple[ClinicalError, ...]


def index_rows(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    spec: ClinicalSpec,
    wanted: Sequence[str] | None = None,
) -> ClinicalRows:
    """Find the one row of each patient.

    Parameters
    ----------
    columns, rows
        The table as text.
    spec
        Which column holds the patient, and what counts as missing.
    wanted
        The columns that must be there; None: those of ``spec``.

    Returns
    -------
    ClinicalRows
        Rows by patient in the order of the table. Rows that say the same count once; a patient with rows that differ
        has none: the choice would be a guess.

    Raises
    ------
    ClinicalError
        CLINICAL_COLUMN_MISSING or CLINICAL_COLUMN_DUPLICATE: the table as a whole does not fit the specification.
    """
    repeated = sorted({column for column in columns if list(columns).count(column) > 1})
    if repeated:
        raise ClinicalError(
            "CLINICAL_COLUMN_DUPLICATE",
            "A column appears more than once in the clinical table",
            found=", ".join(repeated),
        )
    for column in spec.columns() if wanted is None else wanted:
        if column not in columns:
            close = difflib.get_close_matches(column, columns, n=1)
            raise ClinicalError(
                "CLINICAL_COLUMN_MISSING",
                "The clinical table lacks a column that the study names",
                keyword=column,
                found=", ".join(columns),
                expected=column,
                hint=f"Did you mean {close[0]}?" if close else None,
            )
    of_patient: dict[str, list[Mapping[str, str]]] = {}
    refusals: list[ClinicalError] = []
    for number, cells in enumerate(rows, start=1):
        row = dict(zip(columns, cells, strict=True))
        patient_id = row[spec.patient_id_column].strip()
        if spec.is_missing(patient_id):
            if any(cell.strip() for cell in cells):
                refusals.append(
                    ClinicalError(
                        "CLINICAL_PATIENT_MISSING",
                        f"Row {number} of the clinical table names no patient",
                        keyword=spec.patient_id_column,
                        found=patient_id,
                    )
                )
            continue
        of_patient.setdefault(patient_id, []).append(row)
    usable: dict[str, Mapping[str, str]] = {}
    for patient_id, found in of_patient.items():
        differing = [column for column in columns if len({row[column].strip() for row in found}) > 1]
        if not differing:
            usable[patient_id] = found[0]
            continue
        refusals.append(
            ClinicalError(
                "CLINICAL_PATIENT_DUPLICATE",
                "The clinical table has rows for the patient that differ",
                patient_id=patient_id,
                keyword=spec.patient_id_column,
                found=f"{len(found)} rows that differ in {', '.join(differing)}",
                expected="1 row",
                hint="Keep the row that is right.",
            )
        )
    return ClinicalRows(usable, tuple(refusals))


def parse_patient(row: Mapping[str, str], spec: ClinicalSpec) -> ParsedClinical:
    """Read the declared variables of one row.

    Parameters
    ----------
    row
        Text by column.
    spec
        The variables and what counts as missing.

    Returns
    -------
    ParsedClinical
        A refused variable never takes the others with it.
    """
    patient_id = row[spec.patient_id_column].strip()
    values: list[ClinicalValue] = []
    adaptations: list[ClinicalAdaptation] = []
    refusals: list[ClinicalError] = []
    for variable in spec.variables:
        text = row[variable.column]
        if spec.is_missing(text):
            values.append(
                ClinicalValue(patient_id, variable.name, variable.kind, None, None, None, variable.unit, "MISSING")
            )
            continue
        number: float | None = None
        category: str | None = None
        day: date | None = None
        try:
            if variable.kind == "number":
                number = _adapted(_read_number(text, variable), text, patient_id, variable.column, adaptations)
            elif variable.kind == "date":
                day = _adapted(read_date(text), text, patient_id, variable.column, adaptations)
            else:
                category = " ".join(text.split())
        except ClinicalError as error:
            refusals.append(located(error, patient_id, variable.column))
            continue
        values.append(
            ClinicalValue(patient_id, variable.name, variable.kind, number, category, day, variable.unit, "RECORDED")
        )
    return ParsedClinical(patient_id, tuple(values), tuple(adaptations), tuple(refusals))


def _read_number(text: str, variable: VariableSpec) -> Reading[float]:
    """A number; the limit itself of a text like ``>100`` where the variable says so."""
    try:
        return read_number(text)
    except ClinicalError as error:
        if error.code != "CLINICAL_NUMBER_BOUND" or variable.bounds != "limit":
            raise
        return Reading(read_number(text.strip().lstrip("<>≤≥= ")).value, "CLINICAL_NUMBER_BOUND")


def _adapted(reading: Reading[T], text: str, patient_id: str, column: str, adaptations: list[ClinicalAdaptation]) -> T:
    if reading.adaptation is not None:
        adaptations.append(ClinicalAdaptation(patient_id, column, reading.adaptation, text, str(reading.value)))
    return reading.value
