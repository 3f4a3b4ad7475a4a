"""Feature sets: a feature set is its settings, and its id is their digest together with the libraries' versions."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from importlib import metadata
from typing import Literal

from petct.errors import FeatureError
from petct.settings_digest import canonical_json, digest_id
from records.features import FeatureSetRecord

Modality = Literal["PT", "CT"]
ImageTypeName = Literal[
    "original",
    "log",
    "wavelet",
    "square",
    "square_root",
    "logarithm",
    "exponential",
    "gradient",
    "lbp_2d",
]
FeatureClassName = Literal["shape", "shape2d", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
Interpolator = Literal["bspline", "linear", "nearest", "gaussian", "hamming_sinc", "lanczos_sinc"]

_LIBRARIES = ("numpy", "pyradiomics", "pywavelets", "scikit-image", "scipy", "simpleitk")

_NAME = r"[A-Za-z][A-Za-z0-9_]*"

# For pydantic, which reads these classes from YAML: a key that is not a field is refused.
_STRICT = {"extra": "forbid"}


@dataclass(frozen=True)
class Discretisation:
    """How intensities become grey levels; exactly one of both is given.

    Attributes
    ----------
    bin_width
        Fixed bin size (IBSI Q3RU) in the unit of the image. Edges lie at multiples of the width.
    bin_count
        Fixed number of bins (IBSI K15C) over the range of the region.
    """

    __pydantic_config__ = _STRICT

    bin_width: float | None = None
    bin_count: int | None = None


@dataclass(frozen=True)
class ImageType:
    """The unfiltered image, or one filter of it with its options.

    Attributes
    ----------
    name
        Which filter. Options of other filters than this one have no effect, and are no part of the settings.
    sigma_mm
        ``log``: widths of the Gaussian; one image each.
    wavelet, start_level, level
        ``wavelet``: PyWavelets' name of the wavelet, levels that are skipped, levels that are computed. A level has 7
        images, the last one also its approximation.
    use_spacing
        ``gradient``: a mm (True) or a voxel.
    radius, samples, method
        ``lbp_2d``: in voxels of a slice, neighbours on the circle, and scikit-image's name of the method.
    discretisation
        Of the filtered image; None: that of the feature set.
    """

    __pydantic_config__ = _STRICT

    name: ImageTypeName = "original"
    sigma_mm: tuple[float, ...] = ()
    wavelet: str = "coif1"
    start_level: int = 0
    level: int = 1
    use_spacing: bool = True
    radius: float = 1.0
    samples: int = 8
    method: Literal["default", "ror", "uniform", "var"] = "uniform"
    discretisation: Discretisation | None = None

    @property
    def settings(self) -> dict[str, object]:
        """The options that have an effect."""
        own: dict[str, tuple[str, ...]] = {
            "log": ("sigma_mm",),
            "wavelet": ("wavelet", "start_level", "level"),
            "gradient": ("use_spacing",),
            "lbp_2d": ("radius", "samples", "method"),
        }
        settings: dict[str, object] = {name: getattr(self, name) for name in own.get(self.name, ())}
        if self.discretisation is not None:
            settings["discretisation"] = asdict(self.discretisation)
        return {"name": self.name, **settings}


@dataclass(frozen=True)
class FeatureClass:
    """A class of features, and which of them; no name means all that are not deprecated."""

    __pydantic_config__ = _STRICT

    name: FeatureClassName
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resampling:
    """The grid on which features are computed, after pyradiomics' rules for its origin and its bounds.

    Attributes
    ----------
    spacing_mm
        (x, y, z); 0 keeps the image's own.
    interpolator
        Of the image; the mask is always resampled to its nearest neighbour, as pyradiomics does.
    minimum
        Values that the interpolator leaves below are set to it and counted: a B-spline undershoots zero beside a hot
        lesion, and there is no negative uptake. None leaves them.
    pad_voxels
        Width of the surroundings that are resampled with the region; filters see no more than that.
    """

    __pydantic_config__ = _STRICT

    spacing_mm: tuple[float, float, float]
    interpolator: Interpolator = "bspline"
    minimum: float | None = None
    pad_voxels: int = 5


@dataclass(frozen=True)
class Resegmentation:
    """Which of the region's voxels are kept, by their intensity.

    Attributes
    ----------
    range
        One lower limit, or a lower and an upper one, both included.
    mode
        absolute: in the unit of the image; relative: of the region's maximum; sigma: standard deviations from its mean.
    shape
        Whether shape features, too, are those of what is kept.
    """

    __pydantic_config__ = _STRICT

    range: tuple[float, ...]
    mode: Literal["absolute", "relative", "sigma"] = "absolute"
    shape: bool = False


@dataclass(frozen=True)
class Normalisation:
    """The whole image to mean 0 and standard deviation 1, cut at ``outliers`` standard deviations, times ``scale``."""

    __pydantic_config__ = _STRICT

    scale: float = 1.0
    outliers: float | None = None


@dataclass(frozen=True)
class Texture:
    """Options of the texture matrices.

    Attributes
    ----------
    distances
        Of neighbours, in voxels (Chebyshev); GLCM, GLDM and NGTDM.
    force_2d, force_2d_dimension
        Neighbours only within planes orthogonal to the axis 0 (z), 1 (y) or 2 (x).
    weighting_norm
        Weights of the directions by their distance; None averages the features over the directions instead.
    symmetrical_glcm
        Count every pair in both orders.
    gldm_alpha
        Largest difference of grey levels that still is a dependence.
    """

    __pydantic_config__ = _STRICT

    distances: tuple[int, ...] = (1,)
    force_2d: bool = False
    force_2d_dimension: int = 0
    weighting_norm: Literal["euclidean", "manhattan", "infinity", "no_weighting"] | None = None
    symmetrical_glcm: bool = True
    gldm_alpha: int = 0


ALL_CLASSES = tuple(FeatureClass(name) for name in ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"))
"""What is computed where a feature set names no classes: everything three-dimensional."""


@dataclass(frozen=True)
class FeatureSet:
    """Settings of one set of features.

    Attributes
    ----------
    modality
        PT: the image is in SUV; CT: in Hounsfield units.
    image_types
        In the order of the features.
    minimum_roi_voxels
        A region with fewer voxels, after resampling and resegmentation, gets a reason instead of values.
    minimum_roi_dimensions
        A region that is thicker than one voxel along fewer axes, likewise.
    voxel_array_shift
        Added to the intensities in Energy, Total Energy and Root Mean Squared.
    """

    __pydantic_config__ = _STRICT

    name: str
    version: int
    description: str
    modality: Modality
    discretisation: Discretisation
    image_types: tuple[ImageType, ...] = (ImageType(),)
    feature_classes: tuple[FeatureClass, ...] = ALL_CLASSES
    minimum_roi_voxels: int = 64
    minimum_roi_dimensions: int = 2
    resampling: Resampling | None = None
    resegmentation: Resegmentation | None = None
    normalisation: Normalisation | None = None
    texture: Texture = Texture()
    voxel_array_shift: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(_NAME, self.name):
            self._refuse("name", self.name, "a letter, then letters, digits and _: it names tables and columns")
        self._check_bins(self.discretisation, "discretisation")
        for image_type in self.image_types:
            self._check_bins(self.discretisation_of(image_type), f"image_types.{image_type.name}")
            if image_type.name == "log" and (not image_type.sigma_mm or min(image_type.sigma_mm) <= 0):
                self._refuse("image_types.log.sigma_mm", image_type.sigma_mm, "one width or more, each above 0 mm")
            if image_type.name == "wavelet" and (image_type.level < 1 or image_type.start_level < 0):
                self._refuse("image_types.wavelet", image_type.settings, "level 1 or more, start_level 0 or more")
        for key in ("image_types", "feature_classes"):
            names = [item.name for item in getattr(self, key)]
            if not names or len(set(names)) != len(names):
                self._refuse(key, names, "one entry or more, none of them twice")
        if self.resampling is not None and (
            min(self.resampling.spacing_mm) < 0 or max(self.resampling.spacing_mm) == 0
        ):
            self._refuse("resampling.spacing_mm", self.resampling.spacing_mm, "millimetres along x, y, z; 0 keeps one")
        if self.resegmentation is not None and not 1 <= len(self.resegmentation.range) <= 2:
            self._refuse("resegmentation.range", self.resegmentation.range, "one limit or two")
        if self.minimum_roi_voxels < 1:
            self._refuse("minimum_roi_voxels", self.minimum_roi_voxels, "1 or more")

    def _check_bins(self, bins: Discretisation, key: str) -> None:
        width, count = bins.bin_width, bins.bin_count
        if (
            (width is None) == (count is None)
            or (width is not None and width <= 0)
            or (count is not None and count < 1)
        ):
            self._refuse(key, bins, "either bin_width or bin_count, above 0")

    def _refuse(self, key: str, found: object, expected: str) -> None:
        raise FeatureError(
            "FEATURE_SET_INVALID",
            f"The feature set {self.name} cannot be used",
            keyword=key,
            found=str(found),
            expected=expected,
        )

    @property
    def settings(self) -> dict[str, object]:
        """What is asked for; part of what the id is a digest of. The description is not."""
        settings = {
            field.name: _plain(getattr(self, field.name)) for field in fields(self) if field.name != "description"
        }
        settings["image_types"] = [image_type.settings for image_type in self.image_types]
        return settings

    @property
    def feature_set_id(self) -> str:
        """Readable name and digest of settings and library versions."""
        return digest_id(self.name, {"settings": self.settings, "libraries": library_versions()})

    def discretisation_of(self, image_type: ImageType) -> Discretisation:
        """How ``image_type`` is discretised."""
        return image_type.discretisation or self.discretisation


def library_versions() -> dict[str, str]:
    """Versions of the libraries that take part in computing a feature."""
    return dict(_installed())


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    # Reading them takes 10 ms a library, and every row asks for the id of its feature set.
    return tuple((library, metadata.version(library)) for library in _LIBRARIES)


def feature_set_record(feature_set: FeatureSet) -> FeatureSetRecord:
    """The row that describes ``feature_set``."""
    return FeatureSetRecord(
        feature_set.feature_set_id,
        feature_set.name,
        feature_set.modality,
        feature_set.description,
        canonical_json(feature_set.settings),
        canonical_json(library_versions()),
    )


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
