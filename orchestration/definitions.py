"""The Dagster definitions: what `petlake ui`, `dg` and the command line load, with or without a study."""

from dataclasses import dataclass

import dagster as dg

from assets.engine import Engine, Listener, NullListener
from assets.graph.cohort import conformance_asset, definitions_asset, snapshot_asset
from assets.graph.patient_tables import patient_tables
from assets.graph.registration import patients_asset
from assets.graph.robustness import robustness_assets
from assets.graph.specs import external_specs
from assets.settings import StudySettings
from orchestration.automation import automation
from orchestration.engines import ProcessEngine
from orchestration.study import STUDY_VARIABLE, StudyError, study_from_environment


@dataclass(frozen=True)
class StudyResource:
    """The study of this process; asking for it where there is none is a refusal, not a crash at import."""

    loaded: StudySettings | None

    def settings(self) -> StudySettings:
        """The study's settings; raises ``StudyError`` STUDY_NOT_NAMED."""
        if self.loaded is None:
            raise StudyError(
                "STUDY_NOT_NAMED",
                "No study was named, so there is nothing to compute",
                keyword=STUDY_VARIABLE,
                hint=f"Start the UI with `petlake ui --study DIR`, or set {STUDY_VARIABLE}.",
            )
        return self.loaded


def build_definitions(
    settings: StudySettings | None, engine: Engine | None = None, listener: Listener | None = None
) -> dg.Definitions:
    """All assets, jobs and sensors of a study; without one they can be looked at but not run."""
    jobs, sensors = automation(settings)
    return dg.Definitions(
        assets=[
            *external_specs(),
            patients_asset(),
            patient_tables(settings),
            definitions_asset(settings),
            conformance_asset(),
            *robustness_assets(settings),
            snapshot_asset(settings),
        ],
        jobs=jobs,
        sensors=sensors,
        resources={
            "study": StudyResource(settings),
            "engine": engine or ProcessEngine(),
            "listener": listener or NullListener(),
        },
        # The work is shared out inside an asset, over patients: a process a step would only cost its start.
        executor=dg.in_process_executor,
    )


defs = build_definitions(study_from_environment())
