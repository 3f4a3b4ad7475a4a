"""Radioactive decay: constants of the nuclides, and decay within and before a frame."""

from __future__ import annotations

import math
import re

# Codes of CID 4020 (SNOMED CT, and SNOMED RT as older scanners write it) -> nuclide.
_CODES = {
    "40565003": "11C",
    "C-105A1": "11C",
    "21576001": "13N",
    "C-107A1": "13N",
    "129504001": "15O",
    "C-B1038": "15O",
    "77004003": "18F",
    "C-111A1": "18F",
    "126600": "44Sc",
    "3932008": "64Cu",
    "C-127A2": "64Cu",
    "35337001": "68Ga",
    "C-131A3": "68Ga",
    "53315004": "68Ge",
    "C-128A2": "68Ge",
    "79197006": "82Rb",
    "C-159A2": "82Rb",
    "10738001": "86Y",
    "C-162A3": "86Y",
    "63360001": "89Zr",
    "C-168A4": "89Zr",
    "40937006": "124I",
    "C-114A5": "124I",
}

HALF_LIVES_S = {
    "11C": 1221.8,
    "13N": 597.9,
    "15O": 122.27,
    "18F": 6586.2,
    "44Sc": 4.042 * 3600,
    "64Cu": 12.7 * 3600,
    "68Ga": 4057.7,
    "68Ge": 270.95 * 86400,
    "82Rb": 76.4,
    "86Y": 14.74 * 3600,
    "89Zr": 78.4 * 3600,
    "124I": 4.176 * 86400,
    "177Lu": 6.647 * 86400,
}
"""Half-life of each nuclide in seconds."""

_ELEMENTS = {
    "CARBON": "C",
    "NITROGEN": "N",
    "OXYGEN": "O",
    "FLUORINE": "F",
    "SCANDIUM": "SC",
    "COPPER": "CU",
    "GALLIUM": "GA",
    "GERMANIUM": "GE",
    "RUBIDIUM": "RB",
    "YTTRIUM": "Y",
    "ZIRCONIUM": "ZR",
    "IODINE": "I",
    "LUTETIUM": "LU",
}
_SYMBOLS = {nuclide.upper(): nuclide for nuclide in HALF_LIVES_S}


def nuclide_of(code: str | None, meaning: str | None, radiopharmaceutical: str | None = None) -> str | None:
    """The nuclide that a radionuclide code names, for example ``68Ga``; None when it is not in ``HALF_LIVES_S``.

    The meaning is tried as well (``^68^Gallium``, ``Ga-68``, ``68Ga``), because vendors write private codes beside it;
    and the name of the radiopharmaceutical (``68Ga-DOTATOC``) where neither tells.
    """
    known = _CODES.get((code or "").upper())
    return known or _named_nuclide(meaning) or _named_nuclide(radiopharmaceutical)


def _named_nuclide(text: str | None) -> str | None:
    words = re.findall(r"\d+|[A-Z]+", (text or "").upper())
    numbers = [word for word in words if word.isdigit()]
    letters = [_ELEMENTS.get(word, word) for word in words if not word.isdigit()]
    return next((_SYMBOLS[n + s] for n in numbers for s in letters if n + s in _SYMBOLS), None)


def decay_constant(half_life_s: float) -> float:
    """Natural logarithm of 2 over the half-life, per second."""
    return math.log(2) / half_life_s


def mean_activity_time_s(half_life_s: float, duration_s: float) -> float:
    """Seconds from the start of a frame to the moment when the activity has its mean over the frame (T_ave)."""
    return math.log(frame_factor(half_life_s, duration_s)) / decay_constant(half_life_s)


def frame_factor(half_life_s: float, duration_s: float) -> float:
    """Activity at the start of a frame divided by its mean over the frame: lambda T / (1 - exp(-lambda T))."""
    x = decay_constant(half_life_s) * duration_s
    return x / -math.expm1(-x)
