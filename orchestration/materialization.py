"""Run the assets in this process: which tables of which patients, in as few runs as the partitions allow."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

import dagster as dg

from assets.engine import Engine
from assets.exams import conformance_if_stale
from assets.graph.events import DATA_VERSION_TAG
from assets.graph.partitions import PATIENTS
from assets.inputs import data_version
from assets.publishing import DEFINITION_TABLES
from assets.robustness_rows import ROBUSTNESS
from assets.settings import StudySettings
from assets.status import State, TableState, table_states
from assets.steps.order import INPUTS, asked_names
from assets.work import PatientOutcome
from orchestration.definitions import build_definitions
from warehouse.storage.lake import Lake

_RANGE_START_TAG = "dagster/asset_partition_range_start"
_RANGE_END_TAG = "dagster/asset_partition_range_end"


class Scope(StrEnum):
    """What to compute: what is not fresh, only what is stale, or everything."""

    NEEDED = "needed"
    STALE = "stale"
    ALL = "all"


@dataclass(frozen=True)
class Batch:
    """The same tables of patients that lie side by side in the order of the partitions: one run."""

    patients: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True)
class _Callback:
    on_patient: Callable[[PatientOutcome], None]

    def done(self, outcome: PatientOutcome) -> None:
        self.on_patient(outcome)


def plan(
    settings: StudySettings, instance: dg.DagsterInstance, scope: Scope, patients: Sequence[str] | None
) -> tuple[Batch, ...]:
    """Which runs bring the tables up to date."""
    order = instance.get_dynamic_partitions(PATIENTS)
    wanted = set(order) if patients is None else set(patients)
    states = table_states(settings, [patient_id for patient_id in order if patient_id in wanted])
    if scope is Scope.NEEDED:
        states = tuple(_with_unreported(settings, instance, states))
    needed: dict[str, list[TableState]] = defaultdict(list)
    for state in states:
        needed[state.patient_id].append(state)
    tables = {patient_id: _tables(settings, of_patient, scope) for patient_id, of_patient in needed.items()}
    return tuple(_batches([(patient_id, tables.get(patient_id, ())) for patient_id in order]))


def run(
    settings: StudySettings,
    instance: dg.DagsterInstance,
    batches: Sequence[Batch],
    engine: Engine,
    on_patient: Callable[[PatientOutcome], None],
) -> None:
    """Run the batches one after the other; a run with patients set aside does not stop the next one.

    Raises
    ------
    dg.DagsterError
        When a run failed for a reason that is not a patient's.
    """
    definitions = build_definitions(settings, engine, _Callback(on_patient))
    job = definitions.resolve_implicit_global_asset_job_def()
    with _quiet():
        _execute(job, instance, (*DEFINITION_TABLES, *conformance_if_stale(settings)), {})
        for batch in batches:
            tags = {_RANGE_START_TAG: batch.patients[0], _RANGE_END_TAG: batch.patients[-1]}
            _execute(job, instance, batch.tables, tags)
        if settings.robustness is not None:
            # Of all patients, and so after them.
            _execute(job, instance, (ROBUSTNESS.name,), {})


def _execute(job: dg.JobDefinition, instance: dg.DagsterInstance, tables: Sequence[str], tags: dict[str, str]) -> None:
    result = job.get_subset(
        asset_selection={dg.AssetKey(table) for table in tables},
        asset_check_selection=None,
    ).execute_in_process(instance=instance, raise_on_error=False, tags=tags, run_config=_SILENT)
    for event in result.all_events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        # A Failure is ours: patients were set aside, and each was reported. Anything else is a defect to be shown.
        if data.user_failure_data is None and data.error is not None:
            error = data.error
            while error.cause is not None:
                error = error.cause
            if error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt"):
                raise KeyboardInterrupt
            raise dg.DagsterError(" ".join(str(error.message).split()))


_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@contextmanager
def _quiet() -> Iterator[None]:
    """Dagster's own log goes to the run; the terminal belongs to the progress bar."""
    logger = logging.getLogger("dagster")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _with_unreported(
    settings: StudySettings, instance: dg.DagsterInstance, states: Sequence[TableState]
) -> Iterator[TableState]:
    """The states, where a fresh table that Dagster does not know counts as missing.

    A run that is killed between writing a patient and reporting it leaves such tables behind.
    """
    lake = Lake(settings.lake)
    reported = {
        table: instance.event_log_storage.get_latest_tags_by_partition(
            dg.AssetKey(table), dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG]
        )
        for table in asked_names(settings)
    }
    for state in states:
        if state.state is State.FRESH:
            version = reported[state.table].get(state.patient_id, {}).get(DATA_VERSION_TAG)
            # By the digest of its rows alone a table was known before its companions counted.
            known = (data_version(lake, state.patient_id, state.table), lake.digest(state.table, state.patient_id))
            if version not in known:
                yield replace(state, state=State.MISSING, reasons=("Dagster was not told of it",))
                continue
        yield state


def _tables(settings: StudySettings, states: Sequence[TableState], scope: Scope) -> tuple[str, ...]:
    """The tables of one patient to compute, with all that is computed from them."""
    all_tables = asked_names(settings)
    if scope is Scope.ALL:
        return all_tables
    wanted = {State.STALE} if scope is Scope.STALE else {State.STALE, State.MISSING, State.REFUSED}
    chosen = {state.table for state in states if state.state in wanted}
    for table in all_tables:
        computed = scope is Scope.NEEDED or any(s.table == table and s.state is not State.MISSING for s in states)
        if computed and chosen & set(INPUTS[table]):
            chosen.add(table)
    return tuple(table for table in all_tables if table in chosen)


def _batches(tables: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Batch]:
    patients: list[str] = []
    current: tuple[str, ...] = ()
    for patient_id, wanted in [*tables, ("", ())]:
        if wanted != current and patients:
            if current:
                yield Batch(tuple(patients), current)
            patients = []
        current = wanted
        patients.append(patient_id)
