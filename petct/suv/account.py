"""The account of one SUV computation: every adaptation and finding, and refusals that name the series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from petct.errors import SuvError
from petct.suv.policy import REFUSED_WHEN_STRICT, SuvPolicy
from records.imaging import Finding, SuvAdaptation

if TYPE_CHECKING:
    from petct.dicom.images import PetSeries


class SuvAccount:
    """Collects what was done to a series on the way to its SUV, and refuses what the policy does not allow."""

    def __init__(self, series: PetSeries, scan_id: str, policy: SuvPolicy = SuvPolicy.LENIENT) -> None:
        self._series = series
        self._scan_id = scan_id
        self.policy = policy
        self._damaged = dict(series.header.damaged)
        self.adaptations: list[SuvAdaptation] = []
        self.findings: list[Finding] = []

    def adapt(self, code: str, keyword: str, value_from: object, value_to: object, message: str) -> None:
        """Record a deviation from the straight path; raises ``SuvError`` with the same code where it is refused."""
        self._refuse_when_strict(code, keyword, value_from, message)
        row = SuvAdaptation(
            self._series.patient_id,
            self._scan_id,
            self._series.series_instance_uid,
            code,
            keyword,
            None if value_from is None else str(value_from),
            None if value_to is None else str(value_to),
            message,
        )
        # The same element may be needed twice, for the SUV and for a body size.
        if row not in self.adaptations:
            self.adaptations.append(row)

    def note(self, code: str, message: str, keyword: str) -> None:
        """Record what does not change the value but a reader should know; raises as ``adapt`` where it is refused."""
        self._refuse_when_strict(code, keyword, None, message)
        series = self._series
        self.findings.append(
            Finding(series.patient_id, self._scan_id, series.series_instance_uid, "suv", code, "warning", message)
        )

    def take(self, other: SuvAccount) -> None:
        """Add what another account of the same series recorded."""
        self.adaptations.extend(row for row in other.adaptations if row not in self.adaptations)
        self.findings.extend(row for row in other.findings if row not in self.findings)

    def _refuse_when_strict(self, code: str, keyword: str, found: object, message: str) -> None:
        if self.policy is SuvPolicy.STRICT and code in REFUSED_WHEN_STRICT:
            raise self.refusal(
                code,
                f"The policy strict refuses this, because {REFUSED_WHEN_STRICT[code]}: {message}",
                keyword,
                found,
                hint="Correct the header, or say `suv: {policy: lenient}` in study.yaml.",
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
