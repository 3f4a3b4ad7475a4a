import pytest

from petct.conformance.exam import Exam, ExamLine, Verdict


def _line(verdict: Verdict) -> ExamLine:
    return ExamLine("case", "quantity", "1", "1", None, verdict)


def test_an_exam_passes_when_every_line_passes_or_is_on_a_closed_list() -> None:
    exam = Exam("suv", (_line(Verdict.PASS), _line(Verdict.KNOWN_DIFFERENCE), _line(Verdict.NOT_COMPUTED)))
    assert exam.passed
    assert exam.score == "1 of 3 pass, 1 known differences, 1 not computed"


@pytest.mark.parametrize("lines", [(), (_line(Verdict.PASS), _line(Verdict.FAIL))])
def test_an_exam_with_a_failed_line_or_without_lines_does_not_pass(lines: tuple[ExamLine, ...]) -> None:
    assert not Exam("suv", lines).passed
