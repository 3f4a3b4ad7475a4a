"""The numbers of the pages are those of the command line: same snapshot, same request, same JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from dashboard import analysis_cox, analysis_survival
from dashboard.data import Source
from orchestration.commands.cox import cox
from orchestration.commands.km import km
from petct.survival.cox_request import CoxRequest
from petct.survival.km_request import KaplanMeierRequest
from petct.survival.results import JsonValue, as_dict
from tests.dashboard.conftest import publish_study, row, write_study
from warehouse.catalog import current_id
from warehouse.lake import Lake

N = 44
QUICK = ("--permutations", "199", "--resamples", "20")


@pytest.fixture(scope="module")
def competing_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of the other tests with an endpoint that deaths compete with."""
    folder = tmp_path_factory.mktemp("competing")
    write_study(folder, N)
    lake, rng = Lake(folder / "lake"), np.random.default_rng(5)
    for number in range(1, N + 1):
        patient = f"P{number:03}"
        times = {"duration_days": int(rng.integers(50, 1500)), "event": int(rng.integers(0, 3))}
        lake.write("endpoints", patient, [row("endpoints", patient_id=patient, endpoint="TTP", **times)])
    publish_study(folder)
    (folder / "study.yaml").touch()
    return folder


@pytest.fixture
def own_study(study: Path, tmp_path: Path) -> Path:
    """The study with a study.yaml and a ledger of its own."""
    lake = tmp_path / "lake"
    lake.mkdir()
    for entry in (study / "lake").iterdir():
        if entry.name != "journal":
            (lake / entry.name).symlink_to(entry)
    (tmp_path / "study.yaml").touch()
    return tmp_path


def said_by(command: click.Command, study: Path, *options: str) -> dict[str, JsonValue]:
    arguments = [*options, "--json", "--study", str(study)]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return json.loads(done.output)  # type: ignore[no-any-return]


def same(found: JsonValue, said: JsonValue, where: str = "") -> int:
    """Assert that all numbers are equal, to the last digit; names differ. How many numbers there were."""
    if isinstance(found, dict):
        assert isinstance(said, dict), where
        return sum(same(value, said[name], f"{where}.{name}") for name, value in found.items())
    if isinstance(found, list):
        assert isinstance(said, list), where
        assert len(found) == len(said), where
        return sum(same(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(found, said, strict=True)))
    if isinstance(found, str):
        assert isinstance(said, str), where
        return 0
    assert found == said, where
    return 1


def source_of(study: Path) -> Source:
    return Source(str(study / "lake"), current_id(study / "lake"))


VOLUME = KaplanMeierRequest("tumour_volume_ml")
CURVES = {
    "--by tumour_volume_ml": VOLUME,
    "--by tumour_volume_ml --split quartiles --weights peto-peto,0:1 --trend --pairwise --tau 730.5 "
    "--landmarks 365.25,730.5": replace(
        VOLUME,
        split="quartiles",
        weights=("peto-peto", "0:1"),
        trend=True,
        pairwise=True,
        tau=730.5,
        landmarks=(365.25, 730.5),
    ),
    "--by tumour_volume_ml --split 60.5": replace(VOLUME, split="60.5"),
    "--by grade --order G3,G2,G1 --trend --correction bonferroni --pairwise --from-landmark 100": KaplanMeierRequest(
        "grade",
        order=("G3", "G2", "G1"),
        trend=True,
        pairwise=True,
        correction="bonferroni",
        from_landmark=100.0,
    ),
    "--by pet_original__largest:original_glcm_Contrast --split tertiles": KaplanMeierRequest(
        "pet_original__largest:original_glcm_Contrast", "tertiles"
    ),
    "": KaplanMeierRequest(),
}


@pytest.mark.parametrize("options", CURVES)
def test_the_curves(own_study: Path, options: str) -> None:
    said = said_by(km, own_study, *options.split())
    found = analysis_survival.survival(source_of(own_study), "OS", CURVES[options])
    assert same(as_dict(found.result), said) > 50
    assert said["ledger"] is None or found.hypotheses
    declared = "primary" if found.plain and CURVES[options].variable == "tumour_volume_ml" else "exploratory"
    assert said["declared"] == (declared if CURVES[options].variable else None)


def test_the_search_for_a_cut(own_study: Path) -> None:
    said = said_by(km, own_study, "--by", "tumour_volume_ml", "--split", "optimal", *QUICK)
    request = replace(VOLUME, split="optimal", permutations=199, resamples=20)
    found = analysis_survival.survival(source_of(own_study), "OS", request)
    assert found.cut is not None
    assert same(as_dict(found.cut), said["cut_point"]) > 50
    same(as_dict(found.result), said)


def test_the_cumulative_incidence(competing_study: Path) -> None:
    said = said_by(km, competing_study, *["--endpoint", "TTP", "--by", "grade", "--competing", "--landmarks", "365.25"])
    request = KaplanMeierRequest("grade", landmarks=(365.25,))
    source = source_of(competing_study)
    assert analysis_survival.has_competing_events(source, "TTP")
    assert same(as_dict(analysis_survival.incidence(source, "TTP", request)), said) > 50


PERMUTED = 199
BOTH = CoxRequest(("tumour_volume_ml", "age"), permutations=PERMUTED)
MODELS = {
    "--covariates tumour_volume_ml --permutations 199": CoxRequest(("tumour_volume_ml",), permutations=PERMUTED),
    "--covariates tumour_volume_ml,age,grade --scale-of tumour_volume_ml=per_doubling --at-zero half_minimum "
    "--spline age --reference grade=G2 --permutations 199": CoxRequest(
        ("tumour_volume_ml", "age", "grade"),
        scale_of=(("tumour_volume_ml", "per_doubling"),),
        at_zero="half_minimum",
        splines=("age",),
        references=(("grade", "G2"),),
        permutations=PERMUTED,
    ),
    "--covariates tumour_volume_ml,age --univariable --permutations 199": replace(BOTH, univariable=True),
    "--covariates tumour_volume_ml --added age --permutations 199": replace(
        BOTH, covariates=("tumour_volume_ml",), added=("age",)
    ),
    "--covariates tumour_volume_ml,age --subgroups grade --permutations 199": replace(BOTH, subgroups=("grade",)),
    "--covariates tumour_volume_ml,age --strata grade --penalty firth": replace(
        BOTH, permutations=None, strata=("grade",), penalty="firth"
    ),
    "--covariates tumour_volume_ml,age --robust": replace(BOTH, permutations=None, robust=True),
}


@pytest.mark.parametrize("options", MODELS)
def test_the_models(own_study: Path, options: str) -> None:
    said = said_by(cox, own_study, *options.split())
    found = analysis_cox.cox_model(source_of(own_study), "OS", MODELS[options])
    assert same(as_dict(found), said) > 20


def test_residuals_and_calibration(own_study: Path) -> None:
    options = "--covariates tumour_volume_ml,age --permutations 199 --curves --horizon 730.5"
    said = said_by(cox, own_study, *options.split())
    source = source_of(own_study)
    residuals = analysis_cox.cox_residuals(source, "OS", BOTH)
    for curves, name in ((residuals.over_time, "schoenfeld"), (residuals.forms, "functional_form")):
        same([as_dict(curve) for curve in curves], said[name])
    assert same(as_dict(analysis_cox.cox_validation(source, "OS", BOTH, 730.5)), said["validation"]) > 20
