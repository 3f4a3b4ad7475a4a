from __future__ import annotations

import streamlit as st

from dashboard import charts, data, filters, notices, panels, takeaway, widgets
from dashboard.access import ledger
from dashboard.answers import answered
from dashboard.cox import choices
from dashboard.cox import panels as panels_cox
from dashboard.cox import views as views_cox
from dashboard.survival import analysis as analysis_survival
from figures.forest import forest_figure
from petct.survival.cox.result import CoxResult

source = panels.begin("Cox model")
notices.require(data.endpoints(source), notices.NO_ENDPOINT)

with st.container(border=True), notices.refusals_stop():
    left, right = st.columns([1, 5])
    with left:
        endpoint = filters.choose_endpoint(source, key="cox_endpoint")
    with right:
        request = choices.choose_model(source, endpoint)
    if request is not None:
        with st.expander("Strata, penalty, standard errors"):
            request = choices.choose_options(source, request)

if request is None:
    notices.empty("Choose one covariate or more", "Each needs at least 5 events; 10 or more are advisable.")
    st.stop()

entries = ledger.Entries(source)
with notices.refusals_as_sentences():
    found = answered(source, request)
    result = found.result_as(CoxResult)
    entries.add(found)
    notices.heading(found)
    panels_cox.model_numbers(result)
    charts.draw(
        forest_figure(result),
        key="forest",
        alt=panels_cox.model_in_words(result),
    )
    takeaway.offer(source, found, key="forest")
    notices.notes(result.notes)
    views = views_cox.tabs()
    names = filters.all_labels(data.analysis_columns(source))
    with views.ratios:
        alone = widgets.value(type(request), "univariable")
    added = subgroups = None
    with views.added, notices.refusals_as_sentences():
        added = choices.choose_added(request, names) if len(request.covariates) > 1 else None
    with views.subgroups, notices.refusals_as_sentences():
        subgroups = choices.choose_subgroups(source, request, names)
    with views.calibration, st.container(horizontal=True, gap="large"):
        unit = filters.choose_time_unit(key="cox_time_unit")
        horizon = choices.choose_horizon(unit, analysis_survival.longest_days(source, endpoint))
    asked = views_cox.Asked(source, request, found, alone, added, subgroups, horizon, unit)
    views_cox.draw(views, asked, entries)
entries.say()
