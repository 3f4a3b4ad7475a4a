"""Agreement of masks on shapes whose distances are known, and matching of lesions in every kind there is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.dicom.regions import RoiMask
from petct.errors import MaskError
from petct.image.mask_agreement import agreement
from petct.image.volume import Geometry, Mask
from petct.lesions.lesion_map import LesionMap, MaskRules, find_lesions
from petct.lesions.matching import MatchKind, group_agreements, match_delineations
from petct.lesions.protocol_files import load_protocol
from tests.some import some

GRID = Geometry((30, 40, 50), (1.5, 2.0, 3.0), (-20.0, 5.0, 40.0))
RULES = MaskRules(("lesion",))


def _box(*parts: tuple[slice, slice, slice], grid: Geometry = GRID) -> Mask:
    array = np.zeros(grid.shape, dtype=bool)
    for part in parts:
        array[part] = True
    return Mask(array, grid)


def _lesions(*parts: tuple[slice, slice, slice]) -> LesionMap:
    roi = RoiMask("lesion", 1, _box(*parts), "RTSTRUCT", "1.2.3")
    return find_lesions([roi], {}, load_protocol("contours"), RULES, GRID)


BOX = (slice(5, 15), slice(5, 25), slice(5, 25))


@pytest.mark.parametrize(("axis", "step"), [(0, 3), (1, 2), (2, 4)])
def test_a_plate_moved_along_its_normal_has_the_distance_of_the_move(axis: int, step: int) -> None:
    """A plate one voxel thick is all surface: every distance is the way it was moved, in mm of that axis."""
    spacing = (3.0, 2.0, 1.5)
    where = [slice(None)] * 3
    plates = []
    for at in (10, 10 + step):
        where[axis] = slice(at, at + 1)
        plates.append(_box(tuple(where)))
    found = agreement(*plates)
    assert (found.dice, found.volume_difference_ml) == (0.0, 0.0)
    assert found.mean_surface_distance_mm == pytest.approx(step * spacing[axis], rel=1e-12)
    assert found.surface_distance_95_mm == pytest.approx(step * spacing[axis], rel=1e-12)


def test_a_box_in_a_box_by_hand() -> None:
    """From every face of the inner box the outer one is one voxel away; its corners are a diagonal away."""
    inner, outer = _box(BOX), _box((slice(4, 16), slice(4, 26), slice(4, 26)))
    found = agreement(inner, outer)
    small, large = 10 * 20 * 20, 12 * 22 * 22
    assert found.dice == pytest.approx(2 * small / (small + large))
    assert found.volume_difference_ml == pytest.approx((large - small) * 0.009)
    assert found.relative_volume_difference == pytest.approx(large / small - 1)
    # Voxels of the inner surface have the nearest of the three faces outside: x 1.5, else y 2, else z 3 mm.
    z, y, x = np.indices((12, 22, 22))
    on = [(i == 0) | (i == n - 1) for i, n in ((z, 12), (y, 22), (x, 22))]
    rim = on[0] | on[1] | on[2]
    outward = np.sqrt(9.0 * on[0] + 4.0 * on[1] + 2.25 * on[2])[rim]
    z, y, x = np.indices((10, 20, 20))
    on = [(i == 0) | (i == n - 1) for i, n in ((z, 10), (y, 20), (x, 20))]
    inward = np.where(on[2], 1.5, np.where(on[1], 2.0, 3.0))[on[0] | on[1] | on[2]]
    assert found.mean_surface_distance_mm == pytest.approx(np.concatenate([inward, outward]).mean(), rel=1e-12)
    expected = max(np.percentile(inward, 95), np.percentile(outward, 95))
    assert found.surface_distance_95_mm == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.25, 2.0)])
def test_concentric_spheres_are_the_difference_of_their_radii_apart(spacing: tuple[float, float, float]) -> None:
    grid = Geometry(tuple(int(56 / step) + 1 for step in spacing[::-1]), spacing, (-28.0, -28.0, -28.0))
    z, y, x = np.indices(grid.shape)
    radius = np.sqrt(sum((s * i - 28.0) ** 2 for s, i in zip(spacing, (x, y, z), strict=True)))
    found = agreement(Mask(radius <= 18, grid), Mask(radius <= 24, grid))
    # Surfaces run through voxel centres: a voxel is at most half a diagonal from the sphere.
    assert found.mean_surface_distance_mm == pytest.approx(6.0, abs=0.25 * max(spacing))
    assert found.surface_distance_95_mm == pytest.approx(6.0, abs=max(spacing))
    assert found.dice == pytest.approx(2 * 18**3 / (18**3 + 24**3), rel=0.02)


@given(corner=st.tuples(*[st.integers(0, 15)] * 3), size=st.tuples(*[st.integers(1, 9)] * 3), shift=st.integers(0, 5))
def test_agreement_is_symmetric_and_perfect_with_itself(
    corner: tuple[int, int, int], size: tuple[int, int, int], shift: int
) -> None:
    first = _box(tuple(slice(c, c + s) for c, s in zip(corner, size, strict=True)))
    second = _box(tuple(slice(c + shift, c + shift + s) for c, s in zip(corner, size, strict=True)))
    one, two = agreement(first, second), agreement(second, first)
    assert (one.dice, one.surface_distance_95_mm) == (two.dice, two.surface_distance_95_mm)
    assert one.mean_surface_distance_mm == pytest.approx(two.mean_surface_distance_mm, rel=1e-12)
    itself = agreement(first, first)
    assert (itself.dice, itself.mean_surface_distance_mm, itself.surface_distance_95_mm) == (1.0, 0.0, 0.0)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(MaskError, match="ROI_EMPTY"):
        agreement(_box(BOX), _box())
    other = Geometry((30, 40, 50), (1.5, 2.0, 3.0), (-20.0, 5.0, 41.0))
    with pytest.raises(MaskError, match="AGREEMENT_GRIDS_DIFFER"):
        agreement(_box(BOX), _box(BOX, grid=other))


FIRST = _lesions(
    (slice(2, 12), slice(2, 12), slice(2, 12)),  # L01, 1000 voxels: splits
    (slice(2, 10), slice(20, 28), slice(2, 10)),  # L02, 512: merges with
    (slice(2, 9), slice(30, 37), slice(2, 9)),  # L03, 343
    (slice(20, 26), slice(2, 8), slice(40, 46)),  # L04, 216: stays
    (slice(26, 29), slice(30, 33), slice(40, 43)),  # L05, 27: is lost
)
SECOND = _lesions(
    (slice(2, 10), slice(20, 38), slice(2, 10)),  # L01, 1152: L02 and L03
    (slice(2, 6), slice(2, 12), slice(2, 12)),  # L02, 400, and
    (slice(8, 11), slice(2, 12), slice(2, 12)),  # L03, 300: both of L01
    (slice(20, 26), slice(2, 8), slice(41, 47)),  # L04, 216: moved by a voxel
    (slice(15, 18), slice(15, 18), slice(30, 34)),  # L05, 36: new
)


def test_every_kind_of_match_by_hand() -> None:
    matches = match_delineations(FIRST, SECOND)
    found = [(m.kind.value, m.group, m.first_lesion_id, m.second_lesion_id) for m in matches]
    assert found == [
        ("SPLIT", 1, "L01", "L02"),
        ("SPLIT", 1, "L01", "L03"),
        ("MERGE", 2, "L02", "L01"),
        ("MERGE", 2, "L03", "L01"),
        ("SAME", 3, "L04", "L04"),
        ("LOST", 4, "L05", None),
        ("NEW", 5, None, "L05"),
    ]
    voxel = 0.009
    assert [m.overlap_ml / voxel for m in matches] == pytest.approx([400, 300, 512, 343, 180, 0, 0])
    assert matches[4].dice == pytest.approx(2 * 180 / 432)
    assert matches[5].second_volume_ml == 0.0


def test_groups_are_compared_as_a_whole() -> None:
    matches = match_delineations(FIRST, SECOND)
    split, merged, same = group_agreements(FIRST, SECOND, matches)
    assert split.lesion_ids == ("L01", "L02+L03")
    assert split.agreement.dice == pytest.approx(2 * 700 / 1700)
    assert merged.lesion_ids == ("L02+L03", "L01")
    assert same.agreement.mean_surface_distance_mm > 0


def test_several_of_both_are_mixed_and_the_reverse_swaps_split_and_merge() -> None:
    bars = [(slice(2, 4), slice(2, 30), slice(x, x + 3)) for x in (2, 10, 18)]
    across = [(slice(2, 4), slice(y, y + 3), slice(2, 21)) for y in (4, 12)]
    matches = match_delineations(_lesions(*bars), _lesions(*across))
    assert {m.kind for m in matches} == {MatchKind.MIXED}
    assert (len(matches), {m.group for m in matches}) == (6, {1})
    reverse = {MatchKind.SPLIT: MatchKind.MERGE, MatchKind.MERGE: MatchKind.SPLIT}
    reverse |= {MatchKind.LOST: MatchKind.NEW, MatchKind.NEW: MatchKind.LOST, MatchKind.SAME: MatchKind.SAME}
    there, back = match_delineations(FIRST, SECOND), match_delineations(SECOND, FIRST)
    assert {(reverse[m.kind], m.first_lesion_id, m.second_lesion_id) for m in there} == {
        (m.kind, m.second_lesion_id, m.first_lesion_id) for m in back
    }


def test_nothing_matches_nothing_and_a_delineation_matches_itself() -> None:
    assert match_delineations(_lesions(), _lesions()) == ()
    assert {m.kind for m in match_delineations(FIRST, _lesions())} == {MatchKind.LOST}
    assert [(m.kind, m.dice) for m in match_delineations(FIRST, FIRST)] == [(MatchKind.SAME, 1.0)] * 5
    groups = [m.group for m in match_delineations(FIRST, FIRST)]
    assert all(after - before == 1 for before, after in some(pairwise(groups)))
