"""P11: the rerun of each page of the dashboard at 67 patients, caches warm, as Streamlit's own AppTest runs it.

The study is the synthetic one of the tests, with as many patients as the published study. Exit code 1 when the 95th
percentile of a page is above the target.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.data import STUDY_VARIABLE
from tests.dashboard.conftest import publish_study, write_study

N_PATIENTS = 67
TARGET_MS = 300
RERUNS = 40
_FOLDER = Path(dashboard.__file__).resolve().parent


def main() -> int:
    """Print one line of docs/benchmarks.md a page."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else RERUNS
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder), N_PATIENTS)
        publish_study(Path(folder))
        os.environ[STUDY_VARIABLE] = folder
        for script in sorted(_FOLDER.glob("*/page.py")):
            walls, cpus = _reruns(script.parent.name, rounds)
            p95 = float(np.quantile(walls, 0.95))
            missed |= p95 > TARGET_MS
            said = f"<= {TARGET_MS} ms, {'missed' if p95 > TARGET_MS else 'met'}"
            print(f"| {script.parent.name} | {np.median(walls):.0f} | {p95:.0f} | {np.median(cpus):.0f} | {said} |")
    return 1 if missed else 0


def _reruns(page: str, rounds: int) -> tuple[list[float], list[float]]:
    """Wall and CPU time of each rerun, in ms; the first runs fill the caches and are not counted."""
    app = AppTest.from_file(_FOLDER / "app.py", default_timeout=120).run()
    app.switch_page(f"{page}/page.py").run().run()
    if app.exception:
        raise RuntimeError(f"{page}: {app.exception[0].message}")
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        app.run()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return walls, cpus


if __name__ == "__main__":
    sys.exit(main())
