"""Look through the lake for what may say who a patient is: names, birth dates, contacts, free text, stray files."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from petct.privacy import signs
from records.columns import Column, Kind, Text
from records.masks import PictureRecord
from warehouse.registry.tables import table
from warehouse.storage.lake import Lake, Partition

_FOREIGN = {".dcm", ".ima", ".csv", ".tsv", ".xlsx", ".xls", ".doc", ".docx", ".pdf", ".txt", ".png", ".jpg", ".zip"}


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

    @property
    def is_copied(self) -> bool:
        """Whether the value comes from outside, and not from petlake."""
        return self.column.text not in (Text.OWN, Text.SENTENCE)


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
        if isinstance(cell.value, str) and cell.is_copied:
            words[(cell.table, cell.column.name, cell.variable)][cell.patient_id] = cell.value
    for (table_name, column, variable), of_patients in words.items():
        if signs.may_be_full_names(list(of_patients.values())):
            where = f"{column}: {variable}" if variable else column
            for patient_id, text in of_patients.items():
                note("PRIVACY_NAME", table_name, where, patient_id, text)
    for patient_id in lake.patients("patients"):
        if signs.id_may_be_name(patient_id):
            note("PRIVACY_ID_IS_NAME", "patients", "patient_id", patient_id, patient_id)
    pictures = {
        root / row.path for one in lake.patients("pictures") for row in lake.read("pictures", one, PictureRecord)
    }
    for path in sorted(set(root.rglob("*")) - pictures):
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
        for column in wanted:
            variables = rows.column(column.named_by).to_pylist() if column.named_by else [""] * rows.num_rows
            # A table of features names each of them once a lesion: the names are looked at once a file.
            found = Counter(zip(variables, rows.column(column.name).to_pylist(), strict=True))
            for (variable, value), n_rows in found.items():
                if value not in (None, ""):
                    yield _Cell(partition.table, column, partition.patient_id, variable, value, n_rows)


def _codes(cell: _Cell, first_scan: date | None) -> Iterator[str]:
    """What is suspicious about one cell."""
    named_birth = cell.is_copied and signs.is_named_birth(cell.variable)
    if isinstance(cell.value, date):
        if named_birth or (cell.variable and signs.may_be_birth(_day(cell.value), first_scan)):
            yield "PRIVACY_BIRTH_DATE"
        return
    text, kind = str(cell.value), cell.column.text
    if signs.is_technical(text) and not named_birth:
        return
    if signs.name_in(text) or (cell.is_copied and signs.is_named_name(cell.variable)):
        yield "PRIVACY_NAME"
    if kind is not Text.OWN and signs.contact_in(text):
        yield "PRIVACY_CONTACT"
    if not cell.is_copied:
        return
    days = signs.dates_in(text)
    if named_birth or any(signs.may_be_birth(day, first_scan) for day in days):
        yield "PRIVACY_BIRTH_DATE"
    elif days and kind is Text.LABEL:
        yield "PRIVACY_DATE_IN_TEXT"
    if kind is not Text.PATH and signs.is_free_text(text):
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
