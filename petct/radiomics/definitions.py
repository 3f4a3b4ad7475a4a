"""What each feature is: image type, class, name and unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeatureDefinition:
    """A row of the table ``feature_definitions``."""

    feature_name: str
    image_type: str
    feature_class: str
    name: str
    unit: str | None


_NAMES = {
    "shape": (
        "Elongation Flatness LeastAxisLength MajorAxisLength Maximum2DDiameterColumn Maximum2DDiameterRow "
        "Maximum2DDiameterSlice Maximum3DDiameter MeshVolume MinorAxisLength Sphericity SurfaceArea SurfaceVolumeRatio "
        "VoxelVolume"
    ),
    "firstorder": (
        "10Percentile 90Percentile Energy Entropy InterquartileRange Kurtosis Maximum MeanAbsoluteDeviation Mean "
        "Median Minimum Range RobustMeanAbsoluteDeviation RootMeanSquared Skewness TotalEnergy Uniformity Variance"
    ),
    "glcm": (
        "Autocorrelation ClusterProminence ClusterShade ClusterTendency Contrast Correlation DifferenceAverage "
        "DifferenceEntropy DifferenceVariance Id Idm Idmn Idn Imc1 Imc2 InverseVariance JointAverage JointEnergy "
        "JointEntropy MCC MaximumProbability SumAverage SumEntropy SumSquares"
    ),
    "glrlm": (
        "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance HighGrayLevelRunEmphasis "
        "LongRunEmphasis LongRunHighGrayLevelEmphasis LongRunLowGrayLevelEmphasis LowGrayLevelRunEmphasis RunEntropy "
        "RunLengthNonUniformity RunLengthNonUniformityNormalized RunPercentage RunVariance ShortRunEmphasis "
        "ShortRunHighGrayLevelEmphasis ShortRunLowGrayLevelEmphasis"
    ),
    "glszm": (
        "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance HighGrayLevelZoneEmphasis "
        "LargeAreaEmphasis LargeAreaHighGrayLevelEmphasis LargeAreaLowGrayLevelEmphasis LowGrayLevelZoneEmphasis "
        "SizeZoneNonUniformity SizeZoneNonUniformityNormalized SmallAreaEmphasis SmallAreaHighGrayLevelEmphasis "
        "SmallAreaLowGrayLevelEmphasis ZoneEntropy ZonePercentage ZoneVariance"
    ),
    "gldm": (
        "DependenceEntropy DependenceNonUniformity DependenceNonUniformityNormalized DependenceVariance "
        "GrayLevelNonUniformity GrayLevelVariance HighGrayLevelEmphasis LargeDependenceEmphasis "
        "LargeDependenceHighGrayLevelEmphasis LargeDependenceLowGrayLevelEmphasis LowGrayLevelEmphasis "
        "SmallDependenceEmphasis SmallDependenceHighGrayLevelEmphasis SmallDependenceLowGrayLevelEmphasis"
    ),
    "ngtdm": "Busyness Coarseness Complexity Contrast Strength",
}

_SHAPE_UNITS = {
    "MeshVolume": "mm3",
    "VoxelVolume": "mm3",
    "SurfaceArea": "mm2",
    "SurfaceVolumeRatio": "1/mm",
    "Elongation": "1",
    "Flatness": "1",
    "Sphericity": "1",
}


def _unit(feature_class: str, name: str) -> str | None:
    # Intensities have the image's unit, which the feature set tells; texture features count grey levels.
    return _SHAPE_UNITS.get(name, "mm") if feature_class == "shape" else None


ORIGINAL_FEATURES: tuple[FeatureDefinition, ...] = tuple(
    FeatureDefinition(f"original_{feature_class}_{name}", "original", feature_class, name, _unit(feature_class, name))
    for feature_class, names in _NAMES.items()
    for name in names.split()
)
"""The 107 features of the unfiltered image, in pyradiomics' names."""
