"""The line on real data, run once a session through the command line, as a user would."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PETLAKE = Path(sys.executable).with_name("petlake")

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


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


def run_petlake(*arguments: str | Path, expect: int | None = 0, env: dict[str, str] | None = None) -> Ran:
    """Run ``petlake`` in a process of its own; ``expect`` is the exit code it must have."""
    done = subprocess.run(
        [PETLAKE, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        timeout=600,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert expect is None or done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return Ran(done.returncode, done.stdout, done.stderr)


def make_sts_study(folder: Path, dicom: Path, clinical: Path) -> Path:
    """A study of the sarcoma patients in ``folder``; the DICOM stays where it is."""
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(STS_STUDY.replace("@DICOM@", str(dicom)), encoding="utf-8")
    shutil.copyfile(clinical, folder / "clinical.csv")
    return folder


@pytest.fixture(scope="session")
def petlake() -> Callable[..., Ran]:
    return run_petlake


@pytest.fixture(scope="session")
def make_study() -> Callable[[Path, Path, Path], Path]:
    return make_sts_study


@pytest.fixture(scope="session")
def sts(petlake_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of all 20 patients: ingested, materialised with two workers, published. Read only.

    It is made once, also where several processes share out the test files: the first makes it, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "sts" / "study"
    ready = shared / "sts-is-ready"
    with (shared / "sts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            dicom = petlake_data / "sts" / "dicom"
            make_sts_study(folder, dicom, petlake_data / "sts" / "clinical_simulated.csv")
            run_petlake("ingest", "--study", folder)
            run_petlake("materialize", "--study", folder, "--workers", "2")
            run_petlake("snapshot", "publish", "--study", folder)
            ready.touch()
    return folder


@contextmanager
def serving(*arguments: str | Path, health: str) -> Iterator[str]:
    """Run a server command of ``petlake`` on a free port until the block ends; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [PETLAKE, *map(str, arguments), "--port", str(port)], stdout=log, stderr=log, start_new_session=True
        ) as server,
    ):
        try:
            until = time.monotonic() + 120
            while not _answers(address + health):
                log.seek(0)
                assert server.poll() is None, log.read()
                assert time.monotonic() < until, log.read()
                time.sleep(0.2)
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)
        log.seek(0)
        assert "Traceback" not in log.read()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    return serving
