"""``petlake km``: every split and test by its option, and the wording of what is withheld or refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from analyses.requests.answer import Answer
from analyses.requests.data import AnalysisData, Basis, SurvivalTimes
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import answer
from analyses.requests.ledger import enter
from orchestration.commands.km import km
from orchestration.study import STUDY_FILE, lake_root
from petct.errors import PetctError
from petct.survival.cohort.columns import Columns
from warehouse.people.journal import ledger_of


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 patients: x is noise, grade is not, some enter late, and event 2 of ``first`` competes."""
    rng = np.random.default_rng(12)
    grade = rng.integers(1, 4, 90)
    x, entry = rng.normal(size=90), rng.choice([0.0, 10.0], 90)
    time = 11 + rng.exponential(900.0 / grade)
    rows = [
        f"{t:.1f},{int(t < 1500)},{(1 + i % 2) * int(t < 1500)},{a:.3f},G{g},{e:.0f}"
        for i, (t, a, g, e) in enumerate(zip(time, x, grade, entry, strict=True))
    ]
    path = tmp_path_factory.mktemp("trial") / "trial.csv"
    path.write_text("\n".join(["time,status,first,x,grade,entry", *rows]), encoding="utf-8")
    return path


def _run(trial: Path, *arguments: str, event: str = "status") -> str:
    done = CliRunner().invoke(km, ["--csv", str(trial), "--duration", "time", "--event", event, *arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def _json(trial: Path, *arguments: str, event: str = "status") -> dict:  # type: ignore[type-arg]
    return json.loads(_run(trial, *arguments, "--json", event=event))  # type: ignore[no-any-return]


def test_an_optimal_cut_shows_only_corrected_p_values(trial: Path) -> None:
    options = ("--by", "x", "--split", "optimal", "--permutations", "199", "--resamples", "20")
    found = _json(trial, *options)
    assert found["log_rank"]["p"] is None
    assert found["log_rank"]["chi_squared"] is None
    assert found["log_rank"]["p_suppressed"]["code"] == "CUT_CHOSEN_BY_OUTCOME"
    assert found["restricted_mean"]["contrasts"] == []
    cut = found["cut_point"]
    assert cut["permutation"]["n_permutations"] == 199
    assert cut["permutation"]["p"] == (cut["permutation"]["n_as_large"] + 1) / 200
    said = _run(trial, *options)
    assert re.search(r"^Log-rank\s+-\s+1\s+withheld", said, re.MULTILINE)
    assert f"{cut['permutation']['n_as_large']} + 1 of 199 + 1, seed {cut['permutation']['seed']}" in said
    assert "Lausen-Schumacher p = " in said


def test_ordered_categories_have_a_trend_and_pairs(trial: Path) -> None:
    options = ("--by", "grade", "--order", "G1,G2,G3", "--trend", "--pairwise", "--weights", "peto-peto,0:1")
    found = _json(trial, *options, "--correction", "benjamini_hochberg")
    assert found["trend"]["z"] > 0
    assert len(found["pairwise"]) == 3
    assert found["correction"] == "benjamini_hochberg"
    assert [test["name"] for test in found["weighted_tests"]][1] == "Fleming-Harrington rho 0, gamma 1"
    said = _run(trial, *options)
    for words in ("Trend over the groups", "G2 vs G1", "p (Holm)", "Peto-Peto", "G3 minus G1"):
        assert words in said


@pytest.mark.parametrize(("split", "groups"), [("quartiles", 4), ("quantiles:6", 6), ("tertiles", 3), ("-1,0,1", 4)])
def test_splits_into_several_groups(trial: Path, split: str, groups: int) -> None:
    assert len(_json(trial, "--by", "x", f"--split={split}")["curves"]) == groups


def test_late_entries_and_landmarks(trial: Path) -> None:
    found = _json(trial, "--entry", "entry", "--tau", "300")
    assert found["curves"][0]["n_at_risk"][0] < 90
    assert found["restricted_mean"]["tau"] == 300
    later = _json(trial, "--by", "x", "--from-landmark", "100")
    assert later["n"] < 90
    assert later["notes"][0].startswith("Landmark at 100")


def test_competing_events_are_told_apart_or_refused(trial: Path) -> None:
    with pytest.raises(PetctError, match=r"EVENT_COMPETING.*--competing"):
        _run(trial, event="first")
    found = _json(trial, "--by", "grade", "--competing", "--landmarks", "365", event="first")
    assert found["causes"] == ["event", "competing event"]
    assert len(found["gray_tests"]) == 2
    said = _run(trial, "--by", "grade", "--competing", event="first")
    assert "Gray's tests" in said
    assert re.search(r"^competing event\s+[0-9.]+\s+2\s+0\.[0-9]+", said, re.MULTILINE)


def test_models_of_competing_events_stand_beside_the_curves(trial: Path) -> None:
    options = ("--competing", "--covariates", "x,grade")
    found = _json(trial, *options, event="first")
    assert [term["covariate"] for term in found["fine_gray"]["terms"]] == ["x", "grade", "grade"]
    assert list(found["cause_specific"]) == ["event", "competing event"]
    said = _run(trial, *options, "--landmarks", "1e5", event="first")
    for words in ("Fine-Gray", "Cause-specific hazard of competing event", "beyond follow-up"):
        assert words in said


def test_a_refused_model_does_not_take_the_curves_with_it(tmp_path: Path) -> None:
    # Nobody has the competing event: no hazard of it can be modelled.
    rows = [f"{i + 1},{i % 2},{i % 7}" for i in range(60)]
    path = tmp_path / "alone.csv"
    path.write_text("\n".join(["time,first,x", *rows]), encoding="utf-8")
    said = _run(path, "--competing", "--covariates", "x", event="first")
    assert "Cause-specific hazard of competing event (Cox): refused: NO_EVENTS" in said
    assert "Nobody had a competing event" in said


def test_the_tests_of_a_snapshot_are_entered_into_its_ledger(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    (tmp_path / STUDY_FILE).touch()
    x = rng.normal(size=60)
    basis = Basis("s", "f" * 64, "OS", primary=frozenset({("OS", "x")}))
    times = SurvivalTimes(rng.exponential(10, 60), np.ones(60))
    data = AnalysisData(basis, (), Columns({"x": x}), times=times)

    def entered(request: KaplanMeierRequest) -> tuple[Answer, str | None]:
        found = answer(request, data)
        return found, enter(lake_root(tmp_path), found)

    split, _ = entered(KaplanMeierRequest("x", "tertiles", weights=("peto-peto",), trend=True, pairwise=True))
    assert split.result.log_rank is not None
    later = KaplanMeierRequest("x", "optimal", from_landmark=5.0, permutations=99, resamples=0)
    cut, said = entered(later)
    # The variable was declared; a split into thirds, weights, pairs and a searched cut were not.
    assert said == "9 tests run on this snapshot so far: 0 primary, 9 exploratory."
    entered(replace(later, split="median"))
    _, at_median = entered(KaplanMeierRequest("x"))
    assert at_median == "13 tests run on this snapshot so far: 1 primary, 12 exploratory."
    assert entered(later)[1] == at_median
    assert entered(KaplanMeierRequest())[1] is None
    entries = ledger_of(lake_root(tmp_path), "f" * 64).entries
    assert entries[0].run.p == split.result.log_rank.p
    assert [entry.run.subject for entry in entries if entry.run.primary] == [entries[-2].run.subject]
    runs = {entry.run.procedure: entry.run for entry in entries}
    assert runs["log-rank of pairs"].n_tests == 3
    assert cut.cut_point is not None
    assert cut.cut_point.permutation is not None
    assert runs["maximally selected log-rank"].p == cut.cut_point.permutation.p
    assert runs["maximally selected log-rank"].subject.endswith("from 5 on")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--by", "grade", "--trend"), "TREND_UNORDERED"),
        (("--by", "x", "--weights", "late"), "WEIGHTING_UNKNOWN"),
        (("--split", "optimal"), "SPLIT_OPTIMAL_UNAVAILABLE"),
        (("--competing", "--trend"), "OPTION_NOT_WITH_COMPETING"),
        (("--covariates", "x"), "OPTION_NEEDS_COMPETING"),
        (("--by", "grade", "--split", "optimal"), "COLUMN_NOT_NUMERIC"),
        (("--by", "x", "--split", "quantiles:1"), "SPLIT_QUANTILES_INVALID"),
        (("--from-landmark", "1e6"), "LANDMARK_NOBODY"),
        (("--tau", "1e6"), "TAU_BEYOND_FOLLOW_UP"),
        (("--entry", "time"), "ENTRY_NOT_BEFORE_EXIT"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(trial: Path, arguments: tuple[str, ...], code: str) -> None:
    with pytest.raises(PetctError) as caught:
        _run(trial, *arguments)
    assert caught.value.code == code
