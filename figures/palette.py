"""Colours of all figures: Okabe and Ito's palette, which colour-blind readers can tell apart.

Okabe M, Ito K, Color Universal Design, 2008; yellow is left out because it vanishes on white paper.
"""

from __future__ import annotations

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
ORANGE = "#E69F00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
BLACK = "#000000"

SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
"""Colours of groups, in order; they repeat after the seventh."""

INK = "#222222"
GRID = "#E5E5E5"
MUTED = "#6B6B6B"
PAPER = "#FFFFFF"


ON_DARK = {BLUE: "#2A8FD4", INK: "#E6EAEE", GRID: "#2B343E", MUTED: "#A7B1BC", PAPER: "#0F141A", BLACK: "#FFFFFF"}
"""What the dark theme has for the colours that need the light theme; the others are seen in both."""


def series_colour(index: int) -> str:
    """Return the colour of the group with this index."""
    return SERIES[index % len(SERIES)]


def translucent(colour: str, opacity: float) -> str:
    """Return a ``#RRGGBB`` colour as ``rgba(...)``, opacity 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
