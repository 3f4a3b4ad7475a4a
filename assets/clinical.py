"""Clinical assets: typed records and endpoints of a patient."""

import dagster as dg

from assets.settings import StudySettings
from assets.specs import patient_spec


def clinical_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Values of the declared variables; survival times. A study without a clinical table has neither."""
    if settings is not None and settings.clinical is None:
        return []
    return [patient_spec(name, settings) for name in ("clinical", "endpoints")]
