"""The demo cohort, from its DICOM back to its truth, through the command line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from orchestration.study import load_study
from petct.lesions import LesionRecord
from petct.pet_metrics import PetMetrics
from petct.volume import Geometry
from warehouse.lake import Lake

N_PATIENTS = 8
PATIENTS = [f"NET-{number:03d}" for number in range(1, N_PATIENTS + 1)]
TUMOUR_FREE = "NET-007"


@pytest.fixture(scope="module")
def demo(petlake: Callable, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "cohort"
    return folder, petlake("demo", "--patients", N_PATIENTS, "--dir", folder).out


def truth(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / "truth" / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_it_says_what_it_takes_what_it_found_and_what_to_open(demo: tuple[Path, str]) -> None:
    _, said = demo
    assert said.index("MB of DICOM") < said.index("Published snapshot")
    assert "by construction no feature carries signal" in said
    assert "No p-value" in said
    assert "refused: COX_TOO_FEW_EVENTS" in said
    assert "petlake dashboard --study" in said


def test_a_second_time_it_does_the_same_again(demo: tuple[Path, str], petlake: Callable) -> None:
    folder, _ = demo
    before = petlake("snapshot", "list", "--json", "--study", folder).json
    petlake("demo", "--patients", N_PATIENTS, "--dir", folder)
    assert petlake("snapshot", "list", "--json", "--study", folder).json == before


@pytest.mark.parametrize("patient", PATIENTS)
def test_lesions_are_those_that_were_put_there(demo: tuple[Path, str], patient: str) -> None:
    folder, _ = demo
    lake = Lake(load_study(folder).lake)
    lesions = [row for row in lake.read("lesions", patient, LesionRecord) if row.modality == "PT"]
    planted = [row for row in truth(folder, "lesions") if row["patient_id"] == patient]
    assert len(lesions) == len(planted)
    assert (len(lesions) == 0) == (patient == TUMOUR_FREE)
    assert Counter(row.organ for row in lesions) == Counter(row["organ_mask"] or "lymph_node" for row in planted)


@pytest.mark.parametrize("patient", PATIENTS)
def test_masks_equal_the_voxelised_truth(demo: tuple[Path, str], patient: str) -> None:
    folder, _ = demo
    lake = Lake(load_study(folder).lake)
    lesions = [row for row in lake.read("lesions", patient, LesionRecord) if row.modality == "PT"]
    with np.load(folder / "truth" / f"{patient}.npz") as stored:
        expected, affine = stored["lesions"] > 0, stored["affine"]
    if not lesions:
        assert not expected.any()
        return
    labels, found_affine = lake.read_volume(patient, lesions[0].label_map_sha256)
    assert np.array_equal(labels > 0, expected)
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    assert Geometry.from_affine(found_affine, shape).is_close(Geometry.from_affine(affine, shape))


@pytest.mark.parametrize("patient", PATIENTS)
def test_volume_and_uptake_are_near_the_truth(demo: tuple[Path, str], patient: str) -> None:
    folder, _ = demo
    lake = Lake(load_study(folder).lake)
    (total,) = (row for row in lake.read("pet_metrics", patient, PetMetrics) if row.grain == "patient")
    planted = [row for row in truth(folder, "lesions") if row["patient_id"] == patient]
    analytic_ml = sum(float(row["volume_analytic_ml"]) for row in planted)
    assert total.volume_ml == pytest.approx(analytic_ml, rel=0.03)
    with np.load(folder / "truth" / f"{patient}.npz") as stored:
        inside = stored["lesions"] > 0
        if inside.any():
            # Blur carries uptake out of a lesion; what is left inside is less than the truth, but most of it.
            assert 0.6 * stored["suv"][inside].mean() < total.suv_mean < 1.02 * stored["suv"][inside].mean()
        else:
            assert (total.volume_ml, total.suv_mean, total.uptake_status) == (0.0, None, "NOT_APPLICABLE")
