"""The PET series: 68Ga-DOTATOC in Bq/ml, corrected to the start of the series over five bed positions."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import PositronEmissionTomographyImageStorage

from petct.synthetic.dicom import (
    SeriesIdentity,
    add_image_plane,
    add_slice,
    common_dataset,
    da,
    ds,
    slice_positions,
    tm,
)
from petct.synthetic.images import PSF_FWHM_MM
from petct.synthetic.patients import PatientPlan
from petct.synthetic.settings import CohortSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.image.volume import Geometry

HALF_LIFE_S = 4057.7
DECAY_CONSTANT_PER_S = math.log(2.0) / HALF_LIFE_S
N_BEDS = 5
BED_DURATION_S = 150
BED_CHANGE_S = 6
PET_KEY = "PT"
_STORED_MAXIMUM = 32767


@dataclass(frozen=True)
class BedPosition:
    """One bed position of a whole-body acquisition whose values are corrected to the start of the series.

    Attributes
    ----------
    frame_reference_ms
        Frame Reference Time (0054,1300): from the start of the series to the moment at which the activity equals its
        average over the bed's duration.
    decay_factor
        Decay Factor (0054,1321): by what the average over the bed was multiplied to give the value at the start.
    """

    acquired: dt.datetime
    frame_reference_ms: float
    decay_factor: float


def bed_positions(start: dt.datetime) -> tuple[BedPosition, ...]:
    """The beds from the thighs upwards; the first begins with the series."""
    exponent = DECAY_CONSTANT_PER_S * BED_DURATION_S
    during = exponent / (1.0 - math.exp(-exponent))
    average_s = math.log(during) / DECAY_CONSTANT_PER_S
    beds = []
    for number in range(N_BEDS):
        offset = number * (BED_DURATION_S + BED_CHANGE_S)
        factor = math.exp(DECAY_CONSTANT_PER_S * offset) * during
        beds.append(BedPosition(start + dt.timedelta(seconds=offset), 1000.0 * (offset + average_s), factor))
    return tuple(beds)


def activity_per_suv(plan: PatientPlan) -> float:
    """Bq/ml at the start of the series that are SUV 1 (body weight): decayed dose over weight in grams."""
    uptake_s = (plan.scan_start - plan.injection.administered).total_seconds()
    return plan.injection.activity_bq * math.exp(-DECAY_CONSTANT_PER_S * uptake_s) / (plan.weight_kg * 1000.0)


def pet_series(plan: PatientPlan) -> SeriesIdentity:
    """Identity of the PET series."""
    return SeriesIdentity(
        PET_KEY, "PT", 2, "PET whole body AC", PositronEmissionTomographyImageStorage, plan.scan_start
    )


def pet_datasets(
    settings: CohortSettings, plan: PatientPlan, suv: NDArray[np.float32], geometry: Geometry
) -> tuple[list[Dataset], list[NDArray[np.int16]]]:
    """Headers and stored pixels of the PET slices, from the lowest to the highest.

    Parameters
    ----------
    suv, geometry
        SUV (z, y, x) and its grid. Every slice gets its own Rescale Slope, so that its maximum uses all of the 15 bits.
    """
    shared = _shared(settings, plan, geometry)
    beds = bed_positions(plan.scan_start)
    scale = activity_per_suv(plan)
    headers, pixels = [], []
    for number, index, z_mm in slice_positions(geometry):
        bed = beds[index * N_BEDS // geometry.shape[0]]
        activity = suv[index].astype(np.float64) * scale
        slope = ds(float(f"{max(float(activity.max()), 1.0) / _STORED_MAXIMUM:.8g}"))
        out = Dataset()
        out.update(shared)
        add_slice(out, settings, plan, PET_KEY, number, z_mm, geometry)
        out.ImageIndex = number
        out.AcquisitionDate, out.AcquisitionTime = da(bed.acquired), tm(bed.acquired)
        out.ContentDate, out.ContentTime = da(bed.acquired), tm(bed.acquired)
        out.ActualFrameDuration = 1000 * BED_DURATION_S
        out.FrameReferenceTime, out.DecayFactor = ds(bed.frame_reference_ms), ds(bed.decay_factor)
        out.RescaleSlope, out.RescaleIntercept, out.RescaleType = slope, "0", "BQML"
        headers.append(out)
        pixels.append(np.minimum(np.rint(activity / float(slope)), _STORED_MAXIMUM).astype(np.int16))
    return headers, pixels


def _shared(settings: CohortSettings, plan: PatientPlan, geometry: Geometry) -> Dataset:
    """PET Series, PET Isotope, NM/PET Patient Orientation and what all PET Images of the series share (PS3.3 C.8.9)."""
    out = common_dataset(settings, plan, pet_series(plan))
    add_image_plane(out, settings, plan, geometry)
    out.ImageType = ["ORIGINAL", "PRIMARY"]
    out.SeriesType = ["WHOLE BODY", "IMAGE"]
    out.Units, out.CountsSource, out.DecayCorrection = "BQML", "EMISSION", "START"
    out.NumberOfSlices = geometry.shape[0]
    out.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"]
    out.RandomsCorrectionMethod, out.AttenuationCorrectionMethod = "DLYD", "CT"
    out.ScatterCorrectionMethod = "Model-based"
    out.ReconstructionMethod = "OSEM 3i24s"
    out.ConvolutionKernel = f"Gaussian {PSF_FWHM_MM:g} mm"
    out.CollimatorType = "NONE"
    out.RadiopharmaceuticalInformationSequence = Sequence([_radiopharmaceutical(plan)])
    out.PatientOrientationCodeSequence = Sequence([code("102538003", "SCT", "recumbent")])
    out.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = Sequence(
        [code("40199007", "SCT", "supine")]
    )
    out.PatientGantryRelationshipCodeSequence = Sequence([code("102540008", "SCT", "headfirst")])
    return out


def _radiopharmaceutical(plan: PatientPlan) -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical = "68Ga-DOTATOC"
    item.RadiopharmaceuticalRoute = "intravenous"
    item.RadiopharmaceuticalStartTime = tm(plan.injection.administered)
    item.RadiopharmaceuticalStartDateTime = plan.injection.administered.strftime("%Y%m%d%H%M%S")
    item.RadionuclideTotalDose = ds(plan.injection.activity_bq)
    item.RadionuclideHalfLife = ds(HALF_LIFE_S)
    item.RadionuclidePositronFraction = ds(0.8914)
    item.RadionuclideCodeSequence = Sequence([code("35337001", "SCT", "^68^Gallium")])
    return item


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One coded entry (PS3.3 8.1)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
