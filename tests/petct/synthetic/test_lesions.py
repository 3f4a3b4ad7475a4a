"""Lesions are where, as large and as many as the truth says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from petct.synthetic.anatomy import ORGANS, pet_geometry
from petct.synthetic.images import voxelise
from petct.synthetic.lesions import ORGAN_MASK_OF_SITE, Site
from petct.synthetic.patients import PatientPlan, is_tumour_free, plan_patient
from petct.synthetic.settings import CohortSettings, generator
from petct.synthetic.shapes import Ellipsoid, voxels
from tests.some import some

GRID = pet_geometry(4.0)


@pytest.fixture(scope="module")
def cohort() -> list[PatientPlan]:
    return [plan_patient(CohortSettings(), number) for number in range(1, 68)]


def _n_voxels(shape: Ellipsoid) -> int:
    return int(np.count_nonzero(voxels(shape, GRID)[1]))


def test_voxelised_volume_is_the_analytic_volume_of_every_patient(cohort: list[PatientPlan]) -> None:
    for plan in some(cohort):
        voxelised = sum(_n_voxels(lesion.shape) for lesion in plan.lesions) * GRID.voxel_volume_ml
        assert voxelised == pytest.approx(plan.tumour_volume_ml, rel=0.03)


def test_lesions_keep_their_distance_and_most_hold_64_voxels(cohort: list[PatientPlan]) -> None:
    for one, other in some(pair for plan in cohort for pair in itertools.combinations(plan.lesions, 2)):
        assert one.shape.gap_mm(other.shape) >= 12.0
    sizes = [_n_voxels(lesion.shape) for plan in cohort for lesion in plan.lesions]
    assert 0.85 < np.mean(np.array(sizes) >= 64) < 1.0


def test_gap_is_exact_for_spheres_and_never_too_large_for_ellipsoids() -> None:
    sphere = Ellipsoid((0, 0, 0), (10, 10, 10))
    assert sphere.gap_mm(Ellipsoid((30, 40, 0), (8, 8, 8))) == pytest.approx(32.0)
    flat = Ellipsoid((25, 20, 5), (12, 6, 9))
    x, y, z = np.meshgrid(*[np.linspace(-12, 40, 105)] * 3, indexing="ij")
    points = np.stack([x, y, z], axis=-1)
    in_sphere, in_flat = (points[e.level(x, y, z) <= 1.0] for e in (sphere, flat))
    nearest = min(np.linalg.norm(in_flat - p, axis=1).min() for p in in_sphere[::7])
    assert sphere.gap_mm(flat) <= nearest


@pytest.mark.parametrize("number", [1, 3, 5, 12, 18, 20])
def test_connected_components_count_the_lesions_and_each_lies_in_its_organ(
    cohort: list[PatientPlan], number: int
) -> None:
    plan = cohort[number - 1]
    truth = voxelise(plan, GRID)
    assert ndimage.label(truth.lesions, np.ones((3, 3, 3)))[1] == len(plan.lesions)
    for lesion in some(plan.lesions):
        inside = truth.lesions == lesion.number
        assert np.count_nonzero(inside) == _n_voxels(lesion.shape)
        mask = ORGAN_MASK_OF_SITE[lesion.site]
        assert set(truth.organs[inside]) == {ORGANS.index(mask) + 1 if mask else 0}
        assert truth.suv[inside].mean(dtype=np.float64) == pytest.approx(lesion.suv_mean, rel=1e-5)
        spread = truth.suv[inside].std(dtype=np.float64) / lesion.suv_mean
        assert spread == pytest.approx(lesion.texture.amplitude, rel=0.1, abs=1e-6)


def test_cohort_has_every_kind_of_patient(cohort: list[PatientPlan]) -> None:
    sites = [{lesion.site for lesion in plan.lesions} for plan in cohort]
    assert {7, 39} == {plan.number for plan in cohort if not plan.lesions}
    assert all(map(is_tumour_free, (7, 39)))
    without_liver = [plan for plan, where in zip(cohort, sites, strict=True) if where and Site.LIVER not in where]
    assert len(without_liver) >= 10
    assert any(not where for where in sites[:8])
    assert all(sum(site in where for where in sites) > 15 for site in some(Site))
    assert {lesion.texture.grade for plan in cohort for lesion in plan.lesions} == {
        "homogeneous",
        "moderate",
        "marked",
    }
    as_seg = some(plan for plan in cohort if plan.contours_as == "SEG")
    assert all(plan.lesions for plan in as_seg), "a DICOM SEG cannot be empty"
    assert sum(plan.contours_as == "SEG" for plan in cohort) == 33
    assert any(plan.chromogranin_a_ng_ml is None for plan in cohort)


@pytest.mark.parametrize("seed", [0, 1, 20250681])
def test_mean_age_is_67(seed: int) -> None:
    settings = CohortSettings(seed=seed)
    ages = [plan_patient(settings, number).age_years for number in range(1, 68)]
    assert np.mean(ages) == pytest.approx(67.0, abs=0.5)
    assert 7.0 < np.std(ages) < 11.0


def test_dates_and_person_agree(cohort: list[PatientPlan]) -> None:
    for plan in some(cohort):
        assert 5 <= (plan.therapy_start - plan.scan_start.date()).days <= 60
        scan, born = plan.scan_start.date(), plan.birth_date
        assert scan.year - born.year - ((scan.month, scan.day) < (born.month, born.day)) == plan.age_years
        low, high = {"G1": (0, 3), "G2": (3, 20.01), "G3": (20.01, 100)}[plan.grade]
        assert low <= plan.ki67_percent < high
        assert 1 <= plan.therapy_cycles <= 4


def test_patient_does_not_depend_on_the_size_of_the_cohort_or_the_effect() -> None:
    alone = plan_patient(CohortSettings(n_patients=2), 2)
    assert alone == plan_patient(CohortSettings(n_patients=67, effect="planted"), 2)  # type: ignore[arg-type]
    assert alone != plan_patient(CohortSettings(n_patients=2, seed=1), 2)


def test_streams_are_independent() -> None:
    settings = CohortSettings()
    from petct.synthetic.settings import Stream

    draws = {generator(settings, number, stream).random() for number in (1, 2) for stream in Stream}
    assert len(draws) == 2 * len(Stream)
