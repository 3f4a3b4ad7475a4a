"""Planes of phantoms: the right pixel in all three directions, PET and CT on one another, labels as they are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from figures.organ_colours import OrganColour
from figures.outline import colour_of
from figures.palette import VERMILION
from figures.planes import Field, Images, Look, Plane, near_field, plane_picture, whole_field
from petct.image.orientation import turned
from petct.image.volume import Geometry, Volume

PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
# 120 x 160 x 200 mm of PET in feet-first order, and a CT that covers the middle of it more finely.
PET_GRID = Geometry((40, 40, 30), (4.0, 4.0, 5.0), (-60.0, -80.0, -100.0))
CT_GRID = Geometry((50, 60, 60), (1.5, 1.5, 3.0), (-40.0, -40.0, -70.0))
POINT = (-20.0, 12.0, 35.0)
COLOURS = {"liver": OrganColour(VERMILION, dashed=False)}
GREY = Look(shown="PET", pet_colours="Inverted grey", crosshair=False)


def volume(grid: Geometry, point: tuple[float, float, float], reach_mm: float, value: float, dtype: str) -> Volume:
    """A box of ``value`` whose voxel centres lie within ``reach_mm`` of a point along each axis."""
    z, y, x = np.indices(grid.shape)
    mm = grid.to_physical(np.stack([x, y, z], axis=-1).reshape(-1, 3)).reshape(*grid.shape, 3)
    inside = (np.abs(mm - np.asarray(point)) <= reach_mm + 1e-9).all(axis=-1)
    return turned(Volume(np.where(inside, value, 0).astype(dtype), grid))


def images(**changes: object) -> Images:
    made = {
        "pet": volume(PET_GRID, POINT, 8.0, 20.0, "float32"),
        "ct": volume(CT_GRID, POINT, 8.0, 3000.0, "int16"),
        "labels": volume(PET_GRID, POINT, 8.0, 7, "uint16"),
    }
    return Images(**(made | changes))


def drawn(plane: Plane, of: Images, look: Look, field: Field | None = None) -> tuple[np.ndarray, Field]:
    field = field or whole_field(plane, of.pet.geometry, 400)
    return np.asarray(plane_picture(plane, of, POINT, field, look, COLOURS)), field


def extent_mm(mask: np.ndarray, field: Field) -> tuple[float, float, float, float]:
    """Upper, lower, left and right edge of the pixels, in mm from the first voxel's centre."""
    rows, columns = np.nonzero(mask)
    scale = field.height / (field.rows_mm[1] - field.rows_mm[0])
    return (
        rows.min() / scale + field.rows_mm[0],
        (rows.max() + 1) / scale + field.rows_mm[0],
        columns.min() / scale + field.columns_mm[0],
        (columns.max() + 1) / scale + field.columns_mm[0],
    )


# Millimetres from the head (z, 195 is the first slice's centre at +95), from the front and from the right side.
FROM_HEAD, FROM_FRONT, FROM_RIGHT = 95.0 - 35.0, 12.0 + 80.0, -20.0 + 60.0


@pytest.mark.parametrize(
    ("plane", "down", "across"),
    [("axial", FROM_FRONT, FROM_RIGHT), ("coronal", FROM_HEAD, FROM_RIGHT), ("sagittal", FROM_HEAD, FROM_FRONT)],
)
@pytest.mark.parametrize("zoomed", [False, True])
def test_pet_ct_and_outline_lie_on_one_another(plane: Plane, down: float, across: float, zoomed: bool) -> None:
    of = images()
    field = near_field(plane, of.pet.geometry, POINT, 60.0, 600) if zoomed else None
    blank = images(pet=volume(PET_GRID, POINT, 0.0, 0.0, "float32"), ct=volume(CT_GRID, POINT, 0.0, 0, "int16"))
    pet, field = drawn(plane, of, GREY, field)
    # Letters and scale bar are on both.
    paper, _ = drawn(plane, blank, GREY, field)
    upper, lower, left, right = extent_mm(paper[..., 0].astype(int) - pet[..., 0] > 128, field)
    assert ((upper + lower) / 2, (left + right) / 2) == pytest.approx((down, across), abs=0.6)
    look = Look(shown="CT", crosshair=False, ct_window=(1500.0, 1000.0))
    ct, without = drawn(plane, of, look, field)[0][..., 0], drawn(plane, blank, look, field)[0][..., 0]
    found = extent_mm(ct.astype(int) - without > 128, field)
    # The box of the CT is 2 x 8 mm long and one of its voxels wider.
    assert ((found[0] + found[1]) / 2, (found[2] + found[3]) / 2) == pytest.approx((down, across), abs=1.6)
    outlined, _ = drawn(plane, of, Look(shown="CT", organ_of_label={7: "liver"}, crosshair=False), field)
    outline = (outlined == colour_of(VERMILION)).all(axis=-1)
    assert extent_mm(outline, field) == pytest.approx((upper, lower, left, right), abs=1.6)


def test_planes_are_true_to_scale() -> None:
    grid = images().pet.geometry
    for plane, width_mm, height_mm in (("axial", 120, 160), ("coronal", 120, 200), ("sagittal", 160, 200)):
        field = whole_field(plane, grid, 400)
        assert field.width / field.height == pytest.approx(width_mm / height_mm, abs=0.01)


def test_opacity_mixes_and_the_window_cuts() -> None:
    of = images()
    centre = np.s_[300, 300]
    field = near_field("axial", of.pet.geometry, POINT, 60.0, 600)
    ct, _ = drawn("axial", of, Look(shown="CT", crosshair=False), field)
    clear, _ = drawn("axial", of, Look(opacity=0.0, crosshair=False), field)
    full, _ = drawn("axial", of, Look(opacity=1.0, crosshair=False, pet_colours="Inferno"), field)
    np.testing.assert_array_equal(clear, ct)
    assert ct[centre].tolist() == [255, 255, 255]
    assert full[centre].tolist() == [252, 255, 164], "the upper end of Inferno: SUV 20 is above the window"
    below, _ = drawn("axial", of, Look(opacity=1.0, suv_window=(25.0, 30.0), crosshair=False), field)
    np.testing.assert_array_equal(below, ct)


def test_without_a_ct_or_beyond_it_there_is_the_pet() -> None:
    alone, _ = drawn("axial", images(ct=None), Look(crosshair=False))
    pet, _ = drawn("axial", images(), Look(shown="PET", crosshair=False))
    np.testing.assert_array_equal(alone, pet)
    air = images(ct=volume(CT_GRID, POINT, 0.0, -1000, "int16"))
    field, look = whole_field("axial", air.pet.geometry, 200), Look(shown="CT", crosshair=False)
    beyond, nothing = (plane_picture("axial", of, (0.0, 0.0, 90.0), field, look, {}) for of in (images(), air))
    np.testing.assert_array_equal(np.asarray(beyond), np.asarray(nothing))


def test_a_crosshair_runs_through_the_point_and_leaves_it_free() -> None:
    field = near_field("coronal", images().pet.geometry, POINT, 60.0, 600)
    without, _ = drawn("coronal", images(), GREY, field)
    crossed, _ = drawn("coronal", images(), Look(shown="PET", pet_colours="Inverted grey"), field)
    rows, columns = np.nonzero((crossed != without).any(axis=-1))
    assert set(rows[columns == 100]) == {300}
    assert set(columns[rows == 100]) == {300}
    np.testing.assert_array_equal(crossed[290:310, 290:310], without[290:310, 290:310])
    assert isinstance(plane_picture("coronal", images(), POINT, field, GREY, COLOURS), Image.Image)
