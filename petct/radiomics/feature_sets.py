"""Feature sets: a feature set is its settings, and its id is their digest together with the libraries' versions."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Literal, cast

from petct.errors import FeatureError
from petct.params import packaged, read_packaged
from petct.settings_digest import canonical_json, digest_id

_LIBRARIES = ("numpy", "pyradiomics", "simpleitk")


@dataclass(frozen=True)
class FeatureSet:
    """Settings of one set of features.

    Attributes
    ----------
    modality
        PT: the image is in SUV; CT: in Hounsfield units.
    bin_width
        Width of the grey-level bins in the image's unit (fixed bin size discretisation).
    minimum_roi_voxels
        A lesion with fewer voxels gets a reason instead of values.
    """

    name: str
    description: str
    modality: Literal["PT", "CT"]
    bin_width: float
    minimum_roi_voxels: int
    version: int

    @property
    def settings(self) -> dict[str, object]:
        """What is asked for; part of what the id is a digest of."""
        return {
            "name": self.name,
            "version": self.version,
            "modality": self.modality,
            "bin_width": self.bin_width,
            "minimum_roi_voxels": self.minimum_roi_voxels,
            "image_types": ["original"],
        }

    @property
    def feature_set_id(self) -> str:
        """Readable name and digest of settings and library versions."""
        return digest_id(self.name, {"settings": self.settings, "libraries": library_versions()})


@dataclass(frozen=True)
class FeatureSetRecord:
    """A row of the table ``feature_sets``."""

    feature_set_id: str
    name: str
    modality: str
    description: str
    settings_json: str
    library_versions_json: str


def library_versions() -> dict[str, str]:
    """Versions of the libraries that take part in computing a feature."""
    return {library: metadata.version(library) for library in _LIBRARIES}


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


def packaged_feature_sets() -> tuple[str, ...]:
    """Names of the feature sets that come with petlake."""
    return packaged("feature_sets")


def load_feature_set(name: str) -> FeatureSet:
    """Return the packaged feature set called ``name``.

    Raises
    ------
    FeatureError
        FEATURE_SET_UNKNOWN, naming the feature sets there are.
    """
    if name not in packaged_feature_sets():
        raise FeatureError(
            "FEATURE_SET_UNKNOWN",
            "There is no such feature set",
            keyword="feature_sets",
            found=name,
            expected=", ".join(packaged_feature_sets()),
        )
    settings = read_packaged("feature_sets", name)
    return FeatureSet(
        name=name,
        description=str(settings["description"]),
        modality=cast("Literal['PT', 'CT']", settings["modality"]),
        bin_width=cast("float", settings["bin_width"]),
        minimum_roi_voxels=cast("int", settings["minimum_roi_voxels"]),
        version=cast("int", settings["version"]),
    )
