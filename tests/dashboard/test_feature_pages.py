"""Features, Principal components and Protocols: the numbers of the commands, and nothing tested in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from dashboard.features import choices, panels
from dashboard.pca import analysis
from orchestration.commands.pca import pca
from orchestration.commands.screen import screen
from orchestration.commands.sensitivity import sensitivity
from petct.errors import SurvivalError
from tests.dashboard.conftest import FEATURES, PROTOCOL, SETTINGS, NewStudy, row, write_study
from tests.dashboard.opened import charts, checked, page_of, texts
from tests.dashboard.wording import same_wording
from tests.some import some
from warehouse.people.journal import ledger_of
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import current_id
from warehouse.snapshots.publish import SnapshotSettings, publish
from warehouse.storage.lake import Lake

PAGES = ("features", "pca", "protocols")
WIDE = "wide-9"
WIDE_SETTINGS = json.dumps(
    {
        "connectivity": 26,
        "minimum_volume_ml": 0.5,
        "search": "image",
        "threshold": {"fixed": {"suv": 4.0}},
        "within_organs": {},
        "exclude": ["spleen"],
        "exclusion_margin_mm": 8.0,
        "fill_holes": False,
    }
)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)

    def open_page(study: Path, page: str, **parameters: str | list[str]) -> AppTest:
        monkeypatch.setenv(STUDY_VARIABLE, str(study))
        return page_of(page, **parameters)

    return open_page


def told(command: click.Command, study: Path, *arguments: str) -> dict:
    done = CliRunner().invoke(command, [*arguments, "--json", "--study", str(study)], catch_exceptions=False)
    return json.loads(done.stdout)


def entries(study: Path) -> dict[str, int]:
    return {
        entry.run.subject: entry.run.n_tests for entry in ledger_of(study / "lake", current_id(study / "lake")).entries
    }


@pytest.fixture(scope="module")
def rich_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study with a second protocol, its account, and the robustness of the PET features."""
    folder = tmp_path_factory.mktemp("rich")
    write_study(folder, n_patients=30)
    lake = Lake(folder / "lake")
    names = ((PROTOCOL, "contours", SETTINGS), (WIDE, "wide", WIDE_SETTINGS))
    lake.write(
        "protocols", None, [row("protocols", protocol_id=i, name=name, settings_json=text) for i, name, text in names]
    )
    # The first feature is not robust, the last has no ICC.
    lake.write(
        "robustness",
        None,
        [
            row(
                "robustness",
                feature_set_id="pet_original-1",
                feature_name=name,
                source="perturbation",
                filter_icc="1,1",
                icc_1_1=0.95,
                icc_1_1_lower=0.3 if number == 0 else 0.9,
            )
            for number, name in enumerate(FEATURES[:-1])
        ],
    )
    settings = SnapshotSettings("{}", {}, ("largest",), PROTOCOL, with_reliability=True)
    with open_snapshot(lake.root, publish(lake, settings).snapshot_id) as snapshot:
        measured = snapshot.frame("SELECT * FROM pet_metrics").astype(object)
        rows = measured.where(measured.notna(), None).to_dict("records")
        lesions = snapshot.frame("SELECT * FROM lesions WHERE modality = 'PT'").astype(object)
        of_lesions = lesions.where(lesions.notna(), None).to_dict("records")
        both = snapshot.frame("SELECT * FROM lesions").astype(object)
        all_lesions = both.where(both.notna(), None).to_dict("records")
    for patient in {values["patient_id"] for values in rows}:
        mine = [values for values in rows if values["patient_id"] == patient]
        wide = [{**v, "protocol_id": WIDE, "volume_ml": 2 * v["volume_ml"]} for v in mine]
        lake.write("pet_metrics", patient, [row("pet_metrics", **values) for values in (*mine, *wide)])
        own = [{**v, "protocol_id": WIDE} for v in of_lesions if v["patient_id"] == patient]
        old = [v for v in all_lesions if v["patient_id"] == patient]
        lake.write("lesions", patient, [row("lesions", **values) for values in (*old, *own)])
        kept = sum(v["volume_ml"] for v in own)
        fates = (("KEPT", "", kept), ("PHYSIOLOGICAL", "spleen", 7.0), ("TOO_SMALL", "", 0.1), ("HOLE", "", 0.0))
        where = {"patient_id": patient, "scan_id": "S1", "protocol_id": WIDE}
        account = [
            row("exclusions", **where, reason=reason, organ=o, n_voxels=9, volume_ml=ml) for reason, o, ml in fates
        ]
        lake.write("exclusions", patient, account)
    publish(lake, settings)
    (folder / "study.yaml").touch()
    return folder


