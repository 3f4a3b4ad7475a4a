"""First-order features in one pass over the lesion's voxels; formulas and conventions are pyradiomics'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPSILON = np.spacing(1)


def first_order(
    intensities: NDArray[np.generic], counts: NDArray[np.int64], voxel_mm3: float, shift: int
) -> dict[str, float]:
    """All 18 first-order features, by name.

    Parameters
    ----------
    intensities
        The lesion's voxels, (n,).
    counts
        How many of them each grey level has; a grey level without voxels may be left out or be 0.
    shift
        Added in the energies and the root mean square (``voxelArrayShift``).
    """
    values = intensities.astype(np.float64)
    n = values.size
    p10, p25, median, p75, p90 = (float(value) for value in np.percentile(values, (10, 25, 50, 75, 90)))
    mean = values.mean()
    deviations = values - mean
    squares = deviations * deviations
    variance = squares.mean()
    within = values[(values >= p10) & (values <= p90)]
    energy = ((values + shift) ** 2).sum()
    probability = counts[counts > 0] / n
    # A flat region has no skewness and no kurtosis; pyradiomics says 0, and the caller gives the reason.
    scale = variance if variance != 0 else 1.0
    low, high = values.min(), values.max()
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": energy,
        "Entropy": -(probability * np.log2(probability + _EPSILON)).sum(),
        "InterquartileRange": p75 - p25,
        "Kurtosis": (squares * squares).mean() / scale**2,
        "Maximum": high,
        "MeanAbsoluteDeviation": np.abs(deviations).mean(),
        "Mean": mean,
        "Median": median,
        "Minimum": low,
        "Range": high - low,
        "RobustMeanAbsoluteDeviation": np.abs(within - within.mean()).mean(),
        "RootMeanSquared": np.sqrt(energy / n),
        "Skewness": (squares * deviations).mean() / scale**1.5,
        "TotalEnergy": energy * voxel_mm3,
        "Uniformity": (probability**2).sum(),
        "Variance": variance,
    }
