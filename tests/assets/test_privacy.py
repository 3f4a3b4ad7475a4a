"""The linter of the lake: silent on a clean one, and it finds what was planted, without repeating it."""

from __future__ import annotations

from dataclasses import asdict, make_dataclass
from datetime import date
from pathlib import Path

import pytest

from assets.privacy import lint_lake
from records.clinical import ClinicalCell, ClinicalValue
from records.columns import Kind, Text
from records.imaging import FileRecord, PatientRecord
from tests.some import some
from warehouse.registry.tables import TABLES
from warehouse.storage.lake import Lake

PATIENTS = ("NET-001", "NET-002", "NET-003")
_PLAIN = {"text": "x", "integer": 1, "number": 4.0, "boolean": True, "date": date(2025, 1, 1)}


def _row(table: str, **values: object) -> object:
    """A row of ``table`` with the given values; the others are None where they may be, and plain where they may not."""
    columns = TABLES[table].columns
    filled = {c.name: None if c.nullable else _PLAIN[c.kind.value] for c in columns}
    return make_dataclass(table, [c.name for c in columns], frozen=True)(**(filled | values))


def _series(patient_id: str, description: str = "PET WB AC") -> object:
    return _row("series", patient_id=patient_id, series_instance_uid="1.2.3", series_description=description)


def _scan(patient_id: str) -> object:
    return _row("scans", patient_id=patient_id, scan_id="20250101-1", scan_date=date(2025, 1, 1))


def _cell(patient_id: str, column: str, value: str) -> ClinicalCell:
    return ClinicalCell(patient_id, 1, column, value)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A clean lake: numbers, categories, dates near the scan, a path with digits."""
    lake = Lake(tmp_path / "lake")
    for patient_id in PATIENTS:
        lake.write("patients", patient_id, [PatientRecord(patient_id, 1, 1, True, False, False, True)])
        path = f"{patient_id}/PET/000001.dcm"
        lake.write("files", patient_id, [FileRecord(patient_id, "1.2.3", "1.2.3.1", path, 1, 1, "0" * 64)])
        lake.write("series", patient_id, [_series(patient_id)])
        lake.write("scans", patient_id, [_scan(patient_id)])
        lake.write(
            "clinical_cells",
            patient_id,
            [
                _cell(patient_id, c, v)
                for c, v in (("patient_id", patient_id), ("age", "87"), ("response", "Stable Disease"))
            ],
        )
        lake.write(
            "clinical",
            patient_id,
            [ClinicalValue(patient_id, "diagnosis", "date", None, None, date(2019, 1, 1), None, "RECORDED")],
        )
    return lake


def _codes(lake: Lake) -> set[tuple[str, str, str, str | None]]:
    return {(f.code, f.table, f.column, f.patient_id) for f in lint_lake(lake.root)}


def test_a_clean_lake_is_silent(lake: Lake) -> None:
    assert lint_lake(lake.root) == ()


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ("PET Doe^Jane", "PRIVACY_NAME"),
        ("Doe, Jane", "PRIVACY_NAME"),
        ("PET 2025-01-01", "PRIVACY_DATE_IN_TEXT"),
        ("born 08.05.1937", "PRIVACY_BIRTH_DATE"),
        ("call +49 351 123456", "PRIVACY_CONTACT"),
        ("please look at the left kidney again", "PRIVACY_FREE_TEXT"),
    ],
)
def test_what_a_series_description_may_say(lake: Lake, description: str, code: str) -> None:
    lake.write("series", "NET-002", [_series("NET-002", description)])
    assert _codes(lake) == {(code, "series", "series_description", "NET-002")}
    (finding,) = lint_lake(lake.root)
    assert finding.n_rows == 1
    assert not {"Doe", "1937", "kidney", "351"} & set(finding.shape.split())


def test_names_and_births_in_the_clinical_table(lake: Lake) -> None:
    for patient_id, name in zip(PATIENTS, ("Jane Doe", "Max Rot", "Eva Grün"), strict=True):
        rows = [
            _cell(patient_id, "patient_id", patient_id),
            _cell(patient_id, "seen by", name),
            _cell(patient_id, "geburtsdatum", "8.5.37"),
            _cell(patient_id, "first visit", "1937-05-08"),
        ]
        lake.write("clinical_cells", patient_id, rows)
    value = ClinicalValue("NET-001", "first visit", "date", None, None, date(1937, 5, 8), None, "RECORDED")
    lake.write("clinical", "NET-001", [value])
    expected = {("PRIVACY_BIRTH_DATE", "clinical", "value_date: first visit", "NET-001")}
    for patient_id in PATIENTS:
        expected |= {
            ("PRIVACY_NAME", "clinical_cells", "value: seen by", patient_id),
            ("PRIVACY_BIRTH_DATE", "clinical_cells", "value: geburtsdatum", patient_id),
            ("PRIVACY_BIRTH_DATE", "clinical_cells", "value: first visit", patient_id),
        }
    assert _codes(lake) == expected


def test_ids_that_are_names_paths_with_names_and_files_that_do_not_belong(lake: Lake) -> None:
    lake.write("patients", "doe_jane", [PatientRecord("doe_jane", 0, 0, False, False, False, False)])
    record = FileRecord("NET-003", "1.2.3", "1.2.3.1", "Doe^Jane/1", 1, 1, "0" * 64)
    lake.write("files", "NET-003", [record])
    (lake.root / "series" / "export.csv").write_text("x", encoding="utf-8")
    (lake.root / "scans" / "image").write_bytes(b"\0" * 128 + b"DICM")
    assert _codes(lake) == {
        ("PRIVACY_ID_IS_NAME", "patients", "patient_id", "doe_jane"),
        ("PRIVACY_NAME", "files", "path", "NET-003"),
        ("PRIVACY_FOREIGN_FILE", "files of the lake", "series", None),
        ("PRIVACY_FOREIGN_FILE", "files of the lake", "scans", None),
    }
    assert all("doe" not in str(asdict(finding)["shape"]).lower() for finding in some(lint_lake(lake.root)))


SEARCHED = [
    (name, column.name)
    for name, table in TABLES.items()
    for column in table.columns
    if table.per_patient and column.kind is Kind.TEXT and column.text is not Text.OWN
]


def test_no_text_from_outside_escapes(lake: Lake) -> None:
    """A mail address in each column that petlake does not make itself, in turn."""
    assert len(SEARCHED) > 40
    for table, column in some(SEARCHED):
        text = "see jane.doe@example.org"
        lake.write(table, "NET-002", [_row(table, **{"patient_id": "NET-002", column: text})])
        found = {(f.table, f.column.partition(":")[0], f.code) for f in lint_lake(lake.root)}
        assert (table, column, "PRIVACY_CONTACT") in found
        lake.remove(table, "NET-002")


def test_pictures_of_the_lake_belong_to_it(lake: Lake) -> None:
    sha256 = lake.write_picture("NET-001", b"\x89PNG\r\n\x1a\n")
    path = lake.picture_path("NET-001", sha256)
    assert {code for code, *_ in _codes(lake)} == {"PRIVACY_FOREIGN_FILE"}
    place = path.relative_to(lake.root).as_posix()
    lake.write("pictures", "NET-001", [_row("pictures", patient_id="NET-001", path=place)])
    assert lint_lake(lake.root) == ()
