"""The feature sets that study.yaml names: packaged ones, and files beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from petct.errors import FeatureError
from petct.radiomics.feature_set_files import load_feature_set, read_feature_set
from petct.radiomics.feature_sets import FeatureSet


class FeatureSetEntry(BaseModel):
    """A packaged feature set by its name, or a YAML file beside study.yaml by its path.

    A parameter file of pyradiomics does not say of which modality it is; what stands beside ``file`` goes before what
    the file says.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    packaged: str | None = Field(default=None, description="Name of a packaged set; it may stand alone, without a key.")
    file: Path | None = Field(default=None, description="YAML file beside study.yaml; it may stand alone, too.")
    modality: Literal["PT", "CT"] | None = Field(
        default=None, description="Image of the features: PET (PT) or CT. Needed for a parameter file of pyradiomics."
    )
    name: str | None = Field(default=None, description="Name of the set, where it is not that of the file.")
    minimum_roi_voxels: int | None = Field(
        default=None, ge=1, description="Smallest number of voxels of a lesion. Smaller ones are ROI_TOO_SMALL."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return {"file": value} if value.endswith((".yaml", ".yml")) else {"packaged": value}

    @model_validator(mode="after")
    def _names_one_thing(self) -> "FeatureSetEntry":
        if (self.packaged is None) == (self.file is None):
            raise ValueError("a feature set is the name of a packaged one, or {file: ..., modality: PT or CT}")
        return self


def feature_sets_of(root: Path, entries: Sequence[FeatureSetEntry]) -> tuple[FeatureSet, ...]:
    """The feature sets of a study in ``root``.

    Raises
    ------
    FeatureError
        FEATURE_SET_INVALID when two have the same name; what ``load_feature_set`` and ``read_feature_set`` raise.
    """
    feature_sets = []
    for entry in entries:
        if entry.file is not None:
            given = entry.model_dump(exclude={"file", "packaged"})
            feature_sets.append(read_feature_set(root / entry.file, **given))
        elif entry.packaged is not None:
            feature_sets.append(load_feature_set(entry.packaged))
    names = [feature_set.name for feature_set in feature_sets]
    if len(set(names)) != len(names):
        raise FeatureError(
            "FEATURE_SET_INVALID",
            "Two feature sets have the same name",
            keyword="feature_sets",
            found=", ".join(names),
            hint="Give one of them another with {file: ..., name: ...}.",
        )
    return tuple(feature_sets)
