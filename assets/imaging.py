"""Imaging assets: series, scans and SUV of a patient."""

import dagster as dg

from assets.settings import StudySettings
from assets.specs import patient_spec


def imaging_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Series with their roles; scans with scanner and geometry; SUV with its adaptations."""
    return [patient_spec(name, settings) for name in ("series", "scans", "suv")]
