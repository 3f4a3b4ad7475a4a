"""Who may see what: at this machine, with a login, and from elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboard.access.visitor import Visitor, visitor
from dashboard.data import STUDY_VARIABLE
from tests.dashboard.test_pages import _TIMEOUT, APP, checked, texts
from tests.dashboard.wording import same_wording
from tests.some import some
from warehouse.people.access import Role
from warehouse.people.audit import Action, read_audit

ANALYST = {"is_logged_in": True, "email": "anna@hospital.example", "email_verified": True}
VIEWER = {"is_logged_in": True, "email": "bo@hospital.example", "email_verified": True}
STRANGER = {"is_logged_in": True, "email": "eve@evil.example", "email_verified": True}
PATIENTS = ("P041", "P044", "P001")
RULES = 'analyst: {emails: [anna@hospital.example]}\nviewer: {emails: ["*@hospital.example"]}\n'


@pytest.fixture
def guarded(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(study, tmp_path / "guarded", ignore=shutil.ignore_patterns("journal")))
    (folder / "access.yaml").write_text(RULES)
    monkeypatch.setenv(STUDY_VARIABLE, str(folder))
    return folder


def visited(user: dict[str, object], page: str | None = None, secrets: dict[str, object] | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=_TIMEOUT)
    app.user = user
    app.secrets = secrets or {}
    app.run()
    return checked(app.switch_page(f"{page}/page.py").run() if page else app)


def everything(app: AppTest) -> str:
    tables = "\n".join(element.value.to_csv() for element in app.dataframe)
    figures = "\n".join(str(element.proto) for element in app.get("plotly_chart"))
    return f"{texts(app)}\n{tables}\n{figures}"


def test_an_analyst_sees_patients_and_a_viewer_groups(guarded: Path) -> None:
    seen = everything(visited(ANALYST))
    assert all(patient in seen for patient in PATIENTS)
    assert "anna@hospital.example, analyst" in seen

    app = visited(VIEWER)
    seen = everything(app)
    assert not any(patient in seen for patient in PATIENTS)
    assert "PET_SERIES_MISSING" in seen
    assert "44" in [metric.value for metric in app.metric]
    seen = everything(visited(VIEWER, "snapshots"))
    assert not any(patient in seen for patient in PATIENTS)

    seen = everything(visited(VIEWER, "pca"))
    assert "Scores" in seen
    assert not any(patient in seen for patient in PATIENTS)

    app = visited(VIEWER, "sql")
    same_wording(app, "access", "an analyst sees patients and a viewer groups")
    assert not app.text_area
    log = read_audit(guarded / "lake")
    assert [(entry.who, entry.role, entry.action, entry.page) for entry in log] == [
        ("anna@hospital.example", "analyst", Action.VIEW, "Study"),
        ("bo@hospital.example", "viewer", Action.VIEW, "Study"),
        ("bo@hospital.example", "viewer", Action.VIEW, "Study"),
        ("bo@hospital.example", "viewer", Action.VIEW, "Snapshots"),
        ("bo@hospital.example", "viewer", Action.VIEW, "Study"),
        ("bo@hospital.example", "viewer", Action.VIEW, "Principal components"),
        ("bo@hospital.example", "viewer", Action.VIEW, "Study"),
        ("bo@hospital.example", "viewer", Action.REFUSED, "SQL"),
    ]
    assert not any(patient in entry.detail for entry in some(log) for patient in PATIENTS)


def test_nobody_comes_in_without_a_login_or_a_role(guarded: Path) -> None:
    provider = {"client_id": "x", "client_secret": "x", "server_metadata_url": "https://login.example/x"}
    app = visited({"is_logged_in": False}, secrets={"auth": {"redirect_uri": "x", **provider}})
    assert [button.label for button in app.button] == ["Log in"]
    assert not app.dataframe
    app = visited({"is_logged_in": False}, secrets={"auth": {"redirect_uri": "x", "hospital": provider}})
    assert [button.label for button in app.button] == ["Log in with Hospital"]
    app = visited(STRANGER)
    same_wording(app, "access", "nobody comes in without a login or a role")
    assert not app.dataframe
    (entry,) = read_audit(guarded / "lake")
    assert (entry.who, entry.role, entry.action) == ("eve@evil.example", "none", Action.REFUSED)
    (guarded / "access.yaml").unlink()
    assert visited(ANALYST).error[0].value.startswith("ACCESS_MISSING: ")


def test_with_a_login_nobody_looks_without_being_entered(guarded: Path) -> None:
    shutil.rmtree(guarded / "lake" / "journal", ignore_errors=True)
    (guarded / "lake" / "journal").write_text("a file where the folder belongs")
    app = visited(ANALYST)
    assert "JOURNAL_NOT_WRITABLE" in texts(app)
    assert not app.dataframe


@pytest.mark.parametrize(
    ("address", "role"),
    [
        *((address, Role.ANALYST) for address in (None, "127.0.0.1", "::1", "localhost")),
        *((address, Role.VIEWER) for address in ("0.0.0.0", "::", "10.0.0.5", "petlake.example")),
    ],
)
def test_without_a_login_only_this_machine_is_an_analyst(address: str | None, role: str | None) -> None:
    before = config.get_option("server.address")
    config.set_option("server.address", address)
    try:
        assert visitor() == Visitor("local" if role is Role.ANALYST else "anyone", role)
    finally:
        config.set_option("server.address", before)
