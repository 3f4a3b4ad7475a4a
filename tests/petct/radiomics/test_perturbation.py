"""Perturbations on analytic regions: by how much they change what, and that a seed is a seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.errors import FeatureError
from petct.image.volume import Geometry, Mask, Volume
from petct.radiomics.perturbation import around, generator, noise_level, perturb
from petct.radiomics.perturbation_sets import (
    PerturbationSet,
    Step,
    load_perturbation_set,
    packaged_perturbation_sets,
    parse_perturbation_set,
)
from tests.some import some

GRID = Geometry((21, 23, 25), (2.0, 2.0, 4.0), (5.0, -7.0, 11.0))
DISTANCE_MM = np.linalg.norm(
    (np.indices(GRID.shape) - np.array([10, 11, 12])[:, None, None, None])
    * np.array(GRID.spacing_mm[::-1])[:, None, None, None],
    axis=0,
)
# Uptake that falls off from 20 in the centre; the region is where it is above 8.
HOT = Volume(20.0 - DISTANCE_MM, GRID)
BALL = Mask(HOT.array > 8, GRID)


def step(kind: str, *amount: float) -> Step:
    return Step(kind, amount)  # type: ignore[arg-type]


def applied(*steps: Step, image: Volume = HOT, mask: Mask = BALL) -> tuple[Volume, Mask]:
    return perturb(image, mask, steps, generator(1, "test"))


@given(st.floats(0.01, 0.9))
def test_erosion_takes_the_share_from_the_surface_and_dilation_adds_it(share: float) -> None:
    n_voxels = int(BALL.array.sum())
    change = max(1, round(share * n_voxels))
    image, eroded = applied(step("erode", share))
    _, dilated = applied(step("dilate", share))
    assert image.array is HOT.array or np.array_equal(image.array, HOT.array)
    assert not (eroded.array & ~BALL.array).any()
    assert not (BALL.array & ~dilated.array).any()
    assert int(eroded.array.sum()) == n_voxels - change
    assert int(dilated.array.sum()) == n_voxels + change
    # Of a ball, what is left is nearer to the centre than what was taken, to within a voxel's diagonal.
    taken = BALL.array & ~eroded.array
    if eroded.array.any():
        assert DISTANCE_MM[taken].min() > DISTANCE_MM[eroded.array].max() - np.linalg.norm(GRID.spacing_mm)


def test_a_region_of_one_voxel_can_vanish_and_stays_away() -> None:
    one = Mask(DISTANCE_MM == 0, GRID)
    assert one.array.sum() == 1
    _, gone = applied(step("erode", 0.1), mask=one)
    assert not gone.array.any()
    _, still_gone = applied(step("erode", 0.1), step("dilate", 0.1), step("threshold", 0.1), mask=one)
    assert not still_gone.array.any()


def test_translation_by_a_whole_voxel_is_a_shift_and_by_nothing_is_nothing() -> None:
    image, mask = applied(step("translate", 1, 0, -2))
    np.testing.assert_allclose(image.array[:-1, :, 2:], HOT.array[1:, :, :-2])
    np.testing.assert_array_equal(mask.array[:-1, :, 2:], BALL.array[1:, :, :-2])
    image, mask = applied(step("translate", 0, 0, 0))
    np.testing.assert_allclose(image.array, HOT.array)
    np.testing.assert_array_equal(mask.array, BALL.array)


def test_translation_by_half_a_voxel_keeps_a_linear_image_linear() -> None:
    z, y, x = np.indices(GRID.shape).astype(float)
    image, _ = applied(step("translate", 0.5, 0.25, -0.5), image=Volume(3 * z - 2 * y + x, GRID))
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(image.array[inner], (3 * (z + 0.5) - 2 * (y + 0.25) + (x - 0.5))[inner])


def test_the_threshold_of_a_thresholded_region_is_found_and_moved() -> None:
    _, same = applied(step("threshold", 0.0))
    np.testing.assert_array_equal(same.array, BALL.array)
    lowest = HOT.array[BALL.array].min()
    for change in (-0.2, 0.2):
        _, moved = applied(step("threshold", change))
        np.testing.assert_array_equal(moved.array, HOT.array >= lowest * (1 + change))


def test_a_lower_threshold_does_not_reach_a_neighbour_that_is_not_connected() -> None:
    array = np.zeros(GRID.shape)
    array[10, 11, 8:13] = [10, 6, 4, 6, 9]
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[10, 11, 8:10] = True
    _, moved = applied(step("threshold", -0.1), image=Volume(array, GRID), mask=Mask(mask, GRID))
    assert np.argwhere(moved.array)[:, 2].tolist() == [8, 9]


def test_the_noise_level_is_that_of_added_noise_and_ignores_gradients() -> None:
    rng = np.random.default_rng(3)
    z, y, x = np.indices((40, 60, 60)).astype(float)
    slope = 5 * z + 2 * y - 3 * x
    assert noise_level(slope) == pytest.approx(0, abs=1e-9)
    assert noise_level(slope + rng.normal(0, 1.7, slope.shape)) == pytest.approx(1.7, rel=0.02)
    assert noise_level(np.zeros((5, 2, 2))) == 0


def test_noise_has_the_level_of_the_image_times_the_amount() -> None:
    rng = np.random.default_rng(4)
    image = Volume(rng.normal(10, 2, GRID.shape), GRID)
    noisy, mask = applied(step("noise", 1.5), image=image)
    added = noisy.array - image.array
    assert added.std() == pytest.approx(1.5 * noise_level(image.array), rel=0.05)
    assert abs(added.mean()) < 0.1
    np.testing.assert_array_equal(mask.array, BALL.array)


def test_chains_are_repeatable_and_differ_between_lesions() -> None:
    steps = (step("translate", 0.25, -0.25, 0.25), step("noise", 1.0), step("erode", 0.1))
    noisy = Volume(HOT.array + np.random.default_rng(2).normal(0, 1, GRID.shape), GRID)
    one, again, other = (perturb(noisy, BALL, steps, generator(7, "P1", name)) for name in ("L01", "L01", "L02"))
    np.testing.assert_array_equal(one[0].array, again[0].array)
    np.testing.assert_array_equal(one[1].array, again[1].array)
    assert not np.array_equal(one[0].array, other[0].array)


def test_the_box_around_a_lesion_keeps_its_place() -> None:
    big = Geometry((120, 20, 130), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0))
    mask = np.zeros(big.shape, dtype=bool)
    mask[60:63, 5:8, 70:74] = True
    image = Volume(np.arange(mask.size, dtype=np.float32).reshape(big.shape), big)
    cropped, region = around(image, Mask(mask, big))
    assert region.array.sum() == mask.sum()
    assert cropped.geometry.shape == (83, 20, 84)
    index = np.argwhere(region.array)[0][::-1][None].astype(float)
    place = big.to_index(region.geometry.to_physical(index))[0][::-1]
    np.testing.assert_allclose(place, np.argwhere(mask)[0])
    assert cropped.array[tuple(np.argwhere(region.array)[0])] == image.array[tuple(np.argwhere(mask)[0])]
    with pytest.raises(FeatureError, match="ROI_EMPTY"):
        around(image, Mask(np.zeros_like(mask), big))


@pytest.mark.parametrize("name", packaged_perturbation_sets())
def test_packaged_sets_change_what_they_name(name: str) -> None:
    perturbations = load_perturbation_set(name)
    assert perturbations.perturbation_set_id.startswith(f"{name}-")
    image = Volume(HOT.array + np.random.default_rng(2).normal(0, 0.5, GRID.shape), GRID)
    assert len(perturbations.chains) >= 7
    for chain, steps in some(perturbations.chains):
        changed, region = perturb(image, BALL, steps, generator(perturbations.seed, chain))
        assert region.array.any()
        assert not (np.array_equal(changed.array, image.array) and np.array_equal(region.array, BALL.array)), chain


def settings(**chains: object) -> PerturbationSet:
    return parse_perturbation_set(
        "mine", {"version": 1, "description": "x", "modality": "PT", "seed": 1, "chains": chains}
    )


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([{"erod": 0.1}], "one of erode"),
        ([{"erode": 0.1, "noise": 1}], "one of erode"),
        ([{"erode": 1.5}], "between 0 and 1"),
        ([{"translate": 0.5}], "three numbers"),
        ([{"noise": [1, 2]}], "one number"),
        ([{"noise": "loud"}], "one number"),
    ],
)
def test_a_chain_that_means_nothing_is_refused(steps: list[dict[str, object]], says: str) -> None:
    with pytest.raises(FeatureError, match=f"PERTURBATIONS_INVALID.*chain_x.*{says}"):
        settings(chain_x=steps)


def test_names_are_checked_and_settings_are_the_id() -> None:
    with pytest.raises(FeatureError, match=r"PERTURBATIONS_UNKNOWN.*pet_chains"):
        load_perturbation_set("pet_chain")
    with pytest.raises(FeatureError, match="PERTURBATIONS_INVALID"):
        settings(none=[{"erode": 0.1}])
    one, other = settings(a=[{"erode": 0.1}]), settings(a=[{"erode": 0.2}])
    assert one.perturbation_set_id != other.perturbation_set_id
