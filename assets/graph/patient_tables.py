"""The asset of a patient's tables: one run maps the workers over the patients and reports each as it ends."""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets.engine import Engine
from assets.graph.checks import check_results, check_specs
from assets.graph.events import failure, materialization, reason
from assets.graph.partitions import patients_partitions
from assets.graph.specs import patient_spec
from assets.settings import StudySettings
from assets.steps.order import PATIENT_TABLES, asked_tables
from assets.work import PatientJob, PatientOutcome, process_patient, worker_died_outcome


def patient_tables(settings: StudySettings | None) -> dg.AssetsDefinition:
    """The multi-asset of all tables that are computed of a patient."""
    asked = asked_tables(settings)

    @dg.multi_asset(
        name="patient_tables",
        specs=[patient_spec(table, settings) for table in asked],
        check_specs=check_specs([table.name for table in asked]),
        can_subset=True,
        partitions_def=patients_partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"engine", "study", "listener"},
    )
    def compute(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
        study: StudySettings = context.resources.study.settings()
        engine: Engine = context.resources.engine
        tables = tuple(name for name in PATIENT_TABLES if dg.AssetKey(name) in context.selected_asset_keys)
        jobs = [PatientJob(patient_id, tables, study) for patient_id in context.partition_keys]
        outcomes: list[PatientOutcome] = []
        for outcome in engine.map(process_patient, jobs, worker_died_outcome):
            outcomes.append(outcome)
            for result in outcome.tables:
                if result.complete:
                    context.log_event(materialization(context.instance, study, outcome.patient_id, result))
                for refusal in result.refusals:
                    context.log.warning(
                        f"{refusal.patient_id}: {refusal.table_name}: {refusal.code}: {reason(refusal)}"
                    )
            context.resources.listener.done(outcome)
        yield from check_results(study, tables, context.selected_asset_check_keys)
        raise_failure(outcomes)

    return compute


def raise_failure(outcomes: Sequence[PatientOutcome]) -> None:
    """Mark the run as failed when a patient was set aside; what was reported before stays materialised."""
    if any(not outcome.complete for outcome in outcomes):
        raise failure(outcomes)
