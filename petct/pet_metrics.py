"""Tumour volume and uptake at three grains: lesion, organ, patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from petct.errors import MaskError
from petct.intensity_peaks import IntensityPeaks, intensity_peaks
from petct.lesions import Lesion, LesionMap
from petct.volume import Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

Grain = Literal["lesion", "organ", "patient"]
WHOLE_PATIENT = "all"


@dataclass(frozen=True)
class PetMetrics:
    """A row of the table ``pet_metrics``.

    A region without tumour has volume 0, total expression 0, no uptake values, and ``uptake_status`` NOT_APPLICABLE.
    """

    patient_id: str
    scan_id: str
    protocol_id: str
    grain: str
    region: str
    n_lesions: int
    n_voxels: int
    volume_ml: float
    suv_max: float | None
    suv_mean: float | None
    suv_median: float | None
    suv_min: float | None
    suv_sd: float | None
    suv_peak_local: float | None
    suv_peak_global: float | None
    suv_peak_percist: float | None
    total_lesion_expression_ml: float
    uptake_status: str


def measure(
    suv: Volume, lesions: LesionMap, *, patient_id: str, scan_id: str, protocol_id: str
) -> tuple[PetMetrics, ...]:
    """Measure each lesion, the lesions of each organ, and all lesions of the patient.

    Parameters
    ----------
    suv
        The PET image in SUV, on the grid of the lesions.

    Raises
    ------
    MaskError
        GRID_MISMATCH when image and lesions are not on the same grid.
    """
    if not suv.geometry.is_close(lesions.geometry):
        raise MaskError(
            "GRID_MISMATCH",
            "The lesions are not on the grid of the SUV image",
            patient_id=patient_id,
            found=str(lesions.geometry.shape),
            expected=str(suv.geometry.shape),
        )
    measured = _measured(suv, lesions)

    def row(grain: Grain, region: str, members: Sequence[Lesion]) -> PetMetrics:
        whose = (patient_id, scan_id, protocol_id, grain, region, len(members))
        return _row(whose, [measured[lesion.label] for lesion in members], suv.geometry.voxel_volume_ml)

    organs = sorted({lesion.organ for lesion in lesions.lesions})
    return (
        *(row("lesion", lesion.lesion_id, [lesion]) for lesion in lesions.lesions),
        *(row("organ", organ, [x for x in lesions.lesions if x.organ == organ]) for organ in organs),
        row("patient", WHOLE_PATIENT, lesions.lesions),
    )


@dataclass(frozen=True, eq=False)
class _Measured:
    """The SUV of every voxel of one lesion, and its peaks."""

    uptake: NDArray[np.float64]
    peaks: IntensityPeaks


def _measured(suv: Volume, lesions: LesionMap) -> dict[int, _Measured]:
    """By label of the lesion."""
    boxes = ndimage.find_objects(lesions.labels)
    measured = {}
    for lesion in lesions.lesions:
        box = boxes[lesion.label - 1]
        voxels = np.argwhere(lesions.labels[box] == lesion.label) + [part.start for part in box]
        uptake = np.asarray(suv.array[tuple(voxels.T)], dtype=np.float64)
        measured[lesion.label] = _Measured(uptake, intensity_peaks(suv, voxels))
    return measured


def _row(whose: tuple[str, str, str, str, str, int], parts: Sequence[_Measured], voxel_volume_ml: float) -> PetMetrics:
    if not parts:
        return PetMetrics(
            *whose, 0, 0.0, None, None, None, None, None, None, None, None, 0.0, uptake_status="NOT_APPLICABLE"
        )
    uptake = np.concatenate([part.uptake for part in parts])
    highest = max(part.uptake.max() for part in parts)
    return PetMetrics(
        *whose,
        n_voxels=uptake.size,
        volume_ml=uptake.size * voxel_volume_ml,
        suv_max=float(highest),
        suv_mean=float(uptake.mean()),
        suv_median=float(np.median(uptake)),
        suv_min=float(uptake.min()),
        suv_sd=float(uptake.std()),
        suv_peak_local=max(part.peaks.local for part in parts if part.uptake.max() == highest),
        suv_peak_global=max(part.peaks.global_ for part in parts),
        suv_peak_percist=max(part.peaks.percist for part in parts),
        total_lesion_expression_ml=uptake.size * voxel_volume_ml * float(uptake.mean()),
        uptake_status="COMPUTED",
    )
