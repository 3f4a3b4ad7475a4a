"""Write a synthetic cohort: DICOM, clinical table and truth, patient by patient.

``prepare_directory`` comes once, ``write_patient`` for every number, in whatever process, and ``write_tables`` at the
end. The directory gets ``dicom/<patient>/<series>/*.dcm``, ``clinical.csv`` and ``truth/``; equal settings give equal
bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from petct.errors import PetctError
from petct.synthetic.anatomy import ct_geometry, pet_geometry
from petct.synthetic.contours import tumour_structure_set
from petct.synthetic.ct_dicom import ct_datasets
from petct.synthetic.dicom import save, with_pixels
from petct.synthetic.images import ct_image, pet_image, voxelised_truth
from petct.synthetic.outcomes import (
    VOLUME_FLOOR_ML,
    WEIBULL_SHAPE,
    CohortOutcomes,
    Outcome,
    covariate,
    simulate_outcomes,
)
from petct.synthetic.patients import PatientPlan, plan_patient
from petct.synthetic.pet_dicom import pet_datasets
from petct.synthetic.segmentations import organ_segmentation, tumour_segmentation
from petct.synthetic.settings import CohortSettings
from petct.synthetic.truth import (
    LesionTruth,
    OrganTruth,
    PatientTruth,
    columns_of,
    patient_truth,
    write_rows,
    write_voxels,
)

# Bytes of a slice beside its pixels, of the contours, organ masks and truth of a patient: measured.
_SLICE_HEADER_BYTES = 2100
_ORGANS_AND_TRUTH_BYTES = 700_000


@dataclass(frozen=True)
class CohortTruth:
    """What was written.

    Attributes
    ----------
    n_bytes
        Size of all DICOM files and voxelised truths.
    """

    settings: CohortSettings
    patients: tuple[PatientTruth, ...]
    outcomes: CohortOutcomes
    n_bytes: int


_CLINICAL_COLUMNS = (
    "patient_id",
    "sex",
    "age_years",
    "weight_kg",
    "scan_date",
    "therapy_start_date",
    "death_date",
    "last_follow_up_date",
    "grade",
    "ki67_percent",
    "chromogranin_a_ng_ml",
    "therapy_cycles",
)
# What the hazard depended on, and what came of it.
_OUTCOME_COLUMNS = ("patient_id", "log2_volume", "hazard_ratio_to_reference", "duration_days", "died")


def prepare_directory(directory: Path, settings: CohortSettings) -> None:
    """Claim a directory for this cohort: empty, or begun or finished earlier with the same settings.

    Raises
    ------
    PetctError
        COHORT_DIRECTORY_OCCUPIED when it holds DICOM, a clinical table or the truth of another cohort.
    """
    note = directory / "truth" / "settings.json"
    if note.exists() and note.read_text(encoding="utf-8") == settings.to_json():
        return
    if note.exists() or any((directory / name).exists() for name in ("dicom", "clinical.csv")):
        raise PetctError(
            "COHORT_DIRECTORY_OCCUPIED",
            "The folder holds something else, or a cohort made with other settings",
            found=str(directory),
            expected="an empty folder, or one begun with the same settings",
            hint="Choose another folder, or remove this one",
        )
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(settings.to_json(), encoding="utf-8")


def is_complete(directory: Path, settings: CohortSettings) -> bool:
    """Whether exactly this cohort was written here to the end; the tables are written last."""
    note = directory / "truth" / "settings.json"
    if not (directory / "truth" / "cohort.json").exists() or not note.exists():
        return False
    return note.read_text(encoding="utf-8") == settings.to_json()


def write_patient(directory: Path, settings: CohortSettings, number: int) -> PatientTruth:
    """Write one patient's DICOM and voxelised truth; depends on nothing but the settings and the number.

    Parameters
    ----------
    number
        Counted from 1.
    """
    plan = plan_patient(settings, number)
    truth = voxelised_truth(settings, plan)
    folder = directory / "dicom" / plan.patient_id
    headers, pixels = pet_datasets(settings, plan, pet_image(settings, plan, truth), truth.geometry)
    sizes = [
        save(with_pixels(header, stored), folder / "PT" / f"{header.InstanceNumber:04d}.dcm")
        for header, stored in zip(headers, pixels, strict=True)
    ]
    hounsfield, geometry = ct_image(settings, plan)
    for dataset in ct_datasets(settings, plan, hounsfield, geometry):
        sizes.append(save(dataset, folder / "CT" / f"{dataset.InstanceNumber:04d}.dcm"))
    sizes.append(save(organ_segmentation(settings, plan, truth.organs, headers), folder / "SEG_organs" / "0001.dcm"))
    if plan.contours_as == "RTSTRUCT":
        contours = tumour_structure_set(settings, plan, truth.lesions, truth.geometry, headers)
        sizes.append(save(contours, folder / "RTSTRUCT" / "0001.dcm"))
    else:
        contours = tumour_segmentation(settings, plan, truth.lesions, headers)
        sizes.append(save(contours, folder / "SEG_tumour" / "0001.dcm"))
    n_bytes = sum(sizes) + write_voxels(directory / "truth" / f"{plan.patient_id}.npz", truth)
    return patient_truth(plan, truth, len(sizes), n_bytes)


def write_tables(directory: Path, settings: CohortSettings, patients: Sequence[PatientTruth]) -> CohortTruth:
    """Draw the outcomes and write ``clinical.csv`` and the tables of the truth, when all patients are written.

    Parameters
    ----------
    patients
        What ``write_patient`` returned, in any order.
    """
    ordered = tuple(sorted(patients, key=lambda patient: patient.number))
    plans = [plan_patient(settings, patient.number) for patient in ordered]
    outcomes = simulate_outcomes(
        settings, [plan.tumour_volume_ml for plan in plans], [plan.therapy_start for plan in plans]
    )
    pairs = list(zip(plans, outcomes.outcomes, strict=True))
    write_rows(directory / "clinical.csv", _CLINICAL_COLUMNS, [_clinical(*pair) for pair in pairs])
    folder = directory / "truth"
    lesions = [vars(lesion) for patient in ordered for lesion in patient.lesions]
    organs = [vars(organ) for patient in ordered for organ in patient.organs]
    write_rows(folder / "patients.csv", columns_of(PatientTruth), [vars(patient) for patient in ordered])
    write_rows(folder / "lesions.csv", columns_of(LesionTruth), lesions)
    write_rows(folder / "organs.csv", columns_of(OrganTruth), organs)
    write_rows(folder / "outcomes.csv", _OUTCOME_COLUMNS, [_outcome(settings, *pair) for pair in pairs])
    (folder / "cohort.json").write_text(_summary(settings, outcomes), encoding="utf-8")
    return CohortTruth(settings, ordered, outcomes, sum(patient.n_bytes for patient in ordered))


def estimate_disk_bytes(settings: CohortSettings) -> int:
    """About how many bytes a cohort takes; computed from the grids, nothing is drawn."""
    pixels, slices = 0, 0
    for geometry in (pet_geometry(settings.voxel_mm), ct_geometry(settings.voxel_mm)):
        z, y, x = geometry.shape
        pixels, slices = pixels + z * y * x, slices + z
    # Masks, contours and the compressed truth grow with the number of voxels on the surfaces.
    masks = _ORGANS_AND_TRUTH_BYTES * (4.0 / settings.voxel_mm) ** 2
    return int(settings.n_patients * (2 * pixels + _SLICE_HEADER_BYTES * slices + masks))


def _clinical(plan: PatientPlan, outcome: Outcome) -> dict[str, object]:
    dates = {"scan_date": plan.scan_start.date(), "therapy_start_date": plan.therapy_start}
    return vars(plan) | vars(outcome) | dates


def _outcome(settings: CohortSettings, plan: PatientPlan, outcome: Outcome) -> dict[str, object]:
    log2_volume = covariate(plan.tumour_volume_ml)
    # The reference is a patient with 1 ml of tumour or less.
    ratio = math.exp(settings.log_hazard_ratio * log2_volume)
    drawn = {"patient_id": plan.patient_id, "log2_volume": log2_volume, "hazard_ratio_to_reference": ratio}
    return drawn | vars(outcome)


def _summary(settings: CohortSettings, outcomes: CohortOutcomes) -> str:
    facts = {
        "settings": json.loads(settings.to_json()),
        "log_hazard_ratio_per_doubling": settings.log_hazard_ratio,
        "covariate": f"log2(max(total analytic tumour volume in ml, {VOLUME_FLOOR_ML:g}))",
        "weibull_shape": WEIBULL_SHAPE,
        "time_scale_days_at_32_ml": round(outcomes.time_scale_days, 3),
        "data_lock_date": outcomes.lock_date.isoformat(),
        "n_patients": len(outcomes.outcomes),
        "n_deaths": sum(outcome.died for outcome in outcomes.outcomes),
        "mean_observed_days": sum(outcome.duration_days for outcome in outcomes.outcomes) / len(outcomes.outcomes),
    }
    return json.dumps(facts, indent=2, sort_keys=True) + "\n"
