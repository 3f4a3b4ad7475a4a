"""Compressed pixels: which decoder reads which transfer syntax, and what is checked before it may."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import DeflatedExplicitVRLittleEndian

from petct.errors import DicomError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

_JPEG = "gdcm"
_DECODERS = {
    "1.2.840.10008.1.2.4.50": _JPEG,
    "1.2.840.10008.1.2.4.51": _JPEG,
    "1.2.840.10008.1.2.4.57": _JPEG,
    "1.2.840.10008.1.2.4.70": _JPEG,
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pillow",
    "1.2.840.10008.1.2.4.91": "pillow",
    "1.2.840.10008.1.2.5": "pydicom",
}
"""Transfer syntax -> pydicom's plugin: one each, so that a number does not depend on what else is installed."""

# Start of frame: baseline, extended sequential, and lossless.
_FRAME_MARKERS = (0xC0, 0xC1, 0xC3)
_HUFFMAN, _SCAN, _END = 0xC4, 0xDA, 0xD9
_SKIPPED = {0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)}


def decoded_frames(data: bytes, syntax: UID, shape: tuple[int, int, int], bits_allocated: int) -> NDArray[np.integer]:
    """Stored values (frames, rows, columns) of a compressed file (inside ``parsing.lenient_parsing``).

    Parameters
    ----------
    data
        All bytes of the file.
    shape, bits_allocated
        What the header declares.

    Raises
    ------
    DicomError
        TRANSFER_SYNTAX_UNSUPPORTED, PIXELS_TRUNCATED.
    """
    if syntax != DeflatedExplicitVRLittleEndian and syntax not in _DECODERS:
        raise DicomError(
            "TRANSFER_SYNTAX_UNSUPPORTED",
            "There is no decoder for the compression of the pixels",
            keyword="TransferSyntaxUID",
            found=syntax.name,
            expected="no compression, JPEG, JPEG-LS, JPEG 2000 or RLE",
            hint="Decompress the series, for example with dcmdjpeg or gdcmconv --raw.",
        )
    try:
        dataset = dcmread(BytesIO(data), force=True)
        if syntax == DeflatedExplicitVRLittleEndian:
            values = dataset.pixel_array
        else:
            if _DECODERS[syntax] == _JPEG:
                _check_streams(dataset, shape, bits_allocated)
            values, _ = get_decoder(syntax).as_array(dataset, raw=True, decoding_plugin=_DECODERS[syntax])
    except DicomError:
        raise
    except Exception as error:
        # Decoders raise nearly any type of exception on damaged streams.
        raise _damaged(" ".join(str(error).split())[:120]) from error
    values = np.asarray(values)
    values = values[None] if values.ndim == 2 else values
    if values.shape != shape:
        raise _damaged(f"{values.shape}", f"{shape} values")
    return values


def _check_streams(dataset: Dataset, shape: tuple[int, int, int], bits_allocated: int) -> None:
    """Refuse a JPEG whose markers contradict the header: the decoder ends the whole process on some of them."""
    frames = list(generate_frames(dataset.PixelData, number_of_frames=shape[0]))
    for stream in frames:
        problem = _jpeg_problem(stream, shape[1:], bits_allocated)
        if problem is not None:
            raise _damaged(problem, f"a JPEG stream of {shape[1]} x {shape[2]} pixels")


def _jpeg_problem(stream: bytes, size: tuple[int, int], bits_allocated: int) -> str | None:
    if stream[:2] != b"\xff\xd8":
        return "a stream that does not begin like a JPEG"
    place, has_frame, has_tables = 2, False, False
    while place + 4 <= len(stream):
        if stream[place] != 0xFF:
            return "a JPEG stream with a damaged marker"
        marker = stream[place + 1]
        (length,) = struct.unpack_from(">H", stream, place + 2)
        segment = stream[place + 4 : place + 2 + length]
        if length < 2 or len(segment) != length - 2:
            return "a JPEG stream that ends in its header"
        if marker in _FRAME_MARKERS:
            if len(segment) < 9 or struct.unpack(">BHHB", segment[:6]) not in _frames_of(size, bits_allocated):
                return "a JPEG stream of another size or depth"
            has_frame = True
        elif marker == _HUFFMAN:
            has_tables = True
        elif marker == _SCAN:
            if not has_frame or not has_tables or segment[:1] != b"\x01":
                return "a JPEG stream without tables"
            end = stream.rstrip(b"\0")[-2:]
            return None if end == bytes((0xFF, _END)) else "a JPEG stream without its end"
        elif marker not in _SKIPPED:
            return "a JPEG stream with an unknown marker"
        place += 2 + length
    return "a JPEG stream without pixels"


def _frames_of(size: tuple[int, int], bits_allocated: int) -> set[tuple[int, int, int, int]]:
    """Start of frame of one component: depth, rows, columns, components."""
    return {(depth, *size, 1) for depth in range(2, bits_allocated + 1)}


def _damaged(found: str, expected: str | None = None) -> DicomError:
    return DicomError(
        "PIXELS_TRUNCATED",
        "The pixels cannot be decompressed",
        keyword="PixelData",
        found=found,
        expected=expected,
        hint="Copy the file again from its source.",
    )
