"""The view of accelerated failure time models: time ratios, AIC, and whether each distribution fits."""

from __future__ import annotations

import streamlit as st

from analyses.requests.aft import AftRequest
from analyses.requests.cox import CoxRequest
from analyses.requests.model import ModelRequest
from analyses.requests.options import options_of
from analyses.tables import models
from dashboard import asking, charts, notices, panels, takeaway
from dashboard.access.ledger import Entries
from dashboard.answers import answered
from dashboard.data import Source
from figures.diagnostics import hazard_check_figure
from petct.survival.with_lifelines.aft_result import TITLES, AftResult


def parametric_models(source: Source, model: CoxRequest, entries: Entries) -> None:
    """Fit the models with the covariates of a Cox model when they are asked for, and show them."""
    request = AftRequest(**{each.field: getattr(model, each.field) for each in options_of(ModelRequest)})
    what = "Weibull, log-normal and log-logistic survival times, fitted by lifelines: some seconds."
    if not asking.asked("aft", "Fit", what, request):
        return
    found = answered(source, request)
    result = found.result_as(AftResult)
    entries.add(found)
    notices.standing(found.declared)
    panels.result_table(models.time_ratios(result))
    st.caption(
        "A time ratio above 1: the event comes later. p: likelihood ratio test. Strata, penalty and robust standard "
        "errors of the Cox model do not apply here."
    )
    panels.result_table(models.distributions(result))
    names = ", ".join(TITLES[m.distribution] for m in result.models)
    charts.draw(
        hazard_check_figure(result),
        key="hazard_check",
        alt=f"Observed against expected cumulative hazard of {names} models, n = {result.n}, {result.n_events} events.",
    )
    st.caption("A line near the diagonal supports its distribution.")
    takeaway.offer(source, found, key="hazard_check")
    notices.notes(result.notes)
