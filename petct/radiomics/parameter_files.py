"""pyradiomics' own parameter files, translated into feature sets or refused with the key that has no counterpart."""

from __future__ import annotations

from collections.abc import Mapping

from petct.errors import FeatureError
from petct.radiomics.pyradiomics_settings import IMAGE_OPTIONS, IMAGE_TYPES, INTERPOLATORS, TEXTURE

_SECTIONS = ("setting", "imageType", "featureClass", "voxelSetting")

_IMAGE_TYPES = {theirs: ours for ours, theirs in IMAGE_TYPES.items()}
_CLASSES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
_BIN_OPTIONS = ("binWidth", "binCount")
_INTERPOLATORS = {theirs: ours for ours, theirs in INTERPOLATORS.items()} | {1: "nearest", 2: "linear", 3: "bspline"}
# About files and logs; petlake reads its own images, and the mask always is on the grid of the image.
_WITHOUT_EFFECT = frozenset({"label", "label_channel", "additionalInfo", "geometryTolerance", "correctMask"})


def is_parameter_file(content: Mapping[str, object]) -> bool:
    """Whether ``content`` has a section that only pyradiomics' parameter files have."""
    return any(section in content for section in _SECTIONS)


def translate(content: Mapping[str, object], file: str) -> dict[str, object]:
    """The settings of a feature set, but for its modality, from the content of a parameter file.

    pyradiomics checks no size of a region unless told; petlake always does, and its 64 voxels stand where the file says
    nothing.

    Raises
    ------
    FeatureError
        PARAMETER_NOT_SUPPORTED with the key, where leaving it out would give other numbers than pyradiomics.
    """
    for key in content:
        if key not in _SECTIONS:
            raise _unsupported(file, key, content[key])
    for key, value in _mapping(content, "voxelSetting", file).items():
        raise _unsupported(file, f"voxelSetting.{key}", value, "petlake computes features of regions, not of voxels.")
    setting = dict(_mapping(content, "setting", file))
    image_types = _mapping(content, "imageType", file) or {"Original": {}}
    # Options of filters may stand among the settings, where they hold for every image type.
    shared = {key: setting.pop(key) for key in IMAGE_OPTIONS if key in setting}
    bins = {key: setting[key] for key in _BIN_OPTIONS if key in setting}
    texture = {ours: setting.pop(theirs) for theirs, ours in TEXTURE.items() if theirs in setting}
    translated: dict[str, object] = {
        "description": f"Translated from the pyradiomics parameter file {file}.",
        "image_types": {
            _image_type(name, file): _image_options(name, {**shared, **options}, bins, file)
            for name, options in _named(image_types, file)
        },
        "discretisation": _bins(setting) or {"bin_width": 25.0},
        "texture": texture,
        **_grid(setting, file),
        **_region(setting),
    }
    classes = _mapping(content, "featureClass", file)
    if classes:
        translated["feature_classes"] = {
            "shape2d" if name == "shape2D" else name: list(features or []) for name, features in _lists(classes, file)
        }
    elif texture.get("force_2d"):
        translated["feature_classes"] = ["shape2d", *_CLASSES]
    if "voxelArrayShift" in setting:
        translated["voxel_array_shift"] = setting.pop("voxelArrayShift")
    if setting.pop("preCrop", False) and any(name != "Original" for name in image_types):
        raise _unsupported(
            file,
            "setting.preCrop",
            True,
            "It makes filters see less than the image. Leave it out; petlake crops itself.",
        )
    setting.pop("padDistance", None)
    for key, value in setting.items():
        if key not in _WITHOUT_EFFECT:
            raise _unsupported(file, f"setting.{key}", value)
    return translated


