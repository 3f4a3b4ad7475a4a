"""The pages on a small published study, on an empty one, on none, and while another snapshot is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from tests.dashboard.conftest import NewStudy
from tests.some import some
from warehouse.snapshots.publish import SnapshotSettings, publish
from warehouse.storage.lake import Lake

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PAGES = tuple(sorted(page.parent.name for page in APP.parent.glob("*/page.py")))
WITHOUT_PATIENTS = {"conformance", "snapshots", "sql"}
REFUSED_TO_ONE = {"survival", "cox", "features", "pca"}
_TIMEOUT = 60


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)

    def opened(study: Path, page: str = "study", **parameters: str) -> AppTest:
        monkeypatch.setenv(STUDY_VARIABLE, str(study))
        app = AppTest.from_file(APP, default_timeout=_TIMEOUT)
        for name, value in parameters.items():
            app.query_params[name] = value
        app.run()
        return checked(app if page == "study" else app.switch_page(f"{page}/page.py").run())

    return opened


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [element.message for element in app.exception]
    return app


def texts(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.warning, app.error)
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def figure_traces(app: AppTest, key: str) -> str:
    (chart,) = [element for element in app.get("plotly_chart") if element.proto.id.endswith(f"-{key}")]
    return str(chart.proto.spec)


def through(app: AppTest) -> Iterator[tuple[str, AppTest]]:
    """Every page of one session, one after the other."""
    for page in PAGES:
        yield page, checked(app.switch_page(f"{page}/page.py").run())


def test_every_page_shows_the_snapshot_it_comes_from(open_page: Callable[..., AppTest], study: Path) -> None:
    assert len(PAGES) == 10
    for page, app in some(through(open_page(study))):
        snapshot_id = app.session_state["chosen_snapshot"]
        assert not app.error, page
        assert snapshot_id[:12] in texts(app), page
        assert any(snapshot_id in str(element.help) for element in app.caption), page
        assert app.query_params["snapshot"] in (snapshot_id[:12], [snapshot_id[:12]])
        assert "Synthetic 68Ga-DOTATOC cohort" in texts(app), page


def test_every_page_says_what_to_do_with_an_empty_cohort(open_page: Callable[..., AppTest], empty_study: Path) -> None:
    for page, app in some(through(open_page(empty_study))):
        assert not app.error, page
        assert page in WITHOUT_PATIENTS or "petlake snapshot publish" in texts(app), page
        assert not app.get("plotly_chart"), page


def test_every_page_refuses_a_protocol_that_the_snapshot_lacks_and_offers_to_drop_it(
    open_page: Callable[..., AppTest], study: Path
) -> None:
    for page, app in some(through(open_page(study, where="protocol_id=percent_41"))):
        assert [error.value.partition(":")[0] for error in app.error] == ["PROTOCOL_UNKNOWN"], page
        assert "expected contours" in app.error[0].value, page
        assert not app.get("plotly_chart"), page
    app = checked(app.button(key="remove_refused_protocol_id=percent_41").click().run())
    assert not app.error


def test_every_page_says_what_to_do_without_a_snapshot(open_page: Callable[..., AppTest], tmp_path: Path) -> None:
    for page, app in some(through(open_page(tmp_path))):
        assert "petlake materialize" in texts(app), page
        assert "petlake snapshot publish" in texts(app), page


def test_without_a_study_the_dashboard_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)
    app = checked(AppTest.from_file(APP, default_timeout=_TIMEOUT).run())

    assert "petlake dashboard --study DIR" in app.error[0].value


def test_the_distribution_names_its_n_and_the_missing(open_page: Callable[..., AppTest], study: Path) -> None:
    app = open_page(study)
    assert "n = 42, 2 without a value" in texts(app)

    app = checked(app.selectbox(key="distribution").set_value("grade").run())
    assert "n = 44." in texts(app)


def test_another_variable_gives_other_curves(open_page: Callable[..., AppTest], study: Path) -> None:
    app = open_page(study, "survival")
    before = figure_traces(app, "kaplan_meier")

    app = checked(app.selectbox(key="variable_from").set_value("pet_original__largest").run())
    assert not app.warning
    assert figure_traces(app, "kaplan_meier") != before


@pytest.mark.parametrize("variable", ["centre", "scan_pet_spacing_z_mm"])
def test_a_constant_variable_is_refused_in_a_sentence(
    open_page: Callable[..., AppTest], study: Path, variable: str
) -> None:
    app = open_page(study, "survival")
    app = checked(app.selectbox(key="variable").set_value(variable).run())

    assert app.warning[0].value.startswith("SPLIT_CONSTANT: ")
    assert not app.get("plotly_chart")


def test_a_copied_link_gives_the_same_view(open_page: Callable[..., AppTest], study: Path) -> None:
    first = open_page(study, "survival")
    first = checked(first.selectbox(key="variable").set_value("age").run())
    app = AppTest.from_file(APP, default_timeout=_TIMEOUT)
    app.query_params.update({"snapshot": first.session_state["chosen_snapshot"][:12], "variable": "Age (year)"})
    app = checked(app.run().switch_page("survival/page.py").run())

    assert "Age, median split" in texts(app)
    assert app.selectbox(key="variable").value == "age"
    assert figure_traces(app, "kaplan_meier") == figure_traces(first, "kaplan_meier")


def test_a_link_to_a_snapshot_that_is_gone_says_so(open_page: Callable[..., AppTest], study: Path) -> None:
    app = open_page(study, snapshot="0123456789ab")

    assert app.error[0].value.startswith("SNAPSHOT_UNKNOWN: ")


def test_components_of_each_feature_set_with_colours(open_page: Callable[..., AppTest], study: Path) -> None:
    app = open_page(study, "pca")
    before = figure_traces(app, "scores")
    app = checked(app.selectbox(key="pca_feature_set").set_value("pet_original").run())
    app = checked(app.selectbox(key="colour").set_value("grade").run())
    app = checked(app.selectbox(key="pc_loadings").set_value(2).run())

    assert not app.warning
    assert figure_traces(app, "scores") != before
    assert len(app.dataframe[0].value) == 11
    assert "41 patients, 11 features" in texts(app)


def test_one_patient_is_shown_or_refused_in_sentences(open_page: Callable[..., AppTest], new_study: NewStudy) -> None:
    folder, publish_patients = new_study
    publish_patients(1)
    first = open_page(folder)

    assert first.metric[0].value == "1"
    for page, app in some(through(first)):
        assert not app.error, page
        assert bool(app.warning) == (page in REFUSED_TO_ONE), page


def test_a_snapshot_published_meanwhile_changes_nothing_until_it_is_opened(
    open_page: Callable[..., AppTest], new_study: NewStudy
) -> None:
    folder, publish_patients = new_study
    first = publish_patients(20)
    app = open_page(folder, "survival")
    before = figure_traces(app, "kaplan_meier")
    second = publish_patients(30)
    app = checked(app.run())

    assert app.session_state["chosen_snapshot"] == first.snapshot_id
    assert figure_traces(app, "kaplan_meier") == before
    assert f"Another snapshot is current: `{second.snapshot_id[:12]}`" in texts(app)

    (newest,) = (button for button in app.button if button.label == "Open the current snapshot")
    app = checked(newest.click().run())
    assert app.session_state["chosen_snapshot"] == second.snapshot_id
    assert figure_traces(app, "kaplan_meier") != before


def test_a_snapshot_can_be_chosen_and_one_that_was_deleted_gives_way_to_the_current(
    open_page: Callable[..., AppTest], new_study: NewStudy
) -> None:
    folder, publish_patients = new_study
    first, second = publish_patients(20), publish_patients(30)
    app = open_page(folder)
    app = checked(app.selectbox(key="chosen_snapshot").set_value(first.snapshot_id).run())
    assert app.metric[0].value == "20"

    first.path.unlink()
    app = checked(app.run())
    assert app.session_state["chosen_snapshot"] == second.snapshot_id
    assert app.metric[0].value == "30"


def test_the_conformance_page_shows_every_line_and_the_score_of_each_exam(
    open_page: Callable[..., AppTest], study: Path
) -> None:
    app = open_page(study, "conformance")
    (lines,) = (element.value for element in app.dataframe)

    assert list(lines["Case"]) == ["DRO_0_0", "DRO_1_0"]
    assert list(lines["Verdict"]) == ["pass", "fail"]
    assert "1 of 2 pass**, 1 fail" in texts(app)
    assert [element.value for element in app.info] == ["Not run. The data are not there."]
    assert app.session_state["chosen_snapshot"][:12] in texts(app)


def test_the_conformance_page_says_what_to_do_without_an_exam(
    open_page: Callable[..., AppTest], new_study: NewStudy
) -> None:
    folder, publish_patients = new_study
    publish_patients(1)
    lake = Lake(folder / "lake")
    lake.remove("conformance", None)
    publish(lake, SnapshotSettings('{"study": "No exam"}', {}, ("largest",), None))

    assert "petlake materialize" in texts(open_page(folder, "conformance"))
