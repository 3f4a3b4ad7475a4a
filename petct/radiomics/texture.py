"""Texture features: pyradiomics' own classes, given grey levels that were made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
from radiomics import getFeatureClasses, imageoperations

from petct.radiomics.glcm import FastGLCM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

TEXTURE_CLASSES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")

_DIRECTIONS = 13
_BYTES = 8


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """A discretised region.

    Attributes
    ----------
    image
        Grey level of each voxel of the bounding box, (z, y, x); 0 outside the region, 1 for the lowest bin.
    mask
        True inside the region.
    levels
        The grey levels that occur, rising.
    counts
        Voxels of each of them.
    """

    image: NDArray[np.int32]
    mask: NDArray[np.bool_]
    levels: NDArray[np.int64]
    counts: NDArray[np.int64]


def discretise(
    image: NDArray[np.generic], mask: NDArray[np.bool_], bins: Mapping[str, object], most_bins: int
) -> GreyLevels | None:
    """Grey levels of a region, after ``radiomics.imageoperations.binImage``; None where more than ``most_bins``.

    The edges are pyradiomics' own, computed from the smallest and the largest value instead of from all of them, which
    gives the same edges.
    """
    values = image[mask]
    extremes = np.array([values.min(), values.max()])
    width, count = bins["binWidth"], bins["binCount"]
    n_bins = count if count is not None else (float(extremes[1]) - float(extremes[0])) / float(width)  # type: ignore[arg-type]
    if float(n_bins) > most_bins:  # type: ignore[arg-type]
        return None
    edges = np.asarray(imageoperations.getBinEdges(extremes, **bins))
    inside = np.searchsorted(edges, values, side="right").astype(np.int32)
    grey = np.zeros(image.shape, dtype=np.int32)
    grey[mask] = inside
    tally = np.bincount(inside)
    levels = np.flatnonzero(tally)
    return GreyLevels(grey, mask, levels, tally[levels])


def texture(
    feature_class: str,
    grey: GreyLevels,
    spacing_mm: tuple[float, float, float],
    settings: Mapping[str, object],
    features: Sequence[str],
) -> dict[str, float]:
    """The features of one texture class, by name.

    Parameters
    ----------
    settings
        As in ``pyradiomics_settings.texture_settings``.
    features
        Which of them; none means all.
    """
    image = sitk.GetImageFromArray(grey.image)
    image.SetSpacing(spacing_mm)
    computing = _CLASSES[feature_class](image, grey, **settings)
    for name in features:
        computing.enableFeatureByName(name)
    return {name: float(value) for name, value in computing.execute().items()}


def bytes_needed(feature_class: str, grey: GreyLevels) -> int:
    """An estimate, from above, of the memory that the matrices of a class and their largest temporaries take."""
    n, n_levels, n_voxels = grey.levels.size, int(grey.levels[-1]), int(grey.counts.sum())
    matrices: dict[str, int] = {
        # The matrix of all directions, three copies of it at a time.
        "glcm": 4 * n * n * _DIRECTIONS,
        "glrlm": 3 * n * max(grey.image.shape) * _DIRECTIONS,
        "glszm": 3 * n * min(n_voxels, int(grey.counts.max())),
        "gldm": 3 * n_levels * 27,
        # Differences of all pairs of grey levels.
        "ngtdm": 6 * n * n,
    }
    return matrices[feature_class] * _BYTES


def _prepared(base: Any) -> Any:
    """A texture class of pyradiomics that takes grey levels as they are, instead of making them itself."""
    names = base.getFeatureNames()

    class Prepared(base):  # type: ignore[misc]
        def __init__(self, image: sitk.Image, grey: GreyLevels, **settings: object) -> None:
            self._grey = grey
            super().__init__(image, image, **settings)

        def _initSegmentBasedCalculation(self) -> None:  # noqa: N802
            self.maskArray = self._grey.mask

        def _applyBinning(self, matrix: NDArray[np.int32]) -> NDArray[np.int32]:  # noqa: N802
            self.coefficients["grayLevels"] = self._grey.levels
            self.coefficients["Ng"] = int(self._grey.levels[-1])
            return matrix

        @classmethod
        def getFeatureNames(cls) -> dict[str, bool]:  # noqa: N802
            # Found by inspection of the class, which is not to be done for every region.
            return dict(names)

    # pyradiomics logs under the name of the class's module.
    Prepared.__module__ = "radiomics.texture"
    return Prepared


_CLASSES = {
    **{name: _prepared(getFeatureClasses()[name]) for name in TEXTURE_CLASSES},
    "glcm": _prepared(FastGLCM),
}
