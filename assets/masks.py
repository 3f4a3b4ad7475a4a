"""Mask assets: the lesions of a patient, and their pictures."""

import dagster as dg

from assets.settings import StudySettings
from assets.specs import patient_spec


def mask_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Lesions on the PET and on the CT grid, and projections with the lesions in them."""
    return [patient_spec(name, settings) for name in ("lesions", "pictures")]
