"""P2: 40 lesions in a whole-body PET, unfiltered: the whole process against the command line of pyradiomics.

``python benchmarks/p2_many_lesions.py [--rounds 3]``. Target: at least 50 times faster (wall), and 40 lesions cost at
most 3 times one lesion. The command line runs once in each of its modes (1 and 2 jobs), and the faster is run on to
the median.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import engines
import processes
import whole_body
from report import Report


def main() -> None:
    """Measure, print, and say by the exit code whether every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = whole_body.pet().write(folder)
        one = folder / "one.csv"
        one.write_text("\n".join(cases.read_text(encoding="utf-8").splitlines()[:2]) + "\n", encoding="utf-8")
        parameters = engines.parameter_file(folder, "PET")
        modes = {jobs: processes.run(processes.cli_command(cases, parameters, folder / "c", jobs)) for jobs in (1, 2)}
        jobs = min(modes, key=lambda jobs: modes[jobs].wall_s)
        ours, ours_one, theirs = [], [], [modes[jobs]]
        for number in range(options.rounds):
            ours.append(processes.run(processes.extract_command(cases, "pet_original", folder / "o")))
            ours_one.append(processes.run(processes.extract_command(one, "pet_original", folder / "o")))
            if number:
                theirs.append(processes.run(processes.cli_command(cases, parameters, folder / "c", jobs)))
        report = Report("P2")
        a, b, c = processes.median(ours), processes.median(theirs), processes.median(ours_one)
        case = f"40 lesions, whole process, -j {jobs} (the other mode: {modes[3 - jobs].wall_s:.0f} s)"
        report.row(case, (a.cpu_s, a.wall_s), (b.cpu_s, b.wall_s), b.wall_s / a.wall_s, 50, "wall")
        report.row(
            "40 lesions against one of them, both petlake (one in the columns of pyradiomics)",
            (a.cpu_s, a.wall_s), (c.cpu_s, c.wall_s), a.wall_s / c.wall_s, 3, "wall", at_most=True,
        )  # fmt: skip
        report.end()


if __name__ == "__main__":
    main()
