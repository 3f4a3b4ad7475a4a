"""What is made once a run of the tests, also where several processes share out the files of tests."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import run_petlake_process

STS_STUDY = """
study: {name: soft-tissue sarcoma, tracer: 18F-FDG}
dicom: {folder: "@DICOM@"}
clinical:
  file: clinical.csv
  variables:
    age_years: {kind: number, unit: year}
    sex: {kind: category}
    grade: {kind: category}
    ki67_percent: {kind: number, unit: "%"}
    chromogranin_a_ng_ml: {kind: number, unit: ng/ml}
endpoints:
  OS: {origin: therapy_start_date, event: death_date, censor: last_follow_up_date}
masks: {tumour: ["GTV_Mass*"]}
"""


def sts_study(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """The study of all 20 sarcoma patients: ingested, materialised with two workers, published. Read only."""

    def make(folder: Path) -> None:
        make_sts_study(folder, data / "sts" / "dicom", data / "sts" / "clinical_simulated.csv")
        run_petlake_process("ingest", "--study", folder)
        run_petlake_process("materialize", "--study", folder, "--workers", "2")
        run_petlake_process("snapshot", "publish", "--study", folder)

    return made_once(tmp_path_factory, "sts", make)


def demo_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo cohort of 8 patients; what the command said is in ``said.txt`` beside its files. Read only."""

    def make(folder: Path) -> None:
        said = run_petlake_process("demo", "--patients", "8", "--dir", folder).out
        (folder / "said.txt").write_text(said, encoding="utf-8")

    return made_once(tmp_path_factory, "demo", make)


def make_sts_study(folder: Path, dicom: Path, clinical: Path) -> Path:
    """A study of the sarcoma patients in ``folder``; the DICOM stays where it is."""
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(STS_STUDY.replace("@DICOM@", str(dicom)), encoding="utf-8")
    shutil.copyfile(clinical, folder / "clinical.csv")
    return folder


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name that ``make`` has filled: the first who asks makes it, the others wait.

    It is shared by all tests of the run: who wants to change it works on a copy.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "made-once" / name
    folder.parent.mkdir(exist_ok=True)
    ready = folder.with_suffix(".ready")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            # What a maker that failed has left would only hide its error.
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            ready.touch()
    return folder
