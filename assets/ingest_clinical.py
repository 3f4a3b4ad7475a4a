"""The clinical table at ingest: the cells that have a role, patients that nobody knows, rows that are gone."""

import difflib
import re
from collections import defaultdict
from collections.abc import Mapping

from assets.settings import StudySettings
from petct.errors import ClinicalError
from records.clinical import ClinicalCell
from records.imaging import FileRecord, Finding
from warehouse.errors import WarehouseError
from warehouse.imports import ImportedTable, read_table
from warehouse.storage.lake import Lake, check_patient_id

_MOST_LOST = 0.5


def clinical_cells(settings: StudySettings) -> tuple[dict[str, list[ClinicalCell]], tuple[ClinicalError, ...]]:
    """The cells with a role of each patient, and the rows without a usable patient id; nothing without a table."""
    if settings.clinical is None or settings.clinical_file is None:
        return {}, ()
    table = read_table(settings.clinical_file)
    columns = _checked_columns(settings, table)
    where = {column: table.columns.index(column) for column in columns}
    cells: dict[str, list[ClinicalCell]] = defaultdict(list)
    rows_of: Mapping[str, list[int]] = defaultdict(list)
    set_aside = []
    for number, row in enumerate(table.rows, start=2):
        patient_id = row[where[settings.clinical.patient_id_column]].strip()
        try:
            check_patient_id(patient_id)
        except WarehouseError as error:
            set_aside.append(
                ClinicalError(
                    error.code,
                    "A row of the clinical table has no usable patient id and is set aside",
                    keyword=settings.clinical.patient_id_column,
                    found=f"{patient_id!r} in line {number}",
                    expected=error.expected,
                )
            )
            continue
        rows_of[patient_id].append(number)
        ordinal = len(rows_of[patient_id])
        cells[patient_id].extend(ClinicalCell(patient_id, ordinal, column, row[at]) for column, at in where.items())
    return cells, tuple(set_aside)


def columns_of_tables(settings: StudySettings) -> dict[str, list[str]]:
    """The columns of the clinical table that study.yaml names, each once, by the table of the lake that keeps them."""
    if settings.clinical is None:
        return {}
    spec, overrides = settings.clinical, settings.suv_overrides
    of_suv = [spec.patient_id_column, *overrides.columns()] if overrides is not None else []
    return {"clinical_cells": list(spec.columns()), "suv_override_cells": list(dict.fromkeys(of_suv))}


def check_rows(lake: Lake, cells: Mapping[str, list[ClinicalCell]]) -> None:
    """A table of new patients alone looks like one whose other rows were all deleted; an update holds them all."""
    before = lake.patients("clinical_cells")
    lost = [patient_id for patient_id in before if patient_id not in cells]
    if len(lost) > 1 and len(lost) > _MOST_LOST * len(before):
        raise ClinicalError(
            "CLINICAL_ROWS_LOST",
            "Most patients have no row in the clinical table any more, and nothing was changed",
            keyword="clinical.file in study.yaml",
            found=f"{len(lost)} of {len(before)} patients without a row",
            hint="The file must hold the rows of all patients. If they are meant to be gone, add --allow-loss.",
        )


def unknown_patients(
    cells: Mapping[str, list[ClinicalCell]], files: Mapping[str, list[FileRecord]]
) -> dict[str, str | None]:
    """Patients of the clinical table without DICOM files, each with the id of the files that is most like theirs."""
    without_row = {_bare(patient_id): patient_id for patient_id in files if patient_id not in cells}
    found: dict[str, str | None] = {}
    for patient_id in sorted(set(cells) - set(files)) if files else []:
        same = without_row.get(_bare(patient_id))
        near = difflib.get_close_matches(patient_id, without_row.values(), n=1, cutoff=0.8)
        found[patient_id] = same or (near[0] if near else None)
    return found


def _bare(patient_id: str) -> tuple[str, ...]:
    """An id without what is often typed otherwise: case, separators, leading zeros."""
    return tuple(part.lstrip("0") for part in re.findall(r"[a-z]+|[0-9]+", patient_id.lower()))


def unknown_finding(patient_id: str, unknown: Mapping[str, str | None]) -> tuple[Finding, ...]:
    """The finding that a patient of the clinical table has no DICOM files."""
    if patient_id not in unknown:
        return ()
    near = unknown[patient_id]
    message = "The clinical table names the patient, and no DICOM file does."
    message += f" Is it {near}?" if near else ""
    return (Finding(patient_id, None, None, "files", "CLINICAL_PATIENT_UNKNOWN", "warning", message),)


def _checked_columns(settings: StudySettings, table: ImportedTable) -> list[str]:
    columns = list(dict.fromkeys(column for named in columns_of_tables(settings).values() for column in named))
    for column in columns:
        if column not in table.columns:
            near = difflib.get_close_matches(column, table.columns, n=1)
            raise ClinicalError(
                "CLINICAL_COLUMN_MISSING",
                "The clinical table lacks a column that study.yaml names",
                keyword="clinical",
                found=", ".join(table.columns),
                expected=column,
                hint=(f"Did you mean {near[0]}? " if near else "")
                + "`petlake init DIR --clinical FILE` proposes roles for the columns of a file.",
            )
    return columns