def test_a_scan_on_the_page_is_that_of_the_command_and_counted_once(
    opened: Callable[..., AppTest], rich_study: Path
) -> None:
    app = opened(rich_study, "features", scan_feature_set="pet_original")
    said = told(screen, rich_study, "--feature-set", "pet_original__largest", "--endpoint", "OS")
    table = app.dataframe[0].value
    rows = said["rows"]
    assert list(table["Feature"]) == [each["name"].partition(":")[2] for each in rows]
    assert list(table["q"]) == [each["q"] for each in rows]
    assert list(table["HR per SD"]) == [each["hazard_ratio"]["value"] for each in rows]
    assert list(table["Uncorrected p"]) == [each["p"] for each in rows]
    # Corrected values stand before the others.
    assert list(table.columns).index("q") < list(table.columns).index("Uncorrected p")
    assert entries(rich_study)["pet_original__largest"] == len(FEATURES)
    assert f"{said['ledger']}" in texts(checked(app.run()))
    same_wording(app, "features", "a scan on the page is that of the command and counted once")
    assert set(charts(app)) == {"volcano", "confounding", "feature_correlations"}
    # Nothing is split that was not chosen.
    assert not any("median split" in subject for subject in some(entries(rich_study)))


def test_filters_hide_features_and_change_no_correction(opened: Callable[..., AppTest], rich_study: Path) -> None:
    app = opened(rich_study, "features", scan_feature_set="pet_original")
    before = app.dataframe[0].value.set_index("Feature")["q"]
    app = checked(app.slider(key="least_icc").set_value(0.5).run())
    after = app.dataframe[0].value.set_index("Feature")["q"]
    assert set(before.index) - set(after.index) == {FEATURES[0], FEATURES[-1]}
    assert (after == before[after.index]).all()
    assert f"{len(FEATURES) - 2} of {len(FEATURES)} features shown" in texts(app)

    app = checked(app.slider(key="most_rho").set_value(0.0).run())
    same_wording(app, "features", "filters hide features and change no correction")
    assert not app.get("plotly_chart")


def test_a_chosen_feature_shows_its_patients_and_is_another_test(
    opened: Callable[..., AppTest], rich_study: Path
) -> None:
    name = f"pet_original__largest:{FEATURES[4]}"
    app = opened(rich_study, "features", scan_feature_set="pet_original", feature=FEATURES[4])
    assert app.selectbox(key=choices.FEATURE_KEY).value == name
    assert set(charts(app)) >= {"feature_survival", "feature_distribution", "feature_against_volume"}
    assert "Exploratory" in texts(app)
    assert f"chosen after looking at {len(FEATURES)} features" in texts(app)
    assert any(subject.startswith(f"{name}: median split") for subject in entries(rich_study))

    app = checked(app.multiselect(key="scan_adjusted_for").set_value(["tumour_volume_ml"]).run())
    assert "Adjusted q" in app.dataframe[0].value
    assert entries(rich_study)["pet_original__largest: adjusted for tumour_volume_ml"] > 1


def test_a_click_names_its_feature_however_plotly_says_it() -> None:
    assert panels.panels.text_of(["a:b"]) == panels.panels.text_of("a:b") == "a:b"


