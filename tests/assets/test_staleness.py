"""Fresh and stale: what Dagster says, what `petlake status` says, and that the two say the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import dagster as dg
import pytest

from assets.settings import StudySettings
from assets.status import State
from assets.steps.order import INPUTS, PATIENT_TABLES
from orchestration import materialization
from orchestration.instance import study_instance
from orchestration.study import STUDY_FILE
from petct.lesions import reference_regions
from tests.assets.conftest import InThisProcess
from tests.command_line import PETLAKE
from tests.servers import running
from warehouse.storage.lake import Lake
from warehouse.storage.locks import was_interrupted

FIRST, SECOND = "NET-001", "NET-002"
TABLES = tuple(name for name in PATIENT_TABLES if name != "perturbed_features")
STALE, FRESH, MISSING = "STALE", "FRESH", "MISSING"


class Study(Protocol):
    folder: Path
    settings: StudySettings
    replace: Callable[[str, str], None]
    ingest: Callable[[], object]
    materialize: Callable[[], list[str]]
    petlake_states: Callable[[], dict[tuple[str, str], str]]
    dagster_states: Callable[[], dict[tuple[str, str], str]]


def stale_tables(study: Study) -> dict[str, set[str]]:
    """The tables of each patient that `petlake status` calls stale: Dagster's, and what builds on them."""
    return compared(study)[1]


def compared(study: Study) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The stale tables of each patient for Dagster, whose own code, settings or input is another, and for petlake."""
    of_dagster, of_petlake = study.dagster_states(), study.petlake_states()
    assert {*of_dagster.values(), *of_petlake.values()} <= {STALE, FRESH}
    for_dagster, for_petlake = (
        {patient: {table for table in TABLES if states[patient, table] == STALE} for patient in (FIRST, SECOND)}
        for states in (of_dagster, of_petlake)
    )
    for patient in (FIRST, SECOND):
        tables = set(for_dagster[patient])
        for table in TABLES:
            if tables & set(INPUTS[table]):
                tables.add(table)
        assert for_petlake[patient] == tables
    return for_dagster, for_petlake


def test_what_was_just_computed_is_fresh(computed: Study) -> None:
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}
    assert computed.materialize() == []


STALE_BY_CODE = {
    "suv": {"suv", "lesions", "pictures", "pet_metrics", "radiomic_features"},
    "lesions": {"lesions", "pictures", "pet_metrics", "radiomic_features"},
    "pictures": {"pictures"},
    "clinical": {"clinical"},
    "radiomic_features": {"radiomic_features"},
    "series": set(TABLES) - {"clinical"},
}
# What study.yaml says, what it says instead, and the tables that this makes stale.
STALE_BY_SETTING = [
    (
        'tumour: ["lesion*"]',
        'tumour: ["lesion*", "metastasis*"]',
        {"lesions", "pictures", "pet_metrics", "radiomic_features"},
    ),
    ("feature_sets: [pet_original, ct_original]", "feature_sets: [ct_original]", {"radiomic_features"}),
    (
        # Lesions on a CT that nothing is asked of are no longer missed.
        "feature_sets: [pet_original, ct_original]",
        "feature_sets: [pet_original]",
        {"lesions", "pictures", "pet_metrics", "radiomic_features"},
    ),
    ("age_years: {kind: number, unit: year}", "age_years: {kind: number}", {"clinical"}),
    ("within_days: 90", "within_days: 60", {"endpoints"}),
    ("name: petlake demo", "name: another name", set()),
]


def raise_version(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    raised = replace(PATIENT_TABLES[table], code_version=f"{PATIENT_TABLES[table].code_version}-raised")
    monkeypatch.setitem(PATIENT_TABLES, table, raised)


@pytest.mark.parametrize(("table", "stale"), STALE_BY_CODE.items())
def test_a_raised_code_version_makes_the_table_stale_and_what_builds_on_it(
    materialized: Study, monkeypatch: pytest.MonkeyPatch, table: str, stale: set[str]
) -> None:
    raise_version(monkeypatch, table)
    own = {FIRST: {table}, SECOND: {table}}
    assert compared(materialized) == (own, {FIRST: stale, SECOND: stale})


@pytest.mark.parametrize("tables", [("pictures",), tuple(STALE_BY_CODE)], ids=["one", "all"])
def test_what_a_raised_code_version_made_stale_is_fresh_when_it_is_computed_again(
    computed: Study, monkeypatch: pytest.MonkeyPatch, tables: tuple[str, ...]
) -> None:
    for table in tables:
        raise_version(monkeypatch, table)
    assert set(computed.materialize()) == {FIRST, SECOND}
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}


@pytest.mark.parametrize(("old", "new", "stale"), STALE_BY_SETTING)
def test_a_changed_setting_makes_the_tables_stale_that_it_applies_to(
    computed: Study, old: str, new: str, stale: set[str]
) -> None:
    computed.replace(old, new)
    assert stale_tables(computed) == {FIRST: stale, SECOND: stale}


def test_what_changed_settings_made_stale_is_fresh_when_it_is_computed_again(computed: Study) -> None:
    for old, new, _ in STALE_BY_SETTING:
        # Of two changes of one setting, the first.
        if old in (computed.folder / STUDY_FILE).read_text(encoding="utf-8"):
            computed.replace(old, new)
    computed.materialize()
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}
    assert computed.materialize() == []


def test_a_changed_pixel_makes_its_patient_stale_and_nobody_else(computed: Study) -> None:
    image = sorted((computed.folder / "dicom" / SECOND / "PT").iterdir())[3]
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}, "nothing is known before the ingest"
    computed.ingest()
    assert compared(computed) == (
        {FIRST: set(), SECOND: {"series", "lesions", "pictures"}},
        {FIRST: set(), SECOND: set(TABLES) - {"clinical"}},
    )
    assert computed.materialize() == [SECOND]
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}


def test_a_reference_region_that_moved_makes_the_tables_stale_that_read_it(
    computed: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lesions are the same, and the ratios to the liver are not."""
    lake = Lake(computed.settings.lake)
    before = {patient: lake.digest("lesions", patient) for patient in (FIRST, SECOND)}
    monkeypatch.setitem(reference_regions.RADIUS_MM, "liver", reference_regions.RADIUS_MM["liver"] / 2)
    # What the Dagster UI does when only this asset is materialised.
    batch = materialization.Batch((FIRST, SECOND), ("lesions",))
    with study_instance(computed.folder) as instance:
        materialization.run(computed.settings, instance, [batch], InThisProcess(), lambda _: None)
    assert {patient: lake.digest("lesions", patient) for patient in (FIRST, SECOND)} == before
    stale = {"pictures", "pet_metrics"}
    assert computed.petlake_states() == {
        (patient, table): STALE if table in stale else FRESH for patient in (FIRST, SECOND) for table in TABLES
    }
    of_dagster = computed.dagster_states()
    assert {of_dagster[patient, table] for patient in (FIRST, SECOND) for table in stale} == {STALE}
    assert set(computed.materialize()) == {FIRST, SECOND}
    assert set(computed.petlake_states().values()) == {FRESH}


