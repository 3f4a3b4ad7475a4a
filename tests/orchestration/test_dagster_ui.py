"""The line from the Dagster UI: what `petlake ui` starts, asked through its GraphQL API as the pages ask it."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pydicom
import pytest

from tests.command_line import PETLAKE
from tests.orchestration.sts_study import TABLES
from tests.servers import STALLED_S, Program, free_port, running
from tests.some import some

T = TypeVar("T")

NO_CT, NO_CONTOURS, NO_ROW = "STS_008", "STS_012", "STS_019"
# Three that are made bad and a good one, all small: test_line_on_sts takes all 20 from the command line.
PATIENTS = {NO_CT, NO_CONTOURS, NO_ROW, "STS_002"}
FAILED = {
    (NO_CT, "lesions"),
    (NO_CT, "radiomic_features"),
    (NO_CONTOURS, "lesions"),
    (NO_CONTOURS, "pictures"),
    (NO_CONTOURS, "pet_metrics"),
    (NO_CONTOURS, "radiomic_features"),
    (NO_ROW, "clinical"),
    (NO_ROW, "endpoints"),
}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

STUDY = """
study: {name: soft-tissue sarcoma, tracer: 18F-FDG}
clinical:
  variables: {age_years: {kind: number, unit: year}}
endpoints:
  OS: {origin: therapy_start_date, event: death_date, censor: last_follow_up_date}
masks: {tumour: ["GTV_Mass*"]}
"""

BACKFILL = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) { __typename ... on LaunchBackfillSuccess { backfillId } }
}
"""
RUNS_OF_BACKFILL = """
query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { runs { id status } } } }
"""
RUN = """
mutation($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } }
}
"""
REPOSITORY = "query { repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
RUN_STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
RUNS_OF_JOB = """
query($job: String!) {
  runsOrError(filter: {pipelineName: $job}) { ... on Runs { results { status tags { key value } } } }
}
"""
PARTITIONS = """
query { assetNodes { assetKey { path } assetPartitionStatuses {
  ... on DefaultPartitionStatuses { materializedPartitions failedPartitions unmaterializedPartitions }
} } }
"""
ASSETS = """
query { assetNodes {
  assetKey { path } groupName description kinds isMaterializable
  metadataEntries { label ... on TableSchemaMetadataEntry { schema { columns { name description } } } }
  assetMaterializations(limit: 1) { metadataEntries { __typename label } }
  assetChecksOrError { ... on AssetChecks { checks { name description executionForLatestMaterialization { status } } } }
} }
"""
STALE = """
query($tables: [AssetKeyInput!], $patients: [String!]) {
  assetNodes(assetKeys: $tables) { assetKey { path } staleStatusByPartition(partitions: $patients) }
}
"""
FAILURE = """
query($run: ID!) { logsForRun(runId: $run, limit: 1000) { ... on EventConnection { events {
  __typename
  ... on ExecutionStepFailureEvent { failureMetadata {
    description
    metadataEntries { label ... on IntMetadataEntry { intValue } ... on TableMetadataEntry { table { records } } }
  } }
} } } }
"""


