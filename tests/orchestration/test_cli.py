"""The command line: what it loads, what it prints, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest

from analyses.requests.kaplan_meier import KaplanMeierRequest
from orchestration.commands import asked
from tests.some import some
from warehouse.source_code import source_code

HEAVY = {"dagster", "radiomics", "streamlit", "pydicom", "lifelines"}
LOADED = """
import sys
from orchestration import cli
sys.argv = ["petlake", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as exit_:
    assert not exit_.code, exit_.code
print("LOADED", *sorted(set(sys.modules) & {heavy}))
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 patients whose hazard doubles with every unit of x; y is noise, arm a category."""
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(2, 60))
    time = rng.exponential(1000 * 0.5**x)
    rows = [
        f"{t:.1f},{int(t < 1500)},{a:.3f},{b:.3f},{'AB'[i % 2]}"
        for i, (t, a, b) in enumerate(zip(time, x, y, strict=True))
    ]
    path = tmp_path_factory.mktemp("trial") / "trial.csv"
    path.write_text("\n".join(["time,status,x,y,arm", *rows]), encoding="utf-8")
    return path


def on(trial: Path) -> list[str]:
    return ["--csv", str(trial), "--duration", "time", "--event", "status"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["km", "--by", "x"],
        ["cox", "--covariates", "x"],
        ["pca", "--features", "x,y"],
        ["scan", "--features", "x,y"],
    ],
)
def test_help_and_statistics_load_nothing_heavy(trial: Path, arguments: list[str]) -> None:
    if arguments != ["--help"]:
        arguments = [*arguments, *on(trial)]
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(heavy=HEAVY), *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]


def test_a_real_effect_is_found_and_noise_is_not(trial: Path, petlake: Callable) -> None:
    both = petlake("cox", "--covariates", "x,y", "--scale", "as_is", *on(trial), "--json").json
    terms = {term["covariate"]: term for term in both["terms"]}
    assert terms["x"]["lower"] < 2 < terms["x"]["upper"]
    assert terms["x"]["p"] < 0.01 < 0.05 < terms["y"]["p"]
    assert petlake("km", "--by", "x", *on(trial), "--json").json["log_rank"]["p"] < 0.05
    assert petlake("km", "--by", "arm", *on(trial), "--json").json["log_rank"]["p"] > 0.05


def test_text_and_json_say_the_same(trial: Path, petlake: Callable) -> None:
    said = petlake("km", "--by", "arm", "--landmarks", "365", *on(trial)).out
    result = petlake("km", "--by", "arm", "--landmarks", "365", *on(trial), "--json").json
    assert result["n"] == 60
    for curve in some(result["curves"]):
        assert f"{curve['median']['value']:.4g}" in said
        assert f"{curve['landmarks'][0]['survival']:.4g}" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["km", "--by", "z"], ["COLUMN_UNKNOWN", "time, status, x, y, arm"]),
        (["km", "--by", "arm", "--split", "5"], ["COLUMN_NOT_NUMERIC"]),
        (["km", "--by", "x", "--split", "halves"], ["SPLIT_UNKNOWN", "tertiles"]),
        (["km", "--by", "x", "--landmarks", "one year"], ["TIME_INVALID"]),
        (["cox", "--covariates", "x,x2"], ["COLUMN_UNKNOWN", "x2"]),
        (["cox", "--covariates", "x", "--scale", "per_doubling"], ["x"]),
        (["pca", "--features", "x,arm"], ["COLUMN_NOT_NUMERIC", "arm"]),
        (["model", "freeze", "new.json", "--features", "x", "--cuts", "half"], ["CUTS_INVALID", "half"]),
    ],
)
def test_a_refused_analysis_is_one_line_and_exit_code_1(
    trial: Path, petlake: Callable, arguments: list[str], says: list[str]
) -> None:
    refused = petlake(*arguments, *on(trial), expect=1)
    assert refused.out == ""
    assert len(refused.err.splitlines()) == 1
    for words in some(says):
        assert words in refused.err


def test_the_installed_program_refuses_as_well(trial: Path, petlake: Callable, petlake_process: Callable) -> None:
    arguments = ("km", "--by", "z", *on(trial))
    assert petlake_process(*arguments, expect=1) == petlake(*arguments, expect=1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["status"], "STUDY_MISSING"),
        (["sql", "SELECT 1"], "STUDY_MISSING"),
        (["km", "--by", "x"], "STUDY_MISSING"),
        (["snapshot", "publish"], "STUDY_MISSING"),
        (["dashboard"], "STUDY_MISSING"),
    ],
)
def test_outside_a_study_every_command_says_how_to_make_one(
    tmp_path: Path, petlake: Callable, arguments: list[str], says: str
) -> None:
    refused = petlake(*arguments, "--study", tmp_path, expect=1)
    assert says in refused.err
    assert "petlake init" in refused.err


def test_a_new_study_can_be_used_at_once(tmp_path: Path, petlake: Callable) -> None:
    study = tmp_path / "a study with spaces, é"
    petlake("init", study)
    assert "STUDY_EXISTS" in petlake("init", study, expect=1).err
    assert "DICOM_FOLDER_MISSING" in petlake("ingest", "--study", study, expect=1).err
    assert "PATIENTS_NONE" in petlake("materialize", "--study", study, expect=1).err
    assert "SNAPSHOT_NONE" in petlake("sql", "SELECT 1", "--study", study, expect=1).err
    assert "LAKE_EMPTY" in petlake("snapshot", "publish", "--study", study, expect=1).err
    assert petlake("status", "--json", "--study", study).json == []


def test_json_is_json(trial: Path, petlake: Callable) -> None:
    for arguments in (["km"], ["cox", "--covariates", "x"], ["pca", "--features", "x,y"]):
        json.loads(petlake(*arguments, *on(trial), "--json").out)


def test_the_version_names_the_commit(petlake: Callable, petlake_process: Callable) -> None:
    said = petlake("--version").out
    assert said == f"petlake {source_code().text}\n"
    assert petlake_process("--version").out == said


def test_the_exit_code_of_a_saved_analysis_is_that_of_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends_with(name: str) -> click.Command:
        settings = {"ignore_unknown_options": True, "allow_extra_args": True}
        return click.Command(name, callback=lambda: click.get_current_context().exit(4), context_settings=settings)

    monkeypatch.setattr(asked, "_command", ends_with)
    with pytest.raises(click.exceptions.Exit) as ended:
        asked.run_command(KaplanMeierRequest(variable="age"), (), Path("study"), "1234")
    assert ended.value.exit_code == 4