def _grid(setting: dict[str, object], file: str) -> dict[str, object]:
    """Resampling and normalisation."""
    translated: dict[str, object] = {}
    if setting.pop("normalize", False):
        translated["normalisation"] = {
            "scale": setting.get("normalizeScale", 1.0),
            "outliers": setting.get("removeOutliers"),
        }
    setting.pop("normalizeScale", None)
    setting.pop("removeOutliers", None)
    interpolator = setting.pop("interpolator", "sitkBSpline")
    spacing = setting.pop("resampledPixelSpacing", None)
    if spacing is None or interpolator is None:
        return translated
    if interpolator not in _INTERPOLATORS:
        raise _unsupported(
            file, "setting.interpolator", interpolator, f"Known are {', '.join(map(str, _INTERPOLATORS))}."
        )
    translated["resampling"] = {
        "spacing_mm": spacing,
        "interpolator": _INTERPOLATORS[interpolator],
        "pad_voxels": setting.get("padDistance", 5),
    }
    return translated


def _region(setting: dict[str, object]) -> dict[str, object]:
    """Resegmentation and what a region must have."""
    translated: dict[str, object] = {}
    limits, mode = setting.pop("resegmentRange", None), setting.pop("resegmentMode", "absolute")
    shape = setting.pop("resegmentShape", False)
    if limits is not None:
        translated["resegmentation"] = {"range": limits, "mode": mode, "shape": shape}
    if "minimumROIDimensions" in setting:
        translated["minimum_roi_dimensions"] = setting.pop("minimumROIDimensions")
    size = setting.pop("minimumROISize", None)
    if isinstance(size, int):
        # pyradiomics refuses a region of that size, too.
        translated["minimum_roi_voxels"] = size + 1
    return translated


def _bins(options: dict[str, object]) -> dict[str, object] | None:
    # Where both are given, pyradiomics takes the count.
    width, count = options.pop("binWidth", None), options.pop("binCount", None)
    if count is not None:
        return {"bin_count": count}
    return None if width is None else {"bin_width": width}


def _image_type(name: str, file: str) -> str:
    if name not in _IMAGE_TYPES:
        hint = f"Known are {', '.join(_IMAGE_TYPES)}."
        if name == "LBP3D":
            hint = "pyradiomics 3.0.1 computes it only with a SciPy older than the one that is installed."
        raise _unsupported(file, f"imageType.{name}", None, hint)
    return _IMAGE_TYPES[name]


def _image_options(name: str, options: dict[str, object], bins: dict[str, object], file: str) -> dict[str, object]:
    translated: dict[str, object] = {}
    own = {key: options.pop(key) for key in _BIN_OPTIONS if key in options}
    if own:
        translated["discretisation"] = _bins({**bins, **own})
    for key, value in options.items():
        if key not in IMAGE_OPTIONS:
            raise _unsupported(file, f"imageType.{name}.{key}", value, "Only the bins can differ between image types.")
        translated[IMAGE_OPTIONS[key]] = value
    return translated


def _mapping(content: Mapping[str, object], section: str, file: str) -> Mapping[str, object]:
    found = content.get(section) or {}
    if not isinstance(found, Mapping):
        raise _unsupported(file, section, found, "A section is a mapping.")
    return found


def _named(entries: Mapping[str, object], file: str) -> list[tuple[str, dict[str, object]]]:
    for name, options in entries.items():
        if not isinstance(options or {}, Mapping):
            raise _unsupported(file, f"imageType.{name}", options, "The options of an image type are a mapping.")
    return [(name, dict(options) if isinstance(options, Mapping) else {}) for name, options in entries.items()]


def _lists(entries: Mapping[str, object], file: str) -> list[tuple[str, list[object]]]:
    for name, features in entries.items():
        if not isinstance(features or [], list):
            raise _unsupported(file, f"featureClass.{name}", features, "The features of a class are a list.")
    return [(name, list(features) if isinstance(features, list) else []) for name, features in entries.items()]


def _unsupported(file: str, key: str, value: object, hint: str | None = None) -> FeatureError:
    return FeatureError(
        "PARAMETER_NOT_SUPPORTED",
        f"The parameter file {file} of pyradiomics has a setting without a counterpart",
        keyword=key,
        found=None if value is None else str(value),
        hint=hint,
    )
