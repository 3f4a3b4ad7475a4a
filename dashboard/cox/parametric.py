"""The view of accelerated failure time models: time ratios, AIC, and whether each distribution fits."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from analyses.numbers import hazard_check_numbers
from analyses.requests.aft import AftRequest
from analyses.requests.cox import CoxRequest
from analyses.requests.model import ModelRequest
from analyses.requests.options import options_of
from dashboard import asking, charts, notices, takeaway, wording
from dashboard.access.ledger import Entries
from dashboard.answers import answered
from dashboard.data import Source
from figures.print import hazard_check_print
from figures.screen import hazard_check_figure
from petct.survival.with_lifelines.aft_result import TITLES, AftResult

_RATIOS = ("Distribution", "Covariate", "Compared", "Time ratio", "95% CI", "p of the covariate")
_FITS = ("Distribution", "AIC", "AIC difference", "Concordance", "Scale of log time")


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
    st.dataframe(pd.DataFrame(_ratios(result), columns=list(_RATIOS)), hide_index=True)
    st.caption(
        "A time ratio above 1: the event comes later. p: likelihood ratio test. Strata, penalty and robust standard "
        "errors of the Cox model do not apply here."
    )
    fits = [
        (TITLES[m.distribution], f"{m.aic:.1f}", f"{m.aic_difference:.1f}", f"{m.concordance:.3f}", f"{m.scale:.3f}")
        for m in result.models
    ]
    st.dataframe(pd.DataFrame(fits, columns=list(_FITS)), hide_index=True)
    names = ", ".join(TITLES[m.distribution] for m in result.models)
    charts.draw(
        hazard_check_figure(result),
        key="hazard_check",
        alt=f"Observed against expected cumulative hazard of {names} models, n = {result.n}, {result.n_events} events.",
    )
    st.caption("A line near the diagonal supports its distribution.")
    takeaway.offer(
        source,
        found,
        figure=lambda: hazard_check_print(result),
        numbers=lambda: hazard_check_numbers(result),
        key="hazard_check",
    )
    notices.notes(result.notes)


def _ratios(result: AftResult) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for model in result.models:
        p_of = {t.covariate: "withheld" if t.p is None else wording.p_number(t.p) for t in model.tests}
        rows += [
            (
                TITLES[model.distribution],
                term.covariate,
                term.scale,
                f"{term.time_ratio:.2f}",
                f"{term.lower:.2f} to {term.upper:.2f}",
                p_of[term.covariate],
            )
            for term in model.terms
        ]
    return rows
