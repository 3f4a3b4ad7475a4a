"""Protocols: the named, versioned rules by which lesions are delineated."""

from __future__ import annotations

import fnmatch
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from petct.errors import MaskError
from petct.lesions.thresholds import THRESHOLDS, Threshold
from petct.settings_digest import canonical_json, digest_id
from records.masks import ProtocolRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from petct.lesions.reference_regions import ReferenceRegion

Connectivity = Literal[6, 18, 26]
Search = Literal["contours", "image"]


@dataclass(frozen=True)
class OrganThreshold:
    """Another threshold inside one organ: where its own uptake is high, as the liver's."""

    organ: str
    threshold: Threshold


@dataclass(frozen=True)
class KrenningRatios:
    """Where the grades of the modified Krenning score begin, as ratios of SUVmax to a reference region's mean.

    Attributes
    ----------
    below_liver
        Below this ratio to the liver the score is 1.
    above_liver
        From ``below_liver`` up to this ratio it is 2 (as the liver), above it 3.
    above_spleen
        Above this ratio to the spleen it is 4.
    """

    below_liver: float = 0.9
    above_liver: float = 1.1
    above_spleen: float = 1.0


@dataclass(frozen=True)
class Protocol:
    """How lesions are made: from contours as they are drawn, or by a threshold.

    Attributes
    ----------
    search
        Where lesions are looked for: inside the contours (which are then search regions, or, without a threshold, the
        lesions themselves), or in the whole image.
    threshold
        None: the contours are the lesions.
    within_organs
        Thresholds that hold inside an organ instead of ``threshold``.
    exclude
        Patterns of organ names (``kidney*``) whose uptake is physiological and never a lesion.
    exclusion_margin_mm
        So far around an excluded organ its uptake is excluded, too: the blur of the image.
    fill_holes
        Whether voxels that a lesion encloses on all sides belong to it.
    krenning
        Grades of the modified Krenning score.
    connectivity
        6, 18 or 26: which neighbouring voxels belong to the same lesion (faces; and edges; and corners).
    minimum_volume_ml
        Components below this volume on the PET grid are not lesions.
    """

    name: str
    description: str
    connectivity: Connectivity
    minimum_volume_ml: float
    version: int
    search: Search = "contours"
    threshold: Threshold | None = None
    within_organs: tuple[OrganThreshold, ...] = ()
    exclude: tuple[str, ...] = ()
    exclusion_margin_mm: float = 0.0
    fill_holes: bool = False
    krenning: KrenningRatios = field(default_factory=KrenningRatios)

    def __post_init__(self) -> None:
        if self.search == "image" and (self.threshold is None or not self.threshold.in_image):
            raise MaskError(
                "PROTOCOL_INVALID",
                "The whole image can be searched with a fixed threshold or one of a reference region only",
                keyword=self.name,
            )

    @property
    def settings(self) -> dict[str, object]:
        """What the id is a digest of; what is not used is left out, so that a new setting changes no old id."""
        settings: dict[str, object] = {
            "name": self.name,
            "version": self.version,
            "connectivity": self.connectivity,
            "minimum_volume_ml": self.minimum_volume_ml,
        }
        if self.threshold is not None:
            settings |= {
                "search": self.search,
                "threshold": _described(self.threshold),
                "within_organs": {item.organ: _described(item.threshold) for item in self.within_organs},
                "exclude": sorted(self.exclude),
                "exclusion_margin_mm": self.exclusion_margin_mm,
                "fill_holes": self.fill_holes,
            }
        if self.krenning != KrenningRatios():
            settings["krenning"] = asdict(self.krenning)
        return settings

    @property
    def protocol_id(self) -> str:
        """Readable name and digest of the settings; it stands on every derived row."""
        return digest_id(self.name, self.settings)

    def excludes(self, organ: str) -> bool:
        """Whether the uptake of this organ is physiological."""
        return any(fnmatch.fnmatchcase(organ.casefold(), pattern.casefold()) for pattern in self.exclude)

    def level(self, values: NDArray[np.generic], references: Mapping[str, ReferenceRegion]) -> float:
        """The SUV from which on a voxel of the region with ``values`` belongs to a lesion; without a threshold any."""
        return -math.inf if self.threshold is None else self.threshold.level(values, references)

    @property
    def reference_regions(self) -> frozenset[str]:
        """The reference regions that its thresholds need."""
        thresholds = (self.threshold, *(item.threshold for item in self.within_organs))
        return frozenset(item.reference_region for item in thresholds if item and item.reference_region)


def protocol_record(protocol: Protocol) -> ProtocolRecord:
    """The row that describes ``protocol``."""
    return ProtocolRecord(protocol.protocol_id, protocol.name, protocol.description, canonical_json(protocol.settings))


def _described(threshold: Threshold) -> dict[str, object]:
    (kind,) = (name for name, of in THRESHOLDS.items() if of is type(threshold))
    return {kind: asdict(threshold)}
