"""Parametric models on the page Cox, and the comparison with lifelines on both pages: computed when asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from tests.dashboard.opened import charts, checked, page_of, texts
from tests.some import some


@pytest.fixture
def opened(study: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)
    monkeypatch.setenv(STUDY_VARIABLE, str(study))
    return page_of


def pressed(app: AppTest, key: str) -> AppTest:
    return checked(app.button(key=f"ask_{key}").click().run())


def test_parametric_models_are_fitted_when_they_are_asked_for(opened: Callable[..., AppTest]) -> None:
    app = opened("cox", covariates=["Age (year)"], cox_view="Parametric models")
    assert set(charts(app)) == {"forest"}
    app = pressed(app, "aft")
    ratios, fits = (element.value for element in app.dataframe[:2])
    assert sorted(ratios["Distribution"]) == ["Weibull", "log-logistic", "log-normal"]
    assert set(ratios["Covariate"]) == {"Age"}
    assert list(fits["Distribution"]) == list(ratios["Distribution"])
    assert fits["AIC difference"].tolist()[0] == "0.0"
    assert all(f"{name} (AIC +" in charts(app)["hazard_check"] for name in some(fits["Distribution"]))
    assert "Each p-value holds only where its distribution does" in texts(app)
    # The link computes them again.
    assert "aft" in app.query_params


@pytest.mark.parametrize(
    ("page", "parameters"),
    [("cox", {"covariates": ["Age (year)"], "cox_view": "Diagnostics"}), ("survival", {"survival_view": "Tests"})],
)
def test_lifelines_numbers_stand_beside_ours(
    opened: Callable[..., AppTest], page: str, parameters: dict[str, str | list[str]]
) -> None:
    app = opened(page, **parameters)
    assert "lifelines 0." not in texts(app)
    app = pressed(app, "lifelines")
    table = next(element.value for element in app.dataframe if "lifelines" in element.value.columns)
    assert list(table.columns) == ["Quantity", "Of", "petlake", "lifelines", "Difference", "Reason"]
    assert (table["Difference"] == "agrees").sum() >= 5
    assert "No known reason" not in texts(app)
    assert "numbers agree" in texts(app)
    assert "Not compared:" in texts(app)
