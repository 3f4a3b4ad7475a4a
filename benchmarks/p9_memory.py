"""P9: 40 lesions in a whole-body CT (512 x 512 x 400): peak memory against ``execute`` once a label.

``python benchmarks/p9_memory.py``. Each in a process of its own that reads the same uncompressed files; ``execute``
is run on the first two labels, as its memory does not grow with their number. Target: at most 0.4 of its peak.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import engines
import processes
import whole_body
from report import Report

_MEGABYTE = 1e6


def execute(cases: Path) -> None:
    """What pyradiomics' users write: read both files, then one call a label."""
    import SimpleITK as sitk

    extractor = engines.executing(engines.original("CT"))
    image, labels = (sitk.ReadImage(str(cases.parent / name)) for name in ("image.nii", "labels.nii"))
    for label in (1, 2):
        extractor.execute(image, labels, label=label)


def main() -> None:
    """Measure, print, and say by the exit code whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--execute", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.execute is not None:
        execute(options.execute)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = whole_body.ct().write(folder, ".nii")
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(processes.run(processes.extract_command(cases, "ct_original", folder / "o")))
            theirs.append(processes.run([sys.executable, __file__, "--execute", str(cases)]))
    a, b = processes.median(ours), processes.median(theirs)
    report = Report("P9")
    case = (
        f"40 lesions, whole-body CT: peak {a.peak_bytes / _MEGABYTE:.0f} MB against {b.peak_bytes / _MEGABYTE:.0f} MB "
        "(pyradiomics' times are of 2 labels)"
    )
    ratio = a.peak_bytes / b.peak_bytes
    report.row(case, (a.cpu_s, a.wall_s), (b.cpu_s, b.wall_s), ratio, 0.4, "memory", at_most=True)
    report.end()


if __name__ == "__main__":
    main()
