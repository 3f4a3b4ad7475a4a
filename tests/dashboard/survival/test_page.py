"""The page Survival: every split and view, what is withheld, and what is computed only when it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analyses.requests.known import answer
from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from dashboard.survival import analysis
from petct.survival.cohort.results import p_text
from tests.dashboard.opened import charts, checked, page_of, texts
from tests.dashboard.wording import same_wording
from tests.some import some

VIEW = "survival_view"


@pytest.fixture
def opened(study: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)
    monkeypatch.setenv(STUDY_VARIABLE, str(study))
    return lambda **parameters: page_of("survival", **parameters)


def view(app: AppTest, name: str) -> AppTest:
    app.session_state[VIEW] = name
    return checked(app.run())


def test_the_first_view_is_calm_and_every_view_shows_its_part(opened: Callable[..., AppTest]) -> None:
    app = opened()
    assert set(charts(app)) == {"kaplan_meier"}
    assert "Primary hypothesis" in texts(app)
    tests = app.dataframe[1].value
    assert list(tests["Test"]) == ["Log-rank"]
    assert list(app.dataframe[2].value["n"]) == [21, 20]

    app = view(app, "Survival at times")
    at = app.dataframe[1].value
    assert set(at["Time (months)"]) == {"6.0", "12.0", "24.0", "36.0", "60.0"}
    app = checked(app.text_input(key="landmarks_month").set_value("18, x").run())
    assert app.warning[0].value.startswith("TIME_INVALID: ")

    app = view(app, "Restricted mean")
    assert set(charts(app)) == {"kaplan_meier", "restricted_mean"}
    app = checked(app.number_input(key="tau_month").set_value(24.0).run())
    same_wording(app, "survival", "the first view is calm and every view shows its part")

    app = view(app, "Cut points")
    assert set(charts(app)) == {"kaplan_meier", "cut_points"}
    same_wording(app, "survival", "the first view is calm and every view shows its part (2)")
    # What was chosen in another view is still chosen.
    assert app.number_input(key="tau_month").value == 24.0


def test_more_tests_are_asked_for_and_corrected_first(opened: Callable[..., AppTest]) -> None:
    app = opened(split="Tertiles")
    app.multiselect(key="weights").set_value(["peto-peto", "0:1"])
    app.checkbox(key="trend").check()
    app = checked(app.checkbox(key="pairwise").check().run())
    tests, _, pairs = (element.value for element in app.dataframe[1:4])
    assert len(tests) == 4
    assert list(pairs.columns)[:3] == ["Pair", "p (Holm)", "p of this pair alone"]
    same_wording(app, "survival", "more tests are asked for and corrected first")


def test_an_optimal_cut_shows_no_ordinary_p(opened: Callable[..., AppTest]) -> None:
    app = opened(split="Optimal cut")
    (metric,) = app.metric
    text = texts(app)
    same_wording(app, "survival", "an optimal cut shows no ordinary p")
    assert "log-rank p =" not in charts(app)["kaplan_meier"]
    assert "Exploratory" in text
    app = view(app, "Cut points")
    assert [each.value for each in app.metric].count(metric.value) >= 2
    app = view(app, "Restricted mean")
    same_wording(app, "survival", "an optimal cut shows no ordinary p (2)")


def test_a_long_search_is_made_when_asked_for_and_once(
    opened: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "_QUICK_SEARCH", 0)
    app = opened(split="Optimal cut")
    assert not charts(app)
    app = checked(app.button(key="ask_search").click().run())
    assert set(charts(app)) == {"kaplan_meier"}
    monkeypatch.setattr(analysis, "answer", searched_once)
    app = view(app, "Survival at times")
    assert set(app.dataframe[1].value["Group"]) == set(app.dataframe[0].value["Group"])
    app = checked(app.segmented_control(key="split").set_value("tertiles").run())
    assert set(charts(view(app, "Cut points"))) == {"kaplan_meier", "cut_points"}


def searched_once(request: Any, data: Any, *, cut: float | None = None) -> Any:
    assert request.split != "optimal" or cut is not None, "the cut was searched again"
    return answer(request, data, cut=cut)


def test_a_landmark_an_order_and_no_groups(opened: Callable[..., AppTest]) -> None:
    app = opened(variable="Grade")
    assert list(app.dataframe[0].value["Group"]) == ["G1", "G2", "G3"]
    assert not [box for box in some(app.checkbox) if box.key == "trend"]
    app = checked(app.multiselect(key="order_grade").set_value(["G3", "G2", "G1"]).run())
    assert list(app.dataframe[0].value["Group"]) == ["G3", "G2", "G1"]
    app = checked(app.checkbox(key="trend").check().run())
    assert "Trend over the groups" in list(app.dataframe[1].value["Test"])
    app = checked(app.number_input(key="from_landmark_month").set_value(12.0).run())
    same_wording(app, "survival", "a landmark an order and no groups")
    app = view(app, "Cut points")
    same_wording(app, "survival", "a landmark an order and no groups (2)")
    app = checked(app.segmented_control(key="split_categories").set_value("all").run())
    assert "of all patients" in app.subheader[0].value or "all patients" in app.subheader[0].value


def test_a_withheld_p_has_its_reason_and_what_could_have_been_found(opened: Callable[..., AppTest]) -> None:
    app = opened(split="Fixed cut")
    app = checked(app.number_input(key="cut_tumour_volume_ml").set_value(150.0).run())
    assert "p withheld" in texts(app)
    assert app.dataframe[1].value["p"][0] == "withheld"
    assert texts(app).count("fewer than the minimum of 10") >= 2
    assert not app.metric
    same_wording(app, "survival", "a withheld p has its reason and what could have been found")
    shown = opened(split="Fixed cut", cut_tumour_volume_ml="60.0")
    assert "≤ 60 ml" in list(shown.dataframe[0].value["Group"])
    assert shown.metric[0].value == p_text(float(shown.metric[0].value.removeprefix("p = ")))


def test_competing_events_have_a_view_where_there_are_some(
    opened: Callable[..., AppTest], competing_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Competing events" not in [tab.label for tab in opened().tabs]
    monkeypatch.setenv(STUDY_VARIABLE, str(competing_study))
    app = view(opened(variable="Grade"), "Competing events")
    same_wording(app, "survival", "competing events have a view where there are some")
    assert set(charts(app)) == {"kaplan_meier", "cumulative_incidence"}
    gray, at = (element.value for element in app.dataframe[1:3])
    assert list(gray["Event"]) == ["TTP", "competing event of TTP"]
    assert len(at) == 2 * 3 * 4
    assert "Gray" in texts(app)
    app = checked(app.multiselect(key="competing_covariates").set_value(["tumour_volume_ml", "age"]).run())
    assert [list(element.value["Covariate"]) for element in app.dataframe[3:]] == [["Tumour volume", "Age"]] * 3
    same_wording(app, "survival", "competing events have a view where there are some (2)")
    app = checked(app.number_input(key="from_landmark_month").set_value(6.0).run())
    assert app.warning[0].value.startswith("OPTION_NOT_WITH_COMPETING: ")
