"""Outlines of masks in a picture: smooth, two pixels wide, with a light rim that shows them on any ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from figures.organ_colours import OrganColour

_DASH = 5
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)


def colour_of(name: str) -> tuple[int, int, int]:
    """Red, green and blue of a ``#RRGGBB`` colour."""
    return int(name[1:3], 16), int(name[3:5], 16), int(name[5:7], 16)


def scaled_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask (rows, columns) at another size (width, height), cut at one half of the interpolated one."""
    grey = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(grey.resize(size, Image.Resampling.BILINEAR)) >= 128


def draw_outline(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], style: OrganColour, rim: tuple[int, int, int] = WHITE
) -> None:
    """Draw the inner border of a mask (rows, columns) into pixels (rows, columns, 3), and a thin rim around it."""
    if not mask.any():
        return
    line = mask & ~_shrunk(_shrunk(mask))
    pixels[~_shrunk(~mask) & ~mask] = rim
    if style.dashed:
        rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
        gaps = (rows + columns) // _DASH % 2 == 1
        pixels[line & gaps] = rim
        line = line & ~gaps
    pixels[line] = colour_of(style.colour)


def _shrunk(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without the pixels that have a neighbour (of four) outside; beyond the picture nothing is outside."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return inner
