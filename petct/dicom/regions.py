"""What every file of contours has in common: the masks it gives, whose it is, and refusals that name it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from petct.dicom import parsing, values
from petct.errors import DicomError, MaskError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from petct.dicom.parsing import Header
    from petct.image.volume import Mask


RULES = {
    "SEG_FRACTIONAL_BINARISED": "Fractions of at least one half of the largest possible one are inside",
    "SEG_RESAMPLED": "Its own grid is not that of the image: it was resampled, linear and cut at one half",
    "CONTOURS_BETWEEN_SLICES": "Its contours lie between the slices: each slice takes those of the nearest plane",
    "CONTOUR_POINTS_IGNORED": "Single points among its contours enclose nothing and were left out",
    "MASK_OF_OTHER_SERIES": "It was drawn on another series of the same frame of reference: made there, then resampled",
    "LABEL_MAP_RESAMPLED": "Its own grid is not that of an image: it was resampled, linear and cut at one half",
}
"""What was done to a mask on its way to the grid of the image; each is a finding beside the lesions."""


@dataclass(frozen=True)
class RoiMask:
    """One region of an RTSTRUCT or one segment of a SEG, as voxels.

    Attributes
    ----------
    name, number
        ROI Name and Number, or Segment Label and Number.
    mask
        On the grid of the referenced series.
    source
        ``RTSTRUCT`` or ``SEG``.
    referenced_series_instance_uid
        The series whose grid it is.
    rules
        Conversions a reader should know, by the codes of ``RULES``.
    """

    name: str
    number: int
    mask: Mask
    source: str
    referenced_series_instance_uid: str
    rules: tuple[str, ...] = ()


class Refusal:
    """The contour series that is being read: every refusal names it."""

    def __init__(self, patient_id: str, series_instance_uid: str) -> None:
        self.patient_id = patient_id
        self.series_instance_uid = series_instance_uid

    def error(
        self,
        code: str,
        message: str,
        *,
        keyword: str | None = None,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> MaskError:
        """The error to raise."""
        return MaskError(
            code,
            message,
            patient_id=self.patient_id,
            series_instance_uid=self.series_instance_uid,
            keyword=keyword,
            found=found,
            expected=expected,
            hint=hint,
        )

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Add the series to a refusal from a function that does not know it."""
        try:
            yield
        except MaskError as error:
            error.patient_id = error.patient_id or self.patient_id
            error.series_instance_uid = error.series_instance_uid or self.series_instance_uid
            raise

    @contextmanager
    def on_damage(self, message: str) -> Iterator[None]:
        """Turn whatever goes wrong in a damaged file into the refusal CONTOURS_UNREADABLE."""
        try:
            yield
        except MaskError:
            raise
        except Exception as error:  # pydicom raises nearly any type of exception on damaged bytes
            found = f"{type(error).__name__}: {error}"[:120]
            raise self.error("CONTOURS_UNREADABLE", message, found=found) from error


def open_contours(
    path: Path, wanted: tuple[int, ...] | None, refusal: Refusal, *, stop_at: Callable[[int], bool]
) -> tuple[Header, bytes]:
    """Parse a contour file and check whose it is (inside ``parsing.lenient_parsing``); also gives its bytes."""
    unreadable = "The file of the contours cannot be read"
    hint = "Copy the file again from its source."
    try:
        data = path.read_bytes()
        parsed = parsing.parse(data, wanted, stop_at=stop_at)
    except OSError as error:
        raise refusal.error("CONTOURS_UNREADABLE", unreadable, found=error.strerror, hint=hint) from error
    except DicomError as error:
        raise refusal.error("CONTOURS_UNREADABLE", unreadable, found=error.code, hint=hint) from error
    if parsed.truncated:
        raise refusal.error("CONTOURS_UNREADABLE", "The file of the contours is cut short or damaged", hint=hint)
    for keyword, expected in (("PatientID", refusal.patient_id), ("SeriesInstanceUID", refusal.series_instance_uid)):
        found = values.text(parsed.dataset, keyword)
        if found != expected:
            message = "The file of the contours does not belong to the series"
            raise refusal.error("CONTOURS_MISPLACED", message, keyword=keyword, found=found, expected=expected)
    return parsed, data


def select_names(found: Collection[str], wanted: Collection[str] | None, refusal: Refusal) -> None:
    """Refuse names that are asked for and not there."""
    missing = sorted(set(wanted or ()) - set(found))
    if missing:
        raise refusal.error(
            "ROI_UNKNOWN",
            "There is no region of that name",
            keyword="ROIName",
            found=", ".join(sorted(found)),
            expected=", ".join(missing),
        )
