"""A study of two small synthetic patients, computed once; each test works on a copy of its own."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from sqlalchemy import Engine, event

from assets.engine import Job, Outcome
from assets.graph.registration import register
from assets.ingest import IngestReport, ingest
from assets.settings import StudySettings
from assets.status import table_states
from assets.steps.order import asked_names
from orchestration import materialization
from orchestration.definitions import build_definitions
from orchestration.instance import study_instance
from orchestration.study import STUDY_FILE, load_study
from petct.synthetic.settings import CohortSettings
from tests.written_cohort import write_cohort

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENTS = ("NET-001", "NET-002")


@dataclass(frozen=True)
class InThisProcess:
    """An engine without a pool, so that a small study takes a second."""

    def map(
        self,
        function: Callable[[Job], Outcome],
        jobs: Sequence[Job],
        lost: Callable[[Job], Outcome],  # noqa: ARG002
    ) -> Iterator[Outcome]:
        return map(function, jobs)


@dataclass(frozen=True)
class Study:
    """A study folder, with what the command line does to it and what the two sides say of it."""

    folder: Path

    @property
    def settings(self) -> StudySettings:
        return load_study(self.folder)

    def replace(self, old: str, new: str) -> None:
        """Change study.yaml."""
        path = self.folder / STUDY_FILE
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def ingest(self) -> IngestReport:
        report = ingest(self.settings)
        with study_instance(self.folder) as instance:
            register(instance, report)
        return report

    def materialize(self) -> list[str]:
        """Compute what is needed; the patients that were."""
        computed: list[str] = []
        with study_instance(self.folder) as instance:
            batches = materialization.plan(self.settings, instance, materialization.Scope.NEEDED, None)
            materialization.run(
                self.settings, instance, batches, InThisProcess(), lambda outcome: computed.append(outcome.patient_id)
            )
        return computed

    def petlake_states(self) -> dict[tuple[str, str], str]:
        """What `petlake status` shows, read from the lake."""
        return {(s.patient_id, s.table): s.state.value.upper() for s in table_states(self.settings)}

    def dagster_states(self) -> dict[tuple[str, str], str]:
        """What the Dagster UI shows, read from the event log."""
        graph = build_definitions(self.settings).resolve_asset_graph()
        with study_instance(self.folder) as instance:
            resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
            return {
                (patient, table): resolver.get_status(dg.AssetKey(table), patient).value
                for patient in PATIENTS
                for table in asked_names(self.settings)
            }


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """Let SQLite not wait for the disk: every event of Dagster is a transaction, and no test has a power cut."""

    def hurry(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", hurry)
    yield
    event.remove(Engine, "connect", hurry)


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("synthetic") / "study"
    write_cohort(folder, CohortSettings(n_patients=len(PATIENTS), voxel_mm=8.0))
    shutil.copyfile(REPOSITORY / "orchestration" / "study_demo.yaml", folder / STUDY_FILE)
    study = Study(folder)
    study.ingest()
    return study


@pytest.fixture(scope="session")
def materialized(ingested: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = Study(shutil.copytree(ingested.folder, tmp_path_factory.mktemp("computed") / "study"))
    study.materialize()
    return study


@pytest.fixture
def not_computed(ingested: Study, tmp_path: Path) -> Study:
    return Study(shutil.copytree(ingested.folder, tmp_path / "study"))


@pytest.fixture
def computed(materialized: Study, tmp_path: Path) -> Study:
    return Study(shutil.copytree(materialized.folder, tmp_path / "study"))
