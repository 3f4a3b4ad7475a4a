"""The files of one series, one by one: every refusal on the way names the series."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from petct.dicom import parsing, values
from petct.dicom.values import HeaderValueError
from petct.errors import DicomError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from petct.dicom.parsing import Header

_T = TypeVar("_T")


class SeriesPlace:
    """The series that is being read: every refusal names it."""

    def __init__(self, patient_id: str, series_instance_uid: str) -> None:
        self.patient_id = patient_id
        self.series_instance_uid = series_instance_uid

    def refuse(
        self, code: str, message: str, keyword: str, found: str | None = None, expected: str | None = None
    ) -> DicomError:
        """A refusal that names the series."""
        return DicomError(
            code,
            message,
            patient_id=self.patient_id,
            series_instance_uid=self.series_instance_uid,
            keyword=keyword,
            found=found,
            expected=expected,
        )

    def read(self, produce: Callable[[], _T]) -> _T:
        """Add the series to a refusal from a function that does not know it."""
        try:
            return produce()
        except HeaderValueError as error:
            message = "A header value does not have the form of its element"
            raise self.refuse("HEADER_VALUE_INVALID", message, error.keyword, error.found) from error
        except DicomError as error:
            error.patient_id = error.patient_id or self.patient_id
            error.series_instance_uid = error.series_instance_uid or self.series_instance_uid
            raise

    def optional(self, read: Callable[[Dataset, str], _T | None], dataset: Dataset, keyword: str) -> _T | None:
        """A value that may be absent; damaged is a refusal."""
        return self.read(lambda: read(dataset, keyword))

    def required(self, read: Callable[[Dataset, str], _T | None], dataset: Dataset, keyword: str) -> _T:
        """A value that must be there."""
        value = self.optional(read, dataset, keyword)
        if value is None:
            raise self.refuse("HEADER_VALUE_MISSING", "A header value that is needed is missing", keyword)
        return value


def parse_file(path: Path, wanted: tuple[int, ...] | None, where: SeriesPlace) -> tuple[Header, bytes]:
    """Read a file and parse it up to its pixels; it must belong to the series.

    Parameters
    ----------
    wanted
        Tags to keep; None keeps all.

    Raises
    ------
    DicomError
        FILE_UNREADABLE, DICOM_UNREADABLE, PIXELS_TRUNCATED, SERIES_FILE_MISPLACED, HEADER_VALUE_INVALID.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        which = f"{path.name}: {error.strerror}"
        raise where.refuse("FILE_UNREADABLE", "A file of the series cannot be read", "SOPInstanceUID", which) from error
    parsed = where.read(lambda: parsing.parse(data, wanted, stop_at=parsing.at_pixel_data))
    if parsed.truncated or parsed.stopped_at is None:
        raise where.refuse(
            "PIXELS_TRUNCATED", "A file of the series ends before its pixel data", "PixelData", path.name
        )
    for keyword, expected in (("PatientID", where.patient_id), ("SeriesInstanceUID", where.series_instance_uid)):
        found = where.optional(values.text, parsed.dataset, keyword)
        if found != expected:
            message = "A file does not belong to the series"
            raise where.refuse("SERIES_FILE_MISPLACED", message, keyword, found, expected)
    return parsed, data
