"""A synthetic cohort written in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from petct.synthetic.cohort import CohortTruth, prepare_directory, write_patient, write_tables
from petct.synthetic.settings import CohortSettings


def write_cohort(
    directory: Path, settings: CohortSettings, on_patient: Callable[[str], None] | None = None
) -> CohortTruth:
    """Write all patients, then the tables; ``on_patient`` is called with the id of each patient that is written."""
    prepare_directory(directory, settings)
    patients = []
    for number in range(1, settings.n_patients + 1):
        patients.append(write_patient(directory, settings, number))
        if on_patient is not None:
            on_patient(patients[-1].patient_id)
    return write_tables(directory, settings, patients)
