"""The page SQL: examples, refusals as sentences, the chart, the files, the link, and what is entered into the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data import Source
from dashboard.sql import analysis
from tests.dashboard.conftest import NewStudy
from tests.dashboard.test_pages import checked, figure_traces, open_page, texts  # noqa: F401 (a fixture)
from tests.dashboard.wording import same_wording
from tests.some import some
from warehouse.people.audit import Action, read_audit
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import current_id


def test_every_example_runs_on_any_snapshot(study: Path, empty_study: Path) -> None:
    for folder in (study, empty_study):
        with open_snapshot(folder / "lake") as opened:
            for example in some(analysis.EXAMPLES):
                assert opened.sql(example.query).columns, example.title


def test_a_query_its_answer_its_chart_and_its_link(open_page: Callable[..., AppTest], new_study: NewStudy) -> None:  # noqa: F811
    folder, publish_patients = new_study
    publish_patients(3)
    app = open_page(folder, "sql")
    same_wording(app, "sql", "a query its answer its chart and its link")
    columns = app.dataframe[0].value
    assert columns.set_index("Column").loc["tumour_volume_ml"].tolist() == ["number, ml", "Tumour volume"]

    query = "SELECT patient_id, tumour_volume_ml, suv_max FROM cohort ORDER BY 1"
    app.text_area(key="sql_query").set_value(query)
    app = checked(app.button(key="FormSubmitter:sql_editor-Run").click().run())
    answer = app.dataframe[1].value
    assert list(answer["patient_id"]) == [f"P00{number}" for number in range(1, 4)]
    assert "3 rows" in texts(app)
    assert app.query_params["query"] in (query, [query])
    app = checked(app.selectbox(key="sql_x_False").set_value("suv_max").run())
    assert "tumour_volume_ml" in figure_traces(app, "sql_figure")
    assert len(app.get("download_button")) == 2

    refused = "DROP TABLE cohort"
    app.text_area(key="sql_query").set_value(refused)
    app = checked(app.button(key="FormSubmitter:sql_editor-Run").click().run())
    assert app.error[0].value.startswith("SQL_NOT_READ_ONLY: ")

    app = open_page(folder, "sql", query="SELECT 41 + 1 AS answer")
    assert list(app.dataframe[1].value["answer"]) == [42]

    # Each once, though the page was drawn more often.
    queries = [entry.detail for entry in read_audit(folder / "lake") if entry.action is Action.QUERY]
    assert queries == [query, refused, "SELECT 41 + 1 AS answer"]
    assert {entry.who for entry in read_audit(folder / "lake")} == {"local"}


def test_a_long_query_is_not_part_of_the_link(open_page: Callable[..., AppTest], study: Path) -> None:  # noqa: F811
    app = open_page(study, "sql")
    app.text_area(key="sql_query").set_value(f"SELECT 1 AS one --{'x' * 2000}")
    app = checked(app.button(key="FormSubmitter:sql_editor-Run").click().run())
    assert "query" not in app.query_params
    same_wording(app, "sql", "a long query is not part of the link")


@pytest.mark.parametrize("query", ["SELECT 1 AS n, 2 AS n, [1] AS l, {'a': 1} AS s, 1::DECIMAL AS d, uuid() AS u"])
def test_an_answer_of_any_type_is_shown(study: Path, query: str) -> None:
    source = Source(str(study / "lake"), current_id(study / "lake"))
    assert list(analysis.frame(source, query).columns) == ["n", "n_2", "l", "s", "d", "u"]
