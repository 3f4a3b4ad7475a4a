"""Export: nothing is made before it is asked for; then files, methods, script and saving, of the page's analysis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import answer, request_of
from analyses.requests.load import load
from analyses.requests.request import Request
from dashboard.answers import answered
from dashboard.data import Source
from dashboard.survival import analysis as analysis_survival
from warehouse.people.saved_analyses import saved_analyses
from warehouse.queries.open_snapshot import open_snapshot

_TIMEOUT = 60


def _page(lake: str, snapshot_id: str) -> None:
    import streamlit as st

    from analyses.paper import numbers_of
    from analyses.requests.kaplan_meier import KaplanMeierRequest
    from dashboard import takeaway
    from dashboard.answers import answered
    from dashboard.data import Source
    from figures.print_survival import kaplan_meier_print

    source = Source(lake, snapshot_id, ("age>=60",))
    found = answered(source, KaplanMeierRequest("tumour_volume_ml", endpoint="OS"))

    def figure() -> object:
        st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
        return kaplan_meier_print(found.result)

    takeaway.offer(source, found, figure=figure, numbers=lambda: numbers_of(found), key="km")
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
    assert "petlake.answer(REQUEST, petlake.load(snapshot, REQUEST, CONDITIONS))" in text
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
def test_what_is_taken_away_is_the_analysis_that_the_page_shows(study: Path, request_: Request) -> None:
    conditions = ("age>=55",)
    with open_snapshot(study / "lake") as snapshot:
        source = Source(str(study / "lake"), snapshot.id, conditions)
        asked = replace(request_, endpoint="OS")
        if isinstance(asked, KaplanMeierRequest):
            shown = analysis_survival.survival(source, asked)
        else:
            shown = answered(source, asked)
        saved = request_of(shown.request.command, shown.request.pairs)
        assert saved == shown.request == asked
        again = answer(saved, load(snapshot, saved, shown.basis.conditions))
    assert _numbers(again.numbers()) == _numbers(shown.numbers())
    assert again.tested == shown.tested


def _numbers(value: object) -> list[object]:
    """All that is no text: pages call columns by other names."""
    if isinstance(value, dict):
        return [number for key in sorted(value) for number in _numbers(value[key])]
    if isinstance(value, list | tuple):
        return [number for item in value for number in _numbers(item)]
    return [] if isinstance(value, str) else [value]


def _components(lake: str, snapshot_id: str) -> None:
    from analyses.requests.pca import PcaRequest
    from dashboard import takeaway
    from dashboard.answers import answered
    from dashboard.data import Source

    source = Source(lake, snapshot_id)
    found = answered(source, PcaRequest(feature_set="pet_original__largest"))
    takeaway.offer(source, found, figure=lambda: None, numbers=lambda: None, key="pca")


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
    assert "Principal components of 11 standardised features" in _text(app)
