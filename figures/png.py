"""Pixels as a PNG file: the same pixels and words are the same bytes, for there is no time in it."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image, PngImagePlugin

_COMPRESSION = 6


def png_bytes(image: Image.Image, text: Mapping[str, str]) -> bytes:
    """Return the picture as PNG with text chunks (PNG keywords such as Title, Description, Software)."""
    words = PngImagePlugin.PngInfo()
    for keyword, value in text.items():
        words.add_itxt(keyword, value)
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=words, compress_level=_COMPRESSION)
    return file.getvalue()
