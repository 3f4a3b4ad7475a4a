"""What each feature is: image type, class and name, its unit, and what IBSI calls it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

from petct.errors import FeatureError
from petct.radiomics.feature_sets import FeatureSet, ImageType
from petct.radiomics.ibsi import IBSI_FEATURES, IMAGE
from records.features import FeatureDefinition

_SHAPE_2D_UNITS = {
    "Elongation": "1",
    "MajorAxisLength": "mm",
    "MaximumDiameter": "mm",
    "MeshSurface": "mm2",
    "MinorAxisLength": "mm",
    "Perimeter": "mm",
    "PerimeterSurfaceRatio": "1/mm",
    "PixelSurface": "mm2",
    "Sphericity": "1",
}
"""The features of a region in one slice, of which IBSI knows none."""

_PLAIN_NAMES = {
    "square_root": "squareroot",
    "lbp_2d": "lbp-2D",
}


def image_names(image_type: ImageType, feature_set: FeatureSet) -> tuple[str, ...]:
    """Names of the images that ``image_type`` makes, as pyradiomics begins their features' names."""
    if image_type.name == "log":
        return tuple(f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D" for sigma in image_type.sigma_mm)
    if image_type.name != "wavelet":
        return (_PLAIN_NAMES.get(image_type.name, image_type.name),)
    n_axes = 2 if feature_set.texture.force_2d else 3
    bands = ["".join(band) for band in itertools.product("LH", repeat=n_axes)]
    names: list[str] = []
    for level in range(1, image_type.level + 1):
        prefix = "wavelet" if level == 1 else f"wavelet{level}"
        names.extend(f"{prefix}-{band}" for band in bands[1:])
    return (*names, f"{prefix}-{bands[0]}")


@lru_cache(maxsize=64)
def definitions_of(feature_set: FeatureSet) -> tuple[FeatureDefinition, ...]:
    """All features of ``feature_set``, in their order: shape, then image by image.

    Raises
    ------
    FeatureError
        FEATURE_UNKNOWN for a name that the class does not have, or that pyradiomics has given up.
    """
    shape = [item for item in feature_set.feature_classes if item.name.startswith("shape")]
    others = [item for item in feature_set.feature_classes if item not in shape]
    images = [name for image_type in feature_set.image_types for name in image_names(image_type, feature_set)]
    # Shape is that of the region, whether or not the unfiltered image is asked for.
    wanted = [("original", item) for item in shape] + [(image, item) for image in images for item in others]
    return tuple(definition for image, item in wanted for definition in _of_class(image, item.name, item.features))


def definitions_of_all(feature_sets: Sequence[FeatureSet]) -> tuple[FeatureDefinition, ...]:
    """The features of several feature sets, each once."""
    return tuple(dict.fromkeys(item for feature_set in feature_sets for item in definitions_of(feature_set)))


def _of_class(image: str, feature_class: str, chosen: tuple[str, ...]) -> list[FeatureDefinition]:
    if feature_class == "shape2d":
        # pyradiomics writes shape2D; in settings, names are in small letters throughout.
        feature_class, known = "shape2D", list(_SHAPE_2D_UNITS)
    else:
        known = [name for group, name in IBSI_FEATURES if group == feature_class]
    for name in chosen:
        if name not in known:
            raise FeatureError(
                "FEATURE_UNKNOWN",
                f"The class {feature_class} has no such feature",
                keyword=f"feature_classes.{feature_class}",
                found=name,
                expected=", ".join(known),
            )
    return [_definition(image, feature_class, name) for name in known if not chosen or name in chosen]


def _definition(image: str, feature_class: str, name: str) -> FeatureDefinition:
    feature_name = f"{image}_{feature_class}_{name}"
    if feature_class == "shape2D":
        return FeatureDefinition(feature_name, image, feature_class, name, _SHAPE_2D_UNITS[name], None, None, None)
    ibsi = IBSI_FEATURES[feature_class, name]
    # What a filter makes of an intensity has no name as a unit.
    unit = None if image != "original" and IMAGE in ibsi.unit else ibsi.unit
    return FeatureDefinition(
        feature_name=feature_name,
        image_type=image,
        feature_class=feature_class,
        name=name,
        unit=unit,
        ibsi_id=ibsi.ibsi_id,
        ibsi_name=ibsi.name,
        ibsi_difference=ibsi.difference,
    )


ORIGINAL_FEATURES: tuple[FeatureDefinition, ...] = tuple(_definition("original", *key) for key in IBSI_FEATURES)
"""The 107 features of the unfiltered image, in pyradiomics' names."""
