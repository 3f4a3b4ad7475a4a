"""What an exam is: lines that compare one quantity of one case with what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EXAM_FOLDERS = {"suv": "suv_dro", "masks": "sts", "radiomics": "ibsi", "survival": "survival"}
"""The exams that there are, and the folder of each below the folder of the reference data."""


class Verdict(StrEnum):
    """What became of one line of an exam.

    ``KNOWN_DIFFERENCE`` and ``NOT_COMPUTED`` come from closed lists, each entry with its reason; anything that is on
    neither list and does not pass is a ``FAIL``.
    """

    PASS = "pass"  # noqa: S105 (not a password)
    KNOWN_DIFFERENCE = "known_difference"
    NOT_COMPUTED = "not_computed"
    FAIL = "fail"


@dataclass(frozen=True)
class ExamLine:
    """One comparison.

    Attributes
    ----------
    case
        What was examined: a reference object, an image and configuration, a data set and analysis.
    quantity
        What was compared there, for example ``suv_max`` or a feature's name.
    expected, found
        Numbers as text that keeps them whole, or codes; None where there is nothing to compare.
    tolerance
        How far ``found`` may lie from ``expected``, as text; None for an exact comparison.
    note
        Why, where the verdict is not a plain pass or fail; otherwise empty.
    """

    case: str
    quantity: str
    expected: str | None
    found: str | None
    tolerance: str | None
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Exam:
    """An exam that was taken: every line of it, in the order of the cases."""

    name: str
    lines: tuple[ExamLine, ...]

    @property
    def passed(self) -> bool:
        """Whether there was something to examine and no line failed."""
        return bool(self.lines) and self.count(Verdict.FAIL) == 0

    def count(self, verdict: Verdict) -> int:
        """Lines with this verdict."""
        return sum(line.verdict is verdict for line in self.lines)

    @property
    def score(self) -> str:
        """The result as one phrase: ``8 of 8 pass``, with the closed lists' counts where there are any."""
        parts = [f"{self.count(Verdict.PASS)} of {len(self.lines)} pass"]
        for verdict, words in (
            (Verdict.KNOWN_DIFFERENCE, "known differences"),
            (Verdict.NOT_COMPUTED, "not computed"),
            (Verdict.FAIL, "fail"),
        ):
            if self.count(verdict):
                parts.append(f"{self.count(verdict)} {words}")
        return ", ".join(parts)
