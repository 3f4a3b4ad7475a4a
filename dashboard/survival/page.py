from __future__ import annotations

from dataclasses import replace

import streamlit as st

from analyses.numbers import survival_numbers
from dashboard import charts, data, filters, notices, panels, takeaway, widgets
from dashboard.access import ledger
from dashboard.survival import analysis, choices, views
from dashboard.survival import panels as panels_survival
from figures.print_survival import kaplan_meier_print
from figures.survival_curves import kaplan_meier_figure
from petct.survival.kaplan_meier.result import KaplanMeierResult

source = panels.begin("Survival")
notices.require(data.endpoints(source), notices.NO_ENDPOINT)

with st.container(border=True), notices.refusals_stop():
    left, right = st.columns([1, 5])
    with left:
        endpoint = filters.choose_endpoint(source, key="endpoint")
    with right:
        variable = filters.choose_variable(source, key="variable", label="Split by", endpoint=endpoint)
    with st.container(horizontal=True, gap="large"):
        groups = choices.choose_groups(source, variable)
        unit = filters.choose_time_unit()
    st.caption(panels.meaning(variable))
    with st.expander("Landmark, late entry, order of the groups, bands"):
        groups, band = choices.choose_options(source, variable, groups, unit)

curves = st.container()
view = views.tabs(analysis.has_competing_events(source, endpoint))
# Widgets of all views are drawn, so that a choice outlives a change of view; what they need is computed when looked at.
with view.tests, notices.refusals_stop():
    request = choices.choose_tests(groups)
with view.restricted, notices.refusals_stop():
    request = replace(request, tau=widgets.value(type(request), "tau", unit=unit))
with view.at_times, notices.refusals_as_sentences():
    landmarks = choices.choose_landmarks(unit, analysis.longest_days(source, endpoint))
    if view.at_times.open or (view.competing is not None and view.competing.open):
        request = replace(request, landmarks=landmarks)

modelled: tuple[str, ...] = ()
if view.competing is not None:
    with view.competing:
        modelled = choices.choose_modelled(source)

request = replace(request, endpoint=endpoint)
entries = ledger.Entries(source)
with curves:
    if request.variable is not None and not views.may_search(source, request):
        st.stop()
with curves, notices.refusals_as_sentences():
    found = analysis.survival(source, request)
    result, cut = found.result_as(KaplanMeierResult), found.cut_point
    entries.add(found)
    split = "all patients" if result.variable is None else f"{result.variable}, {result.rule}"
    notices.heading(found, f": {split}")
    charts.draw(
        kaplan_meier_figure(result, axis_unit=unit, band=band, statement=panels_survival.statement(cut)),
        key="kaplan_meier",
        alt=panels_survival.curves_in_words(result, unit),
    )
    takeaway.offer(
        source,
        found,
        figure=lambda: kaplan_meier_print(result, axis_unit=unit, band=band),
        numbers=lambda: survival_numbers(result),
        key="kaplan_meier",
        variant=f"{unit}, {band}",
    )
    left, right = st.columns([5, 2], gap="large")
    with left:
        panels_survival.group_table(result, unit)
    with right:
        if cut is None:
            panels_survival.log_rank(result)
        else:
            panels_survival.searched_cut(cut)
    notices.notes((*result.notes, *(cut.notes if cut else ())))
    cut_of = variable.name if variable.kind == "number" else None
    views.draw(view, views.Shown(source, cut_of, request, found, unit, modelled), entries)
entries.say()
