"""A few synthetic patients on disk."""

from __future__ import annotations

import numpy as np
import pytest

from petct.synthetic.cohort import prepare_directory, write_patient
from petct.synthetic.settings import patient_key
from tests.petct.synthetic.written import SETTINGS, WRITTEN, WrittenPatient, read_series


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[int, WrittenPatient]:
    directory = tmp_path_factory.mktemp("cohort")
    prepare_directory(directory, SETTINGS)
    patients = {}
    for number in WRITTEN:
        record = write_patient(directory, SETTINGS, number)
        folder = directory / "dicom" / patient_key(number)
        with np.load(directory / "truth" / f"{patient_key(number)}.npz") as archive:
            voxels = dict(archive)
        patients[number] = WrittenPatient(
            folder, record, voxels, read_series(folder / "PT"), read_series(folder / "CT")
        )
    return patients
