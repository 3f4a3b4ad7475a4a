"""A synthetic patient, read back with nothing of the code that wrote it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from petct.synthetic.settings import CohortSettings
from petct.synthetic.truth import PatientTruth

SETTINGS = CohortSettings(n_patients=8)
#: RTSTRUCT, SEG, and the tumour-free one.
WRITTEN = (1, 2, 7)


@dataclass(frozen=True, eq=False)
class WrittenPatient:
    """One patient as read back: slices from the lowest to the highest."""

    folder: Path
    record: PatientTruth
    voxels: dict[str, NDArray[np.generic]]
    pet: list[pydicom.Dataset]
    ct: list[pydicom.Dataset]

    def suv(self) -> NDArray[np.float64]:
        """Textbook SUV: (stored x slope) x weight / (dose decayed to the start of the series)."""
        header = self.pet[0]
        tracer = header.RadiopharmaceuticalInformationSequence[0]
        start = pydicom.valuerep.DT(header.SeriesDate + header.SeriesTime)
        given = pydicom.valuerep.DT(tracer.RadiopharmaceuticalStartDateTime)
        waited = (start - given).total_seconds()
        dose = float(tracer.RadionuclideTotalDose) * math.exp(
            -math.log(2) * waited / float(tracer.RadionuclideHalfLife)
        )
        factor = float(header.PatientWeight) * 1000.0 / dose
        return np.stack([s.pixel_array * float(s.RescaleSlope) * factor for s in self.pet])


def read_series(folder: Path) -> list[pydicom.Dataset]:
    slices = [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    return sorted(slices, key=lambda s: float(s.ImagePositionPatient[2]))
