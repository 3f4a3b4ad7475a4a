"""Automation: look for new patients, and publish a snapshot when a run over patients has ended."""

from typing import TYPE_CHECKING

import dagster as dg

from assets.publishing import cohort_tables
from assets.settings import StudySettings
from assets.steps.order import PATIENT_TABLES

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

PUBLISH_JOB = "publish_snapshot"
REGISTER_JOB = "register_patients"
_LOOK_EVERY_SECONDS = 300


def automation(
    settings: StudySettings | None,
) -> tuple[list["UnresolvedAssetJobDefinition"], list[dg.SensorDefinition]]:
    """The jobs and the sensors that start them."""
    publish = dg.define_asset_job(
        PUBLISH_JOB,
        dg.AssetSelection.assets(*cohort_tables(settings), "snapshot"),
        description="Publish a snapshot of what is in the lake.",
    )
    register = dg.define_asset_job(
        REGISTER_JOB,
        dg.AssetSelection.assets("patients"),
        description="Look at the DICOM folder and the clinical table again: `petlake ingest`.",
    )
    return [publish, register], [*_publish_after_a_run(publish), _look_for_patients(register)]


def _publish_after_a_run(publish: "UnresolvedAssetJobDefinition") -> list[dg.SensorDefinition]:
    """After a run over patients, whether all or only some of them could be computed."""
    tables = {dg.AssetKey(name) for name in PATIENT_TABLES}

    def request(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        selected = context.dagster_run.asset_selection or frozenset()
        if not tables & selected:
            return dg.SkipReason("The run computed no patient.")
        return dg.RunRequest(run_key=context.dagster_run.run_id)

    return [
        dg.run_status_sensor(
            name=f"publish_after_{status.value.lower()}",
            description="Publish a snapshot when a run over patients has ended.",
            run_status=status,
            request_job=publish,
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=5,
        )(request)
        for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
    ]


def _look_for_patients(register: "UnresolvedAssetJobDefinition") -> dg.SensorDefinition:
    """Off by default: indexing reads every new file, and a researcher may want to decide when."""

    @dg.sensor(
        name="look_for_patients",
        job=register,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Every five minutes, register the patients that were added to the sources.",
    )
    def look() -> dg.RunRequest:
        return dg.RunRequest()

    return look
