"""The state of every table of every patient, read from the lake alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from assets.inputs import input_sha256
from assets.refusal_rows import sentence
from assets.settings import StudySettings
from assets.steps.order import INPUTS, asked_tables
from assets.steps.table import PatientTable
from records.cohort import ProvenanceRecord
from records.imaging import RefusalRecord
from warehouse.snapshots.attrition import Attrition, attrition
from warehouse.storage.lake import Lake
from warehouse.storage.locks import was_interrupted


class State(StrEnum):
    """What can be said of one table of one patient."""

    FRESH = "fresh"
    STALE = "stale"
    REFUSED = "refused"
    MISSING = "missing"


@dataclass(frozen=True)
class TableState:
    """The state of one table of one patient, and why."""

    patient_id: str
    table: str
    state: State
    reasons: tuple[str, ...]


def table_states(settings: StudySettings, patients: Sequence[str] | None = None) -> tuple[TableState, ...]:
    """The state of each table of each patient, patients in order.

    A table is stale when its code, its settings or its input is not what it was computed with, or when a table that it
    is computed from is itself not fresh.
    """
    lake = Lake(settings.lake)
    states: list[TableState] = []
    for patient_id in lake.patients("patients") if patients is None else patients:
        provenance = {
            record.table_name: record for record in lake.read_if_computed("provenance", patient_id, ProvenanceRecord)
        }
        refusals = lake.read_if_computed("refusals", patient_id, RefusalRecord)
        of_patient: dict[str, TableState] = {}
        interrupted = was_interrupted(lake.root, patient_id)
        for table in asked_tables(settings):
            name = table.name
            if interrupted:
                of_patient[name] = TableState(patient_id, name, State.MISSING, ("writing it was interrupted",))
                continue
            reasons = tuple(sentence(r) for r in refusals if r.table_name == name)
            of_patient[name] = _state(settings, lake, patient_id, table, provenance.get(name), reasons, of_patient)
        states.extend(of_patient.values())
    return tuple(states)


def feature_attrition(settings: StudySettings) -> tuple[Attrition, ...]:
    """What each feature set has and loses, in all lesions and in the organs in which the study aggregates.

    Raises
    ------
    WarehouseError
        Those of ``warehouse.snapshots.attrition.attrition``, for example where a file of the lake is damaged.
    """
    return attrition(
        Lake(settings.lake),
        feature_sets=[(item.feature_set_id, item.name, item.modality) for item in settings.feature_sets],
        default_protocol_id=settings.protocols[0].protocol_id,
        organs=sorted({item.organ for item in settings.organ_aggregations}),
    )


def _state(
    settings: StudySettings,
    lake: Lake,
    patient_id: str,
    table: PatientTable,
    record: ProvenanceRecord | None,
    refusals: tuple[str, ...],
    upstream_states: dict[str, TableState],
) -> TableState:
    name = table.name
    if record is None:
        return TableState(patient_id, name, State.MISSING, ())
    reasons = []
    if record.code_version != table.code_version:
        reasons.append(f"computed by version {record.code_version} of the code, now {table.code_version}")
    if record.settings_sha256 != table.settings_sha256(settings):
        reasons.append("computed with other settings")
    if record.input_sha256 != input_sha256(lake, patient_id, name):
        reasons.append("its input has changed")
    for upstream in INPUTS[name]:
        state = upstream_states.get(upstream)
        if state is not None and state.state in (State.STALE, State.MISSING):
            reasons.append(f"{upstream} is {state.state}")
    if reasons:
        return TableState(patient_id, name, State.STALE, tuple(reasons))
    return TableState(patient_id, name, State.REFUSED if refusals else State.FRESH, refusals)
