"""The same settings give the same bytes; the disk is known beforehand; nothing of others is overwritten."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from petct.errors import PetctError
from petct.synthetic.cohort import (
    estimate_disk_bytes,
    is_complete,
    prepare_directory,
    write_patient,
    write_tables,
)
from petct.synthetic.settings import CohortSettings
from tests.petct.synthetic.written import SETTINGS, WRITTEN, WrittenPatient
from tests.some import some
from tests.written_cohort import write_cohort

COARSE = CohortSettings(n_patients=3, voxel_mm=8.0)


def _digests(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("coarse")
    seen: list[str] = []
    truth = write_cohort(directory, COARSE, seen.append)
    assert seen == ["NET-001", "NET-002", "NET-003"]
    assert truth.n_bytes == sum(patient.n_bytes for patient in truth.patients)
    return directory


def test_same_settings_same_bytes_also_in_another_order(coarse: Path, tmp_path: Path) -> None:
    prepare_directory(tmp_path, COARSE)
    write_tables(tmp_path, COARSE, [write_patient(tmp_path, COARSE, number) for number in (3, 1, 2)])
    first, second = _digests(coarse), _digests(tmp_path)
    assert len(first) > 700
    assert first == second


def test_bytes_do_not_depend_on_the_clock(coarse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import highdicom.base
    import highdicom.base_content

    class Later(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Later:
            return cls(2041, 3, 4, 5, 6, 7, tzinfo=tz)

    class Clock:
        datetime, date, time = Later, dt.date, dt.time

    monkeypatch.setattr(highdicom.base, "datetime", Clock)
    monkeypatch.setattr(highdicom.base_content, "datetime", Clock)
    write_patient(tmp_path, COARSE, 2)
    before = {name: digest for name, digest in _digests(coarse).items() if "NET-002" in name}
    assert _digests(tmp_path) == before


def test_images_do_not_depend_on_the_number_of_patients_nor_on_the_effect(coarse: Path, tmp_path: Path) -> None:
    write_patient(tmp_path, CohortSettings(n_patients=67, voxel_mm=8.0, effect="planted"), 1)  # type: ignore[arg-type]
    before = {name: digest for name, digest in _digests(coarse).items() if "NET-001" in name}
    assert _digests(tmp_path) == before


def test_another_seed_gives_other_bytes(coarse: Path, tmp_path: Path) -> None:
    write_patient(tmp_path, CohortSettings(n_patients=3, voxel_mm=8.0, seed=1), 1)
    other, before = _digests(tmp_path), _digests(coarse)
    assert all(other[name] != before[name] for name in some(other.keys() & before.keys()))


def test_clinical_table_has_the_columns_and_follows_the_truth(coarse: Path) -> None:
    rows = _rows(coarse / "clinical.csv")
    outcomes = _rows(coarse / "truth" / "outcomes.csv")
    assert list(rows[0]) == [
        "patient_id",
        "sex",
        "age_years",
        "weight_kg",
        "scan_date",
        "therapy_start_date",
        "death_date",
        "last_follow_up_date",
        "grade",
        "ki67_percent",
        "chromogranin_a_ng_ml",
        "therapy_cycles",
    ]
    for row, outcome in some(zip(rows, outcomes, strict=True)):
        start, end = (dt.date.fromisoformat(row[key]) for key in ("therapy_start_date", "last_follow_up_date"))
        assert (end - start).days == int(outcome["duration_days"])
        assert bool(row["death_date"]) == (outcome["died"] == "true")
    facts = json.loads((coarse / "truth" / "cohort.json").read_text(encoding="utf-8"))
    assert facts["n_deaths"] == sum(bool(row["death_date"]) for row in rows)
    assert facts["log_hazard_ratio_per_doubling"] == 0.0
    lesions = _rows(coarse / "truth" / "lesions.csv")
    patients = _rows(coarse / "truth" / "patients.csv")
    assert len(lesions) == sum(int(patient["n_lesions"]) for patient in patients)


def test_disk_is_known_beforehand(coarse: Path, written: dict[int, WrittenPatient]) -> None:
    on_disk = sum(path.stat().st_size for path in coarse.rglob("*") if path.is_file())
    assert estimate_disk_bytes(COARSE) == pytest.approx(on_disk, rel=0.2)
    per_patient = estimate_disk_bytes(SETTINGS) / SETTINGS.n_patients
    for number in some(WRITTEN):
        assert per_patient == pytest.approx(written[number].record.n_bytes, rel=0.2)
    assert estimate_disk_bytes(CohortSettings()) < 2e9


def test_directory_of_another_cohort_is_refused_and_its_own_is_taken_again(coarse: Path, tmp_path: Path) -> None:
    prepare_directory(coarse, COARSE)
    assert is_complete(coarse, COARSE)
    other = CohortSettings(n_patients=4, voxel_mm=8.0)
    assert not is_complete(coarse, other)
    assert not is_complete(tmp_path, COARSE)
    with pytest.raises(PetctError, match="COHORT_DIRECTORY_OCCUPIED"):
        prepare_directory(coarse, other)
    (tmp_path / "dicom").mkdir()
    with pytest.raises(PetctError, match="COHORT_DIRECTORY_OCCUPIED"):
        prepare_directory(tmp_path, COARSE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_patients": 0},
        {"voxel_mm": 1.0},
        {"seed": -1},
        {"effect": "strong"},
        {"hazard_ratio_per_doubling": 0.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(PetctError) as refusal:
        CohortSettings(**wrong)  # type: ignore[arg-type]
    assert refusal.value.code == "COHORT_SETTINGS_INVALID"
    assert refusal.value.keyword == next(iter(wrong))
