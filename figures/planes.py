"""Planes of PET and CT as they are read: three directions through one point, fused, with outlines of the lesions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.colors
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from figures.organ_colours import OrganColour
from figures.outline import BLACK, WHITE, colour_of, draw_outline
from figures.palette import SKY
from petct.image.volume import Geometry, Volume

Plane = Literal["axial", "coronal", "sagittal"]
Shown = Literal["fused", "PET", "CT"]
Point = tuple[float, float, float]

CT_WINDOWS: Mapping[str, tuple[float, float]] = {
    "Soft tissue": (40.0, 400.0),
    "Liver": (60.0, 160.0),
    "Lung": (-600.0, 1500.0),
    "Bone": (400.0, 1800.0),
    "Brain": (40.0, 80.0),
}
"""Names of windows to their level and width in Hounsfield units."""

PET_COLOURS = ("Hot", "Inferno", "Viridis", "Inverted grey")
"""Colour maps of the PET; Inferno and Viridis are perceptually even and safe for the colour-blind."""

# Upright axes (0 head to feet, 1 front to back, 2 right to left): across the plane, down it and along it.
_AXES: Mapping[Plane, tuple[int, int, int]] = {"axial": (0, 1, 2), "coronal": (1, 0, 2), "sagittal": (2, 0, 1)}
_SIDES: Mapping[Plane, tuple[str, str, str]] = {
    "axial": ("R", "L", "A"),
    "coronal": ("R", "L", "H"),
    "sagittal": ("A", "P", "H"),
}
_OPAQUE_FROM = 1 / 3
_NOTHING = 0
_GAP = 14
_BARS_MM = (200, 100, 50, 20, 10)


@dataclass(frozen=True, eq=False)
class Images:
    """The images of one scan, each turned upright (``petct.image.orientation.turned``); what is not there is None.

    Attributes
    ----------
    pet, ct
        SUV and Hounsfield units.
    labels
        Lesions on the grid of the PET, 0 outside.
    """

    pet: Volume
    ct: Volume | None
    labels: Volume | None


@dataclass(frozen=True)
class Look:
    """How planes are drawn.

    Attributes
    ----------
    shown
        Both images, or one of them.
    suv_window
        SUV that are the two ends of the colour map.
    ct_window
        Level and width in Hounsfield units.
    opacity
        Of the PET over the CT, 0 to 1, from a third of the window on; below it fades.
    organ_of_label
        Label of each lesion to its organ; lesions that are not in it have no outline.
    """

    shown: Shown = "fused"
    suv_window: tuple[float, float] = (0.0, 10.0)
    ct_window: tuple[float, float] = CT_WINDOWS["Soft tissue"]
    opacity: float = 0.6
    pet_colours: str = PET_COLOURS[0]
    organ_of_label: Mapping[int, str] | None = None
    crosshair: bool = True


@dataclass(frozen=True)
class Field:
    """What of a plane is seen: millimetres from the first to the last row and column of the PET, and the pixels."""

    rows_mm: tuple[float, float]
    columns_mm: tuple[float, float]
    width: int
    height: int


def whole_field(plane: Plane, grid: Geometry, height: int) -> Field:
    """All of the PET in ``height`` pixels."""
    _, down, across = _AXES[plane]
    rows_mm, columns_mm = _extent(grid, down), _extent(grid, across)
    scale = height / (rows_mm[1] - rows_mm[0])
    return Field(rows_mm, columns_mm, max(1, round((columns_mm[1] - columns_mm[0]) * scale)), height)


def near_field(plane: Plane, grid: Geometry, point: Point, size_mm: float, height: int) -> Field:
    """A square of ``size_mm`` around a point (patient coordinates, LPS)."""
    _, down, across = _AXES[plane]
    at = _along(grid, point)
    half = size_mm / 2
    return Field((at[down] - half, at[down] + half), (at[across] - half, at[across] + half), height, height)


def plane_picture(
    plane: Plane, images: Images, point: Point, field: Field, look: Look, colours: Mapping[str, OrganColour]
) -> Image.Image:
    """Draw the plane through a point.

    Parameters
    ----------
    point
        Patient coordinates (LPS, mm).
    field
        What of the plane is seen.
    colours
        How the lesions of each organ are outlined.
    """
    grid = images.pet.geometry
    level, width = look.ct_window
    low, high = look.suv_window
    pixels = np.zeros((field.height, field.width, 3), dtype=np.uint8)
    if images.ct is not None and look.shown != "PET":
        ct = _sampled(plane, images.ct, grid, point, field, level - width / 2, level + width / 2)
        pixels[:] = ct[:, :, None]
    if look.shown != "CT":
        pet = _sampled(plane, images.pet, grid, point, field, low, high)
        coloured = _colour_table(look.pet_colours)[pet]
        if look.shown == "PET" or images.ct is None:
            pixels = coloured
        else:
            # From 0 to 256, so that whole numbers are enough: this is done again with every move of a slider.
            share = np.minimum(np.arange(256) / (255.0 * _OPAQUE_FROM), 1.0)
            weight = np.rint(256.0 * look.opacity * share).astype(np.int32)[pet][:, :, None]
            pixels = ((pixels * (256 - weight) + coloured * weight + 128) >> 8).astype(np.uint8)
    if images.labels is not None and look.organ_of_label:
        _outlines(pixels, _labels(plane, images.labels, grid, point, field), look.organ_of_label, colours)
    picture = Image.fromarray(pixels)
    _annotate(ImageDraw.Draw(picture), plane, grid, point, field, look)
    return picture


def _extent(grid: Geometry, axis: int) -> tuple[float, float]:
    """Outer edges of the voxels along an upright axis, in mm from the centre of the first."""
    step, size = grid.spacing_mm[2 - axis], grid.shape[axis]
    return -step / 2, (size - 0.5) * step


def _along(grid: Geometry, point: Point) -> tuple[float, float, float]:
    """Millimetres from the first voxel along the upright axes."""
    index = grid.to_index(np.array([point]))[0]
    z, y, x = (float(index[2 - axis]) * grid.spacing_mm[2 - axis] for axis in range(3))
    return z, y, x


def _box(
    plane: Plane, image: Geometry, grid: Geometry, point: Point, field: Field
) -> tuple[float, NDArray[np.float64]]:
    """The slice of ``image`` through the point, and the field as (left, upper, right, lower) in its pixels.

    The axes of both grids are taken to be parallel, as those of a PET and its CT are.
    """
    across, down, along = _AXES[plane]
    corners = np.empty((2, 3))
    at = _along(grid, point)
    for corner, row, column in ((0, field.rows_mm[0], field.columns_mm[0]), (1, field.rows_mm[1], field.columns_mm[1])):
        for axis, mm in ((across, at[across]), (down, row), (along, column)):
            corners[corner, 2 - axis] = mm / grid.spacing_mm[2 - axis]
    found = image.to_index(grid.to_physical(corners))
    # Whole numbers are centres of voxels; Pillow counts from their edges.
    left_upper, right_lower = found[0, [2 - along, 2 - down]] + 0.5, found[1, [2 - along, 2 - down]] + 0.5
    return float(found[0, 2 - across]), np.concatenate([left_upper, right_lower])


def _slice(plane: Plane, volume: Volume, index: float) -> NDArray[Any] | None:
    across = _AXES[plane][0]
    number = round(index)
    if not 0 <= number < volume.geometry.shape[across]:
        return None
    where: list[slice | int] = [slice(None)] * 3
    where[across] = number
    return np.asarray(volume.array[tuple(where)])


def _sampled(
    plane: Plane, volume: Volume, grid: Geometry, point: Point, field: Field, low: float, high: float
) -> NDArray[np.uint8]:
    """A slice of an image between two values, as 0 to 255, interpolated in the plane; 0 where there is no image."""
    index, box = _box(plane, volume.geometry, grid, point, field)
    values = _slice(plane, volume, index)
    if values is None:
        return np.full((field.height, field.width), _NOTHING, dtype=np.uint8)
    share = (values.astype(np.float32) - low) / max(high - low, 1e-6)
    return _placed(np.rint(255.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8), box, field, Image.Resampling.BILINEAR)


def _labels(plane: Plane, labels: Volume, grid: Geometry, point: Point, field: Field) -> NDArray[np.int32]:
    """The labels of a slice; voxels stay squares."""
    index, box = _box(plane, labels.geometry, grid, point, field)
    values = _slice(plane, labels, index)
    if values is None:
        return np.zeros((field.height, field.width), dtype=np.int32)
    return _placed(values.astype(np.int32), box, field, Image.Resampling.NEAREST)


def _placed(values: NDArray[Any], box: NDArray[np.float64], field: Field, how: Image.Resampling) -> NDArray[Any]:
    """The part of a slice that the field sees, in the pixels of the field; 0 beyond the slice."""
    rows, columns = values.shape
    size = np.array([field.width, field.height, field.width, field.height])
    limits = np.array([columns, rows, columns, rows])
    inside = np.clip(box, 0, limits)
    start, span = np.tile(box[:2], 2), np.tile(box[2:] - box[:2], 2)
    left, upper, right, lower = (int(value) for value in np.rint((inside - start) / span * size))
    west, north, east, south = (float(value) for value in inside)
    placed = np.full((field.height, field.width), _NOTHING, dtype=values.dtype)
    if right > left and lower > upper and (inside[2:] > inside[:2]).all():
        image = Image.fromarray(np.ascontiguousarray(values))
        seen = image.resize((right - left, lower - upper), how, box=(west, north, east, south))
        placed[upper:lower, left:right] = np.asarray(seen)
    return placed


def _outlines(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int32],
    organ_of_label: Mapping[int, str],
    colours: Mapping[str, OrganColour],
) -> None:
    for label in np.flatnonzero(np.bincount(labels.ravel())):
        organ = organ_of_label.get(int(label))
        if organ is not None:
            # Dark: colours of the PET are light where there is uptake.
            draw_outline(pixels, labels == label, colours[organ], BLACK)


def _colour_table(name: str) -> NDArray[np.uint8]:
    """Red, green and blue (256, 3) of a colour map."""
    if name == "Inverted grey":
        return np.repeat(np.arange(255, -1, -1, dtype=np.uint8)[:, None], 3, axis=1)
    if name == "Hot":
        anchors = np.array([[0, 0, 0], [230, 0, 0], [255, 210, 0], [255, 255, 255]], dtype=np.float64)
    else:
        named = getattr(plotly.colors.sequential, name)
        anchors = np.array([colour_of(colour) for colour in named], dtype=np.float64)
        # Where there is no uptake there is no colour.
        anchors[0] = 0
    places = np.linspace(0, 255, len(anchors))
    return np.stack([np.interp(np.arange(256), places, anchors[:, c]) for c in range(3)], axis=1).astype(np.uint8)


def _annotate(draw: ImageDraw.ImageDraw, plane: Plane, grid: Geometry, point: Point, field: Field, look: Look) -> None:
    """Crosshair, sides and a scale bar; on white paper (inverted grey) in black."""
    ink = BLACK if look.shown == "PET" and look.pet_colours == "Inverted grey" else WHITE
    _, down, along = _AXES[plane]
    at = _along(grid, point)
    scale = field.height / (field.rows_mm[1] - field.rows_mm[0])
    x, y = (at[along] - field.columns_mm[0]) * scale, (at[down] - field.rows_mm[0]) * scale
    if look.crosshair:
        for line in (
            (0, y, x - _GAP, y),
            (x + _GAP, y, field.width, y),
            (x, 0, x, y - _GAP),
            (x, y + _GAP, x, field.height),
        ):
            if line[2] >= line[0] and line[3] >= line[1]:
                draw.line(line, colour_of(SKY), 1)
    font = ImageFont.load_default(15)
    first, last, top = _SIDES[plane]
    rim: dict[str, Any] = {"stroke_width": 2, "stroke_fill": WHITE if ink == BLACK else BLACK}
    draw.text((8, field.height / 2), first, ink, font, anchor="lm", **rim)
    draw.text((field.width - 8, field.height / 2), last, ink, font, anchor="rm", **rim)
    draw.text((field.width / 2, 7), top, ink, font, anchor="mt", **rim)
    length_mm = next((mm for mm in _BARS_MM if mm * scale <= 0.4 * field.width), _BARS_MM[-1])
    bottom = field.height - 10
    draw.line((8, bottom, 8 + round(length_mm * scale), bottom), ink, 3)
    draw.text((8, bottom - 7), f"{length_mm / 10:g} cm", ink, ImageFont.load_default(13), anchor="ls", **rim)
