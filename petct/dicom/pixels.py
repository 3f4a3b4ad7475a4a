"""Stored values of one image file, from the bytes that were read once."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from petct.dicom.compressed import decoded_frames
from petct.dicom.parsing import PIXEL_DATA, Header
from petct.dicom.values import integer, text
from petct.errors import DicomError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXEL_KEYWORDS = (
    "SamplesPerPixel",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)


def transfer_syntax(header: Header) -> UID:
    """Transfer Syntax UID (0002,0010); Implicit VR Little Endian when the file has no meta information."""
    meta = getattr(header.dataset, "file_meta", None)
    found = None if meta is None else text(meta, "TransferSyntaxUID")
    return UID(found) if found else ImplicitVRLittleEndian


def pixel_data_is_cut(size: int, header: Header, data: bytes) -> bool:
    """Whether the pixel data ends before its declared length.

    Parameters
    ----------
    size
        Bytes of the whole file.
    header
        Parsed up to the pixel data.
    data
        Bytes of the file at least up to 12 bytes beyond ``header.offset``.
    """
    if header.stopped_at is None or transfer_syntax(header) == DeflatedExplicitVRLittleEndian:
        return False
    if header.stopped_at >> 16 & 1:
        # A private element: its value need not have a length of four bytes, as pixels and sequences have.
        return False
    try:
        start, length = _value_place(header, data)
    except struct.error:
        return True
    # Encapsulated pixel data has no declared length; its end is checked by the decoder.
    return length != 0xFFFFFFFF and start + length > size


def stored_values(data: bytes, header: Header) -> NDArray[np.integer]:
    """Stored values (rows, columns) of a single-frame greyscale image; parameters and errors as ``stored_frames``."""
    frames = integer(header.dataset, "NumberOfFrames")
    if frames not in (1, None):
        raise DicomError(
            "PIXEL_FORMAT_UNSUPPORTED",
            "The pixels are not those of a single-frame greyscale image",
            keyword="NumberOfFrames",
            found=str(frames),
            expected="1",
        )
    return np.asarray(stored_frames(data, header)[0])


def stored_frames(data: bytes, header: Header) -> NDArray[np.integer]:
    """Stored values (frames, rows, columns) of a greyscale image (inside ``lenient_parsing``).

    Uncompressed transfer syntaxes are a view of ``data``; the others go through pydicom's decoders.

    Parameters
    ----------
    data
        All bytes of the file.
    header
        Parsed up to the pixel data, with at least ``PIXEL_KEYWORDS``.

    Raises
    ------
    DicomError
        PIXELS_MISSING, PIXELS_TRUNCATED, PIXELS_EXCESS, PIXEL_FORMAT_UNSUPPORTED or TRANSFER_SYNTAX_UNSUPPORTED.
    """
    if header.stopped_at != PIXEL_DATA:
        raise DicomError("PIXELS_MISSING", "The file has no pixel data", keyword="PixelData")
    shape, bits, stored, signed = _format(header)
    syntax = transfer_syntax(header)
    if not syntax.is_transfer_syntax or syntax.is_private:
        raise DicomError(
            "TRANSFER_SYNTAX_UNSUPPORTED", "The transfer syntax is not known", keyword="TransferSyntaxUID", found=syntax
        )
    if syntax.is_compressed or syntax == DeflatedExplicitVRLittleEndian:
        return decoded_frames(data, syntax, shape, bits)
    start, length = _value_place(header, data)
    needed = math.prod(shape) * bits // 8
    if length < needed or start + needed > len(data):
        raise DicomError(
            "PIXELS_TRUNCATED",
            "The pixel data ends before the last pixel",
            keyword="PixelData",
            found=f"{max(0, min(length, len(data) - start))} bytes",
            expected=f"{needed} bytes",
            hint="Copy the file again from its source.",
        )
    if length - needed >= shape[2] * bits // 8:
        # Padding is a byte; a row more means that the size is not that of the pixels.
        raise DicomError(
            "PIXELS_EXCESS",
            "There is more pixel data than the image has pixels",
            keyword="PixelData",
            found=f"{length} bytes",
            expected=f"{needed} bytes",
        )
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    dtype = np.dtype(f"{order}{'i' if signed else 'u'}{bits // 8}")
    values = np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape)
    if stored < bits:
        # Bits above the stored ones may hold overlays; shifting up and down drops them and extends the sign.
        values = (values << (bits - stored)) >> (bits - stored)
    return values


def _format(header: Header) -> tuple[tuple[int, int, int], int, int, bool]:
    """Shape (frames, rows, columns), bits allocated, bits stored, and whether values are signed."""
    dataset = header.dataset
    values = {keyword: integer(dataset, keyword) for keyword in PIXEL_KEYWORDS}
    rows, columns, bits = values["Rows"], values["Columns"], values["BitsAllocated"]
    stored = values["BitsStored"] or bits
    frames = 1 if values["NumberOfFrames"] is None else values["NumberOfFrames"]
    problem = None
    if not rows or not columns:
        problem = "Rows", f"{rows} x {columns}", "a positive number of rows and columns"
    elif values["SamplesPerPixel"] not in (1, None):
        problem = "SamplesPerPixel", str(values["SamplesPerPixel"]), "1"
    elif frames < 1:
        problem = "NumberOfFrames", str(frames), "1 or more"
    elif bits not in (8, 16, 32) or stored is None or not 0 < stored <= bits:
        problem = "BitsAllocated", f"{stored} of {bits}", "8, 16 or 32"
    elif values["HighBit"] not in (stored - 1, None):
        problem = "HighBit", str(values["HighBit"]), str(stored - 1)
    elif values["PixelRepresentation"] not in (0, 1):
        problem = "PixelRepresentation", str(values["PixelRepresentation"]), "0 or 1"
    if problem is not None or not rows or not columns or not bits or not stored:
        keyword, found, expected = problem or ("Rows", "", "")
        raise DicomError(
            "PIXEL_FORMAT_UNSUPPORTED",
            "The pixels are not those of a greyscale image",
            keyword=keyword,
            found=found,
            expected=expected,
        )
    return (frames, rows, columns), bits, stored, values["PixelRepresentation"] == 1


def _value_place(header: Header, data: bytes) -> tuple[int, int]:
    """Place of the first byte of the pixel data, and its declared length."""
    syntax = transfer_syntax(header)
    if header.dataset.original_encoding[0]:
        return header.offset + 8, struct.unpack_from("<L", data, header.offset + 4)[0]
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    return header.offset + 12, struct.unpack_from(f"{order}L", data, header.offset + 8)[0]
