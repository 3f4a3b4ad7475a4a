"""Mask assets: the lesions of a patient, and the protocols they come from."""

import dagster as dg

from assets.settings import StudySettings
from assets.specs import patient_spec


def mask_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Lesions on the PET and on the CT grid."""
    return [patient_spec("lesions", settings)]
