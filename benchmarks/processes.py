"""Whole processes, with the CPU time, wall time and peak memory of a process and its children."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
PYRADIOMICS = str(Path(sys.executable).with_name("pyradiomics"))
EXTRACT = str(Path(__file__).with_name("extract.py"))


@dataclass(frozen=True)
class Ran:
    """What a process took; ``peak_bytes`` is that of the largest single process."""

    cpu_s: float
    wall_s: float
    peak_bytes: int


def run(arguments: Sequence[str]) -> Ran:
    """Run a command to its end; raises ``RuntimeError`` with its last words when it fails."""
    started = time.perf_counter()
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        errors = process.stderr.read() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {errors[-2000:]}")
    return Ran(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss * 1024)


def median(runs: Sequence[Ran]) -> Ran:
    """The medians of several runs, each on its own."""
    return Ran(
        statistics.median(item.cpu_s for item in runs),
        statistics.median(item.wall_s for item in runs),
        int(statistics.median(item.peak_bytes for item in runs)),
    )


def extract_command(cases: Path, feature_set: str, out: Path, workers: int = 1) -> list[str]:
    """The command of petlake on a CSV of cases (Image, Mask, Label), as the pyradiomics command line takes it."""
    return [PYTHON, EXTRACT, str(cases), "--feature-set", feature_set, "--out", str(out), "--workers", str(workers)]


def cli_command(cases: Path, parameters: Path, out: Path, jobs: int) -> list[str]:
    """The command line of pyradiomics on the same cases."""
    return [
        PYRADIOMICS, str(cases), "--param", str(parameters), "--jobs", str(jobs), "--out", str(out), "--format", "csv",
        "--verbosity", "1",
    ]  # fmt: skip
