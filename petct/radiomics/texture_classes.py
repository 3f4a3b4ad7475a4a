"""pyradiomics' texture classes, given grey levels that were made once, with slow steps done in fewer operations.

The features themselves stay pyradiomics' own methods. Matrices are counted over ranks of grey levels, which leaves out
the levels that do not occur before anything is allocated instead of afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
from radiomics.glcm import RadiomicsGLCM
from radiomics.gldm import RadiomicsGLDM
from radiomics.glrlm import RadiomicsGLRLM
from radiomics.glszm import RadiomicsGLSZM
from radiomics.ngtdm import RadiomicsNGTDM

from petct.radiomics import matrices

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPSILON = np.spacing(1)

# From so many voxels of the bounding box on, operations on whole arrays are faster than pyradiomics' walk.
_LARGE_VOXELS = 20_000
# From so many grey levels on, a symmetric eigenproblem is worth its preparation.
_MANY_LEVELS = 24
# Below it, the square root of a squared correlation is rounding, and pyradiomics' rounding is what it gives.
_SMALL_CORRELATION = 1e-5
# A part of a value that no comparison sees: a tenth of the relative difference that is allowed.
_NEGLIGIBLE = 1e-7


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
    spacing_mm
        (x, y, z).
    """

    image: NDArray[np.int32]
    mask: NDArray[np.bool_]
    levels: NDArray[np.int64]
    counts: NDArray[np.int64]
    spacing_mm: tuple[float, float, float]

    @property
    def is_large(self) -> bool:
        """Whether operations on the whole array are faster than a walk over it."""
        return self.mask.size >= _LARGE_VOXELS

    @cached_property
    def ranks(self) -> NDArray[np.int32]:
        """As ``image``, with each level replaced by its place among those that occur: 1 for the lowest."""
        if self.levels[-1] == self.levels.size:
            return self.image
        ranks = np.zeros(self.levels[-1] + 1, dtype=np.int32)
        ranks[self.levels] = np.arange(1, self.levels.size + 1)
        return ranks[self.image]

    @cached_property
    def small_ranks(self) -> NDArray[np.unsignedinteger]:
        """``ranks`` in as few bytes as they need; arrays are compared the faster."""
        return self.ranks.astype(
            np.uint8 if self.levels.size < 256 else np.uint16 if self.levels.size < 65536 else "u4"
        )

    @cached_property
    def sitk_image(self) -> sitk.Image:
        """An image that pyradiomics' classes take their array and spacing from."""
        image = sitk.GetImageFromArray(self.ranks)
        image.SetSpacing(self.spacing_mm)
        return image


class _Prepared:
    """What all classes share; stands before pyradiomics' class in the order of inheritance."""

    # Whether the matrix is counted over ranks.
    ranked = True

    def __init__(self, grey: GreyLevels, **settings: object) -> None:
        self.grey = grey
        super().__init__(grey.sitk_image, grey.sitk_image, **settings)  # type: ignore[call-arg]

    def _initSegmentBasedCalculation(self) -> None:  # noqa: N802
        self.maskArray = self.grey.mask

    def _applyBinning(self, _matrix: object) -> NDArray[np.int32]:  # noqa: N802
        self.coefficients: dict[str, Any]
        levels = np.arange(1, self.grey.levels.size + 1) if self.ranked else self.grey.levels
        self.coefficients["grayLevels"], self.coefficients["Ng"] = levels, int(levels[-1])
        return self.grey.ranks if self.ranked else self.grey.image

    def _from_ranks_to_levels(self) -> None:
        self.coefficients["grayLevels"], self.coefficients["Ng"] = self.grey.levels, int(self.grey.levels[-1])

    def _is_plain(self) -> bool:
        """Whether neighbours are the 26 around a voxel, all directions alike."""
        settings: dict[str, Any] = self.settings  # type: ignore[attr-defined]
        plain = not settings["force2D"] and list(settings["distances"]) == [1] and settings["weightingNorm"] is None
        return self.grey.is_large and plain


