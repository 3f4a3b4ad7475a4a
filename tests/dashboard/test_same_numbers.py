"""The numbers of the pages are those of the command line: same snapshot, same request, same JSON."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from dashboard.answers import answered
from dashboard.cox.views import cox_residuals
from dashboard.survival import analysis as analysis_survival
from dashboard.survival.views import of_incidence
from orchestration.commands.cox import cox
from orchestration.commands.km import km
from petct.survival.cohort.results import as_dict
from tests.dashboard.same_numbers import curves_agree, first_views_agree, models_agree, said_by, same, source_of


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
    assert curves_agree(own_study, CURVES[options], options) > 50


def test_the_first_views_and_the_search_for_a_cut(own_study: Path) -> None:
    assert first_views_agree(own_study) > 200


def test_the_cumulative_incidence(competing_study: Path) -> None:
    said = said_by(
        km,
        competing_study,
        *[
            "--endpoint",
            "TTP",
            "--by",
            "grade",
            "--competing",
            "--landmarks",
            "365.25",
            "--covariates",
            "tumour_volume_ml",
        ],
    )
    curves = KaplanMeierRequest("grade", landmarks=(365.25,), endpoint="TTP")
    source = source_of(competing_study)
    assert analysis_survival.has_competing_events(source, "TTP")
    found = analysis_survival.incidence(source, of_incidence(curves, ("tumour_volume_ml",)))
    assert same(found.numbers(), said) > 120
    assert found.competing is not None
    assert len(found.competing.fits) == 3


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
    assert models_agree(own_study, MODELS[options], options) > 20


def test_residuals_and_calibration(own_study: Path) -> None:
    options = "--covariates tumour_volume_ml,age --permutations 199 --curves --horizon 730.5"
    said = said_by(cox, own_study, *options.split())
    source, request = source_of(own_study), replace(BOTH, endpoint="OS", horizon=730.5)
    residuals = cox_residuals(source, request)
    for curves, name in ((residuals.over_time, "schoenfeld"), (residuals.forms, "functional_form")):
        same([as_dict(curve) for curve in curves], said[name])
    assert same(as_dict(answered(source, request).validation), said["validation"]) > 20
