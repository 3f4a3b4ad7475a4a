"""pyradiomics' texture classes with faster steps: where a step could leave pyradiomics' value, and large matrices."""

from __future__ import annotations

import numpy as np
import pytest
from radiomics.glcm import RadiomicsGLCM

from petct.radiomics.texture_classes import GLCM, GreyLevels
from tests.petct.radiomics.identity import Case, Geometry, Mask, Volume, compare

N_LEVELS = 32


def symmetric_matrix(rare: float, tie: float) -> np.ndarray:
    """Two groups of common levels, and two levels that occur as rarely as ``rare``, mostly beside each other.

    The pair is as correlated as its tie to the others allows, so the second largest correlation is its own: without a
    tie it is 1, as large as the largest, and with either sign.
    """
    n = 15
    places = np.arange(n)
    near = np.exp(-np.abs(places[:, None] - places[None, :]) / 3.0)
    matrix = np.zeros((N_LEVELS, N_LEVELS))
    matrix[:n, :n] = matrix[n : 2 * n, n : 2 * n] = near
    matrix[:n, n : 2 * n] = matrix[n : 2 * n, :n] = 0.2 * near.mean()
    matrix /= matrix.sum()
    for i, j, p in ((30, 31, rare), (30, 7, tie * rare), (31, 22, tie * rare)):
        matrix[i, j] = matrix[j, i] = p
    return matrix / matrix.sum()


@pytest.mark.parametrize("tie", [0.45, 0.0])
@pytest.mark.parametrize("rare", [1e-3, 1e-6, 4e-7, 2e-7, 5e-8])
def test_the_maximal_correlation_of_very_rare_levels_is_that_of_pyradiomics(rare: float, tie: float) -> None:
    """A level of one voxel in a million: pyradiomics' epsilon is no longer small beside its probability squared."""
    rng = np.random.default_rng(5)
    grey = np.arange(1, N_LEVELS + 1, dtype=np.int32).reshape(2, 4, 4)
    levels = np.arange(1, N_LEVELS + 1)
    glcm = GLCM(GreyLevels(grey, grey > 0, levels, np.ones_like(levels), (1.0, 1.0, 1.0)))
    glcm._initCalculation()
    for _ in range(4):
        # In another order, other ones of equal correlations come first.
        order = rng.permutation(N_LEVELS)
        glcm.P_glcm = symmetric_matrix(rare, tie)[np.ix_(order, order)][None, :, :, None]
        glcm._calculateCoefficients()
        assert glcm.getMCCFeatureValue()[0] == pytest.approx(RadiomicsGLCM.getMCCFeatureValue(glcm)[0], rel=1e-7)


def test_one_large_zone_among_many_grey_levels_is_computed_in_little_memory() -> None:
    """All grey levels times all sizes up to the largest zone would take more than the limit of a class."""
    shape = (40, 40, 40)
    rng = np.random.default_rng(20)
    values = rng.integers(0, 900, shape).astype(np.float32)
    values[:, :, :16] = 450.0
    geometry = Geometry(shape, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    mask = np.ones(shape, dtype=bool)
    mask[0] = False
    case = Case(Volume(values, geometry), Mask(mask, geometry))
    comparison = compare(case, {"setting": {"binWidth": 1.0}, "featureClass": {"glszm": []}}, "PT")
    assert comparison.n_values == 16
    assert not comparison.unexplained
