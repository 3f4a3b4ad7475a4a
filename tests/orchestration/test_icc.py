"""``petlake icc`` on the published example, as a user has it: a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.cli import petlake
from petct.errors import PetctError
from tests.some import some

JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    lines = [
        f"target {i},judge {j},{value},{value * 2},text"
        for i, of_target in enumerate(JUDGES)
        for j, value in enumerate(of_target)
    ]
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(["target,judge,score,double,remark", *lines]), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(petlake, ["icc", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_shrout_and_fleiss_from_a_table(ratings: Path) -> None:
    found = json.loads(run("--csv", ratings, "--target", "target", "--measurement", "judge", "--json"))
    assert [row["feature_name"] for row in found] == ["double", "score"]
    for row in some(found):
        assert [round(row[f"icc_{form}"], 2) for form in ("1_1", "2_1", "3_1")] == [0.17, 0.29, 0.71]
        assert (row["n_targets"], row["n_measurements"], row["is_robust"]) == (6, 4, False)
    said = run("--csv", ratings, "--target", "target", "--measurement", "judge", "--features", "score")
    assert "0.29 (0.02 to 0.76)" in said
    assert "0 of 1 features reach 0.75 with the lower bound of ICC(2,1)" in said


@pytest.mark.parametrize(
    ("change", "arguments", "code"),
    [
        (lambda text: text + "\ntarget 0,judge 0,1,2,text", (), "RATINGS_REPEATED"),
        (lambda text: text + "\n,judge 9,1,2,text", (), "RATINGS_WITHOUT_KEY"),
        (lambda text: "\n".join(text.splitlines()[:2]), (), "RATINGS_INVALID"),
        (str, ("--features", "remark"), "COLUMN_NOT_NUMERIC"),
        (str, ("--features", "scores"), "COLUMN_UNKNOWN"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    ratings: Path, change: Callable[[str], str], arguments: tuple[str, ...], code: str
) -> None:
    ratings.write_text(change(ratings.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(PetctError, match=code):
        run("--csv", ratings, "--target", "target", "--measurement", "judge", *arguments)
