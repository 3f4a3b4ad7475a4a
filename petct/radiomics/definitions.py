"""What each feature is: image type, class and name, its unit, and what IBSI calls it."""

from __future__ import annotations

from dataclasses import dataclass

from petct.radiomics.ibsi import IBSI_FEATURES


@dataclass(frozen=True)
class FeatureDefinition:
    """A row of the table ``feature_definitions``; ``ibsi_difference`` is None where pyradiomics gives IBSI's value."""

    feature_name: str
    image_type: str
    feature_class: str
    name: str
    unit: str | None
    ibsi_id: str | None
    ibsi_name: str | None
    ibsi_difference: str | None


def _original(feature_class: str, name: str) -> FeatureDefinition:
    ibsi = IBSI_FEATURES[feature_class, name]
    return FeatureDefinition(
        feature_name=f"original_{feature_class}_{name}",
        image_type="original",
        feature_class=feature_class,
        name=name,
        unit=ibsi.unit,
        ibsi_id=ibsi.ibsi_id,
        ibsi_name=ibsi.name,
        ibsi_difference=ibsi.difference,
    )


ORIGINAL_FEATURES: tuple[FeatureDefinition, ...] = tuple(_original(*key) for key in IBSI_FEATURES)
"""The 107 features of the unfiltered image, in pyradiomics' names."""
