"""Look through the lake for what may say who a patient is: names, birth dates, contacts, free text, stray files."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from petct.privacy import signs
from warehouse.registry.schema import Column, Kind
from warehouse.registry.tables import table
from warehouse.storage.lake import Lake, Partition

# What petlake writes itself: sentences, which may quote a value but are not free text.
_SENTENCES = {
    ("refusals", "message"),
    ("refusals", "found"),
    ("refusals", "expected"),
    ("refusals", "hint"),
    ("qc_events", "message"),
    ("suv_adaptations", "message"),
}
# What is copied from headers, file names and the clinical table.
_COPIED = {
    ("series", "series_description"),
    ("lesions", "roi_name"),
    ("scans", "manufacturer"),
    ("scans", "manufacturer_model_name"),
    ("scans", "software_versions"),
    ("scans", "reconstruction_method"),
    ("scans", "pet_convolution_kernel"),
    ("scans", "ct_convolution_kernel"),
    ("scans", "ct_contrast_agent"),
    ("suv", "radiopharmaceutical"),
    ("clinical_cells", "value"),
    ("suv_override_cells", "value"),
    ("clinical", "value_text"),
    ("files", "path"),
    ("suv_adaptations", "value_from"),
    ("suv_adaptations", "value_to"),
}
# Where a date may stand in a text without saying anything of a patient's identity.
_DATED = {
    ("clinical_cells", "value"),
    ("suv_override_cells", "value"),
    ("suv_adaptations", "value_from"),
    ("suv_adaptations", "value_to"),
    ("files", "path"),
    ("scans", "software_versions"),
}
_FOREIGN = {".dcm", ".ima", ".csv", ".tsv", ".xlsx", ".xls", ".doc", ".docx", ".pdf", ".txt", ".png", ".jpg", ".zip"}
_VARIABLE = {"clinical_cells": "column", "suv_override_cells": "column", "clinical": "variable"}


@dataclass(frozen=True)
class PrivacyFinding:
    """Something that may identify: where it is, in how many rows, and its shape (letters as a, digits as 9)."""

    code: str
    table: str
    column: str
    patient_id: str | None
    n_rows: int
    shape: str


@dataclass(frozen=True)
class _Cell:
    table: str
    column: Column
    patient_id: str | None
    variable: str
    value: object
    n_rows: int


def lint_lake(root: Path) -> tuple[PrivacyFinding, ...]:
    """Look through all tables, and at the names of all files, of the lake below ``root``.

    Codes: PRIVACY_NAME, PRIVACY_BIRTH_DATE, PRIVACY_CONTACT, PRIVACY_FREE_TEXT, PRIVACY_DATE_IN_TEXT (a date in a
    description or a label), PRIVACY_ID_IS_NAME and PRIVACY_FOREIGN_FILE. They are suspicions: a person decides.
    """
    lake = Lake(root)
    first_scans = _first_scans(lake)
    counts: Counter[tuple[str, str, str, str | None]] = Counter()
    shapes: dict[tuple[str, str, str, str | None], str] = {}
    words: dict[tuple[str, str, str], dict[str | None, str]] = defaultdict(dict)

    def note(code: str, table_name: str, column: str, patient_id: str | None, text: str, n_rows: int = 1) -> None:
        key = (code, table_name, column, patient_id)
        counts[key] += n_rows
        shapes.setdefault(key, signs.shape_of(text))

    for cell in _cells(lake):
        where = f"{cell.column.name}: {cell.variable}" if cell.variable else cell.column.name
        for code in _codes(cell, first_scans.get(cell.patient_id)):
            note(code, cell.table, where, cell.patient_id, str(cell.value), cell.n_rows)
        if isinstance(cell.value, str) and (cell.table, cell.column.name) in _COPIED:
            words[(cell.table, cell.column.name, cell.variable)][cell.patient_id] = cell.value
    for (table_name, column, variable), of_patients in words.items():
        if signs.may_be_full_names(list(of_patients.values())):
            where = f"{column}: {variable}" if variable else column
            for patient_id, text in of_patients.items():
                note("PRIVACY_NAME", table_name, where, patient_id, text)
    for patient_id in lake.patients("patients"):
        if signs.id_may_be_name(patient_id):
            note("PRIVACY_ID_IS_NAME", "patients", "patient_id", patient_id, patient_id)
    for path in sorted(root.rglob("*")):
        if path.is_file() and (path.suffix.lower() in _FOREIGN or _is_dicom(path)):
            note("PRIVACY_FOREIGN_FILE", "files of the lake", path.parent.name, None, path.name)
    order = sorted(counts, key=lambda key: tuple(part or "" for part in key))
    return tuple(PrivacyFinding(*key, counts[key], shapes[key]) for key in order)


def _cells(lake: Lake) -> Iterator[_Cell]:
    """Every different text and date of each file; for the clinical tables with the name of its column or variable."""
    for partition in lake.partitions():
        declared = table(partition.table)
        wanted = [column for column in declared.columns if column.kind in (Kind.TEXT, Kind.DATE)]
        rows, _ = lake.load(Partition(partition.table, partition.patient_id, partition.path))
        naming = _VARIABLE.get(partition.table)
        variables = rows.column(naming).to_pylist() if naming else [""] * rows.num_rows
        for column in wanted:
            # A table of features names each of them once a lesion: the names are looked at once a file.
            found = Counter(zip(variables, rows.column(column.name).to_pylist(), strict=True))
            for (variable, value), n_rows in found.items():
                if value not in (None, ""):
                    yield _Cell(partition.table, column, partition.patient_id, variable, value, n_rows)


def _codes(cell: _Cell, first_scan: date | None) -> Iterator[str]:
    """What is suspicious about one cell."""
    if isinstance(cell.value, date):
        named = signs.is_named_birth(cell.variable)
        if named or (cell.table == "clinical" and signs.may_be_birth(_day(cell.value), first_scan)):
            yield "PRIVACY_BIRTH_DATE"
        return
    text = str(cell.value)
    place = (cell.table, cell.column.name)
    named_birth = place in _COPIED and signs.is_named_birth(cell.variable)
    if place[1].endswith("_json") or (signs.is_technical(text) and not named_birth):
        return
    if signs.name_in(text) or (place in _COPIED and signs.is_named_name(cell.variable)):
        yield "PRIVACY_NAME"
    if place in _COPIED | _SENTENCES and signs.contact_in(text):
        yield "PRIVACY_CONTACT"
    if place not in _COPIED:
        return
    days = signs.dates_in(text)
    if named_birth or any(signs.may_be_birth(day, first_scan) for day in days):
        yield "PRIVACY_BIRTH_DATE"
    elif days and place not in _DATED:
        yield "PRIVACY_DATE_IN_TEXT"
    if place[1] != "path" and signs.is_free_text(text):
        yield "PRIVACY_FREE_TEXT"


def _first_scans(lake: Lake) -> dict[str | None, date]:
    first: dict[str | None, date] = {}
    for partition in lake.partitions():
        if partition.table == "scans":
            rows, _ = lake.load(partition)
            days = [day for day in rows.column("scan_date").to_pylist() if day is not None]
            if days:
                first[partition.patient_id] = min(days)
    return first


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"
