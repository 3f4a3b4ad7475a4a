"""From a region's intensities to grey levels, once, and from these to the features of each texture class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from radiomics import imageoperations

from petct.radiomics.texture_classes import TEXTURE_CLASSES, GreyLevels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_N_DIRECTIONS = 13
_BYTES = 8


def discretise(
    image: NDArray[np.generic],
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    bins: Mapping[str, Any],
    most_bins: int,
) -> GreyLevels | None:
    """Grey levels of a region, after ``radiomics.imageoperations.binImage``; None where more than ``most_bins``.

    The edges are pyradiomics' own, computed from the smallest and the largest value instead of from all of them, which
    gives the same edges.
    """
    values = image[mask]
    extremes = np.array([values.min(), values.max()])
    n_bins = bins["binCount"]
    if n_bins is None:
        n_bins = (float(extremes[1]) - float(extremes[0])) / bins["binWidth"]
    if n_bins > most_bins:
        return None
    edges = np.asarray(imageoperations.getBinEdges(extremes, **bins))
    inside = np.searchsorted(edges, values, side="right").astype(np.int32)
    grey = np.zeros(image.shape, dtype=np.int32)
    grey[mask] = inside
    tally = np.bincount(inside)
    levels = np.flatnonzero(tally)
    return GreyLevels(grey, mask, levels, tally[levels], spacing_mm)


def texture(
    feature_class: str, grey: GreyLevels, settings: Mapping[str, object], features: Sequence[str]
) -> dict[str, float]:
    """The features of one texture class, by name.

    Parameters
    ----------
    settings
        As in ``pyradiomics_settings.texture_settings``.
    features
        Which of them; none means all.
    """
    computing = TEXTURE_CLASSES[feature_class](grey, **settings)
    for name in features:
        computing.enableFeatureByName(name)
    return {name: float(value) for name, value in computing.execute().items()}


def bytes_needed(feature_class: str, grey: GreyLevels, settings: Mapping[str, object]) -> int:
    """An estimate, from above, of the memory that the matrices of a class and their largest temporaries take."""
    n, n_levels, n_voxels = grey.levels.size, int(grey.levels[-1]), int(grey.counts.sum())
    sizes = min(n_voxels, int(grey.counts.max()))
    if grey.is_large and not settings["force2D"]:
        # Only the sizes that occur: zones of k sizes have k (k + 1) / 2 voxels or more.
        sizes = min(sizes, math.isqrt(2 * n_voxels) + 1)
    numbers: dict[str, int] = {
        # The matrix of all directions, and three temporaries as large.
        "glcm": 4 * n * n * _N_DIRECTIONS,
        "glrlm": 3 * n * max(grey.image.shape) * _N_DIRECTIONS,
        "glszm": 3 * n * sizes,
        "gldm": 3 * n_levels * 53,
        # Differences of all pairs of grey levels.
        "ngtdm": 6 * n * n,
    }
    return numbers[feature_class] * _BYTES
