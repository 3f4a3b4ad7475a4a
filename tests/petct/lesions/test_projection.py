"""Projections of analytic phantoms: the right pixel, whatever the orientation of the image."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from petct.image.orientation import turned, upright
from petct.image.volume import Geometry, Volume
from petct.lesions.lesion_map import Lesion, LesionMap
from petct.lesions.projection import Projection, project
from petct.lesions.reference_regions import ReferenceRegion

SPACING_MM = (2.0, 3.0, 5.0)
ORIGIN_MM = (-40.0, 17.0, -300.0)
# Every way in which axes can lie along the patient: 6 orders and 8 signs, the left-handed ones among them.
ORIENTATIONS = [
    tuple(float(value) for value in (np.eye(3)[:, list(order)] * signs).ravel())
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


def phantom(direction: tuple[float, ...], bright: dict[tuple[float, float, float], float]) -> Volume:
    """A box of 40 x 60 x 100 mm (left, back, head) from (-40, 17, -300) with bright voxels at points in patient mm."""
    matrix = np.asarray(direction).reshape(3, 3)
    extent = np.abs(matrix.T @ np.array([40.0, 60.0, 100.0]))
    nx, ny, nz = np.rint(extent / SPACING_MM).astype(int)
    size = matrix @ (np.array([nx - 1, ny - 1, nz - 1]) * SPACING_MM)
    # Index axes that run against the patient's start at the other end of the box.
    origin = np.asarray(ORIGIN_MM) - np.minimum(size, 0.0)
    geometry = Geometry((nz, ny, nx), SPACING_MM, tuple(origin), direction)
    array = np.zeros((nz, ny, nx), dtype=np.float32)
    for point, value in bright.items():
        x, y, z = np.rint(geometry.to_index(np.array([point]))[0]).astype(int)
        array[z, y, x] = value
    return Volume(array, geometry)


def without_lesions(suv: Volume) -> LesionMap:
    return LesionMap(np.zeros(suv.geometry.shape, dtype=np.uint16), suv.geometry, ())


def brightest_mm(view: Projection) -> tuple[float, float]:
    """Millimetres from the head and from the first column, to the centre of the brightest pixel."""
    row, column = np.unravel_index(view.suv.argmax(), view.suv.shape)
    return row * view.spacing_mm[0], column * view.spacing_mm[1]


@pytest.mark.parametrize("direction", ORIENTATIONS)
def test_head_is_up_and_left_is_on_the_right(direction: tuple[float, ...]) -> None:
    """A voxel near head, back and left: near the top and the right of both views, to the millimetre."""
    point = np.array([-40.0 + 36, 17.0 + 48, -300.0 + 90])
    coronal, sagittal = project(
        suv := phantom(direction, {tuple(point): 9.0}), without_lesions(suv), excluded=None, references=()
    )
    geometry = suv.geometry
    (voxel,) = geometry.to_physical(np.rint(geometry.to_index(point[None])))
    head = turned(suv).geometry.origin_mm[2]
    down, right = brightest_mm(coronal)
    assert (down, right) == pytest.approx((head - voxel[2], voxel[0] + 40.0))
    assert right > coronal.suv.shape[1] * coronal.spacing_mm[1] / 2
    assert down < coronal.suv.shape[0] * coronal.spacing_mm[0] / 2
    down, back = brightest_mm(sagittal)
    assert (down, back) == pytest.approx((head - voxel[2], voxel[1] - 17.0))
    assert back > sagittal.suv.shape[1] * sagittal.spacing_mm[1] / 2
    assert coronal.suv.max() == sagittal.suv.max() == 9.0


@pytest.mark.parametrize("direction", ORIENTATIONS)
def test_every_voxel_keeps_its_place_when_an_image_is_turned(direction: tuple[float, ...]) -> None:
    suv = phantom(direction, {})
    values = np.arange(suv.array.size, dtype=np.float32).reshape(suv.array.shape)
    found = turned(Volume(values, suv.geometry))
    assert found.geometry.direction == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, -1))
    index = np.array([[1.0, 2.0, 3.0]])
    x, y, z = np.rint(suv.geometry.to_index(found.geometry.to_physical(index))[0]).astype(int)
    assert found.array[3, 2, 1] == values[z, y, x]
    assert np.shares_memory(found.array, values)


def test_an_oblique_image_counts_as_the_axes_it_is_nearest_to() -> None:
    tilt = np.deg2rad(10)
    direction = (1.0, 0.0, 0.0, 0.0, np.cos(tilt), -np.sin(tilt), 0.0, np.sin(tilt), np.cos(tilt))
    how = upright(Geometry((10, 8, 6), SPACING_MM, ORIGIN_MM, direction))
    assert (how.axes, how.flipped) == ((0, 1, 2), (True, False, False))


def test_lesions_cover_their_shadow_by_organ_and_references_are_where_they_were_placed() -> None:
    suv = phantom((1, 0, 0, 0, 1, 0, 0, 0, 1), {})
    labels = np.zeros(suv.geometry.shape, dtype=np.uint16)
    labels[2:4, 5:9, 1:3] = 1
    labels[10:12, 0:2, 7:9] = 2
    labels[4:5, 11:12, 0:1] = 3
    lesions = tuple(
        Lesion(f"L0{label}", label, organ, "GTV", 1, 1.0, (0.0, 0.0, 0.0))
        for label, organ in ((1, "liver"), (2, "bone"), (3, "liver"))
    )
    centre = suv.geometry.to_physical(np.array([[7.0, 4.0, 15.0]]))[0]
    region = ReferenceRegion("liver", tuple(centre), 6.0, 10, 4.8, 0.3)
    coronal, sagittal = project(suv, LesionMap(labels, suv.geometry, lesions), None, [region])
    assert list(coronal.lesions) == ["bone", "liver"]
    for view, axis in ((coronal, 1), (sagittal, 2)):
        for organ, values in (("bone", [2]), ("liver", [1, 3])):
            expected = np.isin(labels, values).any(axis=axis)[::-1]
            np.testing.assert_array_equal(view.lesions[organ], expected)
    n_slices = suv.geometry.shape[0]
    assert coronal.references[0].centre == pytest.approx((n_slices - 1 - 15, 7))
    assert sagittal.references[0].centre == pytest.approx((n_slices - 1 - 15, 4))


def test_uptake_is_called_excluded_where_it_is_what_is_seen() -> None:
    """Two hot voxels on two rays, both excluded; on one of them something hotter, not excluded, lies before it."""
    suv = phantom((1, 0, 0, 0, 1, 0, 0, 0, 1), {})
    image = suv.array.copy()
    image[3, 5, 4], image[6, 5, 4], image[6, 9, 4] = 20.0, 20.0, 25.0
    excluded = np.zeros(image.shape, dtype=bool)
    excluded[3, 5, 4] = excluded[6, 5, 4] = True
    coronal, sagittal = project(Volume(image, suv.geometry), without_lesions(suv), excluded, ())
    last = suv.geometry.shape[0] - 1
    assert np.argwhere(coronal.excluded).tolist() == [[last - 3, 4]]
    assert np.argwhere(sagittal.excluded).tolist() == [[last - 6, 5], [last - 3, 5]]
