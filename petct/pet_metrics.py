"""Tumour volume and uptake at three grains: lesion, organ, patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from petct.errors import MaskError
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
    values = {lesion.label: _values(suv, lesions, lesion) for lesion in lesions.lesions}

    def row(grain: Grain, region: str, members: Sequence[Lesion]) -> PetMetrics:
        uptake = np.concatenate([values[lesion.label] for lesion in members]) if members else np.empty(0)
        measured = uptake.size > 0
        volume_ml = uptake.size * suv.geometry.voxel_volume_ml
        mean = float(uptake.mean()) if measured else None
        return PetMetrics(
            patient_id=patient_id,
            scan_id=scan_id,
            protocol_id=protocol_id,
            grain=grain,
            region=region,
            n_lesions=len(members),
            n_voxels=uptake.size,
            volume_ml=volume_ml,
            suv_max=float(uptake.max()) if measured else None,
            suv_mean=mean,
            suv_median=float(np.median(uptake)) if measured else None,
            suv_min=float(uptake.min()) if measured else None,
            suv_sd=float(uptake.std()) if measured else None,
            total_lesion_expression_ml=0.0 if mean is None else volume_ml * mean,
            uptake_status="NOT_APPLICABLE" if mean is None else "COMPUTED",
        )

    organs = sorted({lesion.organ for lesion in lesions.lesions})
    return (
        *(row("lesion", lesion.lesion_id, [lesion]) for lesion in lesions.lesions),
        *(row("organ", organ, [x for x in lesions.lesions if x.organ == organ]) for organ in organs),
        row("patient", WHOLE_PATIENT, lesions.lesions),
    )


def _values(suv: Volume, lesions: LesionMap, lesion: Lesion) -> NDArray[np.float64]:
    return np.asarray(suv.array[lesions.labels == lesion.label], dtype=np.float64)
