"""A script gives exactly the numbers of its command, whatever the options are, and is code and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from analyses.context import resolve
from analyses.requests.recipe import Recipe
from analyses.scripts.comparison import first_difference
from analyses.scripts.running import Run, program_of
from analyses.scripts.script import script_of
from orchestration.recipes import asked_for, printed_json
from petct.errors import PetctError
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
    "scan": f"scan --feature-set {_FEATURES} --permutations 99 --adjust-for age,grade",
    "scan of some": f"scan --features {_TWO} --permutations 99 --seed 4 --where sex=F|M",
}


def run_of(study: Path, recipe: Recipe, conditions: tuple[str, ...] = ()) -> tuple[Run, str]:
    with open_snapshot(study / "lake") as snapshot:
        resolved = resolve(recipe, snapshot, conditions)
    script = script_of(resolved, {}, "0.1.0")
    return program_of(script).run(study / "lake"), script


@pytest.mark.parametrize("name", COMMANDS)
def test_the_script_gives_the_numbers_of_the_command(study: Path, name: str) -> None:
    asked = asked_for(COMMANDS[name].split())
    run, script = run_of(study, asked.recipe, asked.conditions)
    with open_snapshot(study / "lake") as snapshot:
        printed = printed_json(asked.recipe, asked.conditions, study, snapshot.id)
        assert snapshot.id in script

    assert first_difference(run.numbers(), printed) is None
    headers = {"source", "snapshot_id", "endpoint", "n_without_outcome", "declared", "ledger"}
    assert set(printed) - set(run.numbers()) <= headers | {
        "cohort",
        "organ",
        "hazards_refused",
        "conditions",
        "selected",
        "n_selected",
    }
    assert len(run.table())
    assert run.findings.n == printed["n"]


def test_a_script_is_short_and_readable(study: Path) -> None:
    _, script = run_of(study, Recipe.of("km", endpoint="OS", by="tumour_volume_ml"))
    ast.parse(script)
    assert len(script.splitlines()) < 75
    assert all(len(line) <= 100 for line in script.splitlines())
    assert "grouping = split_by_median(values.columns[" in script


def test_names_of_columns_are_quoted_and_never_run(study: Path) -> None:
    run, script = run_of(study, Recipe.of("cox", covariates=["age"], strata=['odd "name"'], permutations=0))
    assert "values.texts('odd \"name\"')" in script
    assert run.findings.n > 30
    hostile = Recipe.of("km", by='x"); import os; os.abort(); ("')
    with pytest.raises(Exception, match="COLUMN_UNKNOWN"):
        run_of(study, hostile)


def test_what_a_command_refuses_its_script_refuses_with_the_same_code(study: Path) -> None:
    for words in ("km --by grade --split 3", "km --by age --split nonsense", "km --by age --weights nonsense"):
        recipe = asked_for(words.split()).recipe
        codes = []
        for attempt in (lambda r=recipe: run_of(study, r), lambda r=recipe: printed_json(r, (), study, None)):
            with pytest.raises(PetctError) as refused:
                attempt()
            codes.append(refused.value.code)
        assert codes[0] == codes[1], words
