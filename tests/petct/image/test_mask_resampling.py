"""Masks on other grids: within 2 % of the analytic volume, and refused with the numbers where too much changes."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.spatial.transform import Rotation

from petct.dicom.contours import rasterise
from petct.errors import MaskError
from petct.image.mask_resampling import ResamplingLimits, check_overlap, resample_checked, share_outside
from petct.image.volume import Geometry, Mask, resample_mask, resample_part, to_sitk

LIMITS = ResamplingLimits()
CT = Geometry((48, 128, 128), (1.0, 1.0, 3.0), (-64.0, -64.0, 10.0))
ANGLE = np.linspace(0, 2 * np.pi, 240, endpoint=False)


def _drawn_on_ct(centre: tuple[float, float, float], axes: tuple[float, float, float], hole: float) -> Mask:
    """An ellipsoid as a reader draws it, slice by slice on the CT, with a coaxial ellipsoid left out of it."""
    contours, slices = [], []
    for k in range(CT.shape[0]):
        for scale in (1.0, hole):
            height = scale**2 - ((CT.origin_mm[2] + 3 * k - centre[2]) / axes[2]) ** 2
            if height > 0:
                ring = np.sqrt(height) * np.stack([axes[0] * np.cos(ANGLE), axes[1] * np.sin(ANGLE)], axis=1)
                contours.append(ring + np.array(centre[:2]) - np.array(CT.origin_mm[:2]))
                slices.append(k)
    return Mask(rasterise(contours, slices, CT.shape), CT)


@settings(max_examples=10)
@given(
    offset=st.tuples(*[st.floats(-2, 2)] * 3),
    axes=st.tuples(*[st.floats(38, 44)] * 3),
    hole=st.sampled_from([0.0, 0.5]),
    thickness=st.sampled_from([2.0, 4.0, 5.0]),
)
def test_contours_of_the_ct_keep_the_analytic_volume_on_the_pet(
    offset: tuple[float, float, float], axes: tuple[float, float, float], hole: float, thickness: float
) -> None:
    drawn = _drawn_on_ct((offset[0], offset[1], 80 + offset[2]), axes, hole)
    pet = Geometry((round(160 / thickness), 32, 32), (4.0, 4.0, thickness), (-63.1, -62.4, 0.7))
    moved = resample_checked(drawn, pet, LIMITS, "lesion")
    analytic_ml = 4 / 3 * np.pi * axes[0] * axes[1] * axes[2] * (1 - hole**3) / 1000
    assert moved.volume_ml == pytest.approx(analytic_ml, rel=0.02)


def test_a_thin_plate_on_the_ct_survives_or_is_refused_but_never_halves() -> None:
    # 6 mm thick on slices of 3 mm; PET slices of 5 mm see one or two of its planes, never their difference.
    plate = np.zeros(CT.shape, dtype=bool)
    plate[20:22, 30:90, 30:90] = True
    drawn = Mask(plate, CT)
    volumes = []
    for start in np.arange(0, 5, 0.5):
        pet = Geometry((30, 32, 32), (4.0, 4.0, 5.0), (-63.0, -63.0, start))
        with suppress(MaskError):
            volumes.append(resample_checked(drawn, pet, LIMITS, "plate").volume_ml)
    assert 0 < len(volumes) < 10
    assert volumes == pytest.approx([drawn.volume_ml] * len(volumes), rel=0.25)


def test_the_share_outside_is_counted_by_voxel_centres() -> None:
    mask = np.zeros(CT.shape, dtype=bool)
    mask[10, 10, 10:20] = True
    # The image ends half a voxel beyond its last centre, at x = -64 + 14.5.
    image = Geometry((40, 60, 8), (2.0, 2.0, 4.0), (-64.0 - 0.5, -64.0, 10.0))
    assert share_outside(Mask(mask, CT), image) == pytest.approx(0.5)
    assert share_outside(Mask(np.zeros(CT.shape, dtype=bool), CT), image) == 0.0


SPACINGS = st.tuples(*[st.sampled_from([1.0, 1.5, 2.0, 3.0])] * 3)
PLACES = st.tuples(*[st.sampled_from([-4.0, -1.0, -0.5, 0.0, 0.25, 0.7, 3.0])] * 3)


@settings(max_examples=60)
@given(
    array=npst.arrays(bool, (5, 6, 7), elements=st.booleans(), fill=st.just(False)),
    spacing=SPACINGS,
    onto=SPACINGS,
    place=PLACES,
    turn=st.tuples(*[st.sampled_from([0.0, np.pi / 2, 0.3])] * 3),
)
def test_resampling_only_where_the_mask_is_equals_resampling_the_whole_image(
    array: np.ndarray,
    spacing: tuple[float, float, float],
    onto: tuple[float, float, float],
    place: tuple[float, float, float],
    turn: tuple[float, float, float],
) -> None:
    """Also where grids have a simple ratio, so that values of exactly one half are frequent."""
    direction = tuple(Rotation.from_rotvec(turn).as_matrix().ravel())
    mask = Mask(array, Geometry((5, 6, 7), spacing, (0.0, 0.0, 0.0)))
    target = Geometry((9, 8, 10), onto, place, direction)
    image = sitk.ConstantPad(to_sitk(array.astype(np.float32), mask.geometry), (1, 1, 1), (1, 1, 1), 0.0)
    whole = sitk.Resample(
        image, (10, 8, 9), sitk.Transform(), sitk.sitkLinear, place, onto, direction, 0.0, sitk.sitkFloat32
    )
    assert np.array_equal(resample_mask(mask, target).array, sitk.GetArrayFromImage(whole) >= 0.5)
    part = resample_part(mask, target)
    assert part.count(np.nonzero(np.ones(target.shape))) == np.count_nonzero(resample_mask(mask, target).array)


def _box(size: int, grid: Geometry = CT) -> Mask:
    array = np.zeros(grid.shape, dtype=bool)
    array[20 : 20 + size, 40 : 40 + size, 40 : 40 + size] = True
    return Mask(array, grid)


@pytest.mark.parametrize(
    ("mask", "onto", "limits", "code", "numbers"),
    [
        (_box(10), Geometry((48, 45, 128), (1, 1, 3), (-64, -64, 10)), LIMITS, "MASK_OUTSIDE_IMAGE", "50.0 % of 3.00"),
        (_box(2), Geometry((5, 12, 12), (10, 10, 30), (-59, -59, 10)), LIMITS, "ROI_WITHOUT_VOXELS", "0.024 ml"),
        # One voxel centre happens to lie in it: 125 times the volume.
        (_box(2), Geometry((5, 12, 12), (10, 10, 30), (-64, -64, 10)), LIMITS, "MASK_VOLUME_CHANGED", "3.000 ml after"),
        (
            _box(9),
            Geometry((48, 64, 64), (2, 2, 3), (-64, -64, 10)),
            ResamplingLimits(0.05),
            "MASK_VOLUME_CHANGED",
            "ml",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(
    mask: Mask, onto: Geometry, limits: ResamplingLimits, code: str, numbers: str
) -> None:
    with pytest.raises(MaskError) as caught:
        resample_checked(mask, onto, limits, "liver")
    assert caught.value.code == code
    assert "liver" in caught.value.message
    assert numbers in (caught.value.found or "")
    # On its own grid nothing changes, so nothing is refused.
    assert np.array_equal(resample_checked(mask, CT, ResamplingLimits(0, 0, 0), "liver").array, mask.array)


def test_labels_that_claim_the_same_voxels_are_refused() -> None:
    check_overlap("liver", "spleen", 0.05, 1.0, LIMITS)
    with pytest.raises(MaskError, match=r"MASK_LABELS_OVERLAP: liver and spleen.*0\.060 ml, 6\.0 % of the smaller"):
        check_overlap("liver", "spleen", 0.06, 1.0, LIMITS)
