"""The demo cohort, from its DICOM back to its truth, through the command line."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from orchestration.study import load_study
from petct.image.volume import Geometry
from records.features import PetMetrics
from records.imaging import SuvRecord
from records.masks import LesionRecord
from tests.some import some
from warehouse.storage.lake import Lake

N_PATIENTS = 8
PATIENTS = [f"NET-{number:03d}" for number in range(1, N_PATIENTS + 1)]
TUMOUR_FREE = "NET-007"


def truth(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / "truth" / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_it_says_what_it_takes_what_it_found_and_what_to_open(demo: Path) -> None:
    said = (demo / "said.txt").read_text(encoding="utf-8")
    assert said.index("MB of DICOM") < said.index("Published snapshot")
    assert "by construction no feature carries signal" in said
    assert "No p-value" in said
    assert "refused: COX_TOO_FEW_EVENTS" in said
    assert "petlake dashboard --study" in said


def test_a_second_time_it_does_the_same_again(demo: Path, petlake: Callable, tmp_path: Path) -> None:
    again = shutil.copytree(demo, tmp_path / "again")
    petlake("demo", "--patients", N_PATIENTS, "--dir", again)
    listed = [petlake("snapshot", "list", "--json", "--study", folder).json for folder in (demo, again)]
    assert listed[0] == listed[1]
    written = [{path.relative_to(f) for path in (f / "dicom").rglob("*")} for f in (demo, again)]
    assert written[0] == written[1]


@pytest.mark.parametrize("patient", PATIENTS)
def test_lesions_are_those_that_were_put_there(demo: Path, patient: str) -> None:
    lake = Lake(load_study(demo).lake)
    lesions = [row for row in lake.read("lesions", patient, LesionRecord) if row.modality == "PT"]
    planted = [row for row in truth(demo, "lesions") if row["patient_id"] == patient]
    assert len(lesions) == len(planted)
    assert (len(lesions) == 0) == (patient == TUMOUR_FREE)
    assert Counter(row.organ for row in lesions) == Counter(row["organ_mask"] or "lymph_node" for row in planted)


@pytest.mark.parametrize("patient", PATIENTS)
def test_masks_equal_the_voxelised_truth(demo: Path, patient: str) -> None:
    lake = Lake(load_study(demo).lake)
    lesions = [row for row in lake.read("lesions", patient, LesionRecord) if row.modality == "PT"]
    with np.load(demo / "truth" / f"{patient}.npz") as stored:
        planted_labels, affine = stored["lesions"], stored["affine"]
    planted = [row for row in truth(demo, "lesions") if row["patient_id"] == patient]
    assert sorted(row.n_voxels for row in lesions) == sorted(int(row["n_voxels"]) for row in planted)
    if not lesions:
        assert not planted_labels.any()
        return
    labels, found_affine = lake.read_volume(patient, lesions[0].label_map_sha256)
    # Every lesion found is one lesion of the truth, and the background is the background.
    together = np.flatnonzero(np.bincount(planted_labels.ravel().astype(np.int64) * 256 + labels.ravel()))
    pairs = [divmod(int(pair), 256) for pair in together]
    assert pairs[0] == (0, 0)
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(planted) + 1
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    assert Geometry.from_affine(found_affine, shape).is_close(Geometry.from_affine(affine, shape))


@pytest.mark.parametrize("patient", PATIENTS)
def test_volume_and_uptake_are_near_the_truth(demo: Path, patient: str) -> None:
    lake = Lake(load_study(demo).lake)
    (total,) = (row for row in lake.read("pet_metrics", patient, PetMetrics) if row.grain == "patient")
    planted = [row for row in truth(demo, "lesions") if row["patient_id"] == patient]
    analytic_ml = sum(float(row["volume_analytic_ml"]) for row in planted)
    assert total.volume_ml == pytest.approx(analytic_ml, rel=0.03)
    with np.load(demo / "truth" / f"{patient}.npz") as stored:
        inside = stored["lesions"] > 0
        if inside.any():
            # Blur carries uptake out of a lesion; what is left inside is less than the truth, but most of it.
            assert 0.6 * stored["suv"][inside].mean() < total.suv_mean < 1.02 * stored["suv"][inside].mean()
        else:
            assert (total.volume_ml, total.suv_mean, total.uptake_status) == (0.0, None, "NOT_APPLICABLE")


@pytest.mark.parametrize("patient", PATIENTS)
def test_sul_is_that_of_height_weight_and_sex_of_the_header(demo: Path, patient: str) -> None:
    lake = Lake(load_study(demo).lake)
    (suv,) = lake.read("suv", patient, SuvRecord)
    bmi = suv.patient_weight_kg / suv.patient_size_m**2
    lean_share = 9270 / ((6680 + 216 * bmi) if suv.patient_sex == "M" else (8780 + 244 * bmi))
    for row in some(lake.read("pet_metrics", patient, PetMetrics)):
        assert row.sul_formula == "janmahasatian"
        assert row.total_lesion_expression_sul_ml == pytest.approx(row.total_lesion_expression_ml * lean_share)
        if row.n_lesions:
            assert (row.sul_max, row.sul_mean) == pytest.approx((row.suv_max * lean_share, row.suv_mean * lean_share))
            assert row.sul_peak == pytest.approx(row.suv_peak_percist * lean_share)
        else:
            assert (row.sul_max, row.sul_status) == (None, "NOT_APPLICABLE")
