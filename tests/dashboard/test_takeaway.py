"""Take away: nothing is made before it is asked for; then files, methods, script and saving, of the page's analysis."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from warehouse.queries import open_snapshot
from warehouse.saved_analyses import saved_analyses

_TIMEOUT = 60


def _page(lake: str, snapshot_id: str) -> None:
    import streamlit as st

    from dashboard import takeaway
    from dashboard.data import Source
    from figures.print import kaplan_meier_print
    from reporting.context import resolve
    from reporting.numbers import survival_numbers
    from reporting.recipe import Recipe
    from reporting.running import program_of
    from reporting.script import script_of
    from warehouse.queries import open_snapshot

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
