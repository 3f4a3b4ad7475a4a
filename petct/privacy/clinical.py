"""The clinical table de-identified: the same pseudonyms and the same constant shift as the patient's images."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from petct.clinical.columns import Column, ColumnKind, describe_columns, is_date, is_number, words_of
from petct.clinical.spec import ClinicalSpec
from petct.clinical.text import read_date, read_number
from petct.errors import ClinicalError
from petct.privacy.pseudonyms import OLDEST_AGE_YEARS, PatientPseudonym, PseudonymError, Pseudonyms

_TIME_OF_DAY = re.compile(r"(.*?\d)[T ](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)")
_LOOSE = frozenset({ColumnKind.FREE_TEXT, ColumnKind.YEAR})


@dataclass(frozen=True)
class TableNote:
    """What was done to a column beside the plain shift, and how often; never an original value."""

    code: str
    column: str
    n_cells: int
    message: str


@dataclass(frozen=True)
class DeidentifiedTable:
    """The table as text: dates as YYYY-MM-DD, moved by each patient's constant."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[TableNote, ...]


def deidentify_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    pseudonyms: Pseudonyms,
    *,
    patient_id_column: str | None = None,
    keep: Collection[str] = (),
) -> DeidentifiedTable:
    """De-identify a clinical table.

    Dates move by the constant of the row's patient, so that every duration stays; ages above 89 become 90. Columns of
    free text, of years (which cannot be shifted by days), and such whose name says that they hold a name, another
    identifier, a birth date or a contact are dropped; so is a cell that does not fit its column.

    Parameters
    ----------
    patient_id_column
        None: the column that holds most ids of patients whose images were de-identified.
    keep
        Columns that are kept although they look like free text, as the user has seen to it.

    Raises
    ------
    ClinicalError
        CLINICAL_COLUMN_MISSING, DEID_PATIENT_COLUMN_UNKNOWN.
    """
    for name in (*keep, *([patient_id_column] if patient_id_column else [])):
        if name not in columns:
            raise ClinicalError(
                "CLINICAL_COLUMN_MISSING",
                "The clinical table has no such column",
                keyword=name,
                found=", ".join(columns),
            )
    identifier = patient_id_column or _patient_column(columns, rows, pseudonyms)
    spec = ClinicalSpec(identifier)
    described = describe_columns(columns, rows, spec)
    kept = [c for c in described if c.name == identifier or c.name in keep or not (c.is_personal or c.kind in _LOOSE)]
    counts: Counter[tuple[str, str]] = Counter()
    where = {column.name: columns.index(column.name) for column in kept}
    cleaned = []
    for row in rows:
        patient_id = row[where[identifier]].strip()
        if spec.is_missing(patient_id):
            counts[("DEID_ROW_DROPPED", identifier)] += 1
            continue
        patient = pseudonyms.patient(patient_id)
        cells = []
        for column in kept:
            if column.name == identifier:
                cells.append(patient.pseudonym)
                continue
            cell, code = _cell(row[where[column.name]].strip(), column, patient, spec, is_free=column.name in keep)
            cells.append(cell)
            if code is not None:
                counts[(code, column.name)] += 1
        cleaned.append(tuple(cells))
    dropped = [TableNote("DEID_COLUMN_DROPPED", c.name, len(rows), _why(c)) for c in described if c not in kept]
    notes = [TableNote(code, name, n, _MESSAGES[code]) for (code, name), n in sorted(counts.items())]
    return DeidentifiedTable(tuple(c.name for c in kept), tuple(cleaned), (*dropped, *notes))


_MESSAGES = {
    "DEID_ROW_DROPPED": "rows without a patient id were dropped",
    "DEID_DATE_UNREADABLE": "dates that cannot be read with certainty were emptied",
    "DEID_TEXT_REMOVED": "cells that do not fit their column were emptied",
    "DEID_AGE_CAPPED": f"ages above {OLDEST_AGE_YEARS} years became {OLDEST_AGE_YEARS + 1}",
}


def _why(column: Column) -> str:
    if column.is_personal:
        return "its name says that it holds a name, an identifier, a birth date, a contact or notes"
    if column.kind is ColumnKind.YEAR:
        return "a year cannot be shifted by a number of days"
    return "it holds free text"


def _patient_column(columns: Sequence[str], rows: Sequence[Sequence[str]], pseudonyms: Pseudonyms) -> str:
    ids = {patient.patient_id for patient in pseudonyms.patients}
    hits = [sum(row[position].strip() in ids for row in rows) for position in range(len(columns))]
    if not hits or max(hits) == 0:
        raise ClinicalError(
            "DEID_PATIENT_COLUMN_UNKNOWN",
            "No column of the clinical table holds the ids of the DICOM files",
            found=", ".join(columns),
            hint="Name the column of the patient ids.",
        )
    return columns[hits.index(max(hits))]


def _cell(
    text: str, column: Column, patient: PatientPseudonym, spec: ClinicalSpec, *, is_free: bool
) -> tuple[str, str | None]:
    """The cell as it is written, and the code of what had to be done to it."""
    if spec.is_missing(text):
        return text, None
    if column.kind in (ColumnKind.DATE, ColumnKind.DATETIME) or (is_date(text) and not _is_plain_number(text, column)):
        return _shifted(text, patient)
    if column.kind is ColumnKind.NUMBER:
        if not is_number(text):
            return "", "DEID_TEXT_REMOVED"
        return _capped(text, column)
    fits = column.kind in (ColumnKind.CATEGORY, ColumnKind.TIME) or is_free
    return (text, None) if fits else ("", "DEID_TEXT_REMOVED")


def _is_plain_number(text: str, column: Column) -> bool:
    return column.kind is ColumnKind.NUMBER and is_number(text)


def _shifted(text: str, patient: PatientPseudonym) -> tuple[str, str | None]:
    match = _TIME_OF_DAY.fullmatch(text)
    day, time = (match[1], f" {match[2]}") if match else (text, "")
    try:
        return patient.shifted(read_date(day).value).isoformat() + time, None
    except (ClinicalError, PseudonymError):
        return "", "DEID_DATE_UNREADABLE"


def _capped(text: str, column: Column) -> tuple[str, str | None]:
    words = words_of(column.name)
    if "age" not in words and "alter" not in words:
        return text, None
    try:
        years = read_number(text).value
    except ClinicalError:
        return "", "DEID_TEXT_REMOVED"
    in_months = bool({"month", "months", "monate"} & set(words))
    if (years / 12 if in_months else years) < OLDEST_AGE_YEARS + 1:
        return text, None
    return str((OLDEST_AGE_YEARS + 1) * (12 if in_months else 1)), "DEID_AGE_CAPPED"
