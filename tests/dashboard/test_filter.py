"""The cohort filter: all pages are about the patients it leaves, say so, and keep it in the URL."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from dashboard import data
from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from orchestration.commands.km import km
from orchestration.commands.sensitivity import sensitivity
from tests.dashboard.conftest import PROTOCOL, row, write_study
from tests.dashboard.wording import same_wording
from tests.some import some
from warehouse.people.journal import ledger_of
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import current_id
from warehouse.snapshots.publish import SnapshotSettings, publish
from warehouse.storage.lake import Lake

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)

    def open_page(study: Path, page: str, *conditions: str) -> AppTest:
        monkeypatch.setenv(STUDY_VARIABLE, str(study))
        app = AppTest.from_file(APP, default_timeout=60)
        app.query_params["where"] = list(conditions)
        return checked(app.run().switch_page(f"{page}/page.py").run())

    return open_page


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [element.message for element in app.exception]
    return app


def texts(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.warning, app.error)
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def where(app: AppTest) -> list[str]:
    """Return the conditions in the URL."""
    found = app.query_params.get("where", [])
    return [found] if isinstance(found, str) else list(found)


def source_of(study: Path, *conditions: str) -> data.Source:
    return data.Source(str(study / "lake"), current_id(study / "lake"), conditions)


def test_a_link_with_conditions_reproduces_the_view_and_the_numbers_of_the_command(
    opened: Callable[..., AppTest], study: Path
) -> None:
    app = opened(study, "survival", "grade=G3|G2", "age>=60.0")
    n = len(data.selected_patients(source_of(study, "age>=60", "grade=G2|G3")))
    assert 10 < n < 40
    assert f"**{n} of 44 patients**: Age ≥ 60 years, Grade G2 or G3" in texts(app)
    assert where(app) == ["age>=60", "grade=G2|G3"]
    assert "Exploratory" in texts(app)
    assert "Primary hypothesis" not in texts(app)

    command = ["--by", "tumour_volume_ml", "--where", "grade=G2|G3", "--where", "age >= 60", "--json"]
    done = CliRunner().invoke(km, [*command, "--study", str(study)], catch_exceptions=False)
    said = json.loads(done.output)
    groups = app.dataframe[0].value
    assert list(groups["n"]) == [curve["n"] for curve in said["curves"]]
    assert list(groups["Events"]) == [curve["n_events"] for curve in said["curves"]]
    assert said["cohort"]["n_selected"] == n
    assert said["declared"] == "exploratory"

    subjects = {entry.run.subject for entry in ledger_of(study / "lake", current_id(study / "lake")).entries}
    assert any(subject.endswith(", where age>=60 and grade=G2|G3") for subject in subjects)


def test_conditions_are_added_and_removed_and_the_url_follows(opened: Callable[..., AppTest], study: Path) -> None:
    app = opened(study, "pca")
    assert "**All 44 patients**" in texts(app)
    assert where(app) == []

    app.selectbox(key="filter_group").set_value("Clinical").run()
    app.selectbox(key="filter_column_Clinical").set_value("grade").run()
    app = checked(app.multiselect(key="filter_values_grade").set_value(["G1"]).run())
    n = len(data.selected_patients(source_of(study, "grade=G1")))
    assert f"That leaves {n} of 44 patients." in texts(app)
    app = checked(app.button(key="filter_apply").click().run())
    assert f"**{n} of 44 patients**: Grade G1" in texts(app)
    assert where(app) == ["grade=G1"]
    patients = next(text.value for text in app.subheader if "features of" in text.value)
    assert int(patients.split()[0]) <= n

    # Back and forward in the browser, and a link to another page, which has no parameters.
    app.query_params["where"] = ["grade=G2"]
    app = checked(app.run())
    assert ": Grade G2" in texts(app)
    app.query_params["where"] = ["grade=G1"]
    app = checked(app.run())
    del app.query_params["where"], app.query_params["snapshot"]
    app = checked(app.run())
    assert where(app) == ["grade=G1"]

    app = checked(app.button(key="filter_remove_grade=G1").click().run())
    assert "**All 44 patients**" in texts(app)
    assert where(app) == []


def test_conditions_that_cannot_be_applied_are_refused_in_sentences_with_buttons(
    opened: Callable[..., AppTest], study: Path
) -> None:
    app = opened(study, "survival", "agge>=60", "grade=G9", "age>=60")
    assert [error.value.partition(":")[0] for error in app.error] == ["COLUMN_UNKNOWN", "CONDITION_VALUE_UNKNOWN"]
    assert "Nearest: age." in app.error[0].value
    assert not app.get("plotly_chart")

    app = checked(app.button(key="remove_refused_agge>=60").click().run())
    app = checked(app.button(key="remove_refused_grade=G9").click().run())
    assert not app.error
    assert app.get("plotly_chart")
    assert where(app) == ["age>=60"]


def test_nobody_left_says_which_condition_leaves_whom_and_what_to_do(
    opened: Callable[..., AppTest], study: Path
) -> None:
    app = opened(study, "survival", "age>=60", "age<=50")
    same_wording(app, "filter", "nobody left says which condition leaves whom and what to do")
    assert not app.get("plotly_chart")
    assert "whole snapshot" in texts(checked(app.switch_page("conformance/page.py").run()))

    app = checked(app.switch_page("survival/page.py").run())
    app = checked(app.button(key="remove_all_empty").click().run())
    assert "**All 44 patients**" in texts(app)


def test_patients_without_the_endpoint_alone_are_refused_in_a_sentence(
    opened: Callable[..., AppTest], study: Path
) -> None:
    app = opened(study, "survival", "refusal_code=ENDPOINT_ORIGIN_MISSING")
    assert "**1 of 44 patients**" in texts(app)
    same_wording(app, "filter", "patients without the endpoint alone are refused in a sentence")
    assert [error.value.partition(":")[0] for error in app.error] == ["ENDPOINT_NOT_SELECTED"]


@pytest.fixture
def two_protocols(tmp_path: Path) -> Path:
    """Return a study whose volumes under a second protocol are ten times as large."""
    write_study(tmp_path, n_patients=30)
    lake = Lake(tmp_path / "lake")
    settings = SnapshotSettings('{"primary_hypotheses": [["OS", "tumour_volume_ml"]]}', {}, ("largest",), PROTOCOL)
    names = ((PROTOCOL, "contours"), ("wide-9", "wide"))
    lake.write("protocols", None, [row("protocols", protocol_id=i, name=name) for i, name in names])
    with open_snapshot(lake.root, publish(lake, settings).snapshot_id) as snapshot:
        measured = snapshot.frame("SELECT * FROM pet_metrics").astype(object)
        rows = measured.where(measured.notna(), None).to_dict("records")
    for patient in {values["patient_id"] for values in rows}:
        mine = [values for values in rows if values["patient_id"] == patient]
        wide = [{**v, "protocol_id": "wide-9", "volume_ml": 10 * v["volume_ml"]} for v in mine]
        lake.write("pet_metrics", patient, [row("pet_metrics", **values) for values in (*mine, *wide)])
    publish(lake, settings)
    return tmp_path


def test_another_protocol_changes_the_measurements_of_all_pages(
    opened: Callable[..., AppTest], two_protocols: Path
) -> None:
    app = opened(two_protocols, "survival")
    assert "Primary hypothesis" in texts(app)
    app = checked(app.selectbox(key="filter_protocol").set_value("wide-9").run())
    assert where(app) == ["protocol_id=wide"]
    assert "**30 of 30 patients**: lesions by wide" in texts(app)
    same_wording(app, "filter", "another protocol changes the measurements of all pages")
    assert "Exploratory" in texts(app)
    contours, wide = (
        data.values(source_of(two_protocols, *chosen), ("tumour_volume_ml", "age")).to_frame()
        for chosen in ((), ("protocol_id=wide",))
    )
    assert wide["age"].equals(contours["age"])
    assert (wide["tumour_volume_ml"].dropna() == 10 * contours["tumour_volume_ml"].dropna()).all()
    table = data.cohort_table(source_of(two_protocols, "protocol_id=wide", "tumour_volume_ml>=100"))
    assert len(table) > 5
    assert (table["tumour_volume_ml"] >= 100).all()
    assert (table["tumour_volume_ml"] == wide["tumour_volume_ml"][table["patient_id"]].to_numpy()).all()

    command = ["--study", str(two_protocols), "--where", "age>=60", "--json"]
    said = json.loads(CliRunner().invoke(sensitivity, command, catch_exceptions=False).output)
    assert said["cohort"]["n_selected"] == said["n"] == len(contours[contours["age"] >= 60])
    assert all(row["n"] <= said["n"] for row in some(said["hazards"]["rows"]))

    app = checked(app.selectbox(key="filter_protocol").set_value(PROTOCOL).run())
    assert where(app) == []


def test_pages_begin_with_the_features_that_were_chosen_on_another(opened: Callable[..., AppTest], study: Path) -> None:
    app = opened(study, "features")
    app = checked(app.selectbox(key="scan_aggregation").set_value("volume_weighted_mean").run())
    app = checked(app.switch_page("pca/page.py").run())
    assert app.selectbox(key="pca_aggregation").value == "volume_weighted_mean"
    assert app.query_params["pca_aggregation"] in ("volume weighted mean", ["volume weighted mean"])
    same_wording(app, "filter", "pages begin with the features that were chosen on another")
