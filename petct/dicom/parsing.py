"""Bytes to header: the one place that calls pydicom's parser; ``values`` takes the values out of what it gives."""

from __future__ import annotations

import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from pydicom import config
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial

from petct.dicom.element_walk import UnusualFileError, walk
from petct.errors import DicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

PIXEL_DATA = 0x7FE00010
_UNDEFINED_LENGTH = 0xFFFFFFFF


@dataclass(frozen=True)
class Header:
    """The parsed part of a file.

    Attributes
    ----------
    dataset
        The elements that were asked for.
    stopped_at, offset
        Tag of the element before which the parse stopped (None at the end of the file), and the place of that element
        in the bytes (meaningless for a deflated transfer syntax).
    truncated
        The file ends inside an element or is damaged; only whole elements before that are in ``dataset``.
    """

    dataset: Dataset
    stopped_at: int | None
    offset: int
    truncated: bool


@contextmanager
def lenient_parsing() -> Iterator[None]:
    """Let pydicom read values that break the standard's length rules; each value that is used is checked here instead.

    Header values must be taken out inside this context: pydicom converts them on access.
    """
    mode = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode = mode


def parse(source: bytes | BinaryIO, wanted: Collection[int] | None, *, stop_at: Callable[[int], bool]) -> Header:
    """Parse a file's elements up to the first top-level tag for which ``stop_at`` is true (in ``lenient_parsing``).

    A file that is damaged after its first elements gives these, with ``truncated`` set.

    Parameters
    ----------
    source
        All bytes of the file, or a seekable stream at its start.
    wanted
        Tags to keep; None keeps all.
    stop_at
        Where to stop, for example ``at_pixel_data``.

    Raises
    ------
    DicomError
        DICOM_PREFIX_MISSING when it is not a DICOM file, DICOM_UNREADABLE when not even its first elements can be read.
    """
    if isinstance(source, bytes) and wanted is not None:
        with suppress(UnusualFileError):
            return Header(*walk(source, wanted, stop_at), False)
    stream = BytesIO(source) if isinstance(source, bytes) else source
    start = stream.read(132)
    stream.seek(0)
    has_prefix = start[128:132] == b"DICM"
    # Files from before the prefix was introduced begin with group 0008 (or the meta group), in little endian.
    if not has_prefix and start[:2] not in (b"\x08\x00", b"\x02\x00"):
        raise DicomError("DICOM_PREFIX_MISSING", "The file has no DICOM prefix")
    wanted_tags = None if wanted is None else list(wanted)
    seen: list[int] = []

    def stop_when(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        seen.append(int(tag))
        return stop_at(seen[-1])

    try:
        dataset = read_partial(stream, stop_when, force=not has_prefix, specific_tags=wanted_tags)
    except Exception as error:  # pydicom raises nearly any type of exception on damaged bytes
        return _parse_before_damage(stream, wanted_tags, has_prefix, seen[:-1], error)
    offset = stream.tell()
    stopped_at = seen[-1] if seen and stop_at(seen[-1]) else None
    # Skipping an element that is not wanted moves beyond the end of a file that was cut inside it.
    cut = stopped_at is None and offset > stream.seek(0, 2)
    return Header(dataset, stopped_at, offset, _drop_short_elements(dataset) or cut)


def _parse_before_damage(
    stream: BinaryIO, wanted: list[BaseTag | int] | None, has_prefix: bool, readable: list[int], cause: Exception
) -> Header:
    """Read again, only the elements before the one that could not be read."""
    refusal = DicomError(
        "DICOM_UNREADABLE", "The file cannot be parsed as DICOM", found=f"{type(cause).__name__}: {cause}"[:200]
    )
    if not readable:
        raise refusal from cause
    stream.seek(0)
    count = 0

    def stop_when(_tag: BaseTag, _vr: str | None, _length: int) -> bool:
        nonlocal count
        count += 1
        return count > len(readable)

    try:
        dataset = read_partial(stream, stop_when, force=not has_prefix, specific_tags=wanted)
    except Exception as error:  # as in parse
        raise refusal from error
    _drop_short_elements(dataset)
    return Header(dataset, None, stream.tell(), True)


def at_pixel_data(tag: int) -> bool:
    """Stop before Pixel Data, Float Pixel Data and Double Float Pixel Data."""
    return tag >= 0x7FE00008


def _drop_short_elements(dataset: Dataset) -> bool:
    """Remove elements whose value ends before its declared length, which pydicom passes on as if it were whole."""
    short = [
        element.tag
        for element in dataset.values()
        if isinstance(element, RawDataElement)
        and element.length != _UNDEFINED_LENGTH
        and isinstance(element.value, bytes)
        and len(element.value) < element.length
    ]
    for tag in short:
        del dataset[tag]
    return bool(short)
