"""The views below the forest: hazard ratios, diagnostics, what is added, subgroups, calibration."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from analyses.numbers import residual_numbers
from analyses.requests.answer import Answer
from analyses.requests.cox import CoxRequest
from analyses.requests.cox_answer import ModelResiduals, residuals
from dashboard import asking, charts, notices, takeaway, wording
from dashboard.access.ledger import Entries
from dashboard.answers import answered, data_of
from dashboard.cox import panels
from dashboard.cox.parametric import parametric_models
from dashboard.data import Source
from dashboard.lifelines_check import offer_check
from figures.calibration import calibration_figure, calibration_in_words
from figures.diagnostics import residual_figure
from figures.forest import forest_figure
from figures.print_diagnostics import residuals_print
from figures.ticks import AxisUnit
from petct.survival.accuracy.discrimination import FEWEST_RESAMPLES
from petct.survival.cox.result import CoxResult
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.subgroups import SubgroupTable

_RESIDUALS = 64
_QUESTIONS = (
    "Scaled Schoenfeld residuals: a flat line supports proportional hazards.",
    "Martingale residuals without the covariate: a straight line supports a linear effect.",
)


@dataclass(frozen=True)
class Views:
    """The tabs; ``open`` of each says whether it is looked at."""

    ratios: TabContainer
    diagnostics: TabContainer
    added: TabContainer
    subgroups: TabContainer
    calibration: TabContainer
    parametric: TabContainer


def tabs() -> Views:
    """Lay out the tabs; the open one lives in the URL."""
    names = ["Hazard ratios", "Diagnostics", "Added value", "Subgroups", "Calibration", "Parametric models"]
    return Views(*st.tabs(names, key="cox_view", bind="query-params"))


@dataclass(frozen=True)
class Asked:
    """What the views are about.

    Parameters
    ----------
    source, request, answer
        The model that is shown above them.
    alone
        Whether univariable models are to be shown, too.
    added, subgroups
        The comparison and the subgroups that were asked for, if any.
    horizon_days, unit
        Horizon of the calibration, and the unit of times on the page.
    """

    source: Source
    request: CoxRequest
    answer: Answer
    alone: bool
    added: CoxRequest | None
    subgroups: CoxRequest | None
    horizon_days: float
    unit: AxisUnit

    @property
    def model(self) -> CoxResult:
        """The model."""
        return self.answer.result_as(CoxResult)


def draw(views: Views, asked: Asked, entries: Entries) -> None:
    """Compute and draw the view that is looked at."""
    for tab, drawn in (
        (views.ratios, _ratios),
        (views.diagnostics, _diagnostics),
        (views.added, _added),
        (views.subgroups, _subgroups),
        (views.calibration, _calibration),
        (views.parametric, _parametric),
    ):
        if tab.open:
            with tab, notices.refusals_as_sentences():
                drawn(asked, entries)


def _ratios(asked: Asked, entries: Entries) -> None:
    if not asked.alone:
        panels.coefficients(asked.model)
        return
    found = answered(asked.source, replace(asked.request, univariable=True))
    entries.add(found)
    result = found.result_as(ForestTable)
    panels.alone_and_together(result)
    takeaway.offer(asked.source, found, key="forest_alone")


def _diagnostics(asked: Asked, entries: Entries) -> None:  # noqa: ARG001 (checks an assumption, tests no hypothesis)
    panels.proportional_hazards(asked.model)
    found = cox_residuals(asked.source, asked.request)
    for kind, curves, question in zip(("time", "form"), (found.over_time, found.forms), _QUESTIONS, strict=True):
        if not curves:
            continue
        st.caption(question)
        places = st.columns(2)
        for number, curve in enumerate(curves):
            with places[number % 2]:
                charts.draw(
                    residual_figure(curve),
                    key=f"residuals_{kind}_{number}",
                    alt=f"{curve.y_label} against {curve.x_label}, n = {curve.n}, {curve.n_events} events.",
                )
    curves = (*found.over_time, *found.forms)
    takeaway.offer(
        asked.source,
        asked.answer,
        figure=lambda: residuals_print(curves),
        numbers=lambda: residual_numbers(curves),
        key="residuals",
    )
    offer_check(asked.source, asked.answer)


@st.cache_data(max_entries=_RESIDUALS, show_spinner="Computing residuals ...")
def cox_residuals(source: Source, request: CoxRequest) -> ModelResiduals:
    """Residuals of the model alone; raises as ``dashboard.answers.answered``, and TOO_FEW_EVENTS_TO_SMOOTH."""
    return residuals(request, data_of(source, request))


def _added(asked: Asked, entries: Entries) -> None:
    if len(asked.request.covariates) < 2:
        st.caption("A nested comparison needs two covariates or more: add what is to be compared to the model.")
        return
    if asked.added is None:
        st.caption("The covariates that you do not choose are the base; at least one has to stay in it.")
        return
    found = answered(asked.source, asked.added)
    result = found.result_as(ModelComparison)
    entries.add(found)
    panels.comparison(result)
    takeaway.offer(asked.source, found, key="forest_added")
    notices.notes([note for note in result.notes if note not in asked.model.notes])


def _subgroups(asked: Asked, entries: Entries) -> None:
    if asked.subgroups is None:
        return
    found = answered(asked.source, asked.subgroups)
    result = found.result_as(SubgroupTable)
    entries.add(found)
    charts.draw(
        forest_figure(result),
        key="subgroup_forest",
        alt=panels.subgroups_in_words(result),
    )
    takeaway.offer(asked.source, found, key="forest_subgroups")
    panels.subgroups(result)
    notices.notes(result.notes)


def _calibration(asked: Asked, entries: Entries) -> None:  # noqa: ARG001 (estimates, tests nothing)
    question = replace(asked.request, horizon=asked.horizon_days)
    what = f"{FEWEST_RESAMPLES} fits to resamples of {wording.plural(asked.model.n, 'patient')}: some seconds."
    if not asking.asked("validate", "Compute", what, question):
        return
    found = answered(asked.source, question)
    result = found.validation
    if result is None:
        return
    panels.corrected_numbers(result, asked.unit)
    left, right = st.columns([2, 3], gap="large")
    with left:
        charts.draw(
            calibration_figure(result),
            key="calibration",
            alt=calibration_in_words(result),
        )
        takeaway.offer(asked.source, found, key="calibration")
    with right:
        panels.risk_groups(result)
    notices.notes(result.notes)


def _parametric(asked: Asked, entries: Entries) -> None:
    parametric_models(asked.source, asked.request, entries)
