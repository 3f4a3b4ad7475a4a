"""P4: the CT of 20 sarcoma patients, unfiltered: the whole process against pyradiomics' command line on the same files.

``python benchmarks/p4_cohort_ct.py [--data DIR] [--rounds 3] [--patients 20]``. Target: at least 4 times less CPU
time; the largest lesion, in process against ``execute``, at least 8 times less.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import engines
import numpy as np
import processes
import sarcoma
from paired import paired
from report import Report
from whole_body import write_cases

from petct.radiomics.engines import extract


def main() -> None:
    """Measure, print, and say by the exit code whether every target is met."""
    options = sarcoma.arguments(__doc__)
    cohort = list(sarcoma.patients(options.data, "CT", options.patients))
    report = Report("P4")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = write_cases(folder / "cases.csv", sarcoma.write(cohort, folder))
        parameters = engines.parameter_file(folder, "CT")
        modes = {jobs: processes.run(processes.cli_command(cases, parameters, folder / "c", jobs)) for jobs in (1, 2)}
        jobs = min(modes, key=lambda jobs: modes[jobs].wall_s)
        ours, theirs = [], [modes[jobs]]
        for number in range(options.rounds):
            ours.append(processes.run(processes.extract_command(cases, "ct_original", folder / "o")))
            if number:
                theirs.append(processes.run(processes.cli_command(cases, parameters, folder / "c", jobs)))
    a, b = processes.median(ours), processes.median(theirs)
    case = f"{len(cohort)} patients, whole process, -j {jobs} (the other mode: {modes[3 - jobs].wall_s:.0f} s)"
    report.row(case, (a.cpu_s, a.wall_s), (b.cpu_s, b.wall_s), b.cpu_s / a.cpu_s, 4, "CPU")

    largest = max(cohort, key=lambda patient: int(np.count_nonzero(patient.labels.array)))
    feature_set = engines.original("CT")
    extractor, (image, mask) = engines.executing(feature_set), largest.sitk
    result = paired(
        lambda: extract(largest.image, largest.labels, (1,), feature_set),
        lambda: extractor.execute(image, mask),
        options.rounds,
    )
    report.row(
        f"largest lesion, {int(np.count_nonzero(largest.labels.array))} voxels, in process",
        (result.ours_cpu_s, result.ours_wall_s), (result.theirs_cpu_s, result.theirs_wall_s),
        1 / result.cpu_ratio, 8, "CPU",
    )  # fmt: skip
    report.end()


if __name__ == "__main__":
    main()
