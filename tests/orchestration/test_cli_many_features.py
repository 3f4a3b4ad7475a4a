"""The commands of many features on a CSV: what they say is what the functions find, and refusals are coded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from orchestration.cli import petlake as group
from petct.errors import PetctError
from tests.some import some


def _write(path: Path, seed: int) -> Path:
    """Ninety patients whose hazard doubles with every SD of f0; f1 to f11 are noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, 12))
    event_time, censoring = rng.exponential(1000 * 0.4 ** x[:, 0]), rng.uniform(300, 3000, 90)
    rows = [",".join(["time", "status", *(f"f{j}" for j in range(12)), "site", "arm"])]
    rows += [
        ",".join([f"{min(t, c):.1f}", str(int(t <= c)), *(f"{v:.4f}" for v in row), "ST"[i % 2], "AB"[i % 2]])
        for i, (t, c, row) in enumerate(zip(event_time, censoring, x, strict=True))
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("first") / "first.csv", 1)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("second") / "second.csv", 2)


def run(*arguments: str | Path) -> Result:
    """Run a command in this process; how ``main`` prints a refusal is shown in test_cli."""
    return CliRunner().invoke(group, [str(each) for each in arguments], standalone_mode=False)


def said_by(*arguments: str | Path) -> str:
    done = run(*arguments)
    assert done.exception is None, done.exception
    return done.stdout


def found_by(*arguments: str | Path) -> dict:
    return json.loads(said_by(*arguments, "--json"))


def on(trial: Path) -> list[str]:
    return ["--csv", str(trial), "--duration", "time", "--event", "status"]


def test_a_scan_finds_the_planted_feature_and_counts_the_others(first: Path) -> None:
    found = found_by("screen", *on(first), "--adjust-for", "f11", "--permutations", "999")
    assert found["found"] == ["f0"]
    assert (found["n_declared"], found["n_tested"], found["adjusted_for"]) == (11, 11, ["f11"])
    said = said_by("screen", *on(first), "--permutations", "999", "--top", "3")
    assert "12 features tested of 12" in said
    assert "9 more features" in said
    assert f"{found['rows'][0]['hazard_ratio']['value']:.4g}" in said


def test_a_validation_prints_both_concordances(first: Path) -> None:
    arguments = [
        "validate",
        *on(first),
        "--procedure",
        "best",
        "--size",
        "4",
        "--repeats",
        "1",
        "--harmonise-by",
        "site",
    ]
    found = found_by(*arguments)
    assert found["method"] == "nested"
    assert 0.6 < found["concordance"] < found["apparent_concordance"]
    said = said_by(*arguments)
    for value in (found["concordance"], found["apparent_concordance"]):
        assert f"{value:.4g}" in said
    corrected = found_by("validate", *on(first), "--method", "bootstrap", "--features", "f0", "--procedure", "all")
    assert abs(corrected["optimism"]) < 0.02


def test_a_model_is_frozen_and_applied_elsewhere(first: Path, second: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    frozen = found_by("model", "freeze", file, *on(first), "--cuts", "0.33,0.67")
    assert frozen["digest"][:12] in said_by("model", "freeze", file, *on(first), "--cuts", "0.33,0.67", "--overwrite")
    assert json.loads(file.read_text())["cuts"] == frozen["cuts"]
    applied = found_by("model", "apply", file, *on(second), "--horizon", "730", "--resamples", "200")
    assert applied["model_digest"] == frozen["digest"]
    assert applied["groups"]["cut_points"] == frozen["cuts"]
    said = said_by("model", "apply", file, *on(second), "--horizon", "730", "--resamples", "200")
    assert f"{applied['discrimination']['harrell']['value']:.4g}" in said
    assert "Calibration at 730" in said


def test_patients_without_most_features_are_left_out_and_not_invented(first: Path, tmp_path: Path) -> None:
    header, *rows = first.read_text(encoding="utf-8").splitlines()
    bare = [",".join([*row.split(",")[:2], *[""] * 12, *row.split(",")[-2:]]) for row in rows[:5]]
    gaps = tmp_path / "gaps.csv"
    gaps.write_text("\n".join([header, *bare, *rows[5:]]), encoding="utf-8")
    file = tmp_path / "gaps.json"
    frozen = found_by("model", "freeze", file, *on(gaps), "--procedure", "best")
    assert (frozen["n"], frozen["preparation"]["n"]) == (85, 85)
    assert frozen["left_out"] == "5 patients without most of the features left out: n = 85."
    assert not any("median" in note for note in some(frozen["preparation"]["notes"]))
    assert "5 patients without most" in said_by("validate", *on(gaps), "--procedure", "best", "--repeats", "1")
    assert found_by("model", "apply", file, *on(gaps), "--horizon", "730", "--resamples", "200")["n"] == 85


def test_components_go_into_a_cox_model(first: Path) -> None:
    found = found_by("pca", *on(first), "--features", "f0,f1,f2", "--cox", "2")
    assert [term["covariate"] for term in found["cox"]["terms"]] == ["PC1", "PC2"]
    assert "petlake validate --procedure components --size 2" in said_by(
        "pca", *on(first), "--features", "f0,f1,f2", "--cox", "2"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["screen", "--features", "f0,arm"], ["COLUMN_NOT_NUMERIC", "arm"]),
        (["scan", "--adjust-for", "f99"], ["COLUMN_UNKNOWN", "f99"]),
        (["validate", "--method", "bootstrap", "--resamples", "20"], ["BOOTSTRAP_INVALID", "200"]),
        (["validate", "--max-correlation", "2"], ["PREPARATION_RULES_INVALID"]),
        (["validate", "--folds", "80"], ["FOLDS_INVALID"]),
        (["model", "freeze", "{first}"], ["MODEL_EXISTS"]),
        (["model", "freeze", "new.json", "--cuts", "half"], ["CUTS_INVALID"]),
        (["model", "apply", "{first}", "--horizon", "1"], ["JSON_INVALID"]),
        (["model", "apply", "{model}", "--horizon", "730", "--unit", "day"], ["MODEL_UNIT", "time unit"]),
        (["pca", "--features", "f0,f1", "--cox", "3"], ["PCA_COMPONENTS_INVALID", "at most 2"]),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_printed(
    first: Path, tmp_path: Path, arguments: list[str], says: list[str]
) -> None:
    model = tmp_path / "model.json"
    if "{model}" in arguments:
        said_by("model", "freeze", model, *on(first), "--procedure", "best")
    filled = [part.replace("{first}", str(first)).replace("{model}", str(model)) for part in arguments]
    refused = run(*filled, *on(first))
    assert isinstance(refused.exception, PetctError)
    assert refused.stdout == ""
    for words in some(says):
        assert words in refused.exception.sentence()
