"""The page Snapshots: the list, what changed between two, the tests run."""

from __future__ import annotations

from tests.dashboard.test_pages import checked, open_page, texts  # noqa: F401 (a fixture)


def test_the_page_lists_snapshots_compares_two_and_shows_the_tests(open_page, new_study):  # noqa: F811
    folder, publish_patients = new_study
    first = publish_patients(20).snapshot_id
    app = open_page(folder, "snapshots")
    assert "This is the only snapshot so far" in texts(app)
    assert "0 tests run on this snapshot so far" in texts(app)

    second = publish_patients(21).snapshot_id
    checked(open_page(folder, "survival"))
    app = open_page(folder, "snapshots")
    listed = app.dataframe[0].value
    assert list(listed["Full id"]) == [second, first]
    assert list(listed["Which"]) == ["current and shown here", ""]
    assert (app.selectbox(key="diff_from").value, app.selectbox(key="diff_to").value) == (first, second)
    assert "20 patients before, 21 after: 1 came." in texts(app)
    assert "P021" in texts(app)
    tables = next(e.value for e in app.dataframe if "Rows before" in e.value)
    assert tables.set_index("Table").loc["patients", ["Added", "Removed", "Changed"]].tolist() == [1, 0, 0]
    tests = next(e.value for e in app.dataframe if "p, uncorrected" in e.value)
    assert tests["Test"][0] == "log-rank"
    assert tests["Standing"][0] == "primary"

    app = checked(app.selectbox(key="diff_from").set_value(second).run())
    assert "Both are the same snapshot." in texts(app)