class GLCM(_Prepared, RadiomicsGLCM):  # type: ignore[misc]
    """Grey level co-occurrence matrix."""

    def _calculateCoefficients(self) -> None:  # noqa: N802
        """Pyradiomics' coefficients; the sums along the diagonals by one pass instead of one for each diagonal."""
        self._from_ranks_to_levels()
        P, levels = self.P_glcm, self.grey.levels
        n_directions = P.shape[3]
        i, j = np.meshgrid(levels.astype(float), levels.astype(float), indexing="ij", sparse=True)
        highest = int(levels[-1])
        sums = (levels[:, None] + levels[None, :]).ravel() - 2
        differences = np.abs(levels[:, None] - levels[None, :]).ravel()
        flat = P.reshape(-1, n_directions)
        added = np.empty((1, 2 * highest - 1, n_directions))
        subtracted = np.empty((1, highest, n_directions))
        for direction in range(n_directions):
            column = np.ascontiguousarray(flat[:, direction])
            added[0, :, direction] = np.bincount(sums, weights=column, minlength=2 * highest - 1)
            subtracted[0, :, direction] = np.bincount(differences, weights=column, minlength=highest)
        self.coefficients |= {
            "eps": _EPSILON,
            "i": i,
            "j": j,
            "kValuesSum": np.arange(2, 2 * highest + 1, dtype=float),
            "kValuesDiff": np.arange(0, highest, dtype=float),
            "px": P.sum(2, keepdims=True),
            "py": P.sum(1, keepdims=True),
            "ux": np.sum(i[None, :, :, None] * P, (1, 2), keepdims=True),
            "uy": np.sum(j[None, :, :, None] * P, (1, 2), keepdims=True),
            "pxAddy": added,
            "pxSuby": subtracted,
            "HXY": -np.sum(P * np.log2(P + _EPSILON), (1, 2)),
        }

    def _moment_of_sums(self, power: int) -> NDArray[np.float64]:
        """Mean over the directions of the central moment of i + j."""
        centre = self.coefficients["ux"][0, 0, 0] + self.coefficients["uy"][0, 0, 0]
        deviations = self.coefficients["kValuesSum"][:, None] - centre[None, :]
        # Multiplied out: a power of an array takes ten times as long.
        products = deviations * deviations
        products = products * (deviations if power == 3 else products)
        moments: NDArray[np.float64] = np.nanmean((self.coefficients["pxAddy"] * products).sum(axis=1), axis=1)
        return moments

    def getClusterProminenceFeatureValue(self) -> Any:  # noqa: N802
        """Fourth central moment of i + j, from its distribution instead of from the matrix."""
        return self._moment_of_sums(4)

    def getClusterShadeFeatureValue(self) -> Any:  # noqa: N802
        """Third central moment of i + j, likewise."""
        return self._moment_of_sums(3)

    def getMCCFeatureValue(self) -> Any:  # noqa: N802
        """Maximal correlation coefficient; where epsilon would be seen in its second order, pyradiomics computes it."""
        P = self.P_glcm[0]
        if P.shape[0] < _MANY_LEVELS or not self.symmetricalGLCM:
            return super().getMCCFeatureValue()
        correlations = []
        for direction in range(P.shape[2]):
            square, neglected = matrices.second_eigenvalue(P[:, :, direction], _EPSILON)
            if not (square > _SMALL_CORRELATION**2 and neglected < _NEGLIGIBLE * square):
                return super().getMCCFeatureValue()
            correlations.append(np.sqrt(square))
        return np.mean(correlations, keepdims=True)


