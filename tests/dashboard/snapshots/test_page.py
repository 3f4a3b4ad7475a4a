"""The page Snapshots: the list, what changed between two, the tests run."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import NewStudy
from tests.dashboard.test_pages import checked, open_page, texts  # noqa: F401 (a fixture)
from tests.dashboard.wording import same_wording
from warehouse.people.journal import TestRun, record_test


def test_the_page_lists_snapshots_compares_two_and_shows_the_tests(
    open_page: Callable[..., AppTest],  # noqa: F811
    new_study: NewStudy,
) -> None:
    folder, publish_patients = new_study
    first = publish_patients(2).snapshot_id
    app = open_page(folder, "snapshots")
    same_wording(app, "snapshots", "the page lists snapshots compares two and shows the tests")

    second = publish_patients(3).snapshot_id
    record_test(folder / "lake", second, TestRun("OS", "log-rank", "age: <= 60 | > 60", 3, 2, 1, 0.031, True))
    app = open_page(folder, "snapshots")
    listed = app.dataframe[0].value
    assert list(listed["Full id"]) == [second, first]
    assert list(listed["Which"]) == ["current and shown here", ""]
    assert (app.selectbox(key="diff_from").value, app.selectbox(key="diff_to").value) == (first, second)
    same_wording(app, "snapshots", "the page lists snapshots compares two and shows the tests (2)")
    assert "P003" in texts(app)
    tables = next(e.value for e in app.dataframe if "Rows before" in e.value)
    assert tables.set_index("Table").loc["patients", ["Added", "Removed", "Changed"]].tolist() == [1, 0, 0]
    tests = next(e.value for e in app.dataframe if "p, uncorrected" in e.value)
    assert list(tests["Test"]) == ["log-rank"]
    assert list(tests["p, uncorrected"]) == ["0.031"]
    assert list(tests["Standing"]) == ["primary"]

    app = checked(app.selectbox(key="diff_from").set_value(second).run())
    same_wording(app, "snapshots", "the page lists snapshots compares two and shows the tests (3)")
