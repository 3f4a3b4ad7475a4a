"""The steps of one patient: each computes the rows of one table from what the steps before it left."""

from collections.abc import Callable

from assets.steps.clinical import clinical_step, endpoints_step
from assets.steps.imaging import scans_step, series_step, suv_step
from assets.steps.masks import lesions_step
from assets.steps.metrics import pet_metrics_step
from assets.steps.patient_data import PatientData, StepOutput
from assets.steps.pictures import pictures_step
from assets.steps.radiomics import radiomic_features_step
from assets.steps.robustness import perturbed_features_step

STEPS: dict[str, Callable[[PatientData], StepOutput]] = {
    "series": series_step,
    "scans": scans_step,
    "suv": suv_step,
    "lesions": lesions_step,
    "pictures": pictures_step,
    "pet_metrics": pet_metrics_step,
    "radiomic_features": radiomic_features_step,
    "perturbed_features": perturbed_features_step,
    "clinical": clinical_step,
    "endpoints": endpoints_step,
}
"""The step of each table, in order."""