class GLRLM(_Prepared, RadiomicsGLRLM):  # type: ignore[misc]
    """Grey level run length matrix."""

    def _calculateMatrix(self, voxelCoordinates: None = None) -> NDArray[np.float64]:  # noqa: N802
        if not self._is_plain():
            return np.asarray(super()._calculateMatrix(voxelCoordinates))
        matrix = matrices.run_lengths(self.grey.small_ranks, self.grey.levels.size, max(self.grey.mask.shape))
        totals = matrix.sum((0, 1))
        self.coefficients["Nr"] = totals[None, totals > 0]
        return matrix[None, :, :, totals > 0]

    def _calculateCoefficients(self) -> None:  # noqa: N802
        self._from_ranks_to_levels()
        super()._calculateCoefficients()


class GLSZM(_Prepared, RadiomicsGLSZM):  # type: ignore[misc]
    """Grey level size zone matrix."""

    def _calculateMatrix(self, voxelCoordinates: None = None) -> NDArray[np.float64]:  # noqa: N802
        if not self._is_plain():
            return np.asarray(super()._calculateMatrix(voxelCoordinates))
        matrix, self._sizes = matrices.zone_sizes(self.grey.small_ranks, self.grey.levels.size)
        return matrix[None]

    def _calculateCoefficients(self) -> None:  # noqa: N802
        """Pyradiomics' coefficients; sizes that do not occur are left out of the matrix before instead of after."""
        self._from_ranks_to_levels()
        if not self._is_plain():
            super()._calculateCoefficients()
            return
        matrix = self.P_glszm
        self.coefficients |= {
            "Np": (matrix.sum(1) * self._sizes).sum(1),
            "Nz": matrix.sum((1, 2)),
            "ps": matrix.sum(1),
            "pg": matrix.sum(2),
            "ivector": self.grey.levels.astype(float),
            "jvector": self._sizes.astype(float),
        }


class GLDM(_Prepared, RadiomicsGLDM):  # type: ignore[misc]
    """Grey level dependence matrix."""

    # A dependence may be asked for between different levels.
    ranked = False

    def _calculateMatrix(self, voxelCoordinates: None = None) -> NDArray[np.float64]:  # noqa: N802
        if not self._is_plain() or self.gldm_a != 0:
            return np.asarray(super()._calculateMatrix(voxelCoordinates))
        matrix = matrices.dependences(self.grey.small_ranks, self.grey.levels.size)
        sizes = np.flatnonzero(matrix.sum(axis=0))
        matrix = matrix[None, :, sizes]
        self.coefficients |= {
            "Nz": matrix.sum((1, 2)),
            "pd": matrix.sum(1),
            "pg": matrix.sum(2),
            "ivector": self.grey.levels.astype(float),
            "jvector": sizes + 1.0,
        }
        return matrix


class NGTDM(_Prepared, RadiomicsNGTDM):  # type: ignore[misc]
    """Neighbouring grey tone difference matrix."""

    # It is made of differences of levels.
    ranked = False

    def _calculateMatrix(self, voxelCoordinates: None = None) -> NDArray[np.float64]:  # noqa: N802
        if not self._is_plain():
            return np.asarray(super()._calculateMatrix(voxelCoordinates))
        matrix = matrices.neighbourhood_differences(self.grey.image, self.grey.mask, int(self.grey.levels[-1]))
        return matrix[None, matrix[:, 0] > 0]


def _known_names(prepared: type) -> type:
    """The class with its features' names found once; pyradiomics inspects the class for every region."""
    names: dict[str, bool] = prepared.getFeatureNames()  # type: ignore[attr-defined]
    prepared.getFeatureNames = classmethod(lambda _cls: dict(names))  # type: ignore[attr-defined]
    # pyradiomics logs under the name of the class's module, and its words are not for the user.
    prepared.__module__ = "radiomics.texture"
    return prepared


TEXTURE_CLASSES: dict[str, Any] = {
    "glcm": _known_names(GLCM),
    "glrlm": _known_names(GLRLM),
    "glszm": _known_names(GLSZM),
    "gldm": _known_names(GLDM),
    "ngtdm": _known_names(NGTDM),
}
"""pyradiomics' name of each class to the class; made of ``GreyLevels`` and the settings of ``texture_settings``."""
