"""P7: RTSTRUCT to mask, against ``skimage.draw.polygon`` contour by contour. Both must equal the published masks.

``python benchmarks/p7_masks.py [--data DIR] [--rounds 5]`` prints one row per case; exit code 1 when a target is missed
or a voxel differs. Both sides begin with the vertices in mm: reading the file is the same work for both.
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
import SimpleITK as sitk
from numpy.typing import NDArray
from skimage.draw import polygon

from benchmarks.paired import paired
from petct.dicom.contour_planes import fill
from petct.dicom.regions import Refusal
from petct.image.mask_resampling import ResamplingLimits
from petct.image.volume import Geometry

TARGET = 1.0
HEADING = "| case | contours | petlake CPU ms | skimage CPU ms | CPU ratio | wall ratio | target | voxels |"


@dataclass(frozen=True)
class Drawn:
    """The contours of one file in mm, the grid of their series, and the published mask of them."""

    contours: tuple[NDArray[np.float64], ...]
    geometry: Geometry
    published: NDArray[np.bool_]

    def ours(self) -> NDArray[np.bool_]:
        """The mask by petlake, with every check of planes, places and duplicates."""
        return fill("region", self.contours, self.geometry, Refusal("", ""), ResamplingLimits())[0].array

    def theirs(self) -> NDArray[np.bool_]:
        """The mask by scikit-image, contours of one slice combined by exclusive or."""
        mask = np.zeros(self.geometry.shape, dtype=bool)
        for contour in self.contours:
            index = self.geometry.to_index(contour)
            rows, columns = polygon(index[:, 1], index[:, 0], mask.shape[1:])
            mask[round(float(index[0, 2])), rows, columns] ^= True
        return mask


def drawn(contour_file: Path, mask_file: Path) -> Drawn:
    """Read a file of contours with one region, and its published mask, whose grid is that of the series."""
    image = sitk.ReadImage(str(mask_file))
    published = sitk.GetArrayFromImage(image) > 0
    geometry = Geometry(published.shape, image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    dataset = pydicom.dcmread(contour_file)
    contours = [
        np.array(item.ContourData, dtype=np.float64).reshape(-1, 3)
        for item in dataset.ROIContourSequence[0].ContourSequence
    ]
    return Drawn(tuple(contours), geometry, published)


def _all_of(masks: Sequence[Drawn], how: Callable[[Drawn], object]) -> Callable[[], None]:
    def work() -> None:
        for one in masks:
            how(one)

    return work


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
    print(HEADING)
    print("|---|---|---|---|---|---|---|---|")
    all_met = True
    for kind in ("PET", "CT"):
        masks = [
            drawn(next((patient / kind / "mask").rglob("*.dcm")), sts / "nifti" / patient.name / f"{kind}_mask.nii.gz")
            for patient in sorted((sts / "dicom").iterdir())
        ]
        exact = all(np.array_equal(one.ours(), one.published) for one in masks)
        same = all(np.array_equal(one.theirs(), one.published) for one in masks)
        result = paired(_all_of(masks, Drawn.ours), _all_of(masks, Drawn.theirs), options.rounds)
        met = exact and result.cpu_ratio <= TARGET
        print(
            f"| {kind}, {len(masks)} patients | {sum(len(one.contours) for one in masks)} | "
            f"{1000 * result.ours_cpu_s:.1f} | {1000 * result.theirs_cpu_s:.1f} | {result.cpu_ratio:.2f} | "
            f"{result.wall_ratio:.2f} | <= {TARGET:.2f}, {'met' if met else 'MISSED'} | "
            f"{'exact' if exact else 'DIFFERENT'} (skimage: {'exact' if same else 'different'}) |",
            flush=True,
        )
        all_met &= met
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
