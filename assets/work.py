"""The worker: everything that is computed of one patient, in a process that knows neither Dagster nor DuckDB."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from assets.patient_data import Measure, PatientData, StepOutput
from assets.records import ProvenanceRecord, RefusalRecord, refusal
from assets.settings import CODE_VERSIONS, UPSTREAM, StudySettings
from assets.steps import STEPS
from petct.dicom.index import Finding
from petct.errors import PetctError
from warehouse.errors import WarehouseError
from warehouse.lake import Lake
from warehouse.locks import patient_lock


@dataclass(frozen=True)
class PatientJob:
    """Which tables of which patient to compute."""

    patient_id: str
    tables: tuple[str, ...]
    settings: StudySettings


@dataclass(frozen=True)
class TableOutcome:
    """What became of one table of one patient.

    Attributes
    ----------
    sha256
        Digest of the rows; None when nothing could be computed.
    refusals
        What could not be computed; with rows beside them the table is there in part.
    """

    table: str
    n_rows: int
    sha256: str | None
    relative_path: str
    measures: tuple[Measure, ...]
    refusals: tuple[RefusalRecord, ...]

    @property
    def complete(self) -> bool:
        """Whether every row that should be there is there."""
        return self.sha256 is not None and not self.refusals


@dataclass(frozen=True)
class PatientOutcome:
    """What became of a patient."""

    patient_id: str
    tables: tuple[TableOutcome, ...]

    @property
    def complete(self) -> bool:
        """Whether every table is complete."""
        return all(table.complete for table in self.tables)


def process_patient(job: PatientJob) -> PatientOutcome:
    """Compute the tables of one patient, in order, and write them together.

    Never raises for a patient that cannot be processed: what is wrong becomes refusals. The rows of all tables are held
    until the last is computed and then written under the patient's lock, so that a snapshot never holds half a patient.
    """
    lake = Lake(job.settings.lake)
    data = PatientData(job.patient_id, job.settings, lake)
    outputs: dict[str, StepOutput] = {}
    for table in job.tables:
        outputs[table] = _compute(table, data)
        data.remember(table, outputs[table])
    return PatientOutcome(job.patient_id, write_patient(lake, job.settings, job.patient_id, outputs))


def lose_patient(job: PatientJob) -> PatientOutcome:
    """The outcome of a patient whose worker died: every table is refused, and what was computed before is gone."""
    cause = PetctError(
        "WORKER_DIED",
        "The process that computed the patient died, most likely for want of memory",
        hint="Run `petlake materialize --workers 1` on a machine with more memory.",
    )
    outputs = {
        table: StepOutput(None, refusals=(refusal(cause, patient_id=job.patient_id, table=table),))
        for table in job.tables
    }
    return PatientOutcome(job.patient_id, write_patient(Lake(job.settings.lake), job.settings, job.patient_id, outputs))


def write_patient(
    lake: Lake, settings: StudySettings, patient_id: str, outputs: dict[str, StepOutput]
) -> tuple[TableOutcome, ...]:
    """Replace tables of a patient, with their findings, refusals and provenance, under the patient's lock."""
    with patient_lock(lake.root, patient_id, repairs=set(settings.patient_tables) <= set(outputs)):
        findings = [f for f in _existing(lake, "qc_events", patient_id, Finding) if f.table_name not in outputs]
        refusals = [r for r in _existing(lake, "refusals", patient_id, RefusalRecord) if r.table_name not in outputs]
        provenance = {
            record.table_name: record
            for record in _existing(lake, "provenance", patient_id, ProvenanceRecord)
            if record.table_name not in outputs
        }
        results = []
        for table, output in outputs.items():
            results.append(_write_table(lake, patient_id, table, output))
            findings.extend(output.findings)
            refusals.extend(output.refusals)
            provenance[table] = ProvenanceRecord(
                patient_id,
                table,
                CODE_VERSIONS[table],
                settings.settings_sha256(table),
                input_sha256(lake, patient_id, table),
                results[-1].sha256 or "",
            )
        lake.write("qc_events", patient_id, _unique(findings))
        lake.write("refusals", patient_id, _unique(refusals))
        lake.write("provenance", patient_id, list(provenance.values()))
    return tuple(results)


def input_sha256(lake: Lake, patient_id: str, table: str) -> str:
    """Digest of what a table is computed from, as it lies in the lake now."""
    parts = []
    for upstream in UPSTREAM[table]:
        if upstream == "dicom_files":
            parts.append(f"{upstream}={_digest(lake, 'files', patient_id)}")
        elif upstream == "clinical_table":
            parts.append(f"{upstream}={_digest(lake, 'clinical_cells', patient_id)}")
        else:
            parts.append(f"{upstream}={_digest(lake, upstream, patient_id)}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _compute(table: str, data: PatientData) -> StepOutput:
    try:
        return STEPS[table](data)
    except PetctError as error:
        return StepOutput(None, refusals=(refusal(error, patient_id=data.patient_id, table=table),))
    except WarehouseError as error:
        cause = PetctError(error.code, error.message, keyword=error.keyword, found=error.found, hint=error.hint)
        return StepOutput(None, refusals=(refusal(cause, patient_id=data.patient_id, table=table),))
    except Exception as error:
        # A defect of ours, or of a library on input that nobody foresaw. It must not stop the other patients, and it is
        # said as what it is.
        cause = PetctError(
            "UNEXPECTED_ERROR",
            "The computation stopped for a reason that petlake does not know",
            found=f"{type(error).__name__}: {' '.join(str(error).split())}",
            hint="This is a defect of petlake; please report it.",
        )
        return StepOutput(None, refusals=(refusal(cause, patient_id=data.patient_id, table=table),))


def _write_table(lake: Lake, patient_id: str, table: str, output: StepOutput) -> TableOutcome:
    for name, rows in output.companions:
        lake.write(name, patient_id, rows)
    if output.rows is None:
        # What an earlier run computed from other input or with other settings would be mistaken for this run's.
        lake.remove(table, patient_id)
        return TableOutcome(table, 0, None, "", (), output.refusals)
    written = lake.write(table, patient_id, output.rows)
    return TableOutcome(table, written.n_rows, written.sha256, written.relative_path, output.measures, output.refusals)


def _existing(lake: Lake, table: str, patient_id: str, row_type: type) -> Sequence:
    return lake.read(table, patient_id, row_type) if lake.exists(table, patient_id) else ()


def _unique(rows: Sequence) -> list:
    return list(dict.fromkeys(rows))


def _digest(lake: Lake, table: str, patient_id: str) -> str:
    return lake.digest(table, patient_id) if lake.exists(table, patient_id) else "absent"
