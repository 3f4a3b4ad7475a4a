"""The 20 sarcoma patients as arrays and as files, for the benchmarks of cohorts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from petct.dicom.index import index_folder
from petct.dicom.series import read_ct, read_pet
from petct.image.volume import Volume, to_sitk

PATIENTS = tuple(f"STS_{number:03d}" for number in range(1, 21))


@dataclass(frozen=True)
class Patient:
    """One patient's image of one modality, and the published mask as a label map."""

    patient_id: str
    image: Volume
    labels: Volume

    @property
    def sitk(self) -> tuple[sitk.Image, sitk.Image]:
        """Both as pyradiomics takes them."""
        return to_sitk(self.image.array, self.image.geometry), to_sitk(self.labels.array, self.labels.geometry)


def arguments(description: str | None) -> argparse.Namespace:
    """``--data``, ``--rounds`` and ``--patients`` (how many, from the first on)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("PETLAKE_DATA") or "../shared/data"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patients", type=int, default=len(PATIENTS))
    options = parser.parse_args()
    if not (options.data / "sts").is_dir():
        print(f"There are no data in {options.data / 'sts'}; name their folder with --data", file=sys.stderr)
        sys.exit(1)
    return options


def patients(data: Path, modality: str, wanted: int = len(PATIENTS)) -> Iterator[Patient]:
    """The first ``wanted`` patients; the PET of these data is SUV as it is stored (GML)."""
    for patient_id in PATIENTS[:wanted]:
        folder = data / "sts" / "dicom" / patient_id / modality / "image"
        (series,) = index_folder(folder).series
        read = read_pet if modality == "PET" else read_ct
        volume = read(sorted(folder.iterdir()), patient_id=patient_id, series_instance_uid=series.series_instance_uid)
        array = volume.volume.array
        image = Volume(array.astype(np.float32) if modality == "PET" else array, volume.volume.geometry)
        published = sitk.ReadImage(str(data / "sts" / "nifti" / patient_id / f"{modality}_mask.nii.gz"))
        labels = (sitk.GetArrayFromImage(published) > 0).astype(np.uint8)
        yield Patient(patient_id, image, Volume(labels, image.geometry))


def write(cohort: list[Patient], folder: Path) -> list[tuple[Path, Path, int]]:
    """Images and masks as NIfTI in ``folder``; the cases of a batch file."""
    cases = []
    for patient in cohort:
        image, mask = folder / f"{patient.patient_id}.nii.gz", folder / f"{patient.patient_id}_mask.nii.gz"
        for part, path in zip(patient.sitk, (image, mask), strict=True):
            sitk.WriteImage(part, str(path))
        cases.append((image, mask, 1))
    return cases
