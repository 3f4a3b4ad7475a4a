"""What Dagster is told of a patient's tables: the specs of each group, in the order of the work."""

import dagster as dg

from assets.graph.specs import patient_spec
from assets.settings import StudySettings


def imaging_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Series with their roles; scans with scanner and geometry; SUV with its adaptations."""
    return [patient_spec(name, settings) for name in ("series", "scans", "suv")]


def mask_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Lesions on the PET and on the CT grid, and projections with the lesions in them."""
    return [patient_spec(name, settings) for name in ("lesions", "pictures")]


def feature_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """PET metrics at three grains; radiomic features of each lesion and feature set."""
    return [patient_spec(name, settings) for name in ("pet_metrics", "radiomic_features")]


def clinical_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Values of the declared variables; survival times. A study without a clinical table has neither."""
    if settings is not None and settings.clinical is None:
        return []
    return [patient_spec(name, settings) for name in ("clinical", "endpoints")]
