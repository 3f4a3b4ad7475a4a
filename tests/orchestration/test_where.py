"""``--where``: the same patients for every command, said with the result, and counted as another test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from orchestration.commands.cox import cox
from orchestration.commands.km import km
from orchestration.commands.pca import pca
from orchestration.commands.screen import screen
from orchestration.commands.validate import validate
from refusals.coded_error import CodedError
from tests.dashboard.conftest import publish_study, write_study
from warehouse.people.journal import ledger_of
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import current_id

CONDITIONS = ("--where", "age>=60", "--where", "grade=G2|G3")
FEATURES = "pet_original__largest:original_firstorder_Mean,pet_original__largest:original_shape_Elongation"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("where")
    write_study(folder)
    publish_study(folder)
    return folder


@pytest.fixture
def run(folder: Path) -> Callable[..., str]:
    def invoked(command: click.Command, *arguments: str) -> str:
        return CliRunner().invoke(command, ["--study", str(folder), *arguments], catch_exceptions=False).output

    return invoked


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (km, ("--by", "tumour_volume_ml")),
        (km, ("--by", "grade", "--competing")),
        (cox, ("--covariates", "suv_max", "--permutations", "0")),
        (pca, ("--features", FEATURES)),
        (screen, ("--features", FEATURES, "--permutations", "99", "--adjust-for", "age")),
        (validate, ("--features", FEATURES, "--procedure", "all", "--folds", "2", "--repeats", "1")),
    ],
)
def test_every_command_takes_the_same_patients(
    folder: Path, run: Callable[..., Any], command: Any, arguments: tuple[str, ...]
) -> None:
    with open_snapshot(folder / "lake") as snapshot:
        n = len(snapshot.select(CONDITIONS[1::2]))
    said = json.loads(run(command, *arguments, *CONDITIONS, "--json"))
    sentence = f"{n} of 44 patients: age >= 60 years, grade G2 or G3"
    conditions = ["age>=60", "grade=G2|G3"]
    assert said["cohort"] == {"conditions": conditions, "sentence": sentence, "n_selected": n, "n": 44}
    # Nobody else: fewer only for a missing endpoint, scan or feature.
    assert n - 4 <= said.get("n", n) <= n
    assert sentence in " ".join(run(command, *arguments, *CONDITIONS).split())


def test_the_same_test_in_other_patients_is_another_test_and_not_the_declared_one(
    folder: Path, run: Callable[..., Any]
) -> None:
    def primary_and_all() -> tuple[int, int]:
        ledger = ledger_of(folder / "lake", current_id(folder / "lake"))
        log_rank = [entry.run for entry in ledger.entries if entry.run.subject.startswith("tumour_volume_ml: median")]
        return sum(each.primary for each in log_rank if each.procedure == "log-rank"), ledger.n_tests

    run(km, "--by", "tumour_volume_ml", "--where", "age<70")
    before = primary_and_all()[1]
    assert primary_and_all()[0] == 0
    run(km, "--by", "tumour_volume_ml", "--where", "age < 70.0")
    assert primary_and_all()[1] == before
    assert "primary hypothesis" in run(km, "--by", "tumour_volume_ml")
    primary, everything = primary_and_all()
    assert primary == 1
    assert everything > before
    # Conditions that leave nobody out make no other test of it.
    run(km, "--by", "tumour_volume_ml", "--where", "grade=G1|G2|G3")
    assert primary_and_all() == (1, everything)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--where", "age>=200"), "SELECTION_EMPTY"),
        (("--where", "refusal_code=ENDPOINT_ORIGIN_MISSING"), "ENDPOINT_NOT_SELECTED"),
        (("--where", "agee>=60"), "COLUMN_UNKNOWN"),
        (("--where", "age>=60", "--csv", "x.csv"), "OPTION_NEEDS_STUDY"),
    ],
)
def test_what_selects_nobody_or_nothing_is_refused(
    run: Callable[..., Any], arguments: tuple[str, ...], code: str
) -> None:
    with pytest.raises(CodedError) as refused:
        run(km, *arguments)
    assert refused.value.code == code
