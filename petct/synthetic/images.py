"""From solids to images: voxelised truth, point-spread blur and noise, and the CT of the same person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from petct.image.volume import Geometry
from petct.synthetic.anatomy import AIR_HU, ct_geometry, pet_geometry
from petct.synthetic.lesions import Lesion
from petct.synthetic.patients import PatientPlan
from petct.synthetic.settings import CohortSettings, Stream, generator
from petct.synthetic.shapes import axes_mm, paint, voxels

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Full width at half maximum of the point-spread function and of the noise texture, in mm.
PSF_FWHM_MM = 6.0
NOISE_FWHM_MM = 5.0
#: Standard deviation of the noise at SUV 1; it grows with the square root of the uptake (10 % in the liver).
NOISE_AT_SUV_1 = 0.22
#: Standard deviation of the noise of the CT.
CT_NOISE_HU = 12.0
#: Hounsfield units per unit of a lesion's relative uptake: what takes up more is a little denser.
CT_TEXTURE_HU = 60.0
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
#: Uptake inside a lesion does not fall below this share of its mean, however marked the texture.
_TEXTURE_FLOOR = 0.2


@dataclass(frozen=True, eq=False)
class PetTruth:
    """What is really there, on the PET grid.

    Attributes
    ----------
    suv
        Uptake (z, y, x), float32, before blur and noise.
    lesions
        Lesion numbers (z, y, x), uint8, 0 outside.
    organs
        Organ numbers (z, y, x), uint8, in the order of ``anatomy.ORGANS`` from 1, 0 outside. An organ includes the
        lesions in it.
    """

    suv: NDArray[np.float32]
    lesions: NDArray[np.uint8]
    organs: NDArray[np.uint8]
    geometry: Geometry


def voxelise(plan: PatientPlan, geometry: Geometry) -> PetTruth:
    """The patient on a grid: a voxel belongs to the solid that contains its centre."""
    suv = np.zeros(geometry.shape, dtype=np.float32)
    organs = np.zeros(geometry.shape, dtype=np.uint8)
    lesions = np.zeros(geometry.shape, dtype=np.uint8)
    for tissue in plan.anatomy.background:
        paint(suv, tissue.solids, geometry, tissue.suv)
    for label, organ in enumerate(plan.anatomy.organs, start=1):
        paint(suv, organ.solids, geometry, organ.suv)
        paint(organs, organ.solids, geometry, label)
    for lesion in plan.lesions:
        box, inside = voxels(lesion.shape, geometry)
        lesions[box][inside] = lesion.number
        suv[box][inside] = lesion.suv_mean * _relative_uptake(lesion, _points(box, inside, geometry))
    return PetTruth(suv, lesions, organs, geometry)


def _points(box: tuple[slice, slice, slice], inside: NDArray[np.bool_], geometry: Geometry) -> NDArray[np.float64]:
    """Centres (n, 3) in mm of the voxels inside."""
    x, y, z = (axis[part] for axis, part in zip(axes_mm(geometry), reversed(box), strict=True))
    iz, iy, ix = np.nonzero(inside)
    return np.stack([x[ix], y[iy], z[iz]], axis=1)


def _relative_uptake(lesion: Lesion, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Uptake relative to the mean of these points, which is exactly 1; its standard deviation is the amplitude."""
    relative = np.maximum(1.0 + lesion.texture.amplitude * lesion.texture.field(points), _TEXTURE_FLOOR)
    return np.asarray(relative / relative.mean())


def pet_image(settings: CohortSettings, plan: PatientPlan, truth: PetTruth) -> NDArray[np.float32]:
    """SUV (z, y, x) as the scanner would show it: blurred by the point-spread function, with correlated noise.

    The noise has mean 0 and standard deviation ``NOISE_AT_SUV_1`` times the square root of the uptake; what falls below
    zero is set to zero, as reconstructions with a non-negativity constraint do.
    """
    from scipy.ndimage import gaussian_filter

    rng = generator(settings, plan.number, Stream.PET_NOISE)
    voxel_mm = truth.geometry.spacing_mm[0]
    blurred = blur(truth.suv, voxel_mm)
    noise = gaussian_filter(
        rng.standard_normal(blurred.shape, dtype=np.float32), NOISE_FWHM_MM / _FWHM_PER_SIGMA / voxel_mm
    )
    noise *= NOISE_AT_SUV_1 / noise.std()
    image = blurred + noise * np.sqrt(np.maximum(blurred, 0.0))
    return np.asarray(np.maximum(image, 0.0), dtype=np.float32)


def blur(suv: NDArray[np.float32], voxel_mm: float) -> NDArray[np.float32]:
    """The image (z, y, x) through the point-spread function, without noise."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(suv, PSF_FWHM_MM / _FWHM_PER_SIGMA / voxel_mm), dtype=np.float32)


def ct_image(settings: CohortSettings, plan: PatientPlan) -> tuple[NDArray[np.int16], Geometry]:
    """Hounsfield units (z, y, x) and their grid. Lesions carry the waves of their texture, faintly."""
    from scipy.ndimage import gaussian_filter

    geometry = ct_geometry(settings.voxel_mm)
    hu = np.full(geometry.shape, AIR_HU, dtype=np.float32)
    for tissue in (*plan.anatomy.background, *plan.anatomy.organs):
        paint(hu, tissue.solids, geometry, tissue.hu)
    for lesion in plan.lesions:
        box, inside = voxels(lesion.shape, geometry)
        points = _points(box, inside, geometry)
        hu[box][inside] = lesion.hu + CT_TEXTURE_HU * lesion.texture.amplitude * lesion.texture.field(points)
    hu = gaussian_filter(hu, (0.0, 0.5, 0.5))
    rng = generator(settings, plan.number, Stream.CT_NOISE)
    hu += CT_NOISE_HU * rng.standard_normal(hu.shape, dtype=np.float32)
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16), geometry


def voxelised_truth(settings: CohortSettings, plan: PatientPlan) -> PetTruth:
    """The truth of a patient on the cohort's PET grid."""
    return voxelise(plan, pet_geometry(settings.voxel_mm))
