"""A script gives exactly the numbers of its command, whatever the options are, and is code and nothing else."""

from __future__ import annotations

import ast
import json
import runpy
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from analyses.bundle import first_difference
from analyses.requests.answer import Answer
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import answer
from analyses.requests.load import load
from analyses.script import script_of
from orchestration.cli import petlake
from orchestration.commands.asked import asked_for
from warehouse.errors import WarehouseError
from warehouse.queries.open_snapshot import open_snapshot

_FEATURES = "pet_original__largest"
_TWO = f"{_FEATURES}:original_shape_MeshVolume,{_FEATURES}:original_firstorder_Mean,suv_max"

COMMANDS = {
    "median": "km --endpoint OS --by tumour_volume_ml",
    "everyone": "km --endpoint OS --landmarks 365,730",
    "category": "km --by grade --order G1,G2,G3 --trend --pairwise --correction benjamini_hochberg --weights 0:1",
    "number as category": "km --by n_lesions --split category",
    "quantiles": "km --by age --split quantiles:3 --tau 900",
    "cut": "km --by age --split 60,70",
    "landmark": "km --by age --entry late_entry --from-landmark 250",
    "optimal": "km --by age --split optimal --permutations 99 --resamples 20 --seed 5",
    "conditions": "km --by age --where sex=F|M --where age>=55 --where tumour_volume_ml?",
    "competing": "km --endpoint PFS --by grade --competing --landmarks 365",
    "competing models": "km --endpoint PFS --competing --covariates age,grade,therapy",
    "cox": "cox --covariates tumour_volume_ml,age,grade --reference grade=G2 --permutations 0",
    "doubling": "cox --covariates tumour_volume_ml --scale per_doubling --at-zero half_minimum --permutations 99",
    "spline": "cox --covariates age --spline age --knots 4 --strata sex --robust --transform rank",
    "cluster": "cox --covariates age --cluster grade --entry late_entry",
    "firth": "cox --covariates age,sex --penalty firth",
    "ridge": "cox --covariates age,sex --penalty ridge --ridge-strength 2.5 --permutations 0",
    "univariable": "cox --covariates age,sex --univariable --permutations 0",
    "added": "cox --covariates age --added tumour_volume_ml --permutations 99 --seed 3",
    "subgroups": "cox --covariates age,tumour_volume_ml --subgroups sex --permutations 0",
    "imputed": "cox --covariates age,ki67 --impute 3",
    "therapy": "cox --covariates age --therapy-start therapy",
    "scales": "cox --covariates age,tumour_volume_ml --scale-of tumour_volume_ml=per_doubling --at-zero half_minimum",
    "calibration": "cox --covariates age,sex --horizon 730 --permutations 0",
    "components": f"pca --feature-set {_FEATURES}",
    "some features": f"pca --features {_TWO} --where age>=50",
    "cox of components": f"pca --feature-set {_FEATURES} --cox 2",
    "protocols": "sensitivity --endpoint OS --where age>=50",
    "protocols in an organ": "sensitivity --endpoint OS --organ liver",
    "scan": f"screen --feature-set {_FEATURES} --permutations 99 --adjust-for age,grade",
    "scan of some": f"screen --features {_TWO} --permutations 99 --seed 4 --where sex=F|M",
}


def answered(study: Path, words: str) -> Answer:
    asked = asked_for(shlex.split(words))
    with open_snapshot(study / "lake") as snapshot:
        return answer(asked.request, load(snapshot, asked.request, asked.conditions))


def script_text(found: Answer) -> str:
    return script_of(found.request, str(found.basis.snapshot_id), found.basis.conditions, "0.1.0")


def run_script(script: str, study: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (out / "analysis.py").write_text(script, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["analysis.py", str(study / "lake"), "--out", str(out)])
    runpy.run_path(str(out / "analysis.py"), run_name="__main__")


def printed(study: Path, words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    petlake.main([*shlex.split(words), "--json", "--study", str(study)], standalone_mode=False)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_the_script_gives_the_numbers_of_the_command(
    study: Path,
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = printed(study, COMMANDS[name], capsys)
    found = answered(study, COMMANDS[name])
    run_script(script_text(found), study, tmp_path, monkeypatch)
    numbers = json.loads(capsys.readouterr().out)

    assert first_difference(numbers, expected) is None
    header = {"source", "snapshot_id", "cohort", "endpoint", "n_without_outcome", "declared", "ledger"}
    assert set(expected) - set(numbers) == header
    assert found.n == expected["n"]
    assert found.declared == expected["declared"]
    assert len((tmp_path / "numbers.csv").read_text(encoding="utf-8").splitlines()) > 1
    assert (tmp_path / "figure.svg").stat().st_size > 1000


def test_a_script_is_a_request_and_the_call_that_answers_it(study: Path) -> None:
    script = script_text(answered(study, "km --endpoint OS --by tumour_volume_ml --where age>=50"))
    ast.parse(script)
    assert len(script.splitlines()) < 35
    assert "CONDITIONS = ('age>=50',)" in script
    assert "variable='tumour_volume_ml'," in script
    imported = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [name.name for node in imported for name in node.names] == ["petlake"]


def test_names_of_columns_are_quoted_and_never_run(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = script_text(answered(study, "cox --covariates age --strata 'odd \"name\"' --permutations 0"))
    assert "strata=('odd \"name\"',)" in script
    hostile = script_of(KaplanMeierRequest('x"""); import os; os.abort(); ("'), "f" * 64, (), "0.1.0")
    with pytest.raises(WarehouseError, match="SNAPSHOT_UNKNOWN"):
        run_script(hostile, study, tmp_path, monkeypatch)
