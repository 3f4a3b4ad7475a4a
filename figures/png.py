"""Pixels as a PNG file: the same pixels and words are the same bytes, for there is no time in it."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image, PngImagePlugin

KEPT = 6
SHOWN_ONCE = 1
"""Levels of compression: for a file that is kept, and for a picture that the next move of a slider replaces."""


def png_bytes(image: Image.Image, text: Mapping[str, str], compression: int = KEPT) -> bytes:
    """Return the picture as PNG with text chunks (PNG keywords such as Title, Description, Software)."""
    words = PngImagePlugin.PngInfo()
    for keyword, value in text.items():
        words.add_itxt(keyword, value)
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=words, compress_level=compression)
    return file.getvalue()
