"""The elements of a well-formed little endian file, found by their headers alone.

Most of the time to read a slice is spent on elements that nobody asked for, above all on sequences of undefined
length. This walk steps over them and keeps the bytes of what is wanted; pydicom converts a value, or a whole sequence,
only when somebody takes it out. It gives up on anything out of the ordinary, and the caller has pydicom parse the file
instead: no file is read by this walk that the standard (PS3.5, 7.1) would not read in the same way.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32
from pydicom.valuerep import VR as VR_

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydicom.dataelem import DataElement

    _Found = dict[BaseTag, DataElement | RawDataElement]

_EXPLICIT = struct.Struct("<HH2sH")
_IMPLICIT = struct.Struct("<HHL")
_LENGTH = struct.Struct("<L")
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 16
_UNKNOWN = ""
# Value representations whose length takes two bytes, and those whose length takes four.
_SHORT = {vr.value.encode(): vr.value for vr in VR_ if len(vr.value) == 2 and vr not in EXPLICIT_VR_LENGTH_32}
_LONG = {vr.value.encode(): vr.value for vr in EXPLICIT_VR_LENGTH_32}
_TRANSFER_SYNTAX, _CHARACTER_SET = 0x00020010, 0x00080005


class UnusualFileError(Exception):
    """The file is not one that can be walked; whether it can be read is for pydicom to say."""


def walk(data: bytes, wanted: Collection[int], stop_at: Callable[[int], bool]) -> tuple[Dataset, int | None, int]:
    """The wanted elements before the first top-level tag for which ``stop_at`` is true.

    Parameters
    ----------
    data
        All bytes of the file.
    wanted
        Tags to keep.

    Returns
    -------
    dataset, stopped_at, offset
        The elements, with the file meta information as ``dataset.file_meta``; the tag at which the walk stopped, None
        at the end of the file; and the place of that tag.

    Raises
    ------
    UnusualFileError
        No prefix, no transfer syntax, big endian, deflated, an unknown value representation, or any element that does
        not end before its surroundings do.
    """
    if data[128:132] != b"DICM":
        raise UnusualFileError
    try:
        meta, start = _elements(data, 132, None, lambda tag: tag >> 16 != 2, is_implicit=False)
        syntax = _transfer_syntax(meta)
        is_implicit = syntax == ImplicitVRLittleEndian
        found, offset = _elements(data, start, {*wanted, _CHARACTER_SET}, stop_at, is_implicit=is_implicit)
    except (struct.error, IndexError):
        raise UnusualFileError from None
    dataset = Dataset(found)
    dataset.file_meta = FileMetaDataset(Dataset(meta))
    dataset.set_original_encoding(is_implicit, True)
    at_end = offset == len(data)
    return dataset, None if at_end else _tag(data, offset), offset


def _transfer_syntax(meta: _Found) -> str:
    element = meta.get(BaseTag(_TRANSFER_SYNTAX))
    if element is None or not isinstance(element.value, bytes):
        raise UnusualFileError
    syntax = element.value.rstrip(b" \0").decode("latin-1")
    if syntax in ("", ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        raise UnusualFileError
    return syntax


def _tag(data: bytes, at: int) -> int:
    group, number = struct.unpack_from("<HH", data, at)
    return int(group << 16 | number)


def _elements(
    data: bytes, at: int, wanted: Collection[int] | None, stop_at: Callable[[int], bool], *, is_implicit: bool
) -> tuple[_Found, int]:
    """Elements from ``at`` up to the one at which to stop, or to the end; and the place of that one."""
    found: _Found = {}
    size = len(data)
    while at < size:
        tag, vr, value, length = _head(data, at, is_implicit=is_implicit)
        if stop_at(tag):
            return found, at
        if vr == _UNKNOWN:
            raise UnusualFileError
        if length == _UNDEFINED:
            end = _beyond_sequence(data, value, is_implicit=is_implicit, depth=0)
            length = end - 8 - value
            vr = "SQ"
        else:
            end = value + length
        if end > size:
            raise UnusualFileError
        if wanted is None or tag in wanted:
            known = BaseTag(tag)
            found[known] = RawDataElement(known, vr, length, data[value : value + length], value, is_implicit, True)
        at = end
    return found, at


def _head(data: bytes, at: int, *, is_implicit: bool) -> tuple[int, str | None, int, int]:
    """Tag, value representation (None when implicit), place of the value, and length of the element at a place."""
    if is_implicit:
        group, number, length = _IMPLICIT.unpack_from(data, at)
        return group << 16 | number, None, at + 8, length
    group, number, code, length = _EXPLICIT.unpack_from(data, at)
    tag = group << 16 | number
    vr = _SHORT.get(code)
    if vr is not None:
        return tag, vr, at + 8, length
    vr = _LONG.get(code)
    if vr is None:
        return tag, _UNKNOWN, at, 0
    (length,) = _LENGTH.unpack_from(data, at + 8)
    if length == _UNDEFINED and vr != "SQ" and tag < 0x7FE00008:
        raise UnusualFileError
    return tag, vr, at + 12, length


def _beyond_sequence(data: bytes, at: int, *, is_implicit: bool, depth: int) -> int:
    """The place after the delimiter of a sequence of undefined length whose first item begins at ``at``."""
    if depth > _DEEPEST:
        raise UnusualFileError
    while True:
        group, number, length = _IMPLICIT.unpack_from(data, at)
        at += 8
        tag = group << 16 | number
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise UnusualFileError
        if length != _UNDEFINED:
            at += length
            continue
        while True:
            if _tag(data, at) == _ITEM_END:
                at += 8
                break
            _, vr, value, length = _head(data, at, is_implicit=is_implicit)
            if vr == _UNKNOWN:
                raise UnusualFileError
            if length == _UNDEFINED:
                at = _beyond_sequence(data, value, is_implicit=is_implicit, depth=depth + 1)
            else:
                at = value + length
