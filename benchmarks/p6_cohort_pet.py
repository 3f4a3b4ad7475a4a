"""P6: the PET of 20 sarcoma patients, unfiltered: in process and warm against ``execute``, and as whole processes.

``python benchmarks/p6_cohort_pet.py [--data DIR] [--rounds 5] [--patients 20]``. Target: at least 1.5 times less CPU
time in process; as a whole process never slower than pyradiomics' command line.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import engines
import processes
import sarcoma
from paired import paired
from report import Report
from whole_body import write_cases

from petct.radiomics.engines import extract


def main() -> None:
    """Measure, print, and say by the exit code whether every target is met."""
    options = sarcoma.arguments(__doc__)
    cohort = list(sarcoma.patients(options.data, "PET", options.patients))
    feature_set = engines.original("PET")
    extractor = engines.executing(feature_set)
    images = [patient.sitk for patient in cohort]
    result = paired(
        lambda: [extract(patient.image, patient.labels, (1,), feature_set) for patient in cohort],
        lambda: [extractor.execute(image, mask) for image, mask in images],
        options.rounds,
    )
    report = Report("P6")
    report.row(
        f"{len(cohort)} patients, in process",
        (result.ours_cpu_s, result.ours_wall_s), (result.theirs_cpu_s, result.theirs_wall_s),
        1 / result.cpu_ratio, 1.5, "CPU",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = write_cases(folder / "cases.csv", sarcoma.write(cohort, folder))
        parameters = engines.parameter_file(folder, "PET")
        ours, theirs = [], {1: [], 2: []}
        for _ in range(options.rounds):
            ours.append(processes.run(processes.extract_command(cases, "pet_original", folder / "o")))
            for jobs, runs in theirs.items():
                runs.append(processes.run(processes.cli_command(cases, parameters, folder / "c", jobs)))
    a, modes = processes.median(ours), {jobs: processes.median(runs) for jobs, runs in theirs.items()}
    jobs = min(modes, key=lambda jobs: modes[jobs].wall_s)
    b = modes[jobs]
    case = f"{len(cohort)} patients, whole process, -j {jobs} (the other mode: {modes[3 - jobs].wall_s:.1f} s)"
    report.row(case, (a.cpu_s, a.wall_s), (b.cpu_s, b.wall_s), b.wall_s / a.wall_s, 1, "wall")
    report.end()


if __name__ == "__main__":
    main()
