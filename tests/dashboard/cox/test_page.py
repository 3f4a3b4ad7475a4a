"""The page Cox: building a model, its views, its refusals, and what is computed only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from tests.dashboard.opened import charts, checked, page_of, texts
from tests.dashboard.wording import same_wording


@pytest.fixture
def opened(study: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)
    monkeypatch.setenv(STUDY_VARIABLE, str(study))
    return lambda **parameters: page_of("cox", **parameters)


def with_covariates(app: AppTest, *names: str) -> AppTest:
    return checked(app.multiselect(key="covariates").set_value(list(names)).run())


def view(app: AppTest, name: str) -> AppTest:
    app.session_state["cox_view"] = name
    return checked(app.run())


def test_a_model_its_scales_and_its_reference(opened: Callable[..., AppTest]) -> None:
    app = with_covariates(opened(), "age", "grade")
    assert list(app.dataframe[0].value["Compared"])[1:] == ["G2 vs G1", "G3 vs G1"]
    assert "Exploratory" in texts(app)

    app.selectbox(key="scale_age").set_value("per_doubling")
    app = checked(app.selectbox(key="reference_grade").set_value("G3").run())
    assert list(app.dataframe[0].value["Compared"]) == ["per doubling", "G1 vs G3", "G2 vs G3"]
    assert list(app.dataframe[1].value["Question"]) == ["association"]

    app = checked(app.selectbox(key="scale_age").set_value("spline").run())
    assert app.dataframe[0].value["Compared"][0].startswith("upper vs lower quartile")
    assert "non-linearity" in list(app.dataframe[1].value["Question"])

    app = checked(app.checkbox(key="univariable").check().run())
    alone = app.dataframe[0].value
    assert list(alone["Compared"])[1] == "G3, reference"
    assert "Alone: HR (95 % CI)" in alone.columns

    app = checked(app.segmented_control(key="penalty").set_value("ridge").run())
    same_wording(app, "cox", "a model its scales and its reference")


def test_diagnostics_are_drawn_for_every_coefficient_and_every_number(opened: Callable[..., AppTest]) -> None:
    app = with_covariates(opened(), "age", "grade")
    assert set(charts(app)) == {"forest"}
    app = view(app, "Diagnostics")
    assert list(app.dataframe[0].value["Covariate"]) == ["Age", "Grade", "All together"]
    found = charts(app)
    # Age and two levels of grade over time; only age has a form.
    for key, words in (
        ("residuals_time_0", "log hazard ratio of Age"),
        ("residuals_time_2", "log hazard ratio of Grade: G3"),
        ("residuals_form_0", "martingale residual"),
    ):
        assert words in found[key]
    assert len(found) == 5


def test_what_is_added_and_in_whom(opened: Callable[..., AppTest]) -> None:
    app = view(with_covariates(opened(), "tumour_volume_ml", "age"), "Added value")
    assert "the others are the base" in str(app.multiselect(key="added").proto.placeholder)
    app = checked(app.multiselect(key="added").set_value(["age"]).run())
    assert list(app.dataframe[0].value["Model"]) == ["Tumour volume", "with Age"]
    assert any(metric.label.startswith("Change of concordance") for metric in app.metric)
    app = checked(app.multiselect(key="added").set_value(["age", "tumour_volume_ml"]).run())
    same_wording(app, "cox", "what is added and in whom")

    app = view(app, "Subgroups")
    app = checked(app.multiselect(key="subgroups").set_value(["grade"]).run())
    assert "interaction" in charts(app)["subgroup_forest"]
    assert set(app.dataframe[0].value["Variable"]) == {"Grade"}
    assert list(app.dataframe[0].value["Level"]) == ["G1", "G2", "G3"]


def test_calibration_is_computed_when_asked_for_and_by_the_link_that_asked(opened: Callable[..., AppTest]) -> None:
    app = view(opened(), "Calibration")
    assert "calibration" not in charts(app)
    app = checked(app.button(key="ask_validate").click().run())
    assert "calibration" in charts(app)
    assert "Corrected" in app.dataframe[0].value.columns
    assert any(metric.label.startswith("Corrected concordance") for metric in app.metric)
    mark = app.query_params["validate"]
    again = view(opened(validate=mark[0] if isinstance(mark, list) else mark), "Calibration")
    assert "calibration" in charts(again)
    # Another horizon is another question.
    again = checked(again.number_input(key="horizon_month").set_value(30.0).run())
    assert "calibration" not in charts(again)


def test_refusals_stand_in_the_place_of_the_model(opened: Callable[..., AppTest]) -> None:
    app = checked(opened().selectbox(key="scale_tumour_volume_ml").set_value("per_doubling").run())
    assert app.warning[0].value.startswith("COVARIATE_NOT_POSITIVE: ")
    app = checked(app.selectbox(key="scale_tumour_volume_ml").set_value("per_doubling_zeros").run())
    assert not app.warning
    features = [f"pet_original__largest:{name}" for name in ("original_firstorder_Mean", "original_firstorder_Entropy")]
    features += [name.replace("pet", "ct") for name in features]
    app = with_covariates(app, *features, "age", "grade")
    assert app.warning[0].value.startswith("COX_TOO_FEW_EVENTS: ")
    same_wording(app, "cox", "refusals stand in the place of the model")
    rules = [f"pet_original__{rule}:original_shape_Sphericity" for rule in ("largest", "volume_weighted_mean")]
    app = with_covariates(app, *rules)
    assert len(set(app.dataframe[0].value["Covariate"])) == 2
    app = with_covariates(app)
    same_wording(app, "cox", "refusals stand in the place of the model (2)")
