"""The worker: everything that is computed of one patient, in a process that knows neither Dagster nor DuckDB."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from assets.inputs import combined, data_version, fingerprint
from assets.refusal_rows import refusal
from assets.settings import StudySettings
from assets.steps.order import INPUTS, PATIENT_TABLES, asked_names
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.table import PatientTable
from petct.errors import PetctError
from records.cohort import ProvenanceRecord
from records.imaging import Finding, RefusalRecord
from refusals.coded_error import CodedError
from warehouse.registry.tables import TABLES
from warehouse.source_code import source_code
from warehouse.storage.lake import Lake
from warehouse.storage.locks import patient_lock
from warehouse.storage.rows import to_arrow

T = TypeVar("T")


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
    paths
        Files of the lake that belong to the table: what each is, and its path below the lake.
    data_version
        What Dagster knows the rows by, see ``assets.inputs.data_version``.
    """

    table: str
    n_rows: int
    sha256: str | None
    relative_path: str
    measures: tuple[Measure, ...]
    refusals: tuple[RefusalRecord, ...]
    paths: tuple[tuple[str, str], ...] = ()
    data_version: str = ""

    @property
    def complete(self) -> bool:
        """Whether every row that should be there is there."""
        return self.sha256 is not None and not self.refusals


@dataclass(frozen=True)
class PatientOutcome:
    """What became of a patient.

    Attributes
    ----------
    written
        False where the machine failed: the lake is as it was before.
    """

    patient_id: str
    tables: tuple[TableOutcome, ...]
    written: bool = True

    @property
    def complete(self) -> bool:
        """Whether every table is complete."""
        return all(table.complete for table in self.tables)


def process_patient(job: PatientJob) -> PatientOutcome:
    """Compute the tables of one patient, in order, and write them together.

    Never raises for a patient that cannot be processed: what is wrong becomes refusals. The rows of all tables are held
    until the last is computed and then written under the patient's lock, so that a snapshot never holds half a patient.
    Where it is the machine that fails (no disk, no memory), nothing is concluded about the patient.
    """
    lake = Lake(job.settings.lake)
    try:
        before = {
            (name, read): fingerprint(lake, job.patient_id, name, read)
            for table in job.tables
            for name, read in INPUTS[table].items()
        }
        data = PatientData(job.patient_id, job.settings, lake)
        outputs: dict[str, StepOutput] = {}
        for table in job.tables:
            outputs[table] = _compute(table, data)
            data.remember(table, outputs[table])
        return PatientOutcome(job.patient_id, write_patient(lake, job.settings, job.patient_id, outputs, before))
    except (OSError, MemoryError) as error:
        # Not the text of the error, which names a place on this disk.
        reason = f"{type(error).__name__}: {getattr(error, 'strerror', None) or 'out of memory'}"
        return _nothing_done(job, "MACHINE_ERROR", "The machine could not finish the work on the patient", reason)


def worker_died_outcome(job: PatientJob) -> PatientOutcome:
    """The outcome of a patient whose worker died; what was computed before stays."""
    message = "The process that computed the patient died, most likely for want of memory"
    return _nothing_done(job, "WORKER_DIED", message, None)


def _nothing_done(job: PatientJob, code: str, message: str, found: str | None) -> PatientOutcome:
    cause = PetctError(code, message, found=found, hint="Run `petlake materialize` again, with --workers 1.")
    tables = tuple(
        TableOutcome(table, 0, None, "", (), (refusal(cause, patient_id=job.patient_id, table=table),))
        for table in job.tables
    )
    return PatientOutcome(job.patient_id, tables, written=False)


def write_patient(
    lake: Lake,
    settings: StudySettings,
    patient_id: str,
    outputs: dict[str, StepOutput],
    before: Mapping[tuple[str, tuple[str, ...]], str],
) -> tuple[TableOutcome, ...]:
    """Replace tables of a patient, with their findings, refusals and provenance, under the patient's lock.

    Parameters
    ----------
    before
        Fingerprints of the inputs when the work began. They are what the tables were computed from: an input that was
        replaced in the meantime makes them stale at once.
    """
    code = source_code()
    with patient_lock(lake.root, patient_id, repairs=set(asked_names(settings)) <= set(outputs)):
        findings = [f for f in lake.read_if_computed("qc_events", patient_id, Finding) if f.table_name not in outputs]
        refusals = [
            r for r in lake.read_if_computed("refusals", patient_id, RefusalRecord) if r.table_name not in outputs
        ]
        provenance = {
            record.table_name: record
            for record in lake.read_if_computed("provenance", patient_id, ProvenanceRecord)
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
                PATIENT_TABLES[table].code_version,
                PATIENT_TABLES[table].settings_sha256(settings),
                combined(
                    {
                        name: fingerprint(lake, patient_id, name, read) if name in outputs else before[name, read]
                        for name, read in INPUTS[table].items()
                    }
                ),
                results[-1].sha256 or "",
                code.version,
                code.commit,
                code.modified,
            )
        lake.write("qc_events", patient_id, _unique(findings))
        lake.write("refusals", patient_id, _unique(refusals))
        lake.write("provenance", patient_id, list(provenance.values()))
    return tuple(results)


def _compute(table: str, data: PatientData) -> StepOutput:
    try:
        computed = PATIENT_TABLES[table]
        output = computed.step(data.reading(computed.upstream))
        _check_rows(computed, output)
    except (OSError, MemoryError):
        raise
    except CodedError as error:
        return StepOutput(None, refusals=(refusal(error, patient_id=data.patient_id, table=table),))
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
    return output


def _check_rows(computed: PatientTable, output: StepOutput) -> None:
    """Refuse rows that the lake would refuse, now, and not when half of the patient is written."""
    if tuple(name for name, _ in output.companions) != computed.companions:
        raise LookupError(f"the companions of {computed.name} are not those that it declares")
    for name, rows in (*output.companions, (computed.name, output.rows or ())):
        to_arrow(TABLES[name], rows)


def _write_table(lake: Lake, patient_id: str, table: str, output: StepOutput) -> TableOutcome:
    for name, rows in output.companions:
        lake.write(name, patient_id, rows)
    if output.rows is None:
        # What an earlier run computed from other input or with other settings would be mistaken for this run's.
        lake.remove(table, patient_id)
        return TableOutcome(table, 0, None, "", (), output.refusals)
    written = lake.write(table, patient_id, output.rows)
    return TableOutcome(
        table,
        written.n_rows,
        written.sha256,
        written.relative_path,
        output.measures,
        output.refusals,
        output.paths,
        data_version(lake, patient_id, table),
    )


def _unique(rows: Sequence[T]) -> list[T]:
    return list(dict.fromkeys(rows))
