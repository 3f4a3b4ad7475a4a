"""Typed access to the values of a parsed header: absent is None, damaged is an error, nothing is guessed."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataelem import DataElement, RawDataElement
    from pydicom.dataset import Dataset

_UID = re.compile(r"[0-9][0-9.]{0,63}")
_NUMBER = re.compile(r"[+\-0-9.eE]+")
_DATE = re.compile(r"(\d{4})[.\-]?(\d{2})[.\-]?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?")
_DATETIME = re.compile(r"(\d{8})(\d{4,6}(?:\.\d{1,6})?)([+-]\d{4})?")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})")


class HeaderValueError(ValueError):
    """A value in a header that does not have the form its element must have."""

    def __init__(self, keyword: str, found: str) -> None:
        super().__init__(f"{keyword}: {found}")
        self.keyword = keyword
        self.found = found


def tags(keywords: Iterable[str]) -> tuple[int, ...]:
    """The tags of DICOM keywords."""
    found = []
    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(keyword)
        found.append(tag)
    return tuple(found)


def text(dataset: Dataset, keyword: str) -> str | None:
    """The value as text without padding; several values are joined with a backslash; None when absent or empty."""
    value = _value(dataset, keyword)
    if value is None:
        return None
    if isinstance(value, MultiValue):
        value = "\\".join(str(part) for part in value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return str(value).strip(" \0\t\r\n") or None


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of a multi-valued text element; empty when absent."""
    whole = text(dataset, keyword)
    return () if whole is None else tuple(part.strip() for part in whole.split("\\"))


def uid(dataset: Dataset, keyword: str) -> str | None:
    """The value as a UID; raises ``HeaderValueError`` when it is not one."""
    found = text(dataset, keyword)
    if found is not None and not _UID.fullmatch(found):
        raise HeaderValueError(keyword, found)
    return found


def number(dataset: Dataset, keyword: str) -> float | None:
    """The value as one finite number; raises ``HeaderValueError`` when it is something else."""
    found = text(dataset, keyword)
    return None if found is None else parse_number(keyword, found)


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """The value as ``count`` finite numbers; raises ``HeaderValueError`` when it is something else."""
    found = text(dataset, keyword)
    if found is None:
        return None
    parts = tuple(parse_number(keyword, part) for part in found.split("\\"))
    if len(parts) != count:
        raise HeaderValueError(keyword, found)
    return parts


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The value as a whole number; raises ``HeaderValueError`` when it is something else."""
    found = number(dataset, keyword)
    if found is None:
        return None
    if found != int(found):
        raise HeaderValueError(keyword, str(found))
    return int(found)


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence, none when it is absent; raises ``HeaderValueError`` when it is damaged."""
    value = _value(dataset, keyword)
    if value is None:
        return ()
    if not isinstance(value, Sequence):
        raise HeaderValueError(keyword, type(value).__name__)
    return tuple(value)


def referenced_series(dataset: Dataset) -> tuple[str, ...]:
    """The series an RTSTRUCT or a SEG refers to, sorted; raises ``HeaderValueError`` when the reference is damaged."""
    referring = [
        *items(dataset, "ReferencedSeriesSequence"),
        *(
            series
            for frame in items(dataset, "ReferencedFrameOfReferenceSequence")
            for study in items(frame, "RTReferencedStudySequence")
            for series in items(study, "RTReferencedSeriesSequence")
        ),
    ]
    found = {uid(item, "SeriesInstanceUID") for item in referring}
    return tuple(sorted(one for one in found if one is not None))


def day(dataset: Dataset, keyword: str) -> date | None:
    """The value as a date; raises ``HeaderValueError`` when it is not one."""
    found = text(dataset, keyword)
    return None if found is None else parse_date(keyword, found)


def time_of_day(dataset: Dataset, keyword: str) -> time | None:
    """The value as a time of day, to the microsecond; raises ``HeaderValueError`` when it is not one."""
    found = text(dataset, keyword)
    return None if found is None else parse_time(keyword, found)


def parse_date(keyword: str, found: str) -> date:
    """``YYYYMMDD``, or with the separators of old files."""
    match = _DATE.fullmatch(found)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    raise HeaderValueError(keyword, found)


def parse_time(keyword: str, found: str) -> time:
    """``HHMM``, ``HHMMSS`` or ``HHMMSS.FFFFFF``, or with the separators of old files."""
    match = _TIME.fullmatch(found)
    try:
        if match:
            return time(int(match[1]), int(match[2]), int(match[3] or 0), int((match[4] or "0").ljust(6, "0")))
    except ValueError:
        pass
    raise HeaderValueError(keyword, found)


def parse_datetime(keyword: str, found: str) -> datetime:
    """``YYYYMMDDHHMM[SS[.FFFFFF]]`` with an optional offset from UTC; aware exactly when the offset is there."""
    match = _DATETIME.fullmatch(found)
    if not match:
        raise HeaderValueError(keyword, found)
    moment = datetime.combine(parse_date(keyword, match[1]), parse_time(keyword, match[2]))
    return moment if match[3] is None else moment.replace(tzinfo=parse_offset(keyword, match[3]))


def parse_offset(keyword: str, found: str) -> timezone:
    """``+HHMM`` or ``-HHMM`` as an offset from UTC."""
    match = _OFFSET.fullmatch(found)
    if not match:
        raise HeaderValueError(keyword, found)
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if offset > timedelta(hours=14):
        raise HeaderValueError(keyword, found)
    return timezone(offset if match[1] == "+" else -offset)


def raw_value(dataset: Dataset, tag: int) -> object:
    """The value as it was read, without conversion (bytes, or a sequence of undefined length); None when absent."""
    element: DataElement | RawDataElement | None = dataset.get_item(tag, keep_deferred=True)
    return None if element is None else element.value


def private_text(dataset: Dataset, tag: int) -> str:
    """Text of a private element or of a private creator, whatever its value representation; empty when absent."""
    value = raw_value(dataset, tag)
    found = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return found.strip(" \0\t\r\n")


def parse_number(keyword: str, found: str) -> float:
    """A decimal string as a finite number."""
    # Python also reads 7_0 and digits of other scripts as numbers, which no decimal string is.
    try:
        value = float(found) if _NUMBER.fullmatch(found.strip(" ")) else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise HeaderValueError(keyword, found)
    return value


@lru_cache(maxsize=256)
def _element(keyword: str) -> tuple[int, bool]:
    """Tag of an element, and whether its bytes are its text: pydicom's conversion of these is most of the time."""
    tag = tags((keyword,))[0]
    return tag, dictionary_VR(tag) in ("AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI")


def _value(dataset: Dataset, keyword: str) -> object:
    tag, is_plain = _element(keyword)
    if is_plain:
        raw = raw_value(dataset, tag)
        if raw is None or isinstance(raw, bytes):
            return raw
    try:
        return dataset.get(keyword)
    except Exception as error:  # conversion of damaged values raises nearly any type of exception
        raise HeaderValueError(keyword, repr(raw_value(dataset, tag))[:80]) from error
