"""Feature assets: PET metrics and radiomic features of a patient, and the sets they belong to."""

import dagster as dg

from assets.settings import StudySettings
from assets.specs import patient_spec


def feature_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """PET metrics at three grains; radiomic features of each lesion and feature set."""
    return [patient_spec(name, settings) for name in ("pet_metrics", "radiomic_features")]
