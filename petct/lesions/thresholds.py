"""Families of thresholds: from which uptake on a voxel belongs to a lesion, in numbers and in words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from petct.errors import MaskError
from petct.lesions.reference_regions import TISSUE, ReferenceRegion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ReferenceOrgan = Literal["liver", "spleen", "aorta"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Threshold:
    """A family of thresholds; the fields of each are the keys of its section in a protocol's YAML."""

    in_image: ClassVar[bool] = True
    """Whether the whole image can be searched with it."""

    @property
    def reference_region(self) -> str | None:
        """The reference region that it needs."""
        return None

    @property
    @abstractmethod
    def words(self) -> str:
        """Which voxels it takes, after ``voxels with``."""

    @abstractmethod
    def level(self, values: NDArray[np.generic], references: Mapping[str, ReferenceRegion]) -> float:
        """The SUV from which on a voxel belongs to a lesion; ``values`` are those of the region that is searched."""


@dataclass(frozen=True)
class FixedThreshold(Threshold):
    """Voxels of at least this SUV."""

    suv: Positive

    @property
    def words(self) -> str:
        """The SUV."""
        return f"an SUV of at least {self.suv:g}"

    def level(self, values: NDArray[np.generic], references: Mapping[str, ReferenceRegion]) -> float:  # noqa: ARG002
        """The SUV."""
        return self.suv


@dataclass(frozen=True)
class ShareOfMaximum(Threshold):
    """Voxels of at least this share (0 to 1) of the largest SUV of the region that is searched."""

    in_image: ClassVar[bool] = False

    share: Annotated[float, Field(gt=0, lt=1)]

    @property
    def words(self) -> str:
        """The share."""
        return f"at least {100 * self.share:g} % of the largest SUV of each connected part of the contours"

    def level(self, values: NDArray[np.generic], references: Mapping[str, ReferenceRegion]) -> float:  # noqa: ARG002
        """That share of the largest of ``values``."""
        return self.share * float(values.max())


@dataclass(frozen=True)
class ReferenceThreshold(Threshold):
    """Voxels of at least ``mean_factor`` x mean + ``sd_factor`` x standard deviation of a reference region.

    The same voxels on SUL as on SUV: the image and its reference region are multiplied by one factor.
    """

    region: ReferenceOrgan
    mean_factor: NotNegative
    sd_factor: NotNegative

    @property
    def reference_region(self) -> str | None:
        """The region."""
        return self.region

    @property
    def words(self) -> str:
        """The factors."""
        factors = f"{self.mean_factor:g} x mean + {self.sd_factor:g} x SD"
        return f"an SUV of at least {factors} of healthy {self.region}"

    def level(self, values: NDArray[np.generic], references: Mapping[str, ReferenceRegion]) -> float:  # noqa: ARG002
        """Of the reference region; raises ``MaskError`` REFERENCE_REGION_MISSING."""
        reference = references.get(self.region)
        if reference is None:
            raise MaskError(
                "REFERENCE_REGION_MISSING",
                f"The threshold is relative to {TISSUE[self.region]}, and there is no reference region of it",
                keyword=self.region,
                hint=f"Declare its mask, {self.region}, under masks.organs; a mask too small is a finding.",
            )
        return self.mean_factor * reference.suv_mean + self.sd_factor * reference.suv_sd


THRESHOLDS: dict[str, type[Threshold]] = {
    "fixed": FixedThreshold,
    "share_of_maximum": ShareOfMaximum,
    "reference": ReferenceThreshold,
}
"""The families by the key of their section in a protocol's YAML."""
