"""Whole-body images with many lesions, made by code: what the benchmarks of many lesions are measured on."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from petct.image.volume import Geometry, Volume, to_sitk

SEED = 20251124
N_LESIONS = 40
PET_SHAPE = (400, 200, 200)
CT_SHAPE = (400, 512, 512)


@dataclass(frozen=True)
class WholeBody:
    """An image and a label map with the labels 1 to ``N_LESIONS``."""

    image: Volume
    labels: Volume

    def write(self, folder: Path, suffix: str = ".nii.gz") -> Path:
        """Both as NIfTI in ``folder``, and the CSV of cases beside them; the path of the CSV."""
        import SimpleITK as sitk

        image, mask = folder / f"image{suffix}", folder / f"labels{suffix}"
        sitk.WriteImage(to_sitk(self.image.array, self.image.geometry), str(image))
        sitk.WriteImage(to_sitk(self.labels.array, self.labels.geometry), str(mask))
        return write_cases(folder / "cases.csv", [(image, mask, label) for label in range(1, N_LESIONS + 1)])


def write_cases(path: Path, cases: list[tuple[Path, Path, int]]) -> Path:
    """A batch file of pyradiomics."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Image", "Mask", "Label"))
        writer.writerows(cases)
    return path


def pet() -> WholeBody:
    """SUV on 200 x 200 x 400 voxels of 4 x 4 x 3 mm; lesions of 9 to 20 mm radius, SUV 4 to 25, with texture."""
    rng = np.random.default_rng(SEED)
    image = rng.gamma(4.0, 0.2, PET_SHAPE).astype(np.float32)
    labels = _lesions(rng, PET_SHAPE, (3, 4, 4), (9.0, 20.0))
    heat = rng.uniform(4.0, 25.0, N_LESIONS + 1).astype(np.float32)
    inside = labels > 0
    image[inside] += heat[labels[inside]] * rng.gamma(16.0, 1 / 16.0, int(inside.sum())).astype(np.float32)
    return _whole_body(image, labels, (4.0, 4.0, 3.0))


def ct() -> WholeBody:
    """Hounsfield units on 512 x 512 x 400 voxels of 0.98 x 0.98 x 3 mm."""
    rng = np.random.default_rng(SEED)
    image = np.empty(CT_SHAPE, dtype=np.int16)
    for plane in image:
        # Slice by slice: the random numbers of a whole body would be 840 MB.
        plane[...] = rng.normal(40.0, 25.0, plane.shape)
    labels = _lesions(rng, CT_SHAPE, (3.0, 0.98, 0.98), (9.0, 20.0))
    return _whole_body(image, labels, (0.98, 0.98, 3.0))


def _whole_body(
    image: NDArray[np.generic], labels: NDArray[np.uint8], spacing: tuple[float, float, float]
) -> WholeBody:
    shape = (image.shape[0], image.shape[1], image.shape[2])
    geometry = Geometry(shape, spacing, (-250.0, -250.0, 0.0))
    return WholeBody(Volume(image, geometry), Volume(labels, geometry))


def _lesions(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    radii_mm: tuple[float, float],
) -> NDArray[np.uint8]:
    """Ellipsoids that do not touch; radius and elongation are drawn."""
    labels = np.zeros(shape, dtype=np.uint8)
    label = 0
    while label < N_LESIONS:
        radius = float(rng.uniform(*radii_mm))
        axes = radius * rng.uniform(0.8, 1.25, 3) / np.array(spacing)
        reach = np.ceil(axes).astype(int) + 1
        centre = rng.integers(reach + 12, np.array(shape) - reach - 12)
        box = tuple(slice(c - r, c + r + 1) for c, r in zip(centre, reach, strict=True))
        if labels[box].any():
            continue
        offsets = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
        ellipsoid = sum((offset / axis) ** 2 for offset, axis in zip(offsets, axes, strict=True)) <= 1
        label += 1
        labels[box][ellipsoid] = label
    return labels
