"""The configurations of IBSI-1 and the processing they prescribe: interpolation, resegmentation, discretisation.

IBSI reference manual (arXiv:1612.07003), chapter 2 (image processing) and section 5.2 (configurations A to E of the CT
phantom); doi 10.1148/radiol.2020191145.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from petct.image.volume import Geometry, Mask, Volume, geometry_of, to_sitk

if TYPE_CHECKING:
    from pathlib import Path

    import SimpleITK as sitk
    from numpy.typing import NDArray

# A size that is a whole number up to rounding is that number.
_SIZE_DIGITS = 6


Dimension = Literal["2D", "2_5D", "3D"]
_IN_PLANE: tuple[Dimension, ...] = ("2D", "2_5D")


@dataclass(frozen=True)
class Configuration:
    """How an image is processed before features are computed.

    Attributes
    ----------
    spacing_mm
        New voxel spacing (x, y, z), None along an axis that stays as it is; None: no interpolation.
    interpolation
        linear, or spline (cubic); the region is always interpolated linearly and cut at one half.
    intensity_range
        Range of resegmentation, both ends included.
    outliers_sd
        Voxels further from the mean than so many standard deviations are taken out.
    bin_width, bin_count
        Discretisation: one of the two. Width 1 leaves the grey levels of the digital phantom as they are.
    dimensions
        How texture is looked at: 2D (slice by slice), 2_5D (in plane, one matrix of all slices), 3D.
    """

    name: str
    spacing_mm: tuple[float | None, float | None, float | None] | None = None
    interpolation: Literal["linear", "spline"] = "linear"
    intensity_range: tuple[float, float] | None = None
    outliers_sd: float | None = None
    bin_width: float | None = None
    bin_count: int | None = None
    dimensions: tuple[Dimension, ...] = ("3D",)


DIGITAL_PHANTOM = Configuration("digital phantom", bin_width=1, dimensions=("2D", "2_5D", "3D"))
CT_CONFIGURATIONS = (
    Configuration("A", intensity_range=(-500, 400), bin_width=25, dimensions=_IN_PLANE),
    Configuration("B", spacing_mm=(2, 2, None), intensity_range=(-500, 400), bin_count=32, dimensions=_IN_PLANE),
    Configuration("C", spacing_mm=(2, 2, 2), intensity_range=(-1000, 400), bin_width=25),
    Configuration("D", spacing_mm=(2, 2, 2), outliers_sd=3, bin_count=32),
    Configuration(
        "E", spacing_mm=(2, 2, 2), interpolation="spline", intensity_range=(-1000, 400), outliers_sd=3, bin_count=32
    ),
)


@dataclass(frozen=True, eq=False)
class Phantom:
    """An image and the region drawn on it."""

    image: Volume
    mask: Mask


@dataclass(frozen=True, eq=False)
class Prepared:
    """A phantom after the processing of a configuration.

    Attributes
    ----------
    image
        Interpolated and, where it was, rounded to whole numbers.
    morphological
        The region for shape: interpolated only.
    intensity
        The region for everything else: resegmented.
    levels
        Grey levels (z, y, x) by IBSI's rule, 1 or more inside ``intensity`` and 0 outside.
    """

    image: Volume
    morphological: Mask
    intensity: Mask
    levels: NDArray[np.int_]


def read_phantom(folder: Path) -> Phantom:
    """Read ``nifti/image/phantom.nii.gz`` and ``nifti/mask/mask.nii.gz`` below ``folder``."""
    import SimpleITK as sitk

    image = sitk.Cast(sitk.ReadImage(folder / "nifti" / "image" / "phantom.nii.gz"), sitk.sitkFloat64)
    mask = sitk.ReadImage(folder / "nifti" / "mask" / "mask.nii.gz")
    geometry = geometry_of(image)
    array = sitk.GetArrayFromImage(image)
    return Phantom(Volume(array, geometry), Mask(sitk.GetArrayFromImage(mask) > 0, geometry))


def prepare(phantom: Phantom, configuration: Configuration) -> Prepared:
    """Process ``phantom`` as ``configuration`` prescribes."""
    image, mask = _interpolated(phantom, configuration)
    inside = mask.array.copy()
    intensities = np.asarray(image.array, dtype=np.float64)
    if configuration.intensity_range is not None:
        lowest, highest = configuration.intensity_range
        inside &= (intensities >= lowest) & (intensities <= highest)
    if configuration.outliers_sd is not None:
        values = intensities[inside]
        inside &= np.abs(intensities - values.mean()) <= configuration.outliers_sd * values.std()
    levels = np.where(inside, _discretised(intensities, inside, configuration), 0)
    return Prepared(image, mask, Mask(inside, image.geometry), levels)


def _interpolated(phantom: Phantom, configuration: Configuration) -> tuple[Volume, Mask]:
    import SimpleITK as sitk

    if configuration.spacing_mm is None:
        return phantom.image, phantom.mask
    geometry = _aligned_by_centre(phantom.image.geometry, configuration.spacing_mm)
    method = sitk.sitkLinear if configuration.interpolation == "linear" else sitk.sitkBSpline
    image = _resampled(to_sitk(phantom.image.array, phantom.image.geometry), geometry, method)
    region = _resampled(
        to_sitk(phantom.mask.array.astype(np.float64), phantom.mask.geometry), geometry, sitk.sitkLinear
    )
    # The intensities of a CT are whole numbers, and stay so.
    return Volume(np.rint(image), geometry), Mask(region >= 0.5, geometry)


def _resampled(image: sitk.Image, onto: Geometry, method: int) -> NDArray[np.float64]:
    import SimpleITK as sitk

    resampled = sitk.Resample(
        image, onto.shape[::-1], sitk.Transform(), method, onto.origin_mm, onto.spacing_mm, onto.direction, 0.0
    )
    return np.asarray(sitk.GetArrayFromImage(resampled), dtype=np.float64)


def _aligned_by_centre(grid: Geometry, spacing_mm: tuple[float | None, float | None, float | None]) -> Geometry:
    """The grid of new spacing that has the same centre, and as many voxels as cover the old one (IBSI 2.4)."""
    old = np.asarray(grid.spacing_mm)
    new = np.array([asked or was for asked, was in zip(spacing_mm, grid.spacing_mm, strict=True)])
    n_old = np.array(grid.shape[::-1])
    n_new = np.ceil(np.round(n_old * old / new, _SIZE_DIGITS)).astype(int)
    first = (n_old - 1) / 2 - (n_new - 1) / 2 * new / old
    x, y, z = (float(value) for value in grid.to_physical(first[None])[0])
    columns, rows, slices = (int(n) for n in n_new)
    along_x, along_y, along_z = (float(value) for value in new)
    return Geometry((slices, rows, columns), (along_x, along_y, along_z), (x, y, z), grid.direction)


def _discretised(
    values: NDArray[np.float64], inside: NDArray[np.bool_], configuration: Configuration
) -> NDArray[np.int_]:
    """Grey levels from 1 by IBSI's rules (2.7): fixed bin size from the bound of the range, or fixed bin number."""
    lowest, highest = values[inside].min(), values[inside].max()
    if configuration.bin_count is not None:
        scaled = configuration.bin_count * (values - lowest) / (highest - lowest)
        return np.asarray(np.minimum(np.floor(scaled) + 1, configuration.bin_count), dtype=int)
    if configuration.intensity_range is not None:
        lowest = configuration.intensity_range[0]
    return np.asarray(np.floor((values - lowest) / (configuration.bin_width or 1)) + 1, dtype=int)
