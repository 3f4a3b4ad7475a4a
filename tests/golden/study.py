"""The study of the golden record: two patients of the demo in coarse voxels, asked for all that has a version."""

from __future__ import annotations

from pathlib import Path

from assets.ingest import ingest
from assets.publishing import publish_snapshot
from assets.settings import StudySettings
from assets.steps.order import asked_names
from assets.work import PatientJob, process_patient
from orchestration.study import STUDY_FILE, load_study
from petct.synthetic.settings import CohortSettings
from tests.written_cohort import write_cohort

DEMO_STUDY = Path(__file__).resolve().parents[2] / "orchestration" / "study_demo.yaml"
PATIENTS = ("NET-001", "NET-002")
# Lesions are perturbed where there are fewer of them: this takes most of the time.
PERTURBED = ("NET-002",)

# Lesions in voxels of 8 mm are smaller than what the packaged sets ask for.
SMALL_LESIONS = """version: 1
description: As pet_original, of small lesions, too.
modality: PT
discretisation: {bin_width: 0.5}
minimum_roi_voxels: 4
"""
ASKED = {
    "protocols: [contours]": "protocols: [contours, liver_percist]",
    "feature_sets: [pet_original, ct_original]": "feature_sets: [small.yaml, ct_original]",
}


def golden_study(folder: Path) -> StudySettings:
    """Write the patients into ``folder``, compute every table of them and publish a snapshot."""
    write_cohort(folder, CohortSettings(n_patients=len(PATIENTS), voxel_mm=8.0))
    (folder / "small.yaml").write_text(SMALL_LESIONS, encoding="utf-8")
    text = DEMO_STUDY.read_text(encoding="utf-8")
    for line, asked in ASKED.items():
        assert line in text
        text = text.replace(line, asked)
    text += "\nrobustness: {perturbations: [pet_chains], readers: true}\n"
    (folder / STUDY_FILE).write_text(text, encoding="utf-8")
    settings = load_study(folder)
    ingest(settings)
    for patient in PATIENTS:
        tables = tuple(t for t in asked_names(settings) if t != "perturbed_features" or patient in PERTURBED)
        outcome = process_patient(PatientJob(patient, tables, settings))
        assert outcome.complete, [refusal for table in outcome.tables for refusal in table.refusals]
    publish_snapshot(settings)
    return settings
