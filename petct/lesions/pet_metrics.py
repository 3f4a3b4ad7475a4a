"""Tumour volume and uptake at three grains: lesion, organ, patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from petct.errors import MaskError
from petct.image.volume import Volume
from petct.lesions.intensity_peaks import IntensityPeaks, intensity_peaks
from petct.lesions.lesion_map import Lesion, LesionMap
from petct.lesions.protocol import KrenningRatios
from petct.suv.body_size import LeanBodyMass
from records.features import PetMetrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

Grain = Literal["lesion", "organ", "patient"]
WHOLE_PATIENT = "all"

COMPUTED = "COMPUTED"
NOT_APPLICABLE = "NOT_APPLICABLE"
LIVER_REFERENCE_MISSING = "LIVER_REFERENCE_MISSING"
SPLEEN_REFERENCE_MISSING = "SPLEEN_REFERENCE_MISSING"
BODY_SIZE_UNKNOWN = "BODY_SIZE_UNKNOWN"


@dataclass(frozen=True)
class Comparison:
    """What the uptake and the spread of lesions are compared with.

    Attributes
    ----------
    liver_suv_mean, spleen_suv_mean
        Mean SUV of the reference regions; None where there is none.
    body_surface_area_m2
        None where height or weight are not known.
    sul_per_suv
        Lean body mass / weight; None where ``sul_reason`` says why.
    sul_reason
        Code of the reason why there is no factor.
    """

    liver_suv_mean: float | None = None
    spleen_suv_mean: float | None = None
    body_surface_area_m2: float | None = None
    krenning: KrenningRatios = field(default_factory=KrenningRatios)
    sul_per_suv: float | None = None
    sul_reason: str = BODY_SIZE_UNKNOWN
    sul_formula: LeanBodyMass = LeanBodyMass.JANMAHASATIAN


def measure(
    suv: Volume,
    lesions: LesionMap,
    comparison: Comparison,
    *,
    patient_id: str,
    scan_id: str,
    protocol_id: str,
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
    total_ml = sum(lesion.volume_ml for lesion in lesions.lesions)

    def row(grain: Grain, region: str, members: Sequence[Lesion]) -> PetMetrics:
        uptake = _uptake([measured[lesion.label] for lesion in members])
        volume_ml = uptake.values.size * suv.geometry.voxel_volume_ml
        expression = volume_ml * (uptake.suv_mean or 0.0)
        dispersion = _dispersion_mm(members)
        area = comparison.body_surface_area_m2
        percist = uptake.peaks.percist if uptake.peaks else None
        factor = comparison.sul_per_suv
        score, status = krenning_score(
            uptake.suv_max, comparison.liver_suv_mean, comparison.spleen_suv_mean, comparison.krenning
        )
        return PetMetrics(
            patient_id=patient_id,
            scan_id=scan_id,
            protocol_id=protocol_id,
            grain=grain,
            region=region,
            n_lesions=len(members),
            n_voxels=uptake.values.size,
            volume_ml=volume_ml,
            volume_share=volume_ml / total_ml if total_ml > 0 else None,
            largest_lesion_ml=max((lesion.volume_ml for lesion in members), default=0.0),
            dispersion_mm=dispersion,
            dispersion_per_bsa_mm_per_m2=None if dispersion is None or area is None else dispersion / area,
            suv_max=uptake.suv_max,
            suv_mean=uptake.suv_mean,
            suv_median=None if uptake.suv_max is None else float(np.median(uptake.values)),
            suv_min=None if uptake.suv_max is None else float(uptake.values.min()),
            suv_sd=None if uptake.suv_max is None else float(uptake.values.std()),
            suv_peak_local=uptake.peaks.local if uptake.peaks else None,
            suv_peak_global=uptake.peaks.global_ if uptake.peaks else None,
            suv_peak_percist=percist,
            suv_max_to_liver=_ratio(uptake.suv_max, comparison.liver_suv_mean),
            suv_max_to_spleen=_ratio(uptake.suv_max, comparison.spleen_suv_mean),
            krenning_score=score,
            krenning_status=status,
            total_lesion_expression_ml=expression,
            uptake_status=NOT_APPLICABLE if uptake.suv_max is None else COMPUTED,
            sul_max=_times(uptake.suv_max, factor),
            sul_mean=_times(uptake.suv_mean, factor),
            sul_peak=_times(percist, factor),
            total_lesion_expression_sul_ml=0.0 if uptake.suv_max is None else _times(expression, factor),
            sul_formula=comparison.sul_formula.value,
            sul_status=_sul_status(uptake.suv_max, comparison),
        )

    organs = sorted({lesion.organ for lesion in lesions.lesions})
    return (
        *(row("lesion", lesion.lesion_id, [lesion]) for lesion in lesions.lesions),
        *(row("organ", organ, [x for x in lesions.lesions if x.organ == organ]) for organ in organs),
        row("patient", WHOLE_PATIENT, lesions.lesions),
    )


def krenning_score(
    suv_max: float | None, liver_suv_mean: float | None, spleen_suv_mean: float | None, ratios: KrenningRatios
) -> tuple[int | None, str]:
    """Modified Krenning score of an uptake, and COMPUTED or why there is none.

    0 no tumour uptake; 1 below the liver; 2 as the liver; 3 above the liver; 4 above the spleen.
    """
    if suv_max is None:
        return 0, COMPUTED
    if liver_suv_mean is None:
        return None, LIVER_REFERENCE_MISSING
    if suv_max < ratios.below_liver * liver_suv_mean:
        return 1, COMPUTED
    if suv_max <= ratios.above_liver * liver_suv_mean:
        return 2, COMPUTED
    # Whether it is 3 or 4 is not known without the spleen.
    if spleen_suv_mean is None:
        return None, SPLEEN_REFERENCE_MISSING
    return (4 if suv_max > ratios.above_spleen * spleen_suv_mean else 3), COMPUTED


def _times(value: float | None, factor: float | None) -> float | None:
    return None if value is None or factor is None else value * factor


def _sul_status(suv_max: float | None, comparison: Comparison) -> str:
    if suv_max is None:
        return NOT_APPLICABLE
    return comparison.sul_reason if comparison.sul_per_suv is None else COMPUTED


def _ratio(value: float | None, reference: float | None) -> float | None:
    return None if value is None or reference is None or reference <= 0 else value / reference


def _dispersion_mm(lesions: Sequence[Lesion]) -> float | None:
    """Largest distance between the centres of two lesions (Cottereau 2020, doi 10.2967/jnumed.119.229450)."""
    if not lesions:
        return None
    centres = np.array([lesion.centroid_mm for lesion in lesions])
    return float(np.linalg.norm(centres[:, None, :] - centres[None, :, :], axis=-1).max())


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


@dataclass(frozen=True, eq=False)
class _Uptake:
    """The SUV of several lesions together; without any there is no maximum, no mean and no peak."""

    values: NDArray[np.float64]
    suv_max: float | None
    suv_mean: float | None
    peaks: IntensityPeaks | None


def _uptake(parts: Sequence[_Measured]) -> _Uptake:
    if not parts:
        return _Uptake(np.empty(0), None, None, None)
    values = np.concatenate([part.uptake for part in parts])
    highest = float(values.max())
    peaks = IntensityPeaks(
        max(part.peaks.local for part in parts if part.uptake.max() == highest),
        max(part.peaks.global_ for part in parts),
        max(part.peaks.percist for part in parts),
    )
    return _Uptake(values, highest, float(values.mean()), peaks)
