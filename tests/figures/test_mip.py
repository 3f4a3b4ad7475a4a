"""The picture of a projection: true to scale, organs in their colours, the same bytes every time."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from figures.mip import MipWords, mip_picture
from figures.organ_colours import OrganColour, organ_colours
from figures.outline import colour_of, draw_outline
from figures.palette import SERIES, VERMILION
from figures.png import png_bytes
from petct.lesions.projection import ProjectedReference, Projection
from tests.some import some

ORGANS = ("liver", "spleen", "kidneys", "bladder", "pituitary", "spine", "lymph_node", "unknown")
COLOURS = organ_colours(ORGANS)
WORDS = MipWords("NET-001", "20200101-abcdef01", "contours-12345678", {"liver": 2, "spine": 1}, 41.5, (0.0, 10.0))
# 300 mm high, 120 mm wide, 60 mm deep; 860 pixels high.
HEIGHT_PX, SCALE = 860, 860 / 300


def views() -> tuple[Projection, Projection]:
    made = []
    for view, columns, width_mm in (("coronal", 40, 3.0), ("sagittal", 15, 4.0)):
        suv = np.zeros((60, columns), dtype=np.float32)
        suv[10:20, 2:12] = 12.0
        liver = np.zeros(suv.shape, dtype=bool)
        liver[10:20, 2:12] = True
        spine = np.zeros(suv.shape, dtype=bool)
        spine[40:50, 5:10] = True
        excluded = np.zeros(suv.shape, dtype=bool)
        references = (ProjectedReference("liver", (30.0, 8.0), 15.0, 4.8),)
        made.append(Projection(view, suv, excluded, {"liver": liver, "spine": spine}, references, (5.0, width_mm)))
    return made[0], made[1]


def drawn(*, words: MipWords = WORDS, **changes: object) -> np.ndarray:
    coronal, sagittal = views()
    return np.asarray(mip_picture([replace(coronal, **changes), sagittal], words, COLOURS))


def has(pixels: np.ndarray, colour: str) -> np.ndarray:
    return (pixels == colour_of(colour)).all(axis=-1)


def test_a_picture_is_true_to_scale_and_outlines_lie_on_their_lesions() -> None:
    picture = drawn()
    rows, columns = np.nonzero(has(picture[:, : 18 + round(120 * SCALE)], COLOURS["liver"].colour))
    # The liver's square is 50 mm high and 30 mm wide, 50 mm below the head, 6 mm from the right side.
    assert (rows.min() - 62, np.ptp(rows) + 1) == pytest.approx((50 * SCALE, 50 * SCALE), abs=2)
    assert (columns.min() - 18, np.ptp(columns) + 1) == pytest.approx((6 * SCALE, 30 * SCALE), abs=2)
    inside = picture[62 + round(75 * SCALE), 18 + round(21 * SCALE)]
    assert inside.tolist() == [0, 0, 0], "SUV 12 is above the window of 0 to 10: black"
    assert picture[62 + round(280 * SCALE), 18 + round(21 * SCALE)].tolist() == [255, 255, 255]


def test_every_organ_has_its_colour_in_both_views_and_in_the_legend() -> None:
    picture = drawn()
    edges = (0, 18 + round(120 * SCALE), 18 + round(120 * SCALE) + 26 + round(60 * SCALE), picture.shape[1])
    for organ in ("liver", "spine"):
        places = has(picture, COLOURS[organ].colour)
        assert all(places[:, left:right].any() for left, right in some(pairwise(edges))), organ
    for organ in some(set(ORGANS) - {"liver", "spine"}):
        assert not has(picture, COLOURS[organ].colour).any() or COLOURS[organ].dashed


def test_excluded_uptake_is_pale_and_hatched_and_explained() -> None:
    excluded = np.zeros((60, 40), dtype=bool)
    excluded[10:20, 2:12] = True
    plain, hatched = drawn(), drawn(excluded=excluded)
    patch = hatched[62 + round(70 * SCALE) : 62 + round(80 * SCALE), 18 + round(15 * SCALE) : 18 + round(25 * SCALE)]
    shades = sorted({int(value) for value in patch[..., 0].ravel()})
    assert shades == [128, 166]
    legend = slice(picture_width(plain) - 236, None)
    assert (hatched[:, legend] != plain[:, legend]).any()


def picture_width(picture: np.ndarray) -> int:
    return picture.shape[1]


def test_the_reference_region_is_a_ring_at_its_place() -> None:
    without = drawn(references=())
    ring = np.argwhere((drawn() != without).any(axis=-1)[:, : 18 + round(120 * SCALE)])
    centre, reach = (ring.min(axis=0) + ring.max(axis=0)) / 2, np.ptp(ring, axis=0) / 2
    assert centre == pytest.approx([62 + 30.5 * 5 * SCALE, 18 + 8.5 * 3 * SCALE], abs=1.5)
    assert reach == pytest.approx([15 * SCALE, 15 * SCALE], abs=3)


def test_a_patient_without_tumour_is_drawn() -> None:
    picture = drawn(words=replace(WORDS, n_lesions={}, volume_ml=0.0), lesions={})
    assert WORDS.subtitle == "contours-12345678 · 3 lesions, 41.5 ml"
    assert replace(WORDS, n_lesions={}).subtitle == "contours-12345678 · no lesions"
    assert not has(picture[:, : 18 + round(120 * SCALE)], COLOURS["liver"].colour).any()


def test_the_same_picture_is_the_same_bytes_without_a_time() -> None:
    image = mip_picture(views(), WORDS, COLOURS)
    text = {"Title": WORDS.title, "Software": "petlake"}
    png = png_bytes(image, text)
    assert png == png_bytes(mip_picture(views(), WORDS, COLOURS), text)
    with Image.open(io.BytesIO(png)) as read:
        np.testing.assert_array_equal(np.asarray(read), np.asarray(image))
        assert read.info == text
    kinds, place = set(), 8
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kinds.add(png[place + 4 : place + 8])
        place += length + 12
    assert kinds == {b"IHDR", b"iTXt", b"IDAT", b"IEND"}


def test_colours_are_those_of_the_palette_and_all_organs_differ() -> None:
    assert {style.colour for style in COLOURS.values()} <= set(SERIES)
    assert len({(style.colour, style.dashed) for style in COLOURS.values()}) == len(ORGANS)
    assert [organ for organ in ORGANS if COLOURS[organ].dashed] == ["spleen", "unknown"]
    assert COLOURS["liver"] == OrganColour(VERMILION, dashed=False)
    assert organ_colours(reversed(ORGANS)) == COLOURS, "not by the order of the names"


def test_a_dashed_line_has_gaps() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    mask[10:50, 10:50] = True
    lengths = []
    for dashed in (False, True):
        pixels = np.full((60, 60, 3), 200, dtype=np.uint8)
        draw_outline(pixels, mask, OrganColour(VERMILION, dashed))
        lengths.append(np.count_nonzero(has(pixels, VERMILION)))
    assert lengths[0] == 40**2 - 36**2
    assert lengths[1] == pytest.approx(lengths[0] / 2, rel=0.1)
