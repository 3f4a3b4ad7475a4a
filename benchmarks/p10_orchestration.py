"""P10: what Dagster costs: the cohort from RUN_START to RUN_SUCCESS against the same work called as plain functions.

``python benchmarks/p10_orchestration.py [--data DIR] [--rounds 3] [--patients 20]``. Both with two worker processes
and all tables of the 20 sarcoma patients. Target: at most 1.25 times the wall time.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import processes
import sarcoma
from report import Report

from assets.steps.order import asked_names
from assets.work import PatientJob, process_patient, worker_died_outcome
from orchestration.engines import ProcessEngine
from orchestration.instance import study_instance
from orchestration.study import load_study

WORKERS = 2
PETLAKE = str(Path(sys.executable).with_name("petlake"))
STUDY = """
study: {{name: benchmark}}
dicom: {{folder: "{dicom}"}}
clinical:
  file: clinical.csv
  variables:
    age_years: {{kind: number, unit: year}}
endpoints:
  OS: {{origin: therapy_start_date, event: death_date, censor: last_follow_up_date}}
masks: {{tumour: ["GTV_Mass*"]}}
"""


def make_study(folder: Path, data: Path, n_patients: int) -> Path:
    """A study of the first patients, ingested."""
    folder.mkdir()
    dicom = folder / "images"
    dicom.mkdir()
    for patient_id in sarcoma.PATIENTS[:n_patients]:
        shutil.copytree(data / "sts" / "dicom" / patient_id, dicom / patient_id)
    (folder / "study.yaml").write_text(STUDY.format(dicom=dicom), encoding="utf-8")
    rows = (data / "sts" / "clinical_simulated.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [row for row in rows if not row.startswith("STS_") or row.startswith(sarcoma.PATIENTS[:n_patients])]
    (folder / "clinical.csv").write_text("".join(kept), encoding="utf-8")
    processes.run([PETLAKE, "ingest", "--study", str(folder)])
    return folder


def with_dagster(study: Path) -> float:
    """Wall seconds of the run that materialises every table of every patient, as Dagster's event log has them."""
    processes.run([PETLAKE, "materialize", "--all", "--workers", str(WORKERS), "--study", str(study)])
    with study_instance(study) as instance:
        (newest,) = instance.get_run_records(limit=1)
    assert newest.start_time is not None
    assert newest.end_time is not None
    assert newest.dagster_run.status.value == "SUCCESS"
    return newest.end_time - newest.start_time


def as_plain_functions(study: Path, n_patients: int) -> float:
    """Wall seconds of the same work by the same pool of workers, called directly."""
    settings = load_study(study)
    jobs = [PatientJob(patient_id, asked_names(settings), settings) for patient_id in sarcoma.PATIENTS[:n_patients]]
    started = time.perf_counter()
    outcomes = list(ProcessEngine(WORKERS).map(process_patient, jobs, worker_died_outcome))
    seconds = time.perf_counter() - started
    assert len(outcomes) == n_patients
    assert all(outcome.complete for outcome in outcomes)
    return seconds


def main() -> None:
    """Measure, print, and say by the exit code whether the target is met."""
    options = sarcoma.arguments(__doc__)
    ours, plain = [], []
    with tempfile.TemporaryDirectory() as name:
        study = make_study(Path(name) / "study", options.data.resolve(), options.patients)
        for _ in range(options.rounds):
            ours.append(with_dagster(study))
            plain.append(as_plain_functions(study, options.patients))
    ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
    a, b = statistics.median(ours), statistics.median(plain)
    report = Report("P10")
    nothing = float("nan")
    case = (
        f"{options.patients} patients, all tables, {WORKERS} workers: RUN_START to RUN_SUCCESS against plain functions"
    )
    report.row(case, (nothing, a), (nothing, b), ratio, 1.25, "wall", at_most=True)
    report.end()


if __name__ == "__main__":
    main()
