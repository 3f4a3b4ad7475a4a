"""The 58 SUV reference objects, de-identified: the same SUV voxel by voxel, or the same refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from petct.conformance.suv_objects import suv_objects
from petct.dicom.index import index_folder
from petct.dicom.series import read_pet
from petct.errors import PetctError
from petct.privacy.dicom_folder import deidentify_folder, new_folder
from petct.privacy.pseudonyms import Pseudonyms
from petct.suv.compute import compute_suv
from tests.petct.conformance.suv_synthesis import SuvPhantom, small_phantom, write_object
from tests.some import some


@pytest.fixture(scope="module")
def phantom() -> SuvPhantom:
    return small_phantom(n_slices=5)


def _suv_or_code(root: Path) -> np.ndarray | str:
    index = index_folder(root)
    try:
        uid = next(item.series_instance_uid for item in index.series if item.modality == "PT")
        paths = [root / file.path for file in index.files if file.series_instance_uid == uid]
        pet = read_pet(paths, patient_id=index.files[0].patient_id, series_instance_uid=uid)
        return compute_suv(pet, "scan").volume.array
    except PetctError as refusal:
        return refusal.code


def test_every_reference_object_gives_the_same(tmp_path: Path, phantom: SuvPhantom) -> None:
    outcomes = []
    for name, one in some(suv_objects().items()):
        source, target = tmp_path / name, tmp_path / f"{name}.out"
        write_object(one, phantom, source)
        with new_folder(target) as folder:
            report = deidentify_folder(source, folder, Pseudonyms(bytes(range(32))))
        assert [dropped.path for dropped in report.dropped] == ["mask/DRO_mask.nii.gz"], name
        before, after = _suv_or_code(source), _suv_or_code(target)
        assert np.array_equal(before, after) if isinstance(before, np.ndarray) else before == after, (
            name,
            before,
            after,
        )
        outcomes.append(isinstance(before, np.ndarray))
    assert (sum(outcomes), len(outcomes)) == (43, 58)
