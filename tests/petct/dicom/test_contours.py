"""The scanline: areas of known shape, holes, and polygons that tile the plane without gap or overlap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.dicom.contours import rasterise

_SHAPE = (1, 24, 30)
_points = st.tuples(st.floats(-3, 33), st.floats(-3, 27)) | st.tuples(st.integers(-3, 33), st.integers(-3, 27))


def _fill(*polygons: object) -> np.ndarray:
    contours = [np.asarray(polygon, dtype=np.float64) for polygon in polygons]
    return rasterise(contours, [0] * len(contours), _SHAPE)[0]


def _by_definition(polygon: object) -> np.ndarray:
    """Even-odd, pixel by pixel: count the edges that cross the pixel's row at or left of it."""
    vertices = np.round(np.asarray(polygon, dtype=np.float64), 6)
    inside = np.zeros(_SHAPE[1:], dtype=bool)
    for row in range(_SHAPE[1]):
        for (x1, y1), (x2, y2) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
            if y1 > y2:
                x1, y1, x2, y2 = x2, y2, x1, y1
            if y1 <= row < y2:
                crossing = round(x1 + (row - y1) * ((x2 - x1) / (y2 - y1)), 6)
                inside[row] ^= np.arange(_SHAPE[2]) >= crossing
    return inside


def test_a_rectangle_is_half_open() -> None:
    mask = _fill([(2, 3), (6, 3), (6, 8), (2, 8)])
    expected = np.zeros(_SHAPE[1:], dtype=bool)
    expected[3:8, 2:6] = True
    assert np.array_equal(mask, expected)


@given(polygon=st.lists(_points, min_size=3, max_size=12))
def test_any_polygon_is_filled_by_the_even_odd_rule(polygon: list[tuple[float, float]]) -> None:
    assert np.array_equal(_fill(polygon), _by_definition(polygon))


@given(polygon=st.lists(_points, min_size=3, max_size=12), start=st.integers(0, 11), reverse=st.booleans())
def test_start_and_direction_of_a_contour_do_not_matter(
    polygon: list[tuple[float, float]], start: int, reverse: bool
) -> None:
    turned = polygon[start % len(polygon) :] + polygon[: start % len(polygon)]
    assert np.array_equal(_fill(polygon), _fill(turned[::-1] if reverse else turned))


@given(
    corners=st.tuples(st.tuples(st.floats(0, 8), st.floats(0, 6)), st.tuples(st.floats(20, 29), st.floats(16, 23))),
    shares=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6),
)
def test_polygons_that_share_edges_neither_overlap_nor_leave_a_gap(
    corners: tuple[tuple[float, float], tuple[float, float]], shares: list[tuple[float, float]]
) -> None:
    # A frame cut in two along a line that runs from one corner to the opposite one without turning back.
    (x0, y0), (x1, y1) = corners
    between = sorted((x0 + a * (x1 - x0), y0 + b * (y1 - y0)) for a, b in shares)
    line = [(x0, y0), *between, (x1, y1)]
    lower, upper = _fill([*line, (x0, y1)]), _fill([(x1, y0), *line[::-1]])
    whole = _fill([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    assert not (lower & upper).any()
    assert np.array_equal(lower | upper, whole)


@given(where=st.tuples(st.floats(4, 9), st.floats(4, 9)), size=st.tuples(st.floats(1, 6), st.floats(1, 6)))
def test_a_contour_inside_another_is_a_hole_and_a_keyhole_is_the_same(
    where: tuple[float, float], size: tuple[float, float]
) -> None:
    (x, y), (w, h) = where, size
    outer = [(1, 1), (20, 1), (20, 20), (1, 20)]
    inner = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    keyhole = [outer[0], *outer[1:], outer[0], inner[0], *inner[1:], inner[0]]
    expected = _fill(outer) & ~_fill(inner)
    assert np.array_equal(_fill(outer, inner), expected)
    assert np.array_equal(_fill(keyhole), expected)


def test_the_area_of_a_circle() -> None:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    shape = (1, 200, 200)
    mask = rasterise([np.stack([100 + 80.3 * np.cos(angle), 99.5 + 80.3 * np.sin(angle)], axis=1)], [0], shape)
    assert mask.sum() == pytest.approx(np.pi * 80.3**2, rel=2e-3)


def test_contours_go_to_their_slices_and_are_cut_at_the_border() -> None:
    square = np.array([(-5.0, -5.0), (2.0, -5.0), (2.0, 3.0), (-5.0, 3.0)])
    mask = rasterise([square, square + 1, square], [0, 2, 7], (3, 5, 5))
    assert mask[0].sum() == 6
    assert mask[1].sum() == 0
    assert mask[2].sum() == 12


def test_noise_of_the_coordinates_does_not_decide_about_pixels() -> None:
    exact = np.array([(2.0, 3.0), (6.0, 3.0), (6.0, 8.0), (2.0, 8.0)])
    noise = np.random.default_rng(0).uniform(-1e-9, 1e-9, exact.shape)
    assert np.array_equal(_fill(exact), _fill(exact + noise))


def test_nothing_to_fill() -> None:
    assert not rasterise([], [], (2, 3, 4)).any()
    assert not _fill([(2.1, 3.1), (2.8, 3.1), (2.8, 3.8)]).any()
