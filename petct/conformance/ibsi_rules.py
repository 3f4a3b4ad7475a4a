"""The closed lists of the radiomics exam: where pyradiomics differs from IBSI, and what it does not compute."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from petct.radiomics.ibsi import GREY_LEVELS, IBSI_FEATURES

# Features that change when every grey level is counted from another one.
_COUNTED_LEVELS = {feature.tag for feature in IBSI_FEATURES.values() if feature.difference == GREY_LEVELS}
_DIMENSION = re.compile(r"_(2D|2_5D|3D)(_avg|_comb)?$")


@dataclass(frozen=True)
class Evidence:
    """What a known difference may be explained with.

    Attributes
    ----------
    values
        pyradiomics' values by tag.
    of_ibsi_levels
        Texture values of pyradiomics' classes by tag, computed from grey levels by IBSI's rule instead of pyradiomics'.
    voxels
        Voxels of the morphological mask.
    """

    values: Mapping[str, float]
    of_ibsi_levels: Mapping[str, float]
    voxels: int


@dataclass(frozen=True)
class KnownDifference:
    """One reason why pyradiomics' value is not IBSI's.

    Attributes
    ----------
    formula
        How IBSI's value follows, in words.
    mapped
        The same as a function of the tag and the evidence; the result must lie within the tolerance.
    """

    reason: str
    formula: str
    mapped: Callable[[str, Evidence], float]

    @property
    def note(self) -> str:
        """Reason and formula as one sentence."""
        return f"{self.reason}: {self.formula}"


def stem(tag: str) -> str:
    """The tag without the part that tells how texture matrices are aggregated."""
    return _DIMENSION.sub("", tag)


def _sibling(name: str) -> Callable[[str, Evidence], float]:
    """The value of another feature with the same aggregation."""

    def value(tag: str, evidence: Evidence) -> float:
        return evidence.values[tag.replace(stem(tag), name)]

    return value


def _from_levels(tag: str, evidence: Evidence) -> float:
    return evidence.of_ibsi_levels[tag]


def _compactness_1(_: str, evidence: Evidence) -> float:
    return evidence.values["morph_volume"] / math.sqrt(math.pi * evidence.values["morph_area_mesh"] ** 3)


def _axis(tag: str, evidence: Evidence) -> float:
    return evidence.values[tag] * math.sqrt(evidence.voxels / (evidence.voxels - 1))


_LEFT_OUT = "pyradiomics leaves it out because it follows from another feature"
_FIRST_LEVEL = KnownDifference(
    "pyradiomics calls the region's lowest bin grey level 1, IBSI the bin above the lower bound of the range",
    "the same feature of level + floor(minimum / width) - bound / width",
    _from_levels,
)
_LEVELS_OF_SLICE = KnownDifference(
    "slice by slice, pyradiomics divides by the number of grey levels of the slice, IBSI by that of the region",
    "the same feature with the region's number of grey levels",
    _from_levels,
)
_COVARIANCE = KnownDifference(
    "pyradiomics divides the covariance of the n voxel positions by n, and IBSI's reference values fit n - 1",
    "value x sqrt(n / (n - 1))",
    _axis,
)

# By stem of the tag. What is in neither list must match.
_LEFT_OUT_FEATURES: dict[str, KnownDifference] = {
    "morph_comp_1": KnownDifference(_LEFT_OUT, "MeshVolume / sqrt(pi SurfaceArea^3)", _compactness_1),
    "morph_comp_2": KnownDifference(_LEFT_OUT, "Sphericity^3", lambda _, e: e.values["morph_sphericity"] ** 3),
    "morph_sph_dispr": KnownDifference(_LEFT_OUT, "1 / Sphericity", lambda _, e: 1 / e.values["morph_sphericity"]),
    "morph_asphericity": KnownDifference(
        _LEFT_OUT, "1 / Sphericity - 1", lambda _, e: 1 / e.values["morph_sphericity"] - 1
    ),
    "morph_integ_int": KnownDifference(
        _LEFT_OUT, "MeshVolume x Mean", lambda _, e: e.values["morph_volume"] * e.values["stat_mean"]
    ),
    "stat_cov": KnownDifference(
        _LEFT_OUT, "sqrt(Variance) / Mean", lambda _, e: math.sqrt(e.values["stat_var"]) / e.values["stat_mean"]
    ),
    "cm_dissimilarity": KnownDifference(_LEFT_OUT, "DifferenceAverage", _sibling("cm_diff_avg")),
    "cm_sum_var": KnownDifference(_LEFT_OUT, "ClusterTendency", _sibling("cm_clust_tend")),
    "ngl_glnu_norm": KnownDifference(
        _LEFT_OUT, "gldm GrayLevelNonUniformity / number of voxels", lambda tag, evidence: evidence.values[tag]
    ),
    "ngl_dc_perc": KnownDifference(_LEFT_OUT, "1, for every voxel has a dependence count", lambda _tag, _e: 1.0),
}

_DIFFERENT: dict[str, KnownDifference] = {
    "stat_kurt": KnownDifference(
        "pyradiomics' kurtosis is not excess kurtosis", "value - 3", lambda tag, evidence: evidence.values[tag] - 3
    ),
    **dict.fromkeys(("morph_pca_maj_axis", "morph_pca_min_axis", "morph_pca_least_axis"), _COVARIANCE),
}

NO_REFERENCE = "IBSI-1 publishes no reference value"
_NOT_COMPUTED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (r"morph_com|morph_moran_i|morph_geary_c", "pyradiomics relates no shape to intensities"),
        (r"morph_(vol|area)_dens_\w+", "pyradiomics has no densities of enclosing bodies"),
        (r"loc_peak_(loc|glob)", "pyradiomics has no local intensity; petlake's PET metrics have intensity peaks"),
        (r"stat_(medad|qcod)", "pyradiomics has no such statistic"),
        (r"ih_(?!entropy|uniformity)\w+", "pyradiomics takes only entropy and uniformity from the intensity histogram"),
        (r"ivh_\w+", "pyradiomics has no intensity-volume histogram"),
        (r"dzm_\w+", "pyradiomics has no grey level distance zone matrix"),
        (r"ngl_dc_energy", "pyradiomics has no such feature of the dependence matrix"),
    )
)


def not_computed(tag: str) -> str | None:
    """Why pyradiomics computes nothing for this tag, or None where it does."""
    return next((reason for pattern, reason in _NOT_COMPUTED if pattern.fullmatch(stem(tag))), None)


def left_out(tag: str) -> KnownDifference | None:
    """The formula of a feature that pyradiomics leaves out, or None."""
    return _LEFT_OUT_FEATURES.get(stem(tag))


def known_difference(tag: str) -> KnownDifference | None:
    """The known difference that may explain why the value of this tag does not match, or None."""
    if stem(tag) in _DIFFERENT:
        return _DIFFERENT[stem(tag)]
    if stem(tag) in ("cm_inv_diff_norm", "cm_inv_diff_mom_norm") and "_2D" in tag:
        return _LEVELS_OF_SLICE
    return _FIRST_LEVEL if stem(tag) in _COUNTED_LEVELS else None