def test_components_are_those_of_the_command_and_a_selection_splits_survival(
    opened: Callable[..., AppTest], rich_study: Path
) -> None:
    said = told(pca, rich_study, "--feature-set", "pet_original__largest")
    ids = said["row_ids"]
    picked = sorted(ids)[:12]
    app = opened(rich_study, "pca", pca_feature_set="pet_original")
    assert "picked_survival" not in charts(app)
    loadings = app.dataframe[0].value.set_index("Feature")["Loading"]
    assert list(loadings[list(FEATURES)]) == [
        dict(zip(said["features"], said["components"][0]["loadings"], strict=True))[f"pet_original__largest:{name}"]
        for name in FEATURES
    ]

    app = checked(app.multiselect(key="picked").set_value(picked).run())
    assert "picked_survival" in charts(app)
    assert f"12 selected patients against {len(ids) - 12} others" in texts(app)
    assert "Exploratory" in texts(app)
    links = app.dataframe[0].value["Patient"]
    assert links[0].startswith(f"patient?patient={picked[0]}&snapshot=")
    subjects = [subject for subject in entries(rich_study) if "groups made by looking at PC1 and PC2" in subject]
    assert len({subject.rpartition(" ")[2] for subject in subjects}) == 1
    assert not any(patient in subject for subject in some(subjects) for patient in some(ids))

    link = opened(rich_study, "pca", pca_feature_set="pet_original", picked=picked[:3])
    assert link.multiselect(key="picked").value == picked[:3]
    same_wording(link, "features", "components are those of the command and a selection splits survival")


def test_another_selection_is_another_test() -> None:
    family = analysis.FeatureFamily("a__largest", "a", "a-1", None, "largest")
    one, same, other = (analysis.what_was_picked(family, (1, 2), p) for p in (("P1", "P2"), ("P2", "P1"), ("P1",)))
    assert one == same != other


def test_protocols_stand_side_by_side_with_the_numbers_of_the_command(
    opened: Callable[..., AppTest], rich_study: Path
) -> None:
    app = opened(rich_study, "protocols")
    said = told(sensitivity, rich_study, "--endpoint", "OS")
    assert set(charts(app)) == {"protocol_volumes", "bland_altman", "protocol_hazards", "exclusion_account"}
    text = texts(app)
    same_wording(app, "features", "protocols stand side by side with the numbers of the command")
    volumes, pairs, hazards, account = (element.value for element in app.dataframe[:4])
    assert list(volumes["n"]) == [each["n"] for each in said["protocols"]]
    assert list(volumes["Without tumour"]) == [each["n_without_tumour"] for each in said["protocols"]]
    assert pairs["Spearman (95 % CI)"][0].startswith(f"{said['pairs'][0]['spearman']:.2f} (")
    assert float(pairs["Mean ratio"][0]) == pytest.approx(2.0)
    ratios = [f"{each['hazard_ratio']:.2f}" for each in said["hazards"]["rows"]]
    assert [value.partition(" ")[0] for value in hazards["Hazard ratio (95 % CI)"]] == ratios
    assert list(account["Adds up"]) == ["yes"]
    assert said["ledger"] in text
    subjects = set(entries(rich_study))
    for protocol in (PROTOCOL, WIDE):
        assert f"{', '.join(sorted((protocol, 'tumour_volume_ml')))}: per_doubling" in subjects

    app = checked(app.selectbox(key="protocol_organ").set_value("liver").run())
    assert any("per_doubling, liver" in subject for subject in entries(rich_study))


def test_one_protocol_says_how_to_declare_more(opened: Callable[..., AppTest], study: Path) -> None:
    app = opened(study, "protocols")
    same_wording(app, "features", "one protocol says how to declare more")
    assert "protocols: [contours, percent_41, suv_4]" in texts(app)
    assert not app.get("plotly_chart")


def test_pages_say_what_to_do_without_patients_and_refuse_one_in_a_sentence(
    opened: Callable[..., AppTest], new_study: NewStudy
) -> None:
    folder, publish_patients = new_study
    publish_patients(0)
    for page in PAGES:
        app = opened(folder, page)
        assert "petlake snapshot publish" in texts(app), page
        assert not app.get("plotly_chart"), page
    publish_patients(1)
    for page in PAGES:
        app = opened(folder, page)
        assert not app.error, page
        assert app.warning or page == "protocols"


def test_a_misspelt_family_names_the_nearest(rich_study: Path) -> None:
    with pytest.raises(SurvivalError, match=r"FEATURES_UNKNOWN.*Nearest: pet_original__largest\."):
        told(screen, rich_study, "--feature-set", "pet_orginal__largest")
