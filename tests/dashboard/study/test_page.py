"""The page Study: who is there, who was lost and why, Table 1, what is missing and what stands out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from dashboard.data import Source
from dashboard.study import analysis, contents
from tests.dashboard.conftest import publish_study, row, write_study
from tests.dashboard.test_pages import checked, open_page, texts  # noqa: F401 (a fixture)
from tests.dashboard.wording import same_wording
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.storage.lake import Lake


def test_the_page_tells_who_is_lost_where_and_why(open_page: Callable[..., AppTest], study: Path) -> None:  # noqa: F811
    app = open_page(study, "study")
    flow, table_one, reasons, everyone, missing, patients = (element.value for element in app.dataframe[:6])

    assert [metric.value for metric in app.metric] == ["44", "43", "104", "2,288", "30 of 43"]
    assert list(flow["Patients"]) == [44, 43, 42, 42, 41, 41]
    assert list(flow["Lost"]) == [0, 1, 1, 0, 1, 1]
    assert flow["Why"][1] == "1: There is no attenuation-corrected PET series"
    assert flow["Why"][4] == "1: lesions not known"
    assert list(everyone["Patient"]) == ["P041", "P042", "P044"]
    assert everyone["Reason"][0] == "There is no attenuation-corrected PET series. Add it and run again."
    assert set(reasons["Code"]) == {"PET_SERIES_MISSING", "SUV_WEIGHT_MISSING", "ENDPOINT_ORIGIN_MISSING"}
    assert list(missing["Variable"]) == ["age", "centre", "grade"]
    assert len(patients) == 44
    assert "all (n = 44)" in table_one.columns
    assert "Conformance" in texts(app)
    same_wording(app, "study", "the page tells who is lost where and why")
    (chart,) = [element for element in app.get("plotly_chart") if element.proto.id.endswith("-flow")]
    assert "With a PET/CT scan: 43, lost 1: There is no attenuation-corrected PET series." in chart.proto.alt

    app = checked(app.selectbox(key="study_group").set_value("grade").run())
    by_grade = app.dataframe[1].value
    assert [column.partition(" ")[0] for column in by_grade.columns] == [
        "Characteristic",
        "all",
        "G1",
        "G2",
        "G3",
        "SMD",
    ]
    app = checked(app.selectbox(key="study_group").set_value("tumour_volume_ml").run())
    same_wording(app, "study", "the page tells who is lost where and why (2)")
    assert "1 patient without" in texts(app) or "2 patients without" in texts(app)
    app = checked(app.multiselect(key="study_rows").set_value([]).run())
    same_wording(app, "study", "the page tells who is lost where and why (3)")


def test_missing_values_are_those_of_the_snapshot_and_outliers_those_beyond_the_limit(tmp_path: Path) -> None:
    write_study(tmp_path, 11)
    lake = Lake(tmp_path / "lake")
    missing = row("clinical", patient_id="P001", variable="age", kind="number", unit="year", status="MISSING")
    lake.write("clinical", "P001", [missing])
    lake.write("suv", "P002", [row("suv", patient_id="P002", scan_id="S1", suv_max=2e4, injected_dose_bq=1.5e8)])
    source = Source(str(lake.root), publish_study(tmp_path).snapshot_id)

    shown = analysis.missingness(source).set_index("Variable")
    with open_snapshot(lake.root) as opened:
        stored = opened.frame("SELECT * FROM clinical_missingness").set_index("variable")
    for name, column in (("Recorded", "n_recorded"), ("Missing", "n_missing"), ("Refused", "n_refused")):
        assert shown[name].to_dict() == stored[column].to_dict()
    assert shown["Share missing"].to_dict() == stored["share_missing"].to_dict()
    found = analysis.outliers(source)
    assert list(found["Patient"]) == ["P002"]
    assert list(found["Quantity"]) == ["ln_suv_max"]
    assert contents.findings(source)["Code"].tolist() == ["QC_COHORT_OUTLIER"]