@dataclass(frozen=True)
class DagsterUi:
    """`petlake ui` in a session of its own, as in a terminal, asked over HTTP."""

    address: str
    program: Program

    def wait(self, what: str, ready: Callable[[], T]) -> T:
        return self.program.wait(what, ready)

    def ask(self, query: str, **variables: object) -> dict:
        request = urllib.request.Request(
            f"{self.address}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=STALLED_S) as reply:
            answer = json.load(reply)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def is_up(self) -> bool:
        """Whether the page answers and the assets are loaded."""
        try:
            return bool(self.ask("query { assetNodes { id } }")["assetNodes"])
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def backfill(self, patients: set[str]) -> str:
        """Compute all tables of the patients; the id of the run that has ended."""
        params = {"assetSelection": [{"path": [t]} for t in TABLES], "partitionNames": sorted(patients)}
        launched = self.ask(BACKFILL, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def ended() -> list[str]:
            runs = self.ask(RUNS_OF_BACKFILL, id=launched["backfillId"])["partitionBackfillOrError"]["runs"]
            return [run["id"] for run in runs] if all(run["status"] in ENDED for run in runs) else []

        (run_id,) = self.wait("the backfill", ended)
        return run_id

    def retry(self, patient: str) -> str:
        """Compute all tables of one patient, which the page launches as a run without a backfill; its id."""
        (repository,) = self.ask(REPOSITORY)["repositoriesOrError"]["nodes"]
        selector = {
            "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": [table]} for table in TABLES],
        }
        tags = [{"key": "dagster/partition", "value": patient}]
        params = {"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}}
        launched = self.ask(RUN, params=params)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        self.wait("the retry", lambda: self.ask(RUN_STATUS, id=run_id)["runOrError"]["status"] in ENDED)
        return run_id

    def is_published_after(self, run_id: str) -> bool:
        """Whether the snapshot that the sensor asks for after this run was published."""
        runs = self.ask(RUNS_OF_JOB, job="publish_snapshot")["runsOrError"]["results"]
        of_run = [run for run in runs if {"key": "dagster/run_key", "value": run_id} in run["tags"]]
        # None as long as the sensor has not looked.
        assert {run["status"] for run in of_run}.isdisjoint({"FAILURE", "CANCELED"}), self.program.written()
        return any(run["status"] == "SUCCESS" for run in of_run)

    def partitions(self) -> dict[tuple[str, str], str]:
        """The state of each table of each patient, as the pages colour it."""
        states = {}
        for node in self.ask(PARTITIONS)["assetNodes"]:
            statuses = node["assetPartitionStatuses"]
            # A failed partition is listed among those without a materialisation, too: the failure comes last.
            for name in ("unmaterializedPartitions", "materializedPartitions", "failedPartitions"):
                for patient in statuses.get(name, ()):
                    states[patient, node["assetKey"]["path"][0]] = name.removesuffix("Partitions").upper()
        return states

    def stale_states(self) -> dict[tuple[str, str], str]:
        """Whether each table of each patient is fresh, stale or missing."""
        patients = sorted(PATIENTS)
        tables = [{"path": [table]} for table in TABLES]
        return {
            (patient, node["assetKey"]["path"][0]): status
            for node in self.ask(STALE, tables=tables, patients=patients)["assetNodes"]
            for patient, status in zip(patients, node["staleStatusByPartition"], strict=True)
        }


@contextmanager
def dagster_ui(study: Path) -> Iterator[DagsterUi]:
    """The UI of a study, on a page that answers, until the block ends."""
    port = free_port()
    command = (PETLAKE, "ui", "--study", study, "--port", str(port))
    with running(*command, log=study.parent / "ui.log") as program:
        ui = DagsterUi(f"http://127.0.0.1:{port}", program)
        ui.wait("the page", ui.is_up)
        yield ui


@dataclass
class Story:
    """What the API said, from a cohort with three bad patients to the retry of one of them."""

    study: Path
    partitions: dict[tuple[str, str], str] = field(default_factory=dict)
    reasons: list[dict[str, str]] = field(default_factory=list)
    failure: dict = field(default_factory=dict)
    assets: dict[str, dict] = field(default_factory=dict)
    partitions_after_retry: dict[tuple[str, str], str] = field(default_factory=dict)
    stale_states: dict[tuple[str, str], str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    """The processes of the UI while it ran."""
    left_running: list[str] = field(default_factory=list)
    """Those that were left after Ctrl-C."""
    code: int | None = None


@pytest.fixture(scope="module")
def story(petlake_data: Path, petlake: Callable, tmp_path_factory: pytest.TempPathFactory) -> Story:
    study = tmp_path_factory.mktemp("ui") / "study"
    images = petlake_data / "sts" / "dicom"
    for patient in PATIENTS:
        shutil.copytree(images / patient, study / "dicom" / patient)
    (study / "study.yaml").write_text(STUDY, encoding="utf-8")
    clinical = (petlake_data / "sts" / "clinical_simulated.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    of_patient = {line.partition(",")[0]: line for line in clinical[1:]}
    kept = [clinical[0], *(of_patient[patient] for patient in sorted(PATIENTS - {NO_ROW}))]
    (study / "clinical.csv").write_text("".join(kept), encoding="utf-8")
    for path in (study / "dicom" / NO_CT / "CT" / "image").iterdir():
        path.unlink()
    contours = study / "dicom" / NO_CONTOURS / "PET" / "mask" / "RS.dcm"
    contours.write_bytes(contours.read_bytes()[: contours.stat().st_size // 2])
    petlake("ingest", "--study", study, expect=None)

    told = Story(study)
    with dagster_ui(study) as ui:
        first = ui.backfill(PATIENTS)
        told.partitions = ui.partitions()
        (failed,) = (e for e in ui.ask(FAILURE, run=first)["logsForRun"]["events"] if e.get("failureMetadata"))
        told.failure = failed["failureMetadata"]
        entries = {entry["label"]: entry for entry in told.failure["metadataEntries"]}
        told.reasons = [json.loads(record) for record in entries["reasons"]["table"]["records"]]

        shutil.copyfile(images / NO_CONTOURS / "PET" / "mask" / "RS.dcm", contours)
        petlake("ingest", "--study", study, expect=None)
        again = ui.retry(NO_CONTOURS)
        told.partitions_after_retry = ui.partitions()
        told.stale_states = ui.stale_states()
        ui.wait("a snapshot after the run that failed", lambda: ui.is_published_after(first))
        ui.wait("a snapshot after the retry", lambda: ui.is_published_after(again))
        told.assets = {node["assetKey"]["path"][0]: node for node in ui.ask(ASSETS)["assetNodes"]}
        told.ran = list(ui.program.processes().values())
        # Ctrl-C, as the terminal sends it.
        ui.program.end(signal.SIGINT)
        told.left_running = list(ui.program.processes().values())
        told.code = ui.program.process.returncode
    return told


def test_a_bad_patient_fails_in_its_tables_and_the_others_are_there(story: Story) -> None:
    failed = {key for key, state in story.partitions.items() if state == "FAILED"}
    assert failed == FAILED
    good = {(patient, table) for patient in PATIENTS for table in TABLES} - failed
    assert {story.partitions[key] for key in good} == {"MATERIALIZED"}


def test_the_failed_run_says_why(story: Story) -> None:
    assert story.failure["description"].startswith("3 of 4 patients failed")
    codes = {(row["patient"], row["table"], row["code"]) for row in story.reasons}
    assert {
        (NO_CT, "lesions", "CT_SERIES_MISSING"),
        (NO_CONTOURS, "lesions", "CONTOURS_UNREADABLE"),
        (NO_CONTOURS, "pet_metrics", "LESIONS_UNKNOWN"),
        (NO_ROW, "clinical", "CLINICAL_ROW_MISSING"),
    } <= codes
    assert {(row["patient"], row["table"]) for row in story.reasons} == FAILED
    assert all(len(row["reason"].split()) > 3 for row in some(story.reasons))


def test_a_repaired_patient_is_retried_alone(story: Story) -> None:
    changed = {key for key, state in story.partitions_after_retry.items() if story.partitions[key] != state}
    assert changed == {(NO_CONTOURS, table) for table in ("lesions", "pictures", "pet_metrics", "radiomic_features")}
    assert {story.partitions_after_retry[key] for key in changed} == {"MATERIALIZED"}


def test_what_is_there_is_fresh(story: Story) -> None:
    """Also what builds on lesions that are there only in part, and what was computed before the repair."""
    missing = {key for key in FAILED if key[0] != NO_CONTOURS}
    assert {key for key, state in story.stale_states.items() if state == "MISSING"} == missing
    assert {state for key, state in story.stale_states.items() if key not in missing} == {"FRESH"}


def test_a_snapshot_is_published_after_a_run(story: Story, petlake: Callable) -> None:
    """The sensors published after the run with failures and after the retry; `petlake sql` reads the last one."""
    assert any(row["current"] for row in petlake("snapshot", "list", "--json", "--study", story.study).json)
    rows = petlake(
        "sql", "SELECT patient_id, tumour_volume_ml FROM cohort", "--study", story.study, "--format", "json"
    ).json
    assert {row["patient_id"] for row in rows} == PATIENTS
    assert all(row["tumour_volume_ml"] > 0 for row in some(rows))
    question = "SELECT DISTINCT patient_id FROM refusals ORDER BY ALL"
    refused = petlake("sql", question, "--study", story.study, "--format", "json")
    assert [row["patient_id"] for row in refused.json] == [NO_CT, NO_ROW]


def test_the_command_line_sees_what_the_ui_did(story: Story, petlake: Callable) -> None:
    states = petlake("status", "--json", "--study", story.study).json
    incomplete = {(row["patient_id"], row["table"]) for row in states if row["state"] != "fresh"}
    assert incomplete == {key for key in FAILED if key[0] != NO_CONTOURS}


def test_every_asset_says_what_it_is(story: Story) -> None:
    for name, node in some(story.assets.items()):
        assert node["groupName"] in {"imaging", "masks", "features", "clinical", "cohort"}
        assert len(node["description"].split()) > 3, name
        assert node["kinds"], name
    computed = {name: node for name, node in story.assets.items() if node["isMaterializable"]}
    assert set(TABLES) < set(computed)
    for name in some(set(computed) - {"snapshot"}):
        (columns,) = (e["schema"]["columns"] for e in computed[name]["metadataEntries"] if "schema" in e)
        assert columns, name
        assert all(column["description"] for column in some(columns)), name


def test_every_computed_asset_is_checked(story: Story) -> None:
    for name, node in some(story.assets.items()):
        checks = node["assetChecksOrError"]["checks"]
        assert bool(checks) == node["isMaterializable"], name
        assert "" not in {check["description"] or "" for check in checks}, name
        if name in (*TABLES, "snapshot", "protocols", "feature_sets", "feature_definitions"):
            assert {check["executionForLatestMaterialization"]["status"] for check in checks} == {"SUCCEEDED"}, name


def test_a_materialisation_says_how_much_there_is(story: Story) -> None:
    labels = {
        table: {entry["label"] for entry in story.assets[table]["assetMaterializations"][0]["metadataEntries"]}
        for table in TABLES
    }
    assert all({"rows", "path"} < of_table for of_table in some(labels.values())), labels
    assert "largest SUV [SUV]" in labels["suv"]
    assert "tumour volume [ml]" in labels["lesions"]
    kinds = {
        entry["__typename"]
        for table in TABLES
        for entry in story.assets[table]["assetMaterializations"][0]["metadataEntries"]
    }
    assert kinds == {"IntMetadataEntry", "FloatMetadataEntry", "TextMetadataEntry", "PathMetadataEntry"}
    assert "projection (contours)" in labels["pictures"]


def test_dagster_keeps_no_date_of_a_patient(story: Story) -> None:
    """Neither a date of the images nor one of the clinical table is in any file that Dagster wrote."""
    dates = set()
    for patient in PATIENTS:
        header = pydicom.dcmread(next((story.study / "dicom" / patient / "PET" / "image").iterdir()))
        dates |= {header[name].value for name in ("StudyDate", "SeriesDate", "AcquisitionDate") if name in header}
    with (story.study / "clinical.csv").open(encoding="utf-8") as file:
        dates |= {row[c].replace("-", "") for row in csv.DictReader(file) for c in row if c.endswith("_date")}
    dates -= {""}
    assert len(dates) > 5
    written = [f"{d[:4]}-{d[4:6]}-{d[6:]}".encode() for d in dates] + [date.encode() for date in dates]
    files = [path for path in (story.study / ".dagster").rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for path in some(files):
        content = path.read_bytes()
        assert not [date for date in written if date in content], path


def test_it_ends_with_all_that_it_started(story: Story) -> None:
    assert all(any(part in command for command in story.ran) for part in ("petlake ui", "webserver", "daemon", "grpc"))
    assert (story.code, story.left_running) == (0, [])
