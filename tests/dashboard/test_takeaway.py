"""Take away: nothing is made before it is asked for; then files, methods, script and saving, of the page's analysis."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analyses.context import resolve
from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.recipe import recipe_of_cox, recipe_of_km
from analyses.scripts.running import program_of
from analyses.scripts.script import script_of
from dashboard.cox import analysis as analysis_cox
from dashboard.data import Source
from dashboard.survival import analysis as analysis_survival
from petct.survival.cohort.results import as_dict
from warehouse.people.saved_analyses import saved_analyses
from warehouse.queries.open_snapshot import open_snapshot

_TIMEOUT = 60


def _page(lake: str, snapshot_id: str) -> None:
    import streamlit as st

    from analyses.context import resolve
    from analyses.numbers import survival_numbers
    from analyses.requests.recipe import Recipe
    from analyses.scripts.running import program_of
    from analyses.scripts.script import script_of
    from dashboard import takeaway
    from dashboard.data import Source
    from figures.print import kaplan_meier_print
    from warehouse.queries.open_snapshot import open_snapshot

    source = Source(lake, snapshot_id, ("age>=60",))
    recipe = Recipe.of("km", endpoint="OS", by="tumour_volume_ml")
    with open_snapshot(lake, snapshot_id) as snapshot:
        script = script_of(resolve(recipe, snapshot, source.conditions), {}, "0")
    result = program_of(script).run(lake).findings.result

    def figure():
        st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
        return kaplan_meier_print(result)

    takeaway.offer(source, recipe, figure=figure, numbers=lambda: survival_numbers(result), key="km", result=result)
    takeaway.saved_list(source)


@pytest.fixture
def page(study: Path, tmp_path: Path) -> AppTest:
    # A lake of its own: what is saved would be there for the other tests.
    lake = tmp_path / "lake"
    lake.mkdir()
    (lake / "snapshots").symlink_to(study / "lake" / "snapshots")
    with open_snapshot(study / "lake") as snapshot:
        app = AppTest.from_function(_page, args=(str(lake), snapshot.id), default_timeout=_TIMEOUT)
    app.query_params["variable"] = "tumour_volume_ml"
    app.run()
    assert not app.exception, [element.message for element in app.exception]
    return app


def _text(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.success, app.warning, app.error, app.code)
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def test_a_closed_take_away_makes_nothing(page: AppTest) -> None:
    assert not page.get("download_button")
    assert "drawn" not in page.session_state
    assert "Nothing is saved yet" in _text(page)


def test_an_open_one_offers_files_methods_script_and_command_and_saves(page: AppTest, tmp_path: Path) -> None:
    page.session_state["km_take_away"] = True
    page.run()
    assert not page.exception, [element.message for element in page.exception]
    assert [b.proto.label for b in page.get("download_button")] == ["SVG", "PDF", "PNG", "CSV", "Python"]
    assert "drawn" not in page.session_state
    text = _text(page)
    assert "Patients. The study" in text
    assert "split_by_median(values.columns[" in text
    assert "petlake km --endpoint OS --by tumour_volume_ml --where 'age>=60'" in text

    page.text_input(key="km_name").set_value("Volume, median")
    page.button[0].click().run()
    assert not page.exception, [element.message for element in page.exception]
    (entry,) = saved_analyses(tmp_path / "lake")
    assert entry.analysis.options == (("endpoint", "OS"), ("by", "tumour_volume_ml"))
    assert entry.analysis.conditions == ("age>=60",)
    assert "variable=tumour_volume_ml" in entry.analysis.query
    page.run()
    assert "[Volume, median](./survival?" in _text(page)


KM_REQUESTS = (
    KaplanMeierRequest("tumour_volume_ml"),
    KaplanMeierRequest("age", "60,70.5", landmarks=(365.25, 730.5), tau=900.0, trend=True, pairwise=True),
    KaplanMeierRequest("grade", "category", ("G3", "G2", "G1"), weights=("peto-peto", "0:1"), correction="bonferroni"),
    KaplanMeierRequest("age", from_landmark=121.75),
    KaplanMeierRequest("age", "optimal", permutations=99, resamples=20, seed=7),
    KaplanMeierRequest(),
)
COX_REQUESTS = (
    CoxRequest(("tumour_volume_ml", "age"), scale_of=(("tumour_volume_ml", "per_doubling"),), at_zero="half_minimum"),
    CoxRequest(("age", "grade"), references=(("grade", "G3"),), penalty="ridge", ridge_strength=1 / 3, permutations=0),
    CoxRequest(("age",), splines=("age",), knots=4, robust=True, transform="rank"),
    CoxRequest(("age", "tumour_volume_ml"), univariable=True, permutations=99, seed=4),
)


@pytest.mark.parametrize("request_", [*KM_REQUESTS, *COX_REQUESTS], ids=repr)
def test_the_recipe_of_a_page_is_the_analysis_that_it_shows(
    study: Path, request_: KaplanMeierRequest | CoxRequest
) -> None:
    conditions = ("age>=55",)
    with open_snapshot(study / "lake") as snapshot:
        source = Source(str(study / "lake"), snapshot.id, conditions)
        if isinstance(request_, KaplanMeierRequest):
            recipe = recipe_of_km(request_, "OS")
            shown = analysis_survival.survival(source, "OS", request_)
            expected = {**as_dict(shown.result)} | ({} if shown.cut is None else {"cut_point": as_dict(shown.cut)})
        else:
            recipe = recipe_of_cox(request_, "OS")
            expected = as_dict(analysis_cox.cox_model(source, "OS", request_))
        script = script_of(resolve(recipe, snapshot, conditions), {}, "0")
    assert _numbers(program_of(script).run(study / "lake").numbers()) == _numbers(expected)


def _numbers(value: object) -> list[object]:
    """All that is no text: pages call columns by other names."""
    if isinstance(value, dict):
        return [number for key in sorted(value) for number in _numbers(value[key])]
    if isinstance(value, list | tuple):
        return [number for item in value for number in _numbers(item)]
    return [] if isinstance(value, str) else [value]


def _components(lake: str, snapshot_id: str) -> None:
    from analyses.requests.recipe import Recipe
    from dashboard import takeaway
    from dashboard.data import Source

    recipe = Recipe.of("pca", feature_set="pet_original__largest")
    takeaway.offer(Source(lake, snapshot_id), recipe, figure=lambda: None, numbers=lambda: None, key="pca")


@pytest.mark.parametrize("allowed", [True, False])
def test_who_may_not_see_single_patients_takes_no_table_of_them_away(
    study: Path, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    monkeypatch.setattr("dashboard.access.permissions.may", lambda _: allowed)
    with open_snapshot(study / "lake") as snapshot:
        app = AppTest.from_function(_components, args=(str(study / "lake"), snapshot.id), default_timeout=_TIMEOUT)
    app.session_state["pca_take_away"] = True
    app.run()
    assert not app.exception, [element.message for element in app.exception]
    disabled = [b.proto.label for b in app.get("download_button") if b.proto.disabled]
    assert disabled == ([] if allowed else ["CSV"])
    # Nobody gave the result of the page: the script was run for its methods.
    assert "Principal components of 11 standardised features" in _text(app)
