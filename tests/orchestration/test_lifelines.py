"""``--engine lifelines`` of ``petlake km`` and ``cox``, and ``petlake aft``: what they print, count and refuse."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyses.requests.aft import AftRequest
from analyses.requests.known import answer
from analyses.requests.ledger import enter
from analyses.requests.load import load
from petct.survival.with_lifelines.comparison import UNEXPLAINED
from tests.analyses.conftest import study as _study
from tests.command_line import run_petlake
from tests.orchestration.test_cli import LOADED
from tests.some import some
from warehouse.people.journal import ledger_of
from warehouse.queries.open_snapshot import open_snapshot

study = _study
N = 90


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 patients; event 2 of ``first`` competes, and some came under observation late."""
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(2, N))
    time = 11 + rng.exponential(900 * 0.7**x)
    rows = [
        f"{t:.1f},{int(t < 1500)},{(1 + i % 2) * int(t < 1500)},{a:.3f},{b:.3f},{'AB'[i % 2]},{i // 2},{i % 3 * 5}"
        for i, (t, a, b) in enumerate(zip(time, x, y, strict=True))
    ]
    path = tmp_path_factory.mktemp("trial") / "trial.csv"
    path.write_text("\n".join(["time,status,first,x,y,arm,pair,entry", *rows]), encoding="utf-8")
    return path


def _on(trial: Path, *words: str, event: str = "status") -> list[str]:
    return [*words, "--csv", str(trial), "--duration", "time", "--event", event]


def _json(trial: Path, *words: str) -> dict[str, Any]:
    found = run_petlake(*_on(trial, *words, "--json")).json
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "words",
    [
        "km --by arm --split category --weights peto-peto,0:1",
        "km --by x --split tertiles --pairwise --trend --tau 500",
        "km --by x --from-landmark 200",
        "km --by arm --split category --entry entry",
        "km",
        "cox --covariates x,y",
        "cox --covariates x,arm --scale as_is --strata arm --covariates x",
        "cox --covariates x --cluster pair",
        "cox --covariates x,y --entry entry",
        "cox --covariates x,y --penalty ridge",
    ],
)
def test_the_check_is_of_the_patients_and_the_model_of_the_analysis(trial: Path, words: str) -> None:
    alone = _json(trial, *words.split())
    both = _json(trial, *words.split(), "--engine", "lifelines")
    check = both.pop("lifelines")
    assert both == alone
    assert len(check["compared"]) > 5
    assert not [row for row in some(check["compared"]) if row["reason"] == UNEXPLAINED]


def test_a_searched_cut_has_no_p_of_lifelines_either(trial: Path) -> None:
    words = [
        "km",
        "--by",
        "x",
        "--split",
        "optimal",
        "--permutations",
        "99",
        "--resamples",
        "5",
        "--engine",
        "lifelines",
    ]
    check = _json(trial, *words)["lifelines"]
    assert not [row for row in some(check["compared"]) if "log-rank" in row["quantity"]]
    assert "the cut was chosen to make the groups differ" in check["not_compared"][0]["reason"]


def test_people_see_both_numbers_the_reasons_and_what_is_not_compared(trial: Path) -> None:
    out = run_petlake(*_on(trial, "cox", "--covariates", "x", "--engine", "lifelines")).out
    lines = out.splitlines()
    (header,) = (line for line in lines if line.startswith("Quantity"))
    assert header.split() == ["Quantity", "Of", "petlake", "lifelines", "Difference", "Reason"]
    (row,) = (line for line in lines if line.startswith("log likelihood"))
    ours, theirs, agrees = row.split()[-3:]
    assert (ours == theirs, agrees) == (True, "agrees")
    assert any(
        line.startswith("proportional hazards chi-squared") and line.endswith("(1)") for line in map(str.rstrip, lines)
    )
    assert "  (1) lifelines has the approximation that R used before survival 3" in out
    # Only the statistic and the p of proportional hazards differ.
    assert "7 of 9 numbers agree; 2 differ for a known reason." in out
    assert "  Not compared: p of hazard ratios. lifelines shows Wald's p" in out


