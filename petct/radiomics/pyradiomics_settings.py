"""A feature set in pyradiomics' own words, so that both engines run with the same settings."""

from __future__ import annotations

from petct.radiomics.feature_sets import Discretisation, FeatureSet, ImageType

INTERPOLATORS = {
    "bspline": "sitkBSpline",
    "linear": "sitkLinear",
    "nearest": "sitkNearestNeighbor",
    "gaussian": "sitkGaussian",
    "hamming_sinc": "sitkHammingWindowedSinc",
    "lanczos_sinc": "sitkLanczosWindowedSinc",
}

IMAGE_TYPES = {
    "original": "Original",
    "log": "LoG",
    "wavelet": "Wavelet",
    "square": "Square",
    "square_root": "SquareRoot",
    "logarithm": "Logarithm",
    "exponential": "Exponential",
    "gradient": "Gradient",
    "lbp_2d": "LBP2D",
}

IMAGE_OPTIONS = {
    "sigma": "sigma_mm",
    "wavelet": "wavelet",
    "start_level": "start_level",
    "level": "level",
    "gradientUseSpacing": "use_spacing",
    "lbp2DRadius": "radius",
    "lbp2DSamples": "samples",
    "lbp2DMethod": "method",
}
"""pyradiomics' option of a filter to the field of ``ImageType``."""

TEXTURE = {
    "distances": "distances",
    "force2D": "force_2d",
    "force2Ddimension": "force_2d_dimension",
    "weightingNorm": "weighting_norm",
    "symmetricalGLCM": "symmetrical_glcm",
    "gldm_a": "gldm_alpha",
}
"""pyradiomics' setting to the field of ``Texture``."""


def general_settings(feature_set: FeatureSet) -> dict[str, object]:
    """Pyradiomics' ``setting`` of a feature set."""
    settings: dict[str, object] = {
        "minimumROIDimensions": feature_set.minimum_roi_dimensions,
        # pyradiomics refuses a region of exactly this size, too.
        "minimumROISize": feature_set.minimum_roi_voxels - 1,
        "voxelArrayShift": feature_set.voxel_array_shift,
        "additionalInfo": False,
        "correctMask": False,
        "binWidth": None,
        **_bins(feature_set.discretisation),
        **texture_settings(feature_set),
    }
    if feature_set.normalisation is not None:
        settings["normalize"] = True
        settings["normalizeScale"] = feature_set.normalisation.scale
        settings["removeOutliers"] = feature_set.normalisation.outliers
    if feature_set.resampling is not None:
        settings["resampledPixelSpacing"] = list(feature_set.resampling.spacing_mm)
        settings["interpolator"] = INTERPOLATORS[feature_set.resampling.interpolator]
        settings["padDistance"] = feature_set.resampling.pad_voxels
    if feature_set.resegmentation is not None:
        settings["resegmentRange"] = list(feature_set.resegmentation.range)
        settings["resegmentMode"] = feature_set.resegmentation.mode
        settings["resegmentShape"] = feature_set.resegmentation.shape
    return settings


def texture_settings(feature_set: FeatureSet) -> dict[str, object]:
    """The settings that the texture classes read."""
    return {theirs: _plain(getattr(feature_set.texture, ours)) for theirs, ours in TEXTURE.items()}


def bin_settings(feature_set: FeatureSet, image_type: ImageType) -> dict[str, object]:
    """The settings of the bins of one image type."""
    return _bins(feature_set.discretisation_of(image_type))


def image_type_settings(feature_set: FeatureSet) -> dict[str, dict[str, object]]:
    """Pyradiomics' ``imageType``: names and options."""
    return {IMAGE_TYPES[image_type.name]: _options(image_type) for image_type in feature_set.image_types}


def feature_class_settings(feature_set: FeatureSet) -> dict[str, list[str]]:
    """Pyradiomics' ``featureClass``: names, and features where not all are wanted."""
    return {
        {"shape2d": "shape2D"}.get(item.name, item.name): list(item.features) for item in feature_set.feature_classes
    }


def _options(image_type: ImageType) -> dict[str, object]:
    own = image_type.settings
    options = {theirs: _plain(own[ours]) for theirs, ours in IMAGE_OPTIONS.items() if ours in own}
    bins = {} if image_type.discretisation is None else _bins(image_type.discretisation)
    return {**options, **bins}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _bins(discretisation: Discretisation) -> dict[str, object]:
    # Where pyradiomics has a count it does not look at the width.
    return {"binWidth": discretisation.bin_width, "binCount": discretisation.bin_count}
