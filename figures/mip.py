"""The maximum-intensity projection of a scan as a picture: lesions by organ, excluded uptake, reference regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from figures.organ_colours import OrganColour
from figures.outline import draw_outline, scaled_mask
from figures.palette import INK, MUTED, PAPER
from petct.lesions.projection import Projection

_HEIGHT = 860
_MOST_PIXELS_PER_MM = 4.0
_MARGIN = 18
_HEADER = 62
_FOOTER = 34
_GAP = 26
_LEGEND = 236
_ROW = 23
_SWATCH = 18
_HATCH = 6
_HATCHED = (128, 128, 128)
_MUTED_BY = 0.35
_BARS_MM = (200, 100, 50, 20, 10, 5)
_SIDES = {"coronal": ("R", "L", "Coronal"), "sagittal": ("A", "P", "Sagittal, from the left")}
_NOUNS = {True: "lesion", False: "lesions"}


@dataclass(frozen=True)
class MipWords:
    """What is written on a projection.

    Attributes
    ----------
    patient_id, scan_id, protocol_id
        Whose lesions, in which scan, by which protocol.
    n_lesions
        Organ to the number of its lesions.
    suv_window
        SUV shown as white and as black.
    """

    patient_id: str
    scan_id: str
    protocol_id: str
    n_lesions: Mapping[str, int]
    volume_ml: float
    suv_window: tuple[float, float]

    @property
    def title(self) -> str:
        """Patient and scan."""
        return f"{self.patient_id} · scan {self.scan_id}"

    @property
    def subtitle(self) -> str:
        """Protocol, number of lesions and their volume."""
        total = sum(self.n_lesions.values())
        return f"{self.protocol_id} · {total or 'no'} {_NOUNS[total == 1]}" + (
            f", {self.volume_ml:.1f} ml" if total else ""
        )


def mip_picture(views: Sequence[Projection], words: MipWords, colours: Mapping[str, OrganColour]) -> Image.Image:
    """Draw projections side by side in inverted grey, in millimetres alike along both axes.

    Parameters
    ----------
    views
        Projections of one scan.
    words
        What is written on it.
    colours
        How the lesions of each organ are drawn.
    """
    height_mm = views[0].suv.shape[0] * views[0].spacing_mm[0]
    scale = min(_MOST_PIXELS_PER_MM, _HEIGHT / height_mm)
    panels = [_panel(view, scale, words.suv_window, colours) for view in views]
    width = 2 * _MARGIN + sum(panel.shape[1] + _GAP for panel in panels) + _LEGEND
    height = _HEADER + max(*(panel.shape[0] for panel in panels), _legend_height(views[0], words)) + _FOOTER
    picture = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((_MARGIN, 12), words.title, INK, _font(19))
    draw.text((_MARGIN, 37), words.subtitle, MUTED, _font(14))
    left = _MARGIN
    for view, panel in zip(views, panels, strict=True):
        picture.paste(Image.fromarray(panel), (left, _HEADER))
        _frame(draw, view, panel, left)
        _references(draw, view, scale, left)
        left += panel.shape[1] + _GAP
    _scale_bar(draw, scale, panels[0].shape)
    _legend(picture, draw, views[0], words, colours, left)
    return picture


def _panel(
    view: Projection, scale: float, window: tuple[float, float], colours: Mapping[str, OrganColour]
) -> NDArray[np.uint8]:
    """One view as pixels (rows, columns, 3)."""
    rows, columns = view.suv.shape
    size = max(1, round(columns * view.spacing_mm[1] * scale)), max(1, round(rows * view.spacing_mm[0] * scale))
    low, high = window
    shade = 255.0 * (1.0 - np.clip((view.suv - low) / (high - low), 0.0, 1.0))
    grey = np.asarray(Image.fromarray(np.rint(shade).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR))
    pixels = np.repeat(grey[:, :, None], 3, axis=2)
    _mute(pixels, scaled_mask(view.excluded, size))
    for organ, mask in view.lesions.items():
        draw_outline(pixels, scaled_mask(mask, size), colours[organ])
    return pixels


def _mute(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    """Make what is under the mask pale, and hatch it."""
    if not mask.any():
        return
    pixels[mask] = np.rint(255.0 - _MUTED_BY * (255.0 - pixels[mask])).astype(np.uint8)
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    pixels[mask & ((rows + columns) % _HATCH == 0)] = _HATCHED


def _frame(draw: ImageDraw.ImageDraw, view: Projection, panel: NDArray[np.uint8], left: int) -> None:
    """Name the view and its sides."""
    first, last, name = _SIDES[view.view]
    height, width = panel.shape[:2]
    # On white, for there may be uptake below.
    rim: dict[str, Any] = {"stroke_width": 2, "stroke_fill": PAPER}
    draw.text((left + 6, _HEADER + 4), first, INK, _font(15), **rim)
    draw.text((left + width - 6, _HEADER + 4), last, INK, _font(15), anchor="ra", **rim)
    draw.text((left + width, _HEADER + height + 8), name, MUTED, _font(13), anchor="ra")


def _references(draw: ImageDraw.ImageDraw, view: Projection, scale: float, left: int) -> None:
    for reference in view.references:
        # The centre of a pixel lies half a pixel from its edge.
        y = _HEADER + (reference.centre[0] + 0.5) * view.spacing_mm[0] * scale
        x = left + (reference.centre[1] + 0.5) * view.spacing_mm[1] * scale
        _ring(draw, x, y, reference.radius_mm * scale)


def _ring(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(tuple(value + more for value, more in zip(box, (-1, -1, 1, 1), strict=True)), outline=PAPER, width=3)
    draw.ellipse(box, outline=INK, width=1)


def _scale_bar(draw: ImageDraw.ImageDraw, scale: float, shape: tuple[int, ...]) -> None:
    length_mm = next((mm for mm in _BARS_MM if mm * scale <= 0.5 * shape[1]), _BARS_MM[-1])
    y = _HEADER + shape[0] + 16
    draw.line((_MARGIN, y, _MARGIN + round(length_mm * scale), y), INK, 3)
    draw.text((_MARGIN + round(length_mm * scale) + 8, y), f"{length_mm / 10:g} cm", INK, _font(13), anchor="lm")


def _legend_rows(view: Projection, words: MipWords) -> int:
    return max(1, len(words.n_lesions)) + bool(view.excluded.any()) + len(view.references)


def _legend_height(view: Projection, words: MipWords) -> int:
    return 80 + _ROW * (_legend_rows(view, words) + 1)


def _legend(
    picture: Image.Image,
    draw: ImageDraw.ImageDraw,
    view: Projection,
    words: MipWords,
    colours: Mapping[str, OrganColour],
    left: int,
) -> None:
    """Say what greys, colours, hatching and rings mean."""
    low, high = words.suv_window
    y = _HEADER
    ramp = np.repeat(np.linspace(255, 0, 160).astype(np.uint8)[None, :], 14, axis=0)
    picture.paste(Image.fromarray(ramp).convert("RGB"), (left, y))
    draw.rectangle((left - 1, y - 1, left + 160, y + 14), outline=MUTED)
    draw.text((left, y + 19), f"{low:g}", INK, _font(13))
    draw.text((left + 160, y + 19), f"{high:g}", INK, _font(13), anchor="ra")
    draw.text((left + 80, y + 19), "SUVbw", INK, _font(13), anchor="ma")
    y += 58
    for organ, count in words.n_lesions.items():
        swatch = np.full((_SWATCH, _SWATCH, 3), 255, dtype=np.uint8)
        inside = np.zeros((_SWATCH, _SWATCH), dtype=bool)
        inside[2:-2, 2:-2] = True
        draw_outline(swatch, inside, colours[organ])
        picture.paste(Image.fromarray(swatch), (left, y))
        _entry(draw, left, y, f"{organ.replace('_', ' ')}: {count} {_NOUNS[count == 1]}")
        y += _ROW
    if not words.n_lesions:
        _entry(draw, left - _SWATCH - 8, y, "No lesion")
        y += _ROW
    if view.excluded.any():
        swatch = np.full((_SWATCH, _SWATCH, 3), 60, dtype=np.uint8)
        _mute(swatch, np.ones((_SWATCH, _SWATCH), dtype=bool))
        picture.paste(Image.fromarray(swatch), (left, y))
        _entry(draw, left, y, "excluded, physiological")
        y += _ROW
    for reference in view.references:
        _ring(draw, left + _SWATCH / 2, y + _SWATCH / 2, _SWATCH / 2 - 2)
        _entry(draw, left, y, f"{reference.region} reference: {reference.suv_mean:.1f}")
        y += _ROW


def _entry(draw: ImageDraw.ImageDraw, left: int, y: int, text: str) -> None:
    draw.text((left + _SWATCH + 8, y + _SWATCH / 2), text, INK, _font(14), anchor="lm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow brings this font along, so that words look the same on every machine.
    return ImageFont.load_default(size)
