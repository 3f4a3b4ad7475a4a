"""pyradiomics' feature classes on an image that was prepared elsewhere: shape, first order, and texture from levels."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from petct.image.volume import Mask, Volume, to_sitk

if TYPE_CHECKING:
    from numpy.typing import NDArray

TextureClass = Literal["glcm", "glrlm", "glszm", "gldm", "ngtdm"]


def shape_values(mask: Mask) -> dict[str, float]:
    """Shape features of a region, by pyradiomics' name within the class."""
    image = to_sitk(mask.array, mask.geometry)
    return _values(_class("shape")(image, image, label=1))


def first_order_values(
    image: Volume, mask: Mask, *, bin_width: float | None = None, bin_count: int | None = None
) -> dict[str, float]:
    """First-order features; the bins are those of entropy and uniformity."""
    binning = {"binCount": bin_count} if bin_count else {"binWidth": bin_width}
    values = to_sitk(np.ascontiguousarray(image.array), image.geometry)
    return _values(_class("firstorder")(values, to_sitk(mask.array, mask.geometry), label=1, **binning))


def texture_values(
    texture: TextureClass,
    levels: NDArray[np.int_],
    mask: Mask,
    *,
    in_plane: bool = False,
    merge_directions: bool = False,
    n_levels: int | None = None,
) -> dict[str, float]:
    """Texture features of grey levels that are used as they are.

    Parameters
    ----------
    levels
        (z, y, x), 1 or more inside the mask. pyradiomics' own binning, which calls the lowest one 1, is not applied.
    in_plane
        Look for neighbours in the plane of a slice only (pyradiomics' force2D): IBSI's 2.5D.
    merge_directions
        One matrix of all directions instead of the mean of one value per direction; of matrices with directions (GLCM
        and GLRLM) only.
    n_levels
        Number of grey levels that normalised features (Idn, Idmn) divide by; by default the highest level inside.
    """
    region = to_sitk(mask.array, mask.geometry)
    image = to_sitk(np.where(mask.array, levels, 0).astype(np.int32), mask.geometry)
    settings: dict[str, Any] = {
        "label": 1,
        "force2D": in_plane,
        "force2Ddimension": 0,
        "gldm_a": 0,
        "n_levels": n_levels,
    }
    if merge_directions:
        settings["weightingNorm"] = "no_weighting"
    return _values(_without_binning(texture)(image, region, **settings))


def own_levels(
    image: Volume, mask: Mask, *, bin_width: float | None = None, bin_count: int | None = None
) -> NDArray[np.int_]:
    """The grey levels (z, y, x) that pyradiomics itself gives the voxels of a region; 0 outside."""
    from radiomics.imageoperations import binImage

    binning = {"binCount": bin_count} if bin_count else {"binWidth": bin_width}
    levels, _ = binImage(image.array, np.nonzero(mask.array), **binning)
    return np.asarray(levels, dtype=int)


@cache
def _class(name: str) -> Any:
    # Imported here: pyradiomics takes half a second to load.
    from radiomics import getFeatureClasses

    # It announces for every matrix that a symmetrical GLCM makes two features redundant.
    logging.getLogger("radiomics").setLevel(logging.ERROR)
    return getFeatureClasses()[name]


@cache
def _without_binning(name: str) -> Any:
    def use_levels(self: Any, matrix: NDArray[np.int_]) -> NDArray[np.int_]:
        inside = matrix[self.maskArray]
        self.coefficients["grayLevels"] = np.unique(inside)
        self.coefficients["Ng"] = self.settings["n_levels"] or int(inside.max())
        return matrix.astype(int)

    base = _class(name)
    # pyradiomics names its loggers after the module of the class.
    return type(f"Prepared{name.upper()}", (base,), {"_applyBinning": use_levels, "__module__": base.__module__})


def _values(features: Any) -> dict[str, float]:
    features.enableAllFeatures()
    return {name: float(value) for name, value in features.execute().items()}