@pytest.mark.parametrize(
    ("words", "keyword"),
    [
        ("km --competing", "--competing"),
        ("cox --covariates x --added y", "--added"),
        ("cox --covariates x,y --univariable", "--univariable"),
    ],
)
def test_what_is_not_compared_is_refused_before_anything_is_read(words: str, keyword: str) -> None:
    ran = run_petlake(*_on(Path("nowhere.csv"), *words.split(), "--engine", "lifelines"), expect=1)
    assert "LIFELINES_UNSUPPORTED" in ran.err
    assert keyword in ran.err


def test_lifelines_is_loaded_only_when_it_is_asked_for(trial: Path) -> None:
    for words, loaded in ((["km"], ""), (["km", "--engine", "lifelines"], "lifelines")):
        code = LOADED.format(heavy={"lifelines"})
        done = subprocess.run(
            [sys.executable, "-c", code, *_on(trial, *words)], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1].removeprefix("LOADED").strip() == loaded


def test_aft_prints_time_ratios_the_aic_and_the_check(trial: Path) -> None:
    out = run_petlake(*_on(trial, "aft", "--covariates", "x", "--scale", "as_is", "--distributions", "weibull")).out
    assert re.search(r"^Weibull\s+[0-9.]+\s+0\s", out, re.MULTILINE)
    assert any(line.split()[:4] == ["Weibull", "x", "per", "unit"] for line in out.splitlines())
    assert "Each p-value holds only where its distribution does" in out
    found = _json(trial, "aft", "--covariates", "x", "--scale", "as_is", "--distributions", "weibull")
    (model,) = found["models"]
    assert model["terms"][0]["lower"] < model["terms"][0]["time_ratio"] < model["terms"][0]["upper"] < 1
    assert model["tests"][0]["p"] < 0.05
    assert len(model["check"]["expected"]) == len(model["check"]["observed"]) > 60
    assert found["n"] == N


def test_aft_refuses_what_cox_refuses(trial: Path) -> None:
    many = ",".join(["arm", "x", "y", "pair"])
    ran = run_petlake(*_on(trial, "aft", "--covariates", many, "--categories", "pair"), expect=1)
    assert "AFT_TOO_FEW_EVENTS" in ran.err
    ran = run_petlake(*_on(trial, "aft", "--covariates", "x", "--distributions", "gamma"), expect=1)
    assert "OPTION_INVALID" in ran.err
    assert "weibull, log_normal, log_logistic" in ran.err


def test_aft_is_exploratory_and_counted_once_per_distribution(study: Path) -> None:
    request = AftRequest(("tumour_volume_ml",), endpoint="OS", distributions=("weibull", "log_normal"))
    with open_snapshot(study / "lake") as snapshot:
        data = load(snapshot, request)
        found = answer(request, data)
        # A Cox model of the same variable is declared in this study.
        assert ("OS", "tumour_volume_ml") in data.basis.primary
    assert found.declared == "exploratory"
    before = ledger_of(study / "lake", str(data.basis.snapshot_id)).n_tests
    assert enter(study / "lake", found) == enter(study / "lake", found)
    entries = ledger_of(study / "lake", str(data.basis.snapshot_id)).entries
    runs = [entry.run for entry in entries if entry.run.procedure.startswith("AFT")]
    assert sorted(run.procedure for run in some(runs)) == ["AFT, Weibull", "AFT, log-normal"]
    assert {run.primary for run in runs} == {False}
    assert [run.n_tests for run in runs] == [1, 1]
    assert ledger_of(study / "lake", str(data.basis.snapshot_id)).n_tests == before + 2


def test_aft_is_exported_with_a_script_that_gives_its_numbers(study: Path, tmp_path: Path) -> None:
    words = ["aft", "--covariates", "tumour_volume_ml", "--distributions", "log_normal"]
    run_petlake("export", "--study", study, tmp_path / "out", *words)
    files = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert {"figure.svg", "numbers.csv", "methods.md", "analysis.py"} <= set(files)
    assert files["numbers.csv"].read_text().startswith("distribution,expected,observed,lower,upper\nlog_normal,")
    methods = files["methods.md"].read_text()
    assert "accelerated failure time models (log-normal) of" in methods
    assert "time ratio" in methods
    assert "This analysis is exploratory" in methods
    assert "petlake.AftRequest(" in files["analysis.py"].read_text()
    json.loads(files["result.json"].read_text())
