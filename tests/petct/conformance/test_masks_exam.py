"""The exam of masks: all published masks of the cohort, and what it says when one of them is not met."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
import SimpleITK as sitk

from petct.conformance.exam import Verdict
from petct.conformance.masks import run
from tests.some import some


def test_forty_published_masks_voxel_by_voxel(petlake_data: Path) -> None:
    exam = run(petlake_data / "sts")
    assert (exam.passed, exam.score) == (True, "80 of 80 pass")
    assert Counter(line.case.split()[1] for line in exam.lines) == {"PET": 40, "CT": 40}
    inside = some(line for line in exam.lines if line.quantity == "voxels inside")
    assert all(int(line.expected or 0) > 0 for line in inside)


@pytest.fixture
def one_patient(petlake_data: Path, tmp_path: Path) -> Path:
    source, patient = petlake_data / "sts", "STS_003"
    (tmp_path / "dicom").mkdir()
    shutil.copytree(source / "dicom" / patient / "PET", tmp_path / "dicom" / patient / "PET")
    (tmp_path / "nifti" / patient).mkdir(parents=True)
    shutil.copyfile(source / "nifti" / patient / "PET_mask.nii.gz", tmp_path / "nifti" / patient / "PET_mask.nii.gz")
    return tmp_path


def _verdicts(folder: Path) -> list[tuple[str, str | None, Verdict]]:
    return [(line.quantity, line.found, line.verdict) for line in run(folder).lines]


def test_one_voxel_or_a_shift_of_the_grid_fails(one_patient: Path) -> None:
    (mask,) = one_patient.rglob("PET_mask.nii.gz")
    image = sitk.ReadImage(str(mask))
    inside, different = run(one_patient).lines
    assert {inside.verdict, different.verdict} == {Verdict.PASS}

    edited = sitk.Image(image)
    edited[0, 0, 0] = 1
    sitk.WriteImage(edited, str(mask))
    assert _verdicts(one_patient) == [
        ("voxels inside", inside.found, Verdict.FAIL),
        ("voxels that differ", "1", Verdict.FAIL),
    ]

    image.SetOrigin([value + 0.5 for value in image.GetOrigin()])
    sitk.WriteImage(image, str(mask))
    assert _verdicts(one_patient) == [("voxels inside", "EXAM_GRID_DIFFERS", Verdict.FAIL)]
    mask.unlink()
    assert _verdicts(one_patient) == [("voxels inside", "EXAM_DATA_MISSING", Verdict.FAIL)]
    (contours,) = one_patient.rglob("RS.dcm")
    contours.unlink()
    assert not run(one_patient).passed
