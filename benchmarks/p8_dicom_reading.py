"""P8: a DICOM series as values on a grid, against pydicom's ``pixel_array`` slice by slice. Values must be equal.

petlake's time holds more than pydicom's: header facts, checks, rescaling, and the slices in order on one grid.

``python benchmarks/p8_dicom_reading.py [--data DIR] [--rounds 5]`` prints one row per case; exit code 1 when a target
is missed or a value differs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from benchmarks.paired import Paired, paired
from petct.dicom.index import index_folder
from petct.dicom.series import read_ct, read_pet

TARGETS = {"PET": 0.80, "CT": 0.65}
HEADING = "| case | slices | petlake CPU ms | pydicom CPU ms | CPU ratio | wall ratio | target | values |"


@dataclass(frozen=True)
class Series:
    """One series: its kind (PET or CT), what its files say they are, and the files."""

    kind: str
    patient_id: str
    uid: str
    paths: tuple[Path, ...]

    def read(self) -> NDArray[np.generic]:
        """The values, as petlake reads them."""
        read = read_pet if self.kind == "PET" else read_ct
        return read(self.paths, patient_id=self.patient_id, series_instance_uid=self.uid).volume.array

    def decode_with_pydicom(self) -> list[NDArray[np.generic]]:
        """What petlake is timed against: the stored values of each file, neither rescaled nor put in order."""
        return [pydicom.dcmread(path).pixel_array for path in self.paths]

    def read_with_pydicom(self) -> NDArray[np.generic]:
        """What petlake's values are compared with: the same by pydicom, rescaled and put in order."""
        slices = []
        for path in self.paths:
            dataset = pydicom.dcmread(path)
            values = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
            slices.append((float(dataset.ImagePositionPatient[2]), values))
        return np.stack([values for _, values in sorted(slices, key=lambda pair: pair[0])])


def series_below(folder: Path) -> list[Series]:
    """The PET and CT series below a folder."""
    index = index_folder(folder)
    return [
        Series(
            one.role,
            one.patient_id,
            one.series_instance_uid,
            tuple(folder / file.path for file in index.files if file.series_instance_uid == one.series_instance_uid),
        )
        for one in index.series
        if one.role in TARGETS
    ]


def _all_of(series: Sequence[Series], how: Callable[[Series], object]) -> Callable[[], None]:
    def work() -> None:
        for one in series:
            how(one)

    return work


def row(name: str, kind: str, series: Sequence[Series], result: Paired, equal: bool) -> str:
    """One row of the table."""
    met = result.cpu_ratio <= TARGETS[kind] and equal
    return (
        f"| {name} | {sum(len(one.paths) for one in series)} | {1000 * result.ours_cpu_s:.0f} | "
        f"{1000 * result.theirs_cpu_s:.0f} | {result.cpu_ratio:.2f} | {result.wall_ratio:.2f} | "
        f"<= {TARGETS[kind]:.2f}, {'met' if met else 'MISSED'} | {'equal' if equal else 'DIFFERENT'} |"
    )


def main() -> int:
    """Measure, print, and say by the exit code whether every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("PETLAKE_DATA") or "../shared/data"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sts = options.data / "sts"
    if not sts.is_dir():
        print(f"There are no data in {sts}; name their folder with --data", file=sys.stderr)
        return 1
    cropped = series_below(sts / "dicom")
    cases = [
        ("PET, 20 patients, cropped", [one for one in cropped if one.kind == "PET"]),
        ("PET, whole body, as acquired", series_below(sts / "raw")),
        ("CT, 20 patients, cropped", [one for one in cropped if one.kind == "CT"]),
    ]
    print(HEADING)
    print("|---|---|---|---|---|---|---|---|")
    all_met = True
    for name, series in cases:
        kind = series[0].kind
        equal = all(np.array_equal(one.read(), one.read_with_pydicom()) for one in series)
        result = paired(_all_of(series, Series.read), _all_of(series, Series.decode_with_pydicom), options.rounds)
        print(row(name, kind, series, result, equal), flush=True)
        all_met &= equal and result.cpu_ratio <= TARGETS[kind]
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
