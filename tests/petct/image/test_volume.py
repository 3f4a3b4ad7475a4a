"""Geometry there and back, and masks on other grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.errors import MaskError
from petct.image.volume import Geometry, Mask, Volume, resample_mask, to_sitk
from tests.some import some


def _rotation(angles: tuple[float, float, float]) -> tuple[float, ...]:
    a, b, c = angles
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return tuple(float(value) for value in (about_x @ about_y @ about_z).ravel())


_geometries = st.builds(
    lambda shape, spacing, origin, angles: Geometry(shape, spacing, origin, _rotation(angles)),
    st.tuples(*[st.integers(1, 9)] * 3),
    st.tuples(*[st.floats(0.5, 6)] * 3),
    st.tuples(*[st.floats(-500, 500)] * 3),
    st.tuples(*[st.floats(-3, 3)] * 3),
)


@given(geometry=_geometries, index=st.tuples(*[st.floats(-20, 200)] * 3))
def test_index_and_physical_point_are_inverse(geometry: Geometry, index: tuple[float, float, float]) -> None:
    points = geometry.to_physical(np.array([index]))
    assert geometry.to_index(points)[0] == pytest.approx(index, abs=1e-6)


@given(geometry=_geometries)
def test_affine_holds_the_whole_geometry(geometry: Geometry) -> None:
    assert Geometry.from_affine(geometry.affine, geometry.shape).is_close(geometry, 1e-9)


@given(geometry=_geometries, index=st.tuples(*[st.integers(0, 8)] * 3))
def test_simpleitk_places_voxels_where_we_do(geometry: Geometry, index: tuple[int, int, int]) -> None:
    image = to_sitk(np.zeros(geometry.shape, dtype=np.float32), geometry)
    expected = image.TransformContinuousIndexToPhysicalPoint([float(value) for value in index])
    assert geometry.to_physical(np.array([index]))[0] == pytest.approx(expected, abs=1e-6)


def test_voxel_volume_and_mask_volume() -> None:
    geometry = Geometry((2, 3, 4), (2.0, 2.5, 4.0), (0, 0, 0))
    assert geometry.voxel_volume_ml == pytest.approx(0.02)
    assert Mask(np.ones((2, 3, 4), dtype=bool), geometry).volume_ml == pytest.approx(24 * 0.02)


def test_an_array_must_have_the_shape_of_its_geometry() -> None:
    geometry = Geometry((2, 3, 4), (1, 1, 1), (0, 0, 0))
    with pytest.raises(MaskError, match="GEOMETRY_SHAPE_MISMATCH"):
        Volume(np.zeros((4, 3, 2)), geometry)


def test_a_shifted_or_smaller_grid_is_another_grid() -> None:
    geometry = Geometry((2, 3, 4), (1, 1, 1), (0, 0, 0))
    assert not geometry.is_close(Geometry((2, 3, 4), (1, 1, 1), (0, 0.01, 0)))
    assert not geometry.is_close(Geometry((2, 3, 3), (1, 1, 1), (0, 0, 0)))


def test_a_mask_on_its_own_grid_stays_as_it_is() -> None:
    geometry = Geometry((3, 4, 5), (1, 1, 1), (0, 0, 0))
    array = np.random.default_rng(0).random((3, 4, 5)) > 0.5
    assert np.array_equal(resample_mask(Mask(array, geometry), geometry).array, array)


def test_resampling_keeps_the_volume_of_a_ball() -> None:
    fine = Geometry((60, 60, 60), (1, 1, 1), (0, 0, 0))
    z, y, x = np.indices(fine.shape)
    ball = Mask((x - 30) ** 2 + (y - 30) ** 2 + (z - 30) ** 2 <= 20**2, fine)
    coarse = Geometry((20, 24, 24), (2.5, 2.5, 3), (0.3, -0.4, 0.7))
    assert resample_mask(ball, coarse).volume_ml == pytest.approx(ball.volume_ml, rel=0.02)


def test_resampling_onto_a_finer_grid_keeps_the_border_of_the_image() -> None:
    coarse = Geometry((2, 2, 2), (4, 4, 4), (0, 0, 0))
    fine = Geometry((8, 8, 8), (1, 1, 1), (-1.5, -1.5, -1.5))
    mask = resample_mask(Mask(np.ones((2, 2, 2), dtype=bool), coarse), fine)
    # Linear interpolation rounds the edges off; the middle of each face reaches to the border of the outermost voxels.
    assert mask.array[1:-1, 1:-1, 1:-1].all()
    assert all(face.all() for axis in range(3) for face in some(np.moveaxis(mask.array, axis, 0)[[0, -1], 2:6, 2:6]))
