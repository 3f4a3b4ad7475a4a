"""The account of one SUV computation: every adaptation and finding, and refusals that name the series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from petct.dicom.records import Finding
from petct.errors import SuvError

if TYPE_CHECKING:
    from petct.dicom.images import PetSeries


@dataclass(frozen=True)
class SuvAdaptation:
    """One deviation from the straight path from stored value to SUV (a row of ``suv_adaptations``)."""

    patient_id: str
    scan_id: str
    series_instance_uid: str
    code: str
    keyword: str
    value_from: str | None
    value_to: str | None
    message: str


class SuvAccount:
    """Collects what was done to a series on the way to its SUV."""

    def __init__(self, series: PetSeries, scan_id: str) -> None:
        self._series = series
        self._scan_id = scan_id
        self._damaged = dict(series.header.damaged)
        self.adaptations: list[SuvAdaptation] = []
        self.findings: list[Finding] = []

    def adapt(self, code: str, keyword: str, value_from: object, value_to: object, message: str) -> None:
        """Record a deviation from the straight path."""
        self.adaptations.append(
            SuvAdaptation(
                self._series.patient_id,
                self._scan_id,
                self._series.series_instance_uid,
                code,
                keyword,
                None if value_from is None else str(value_from),
                None if value_to is None else str(value_to),
                message,
            )
        )

    def note(self, code: str, message: str) -> None:
        """Record something that does not change the value but that a reader should know."""
        series = self._series
        self.findings.append(
            Finding(series.patient_id, self._scan_id, series.series_instance_uid, "suv", code, "warning", message)
        )

    def refusal(
        self,
        code: str,
        message: str,
        keyword: str,
        found: object = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> SuvError:
        """The error to raise; the text of a damaged element is shown as what was found."""
        shown = self._damaged.get(keyword) if found is None else str(found)
        return SuvError(
            code,
            message,
            patient_id=self._series.patient_id,
            series_instance_uid=self._series.series_instance_uid,
            keyword=keyword,
            found=shown if shown is not None else "nothing",
            expected=expected,
            hint=hint,
        )

    def damaged(self, keyword: str) -> str | None:
        """The text of an element that is there but unreadable."""
        return self._damaged.get(keyword)