def test_a_changed_cell_makes_the_clinical_tables_of_its_patient_stale(computed: Study) -> None:
    path = computed.folder / "clinical.csv"
    text = path.read_text(encoding="utf-8")
    assert f"{FIRST},M," in text
    path.write_text(text.replace(f"{FIRST},M,", f"{FIRST},F,"), encoding="utf-8")
    computed.ingest()
    assert stale_tables(computed) == {FIRST: {"clinical", "endpoints"}, SECOND: set()}
    computed.materialize()
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}


def test_an_ingest_without_a_change_says_nothing_new(computed: Study) -> None:
    with study_instance(computed.folder) as instance:
        before = instance.event_log_storage.get_maximum_record_id()
    computed.ingest()
    with study_instance(computed.folder) as instance:
        assert instance.event_log_storage.get_maximum_record_id() == before


def test_a_killed_run_keeps_the_finished_patient_and_the_next_one_ends_it(not_computed: Study, tmp_path: Path) -> None:
    """SIGKILL of `petlake materialize` and its worker as soon as the first of two patients is written."""
    lake = Lake(not_computed.settings.lake)
    materialize = (PETLAKE, "materialize", "--study", not_computed.folder, "--workers", "1")
    with running(*materialize, log=tmp_path / "killed.log") as program:
        program.wait("the first patient", lambda: lake.exists("provenance", FIRST), every_s=0.005)
        assert len(program.kill()) > 1
    states = not_computed.petlake_states()
    assert {states[SECOND, table] for table in TABLES} == {MISSING}
    written = {table: lake.digest(table, FIRST) for table in TABLES}

    # The kill may have come before the lock was released or Dagster was told: then the patient is computed again.
    assert SECOND in not_computed.materialize()
    assert stale_tables(not_computed) == {FIRST: set(), SECOND: set()}
    assert {table: lake.digest(table, FIRST) for table in TABLES} == written
    assert not_computed.materialize() == []


def test_an_interrupted_writer_is_repaired_by_the_next_run(computed: Study) -> None:
    lake = computed.settings.lake
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, pathlib, signal, sys\n"
            "from warehouse.storage.locks import patient_lock\n"
            "with patient_lock(pathlib.Path(sys.argv[1]), sys.argv[2]):\n"
            "    os.kill(os.getpid(), signal.SIGKILL)",
            str(lake),
            FIRST,
        ],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert was_interrupted(lake, FIRST)
    states = computed.petlake_states()
    assert {states[FIRST, table] for table in TABLES} == {State.MISSING.upper()}
    assert {states[SECOND, table] for table in TABLES} == {FRESH}
    assert computed.materialize() == [FIRST]
    assert not was_interrupted(lake, FIRST)
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}


def test_an_input_that_was_never_complete_makes_nothing_stale_until_it_is(computed: Study) -> None:
    """The CT of a patient is gone: its lesions are there in part, and the PET metrics build on that part."""
    images = computed.folder / "dicom" / FIRST / "CT"
    images.rename(computed.folder / "CT")
    computed.ingest()
    with study_instance(computed.folder) as instance:
        instance.wipe_assets([dg.AssetKey("lesions")])
    computed.materialize()
    assert computed.petlake_states()[FIRST, "lesions"] == "REFUSED"
    assert computed.dagster_states()[FIRST, "lesions"] == MISSING
    assert computed.dagster_states()[FIRST, "pet_metrics"] == computed.petlake_states()[FIRST, "pet_metrics"] == FRESH

    (computed.folder / "CT").rename(images)
    computed.ingest()
    computed.materialize()
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}


def test_what_dagster_was_not_told_is_computed_again(computed: Study) -> None:
    """A run killed between writing a patient and reporting it: the lake is ahead of the event log."""
    with study_instance(computed.folder) as instance:
        instance.wipe_assets([dg.AssetKey("suv")])
    assert computed.petlake_states()[FIRST, "suv"] == FRESH
    assert computed.dagster_states()[FIRST, "suv"] == MISSING
    assert set(computed.materialize()) == {FIRST, SECOND}
    assert stale_tables(computed) == {FIRST: set(), SECOND: set()}
