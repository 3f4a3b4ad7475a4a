"""The survival exam: all that R computed, and that it fails what is wrong or missing."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.commands.conformance import conformance
from petct.conformance.exam import Verdict
from petct.conformance.survival import run
from petct.conformance.survival_reference import REFERENCE_FILES, Statistic
from petct.errors import PetctError
from tests.some import some


def test_every_statistic_of_r_is_reproduced(petlake_data: Path) -> None:
    exam = run(petlake_data / "survival")
    assert [line for line in some(exam.lines) if line.verdict is not Verdict.PASS] == []
    assert len(exam.lines) == 721
    assert exam.passed


def _folder(tmp_path: Path, rows: list[dict[str, str]]) -> Path:
    """A study of six patients, two groups, and statistics as if R had computed them."""
    (tmp_path / "rossi.csv").write_text("week,arrest,fin\n1,1,a\n2,1,b\n3,0,a\n4,1,b\n5,1,a\n6,0,b\n", encoding="utf-8")
    with (tmp_path / REFERENCE_FILES[0]).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["dataset", "analysis", "group", "term", "statistic", "value"])
        writer.writeheader()
        for row in rows:
            writer.writerow({"dataset": "rossi", "analysis": "km:fin", "group": "a", "term": "", **row})
    return tmp_path


def test_what_is_wrong_fails_and_what_is_right_passes(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path,
        [
            {"statistic": "records", "value": "3"},
            {"statistic": "records", "value": "3.0000001"},
            {"term": "1", "statistic": "survival_at", "value": "0.6666667"},
            {"term": "1", "statistic": "survival_at", "value": "0.66667"},
            {"statistic": "median", "value": "NA"},
            {"group": "c", "statistic": "records", "value": "3"},
        ],
    )
    exam = run(folder)
    assert [line.verdict.value for line in exam.lines] == ["pass", "fail", "pass", "fail", "fail", "fail"]
    assert exam.lines[4].expected == "NA"
    assert exam.lines[5].note == "petlake gave no such number"
    assert not exam.passed
    printed = CliRunner().invoke(conformance, ["survival", str(folder)])
    assert printed.exit_code == 1
    assert "survival: 2 of 6 pass, 4 fail" in printed.output


def test_what_cannot_be_computed_fails_and_says_why(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path,
        [
            {"statistic": "records", "value": "3"},
            {"dataset": "lung", "statistic": "records", "value": "3"},
            {"analysis": "km:age>median", "statistic": "records", "value": "3"},
            {"analysis": "cox:week", "group": "", "statistic": "n", "value": "6"},
            {"analysis": "tarot", "statistic": "p", "value": "0.04"},
        ],
    )
    lines = run(folder).lines
    assert [line.verdict.value for line in lines] == ["pass", "fail", "fail", "fail", "fail"]
    notes = [line.note.split(":")[0] for line in lines]
    assert notes == [
        "",
        "EXAM_DATA_MISSING",
        "EXAM_COLUMN_MISSING",
        "COX_TOO_FEW_EVENTS",
        "petlake has no such analysis",
    ]


def test_a_folder_without_a_usable_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PetctError, match="EXAM_DATA_MISSING"):
        run(tmp_path)
    (tmp_path / REFERENCE_FILES[0]).write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(PetctError, match="EXAM_LIST_INVALID"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("expected", "found", "log", "passes"),
    [
        # 1e-5 of log p: at p = 1e-9 that is 2e-4 of p, at p = 0.9 one millionth of it.
        (1e-9, 1.0001e-9, True, True),
        (1e-9, 1.001e-9, True, False),
        (0.9, 0.9000005, True, True),
        (0.9, 0.90001, True, False),
        (0.9, 0.90001, False, True),
        (1e-9, 1.001e-9, False, False),
        (0.5, 0.0, True, False),
    ],
)
def test_p_values_are_compared_as_the_exam_says(expected: float, found: float, log: bool, passes: bool) -> None:
    statistic = Statistic("d", "a", "", "", "p", expected)
    line = statistic.judge({statistic.key: found}, 1e-4, p_on_log_scale=log)
    assert (line.verdict is Verdict.PASS) == passes


def test_a_changed_data_set_is_noticed(tmp_path: Path, petlake_data: Path) -> None:
    for name in ("larynx.csv", *REFERENCE_FILES):
        shutil.copyfile(petlake_data / "survival" / name, tmp_path / name)
    text = (tmp_path / "larynx.csv").read_text(encoding="utf-8")
    (tmp_path / "larynx.csv").write_text(text.replace("0.6,77,1", "0.7,77,1", 1), encoding="utf-8")
    verdicts = Counter(line.verdict.value for line in run(tmp_path).lines if line.case.startswith("larynx"))
    assert verdicts["fail"] > 10
