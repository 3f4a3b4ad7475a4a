"""What the analyses of many features share: the family of features that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from analyses.requests.options import NAMES, Shape, option, options_of
from analyses.requests.request import Request

if TYPE_CHECKING:
    from analyses.requests.data import AnalysisData


@dataclass(frozen=True)
class FamilyRequest(Request):
    """An analysis of a family of features.

    Parameters
    ----------
    features
        Columns; all of a wide feature table when empty.
    feature_set
        That table, ``<feature set>__<aggregation>``; the first one of the snapshot when None.
    """

    of_one_variable: ClassVar[bool] = False

    features: tuple[str, ...] = option(
        "features", NAMES, "Analyse these columns, separated by commas.  [default: all of a wide feature table]",
        default=(), columns=True,
    )  # fmt: skip
    feature_set: str | None = option(
        "feature-set", Shape(), "Analyse this feature set and aggregation, for example pet_original__largest."
    )

    @property
    def no_features(self) -> frozenset[str]:
        """Columns that are no features although they may hold numbers, such as covariates of the same CSV."""
        others = (each.field for each in options_of(type(self)) if each.columns and each.field != "features")
        named = (getattr(self, field) for field in others)
        return frozenset(name for value in named if value for name in ((value,) if isinstance(value, str) else value))

    def subject(self, data: AnalysisData) -> str:
        """The family in words that are the same whenever it is the same: a feature table, or its features."""
        return data.basis.feature_set or ", ".join(self.features or data.features)
