from __future__ import annotations

import streamlit as st

from dashboard import analysis, data, filters, ledger, notices, panels, wording
from figures.screen import forest_figure, residual_figure
from petct.survival.tested import hypotheses_of_cox

source = filters.pinned_source(data.lake_root())

st.title("Cox model")
panels.snapshot_line(source)
if not data.endpoints(source):
    notices.no_endpoint()
    st.stop()

with st.container(border=True):
    left, right = st.columns([1, 5])
    with left:
        endpoint = filters.choose_endpoint(source, key="cox_endpoint")
    with right:
        choices = filters.choose_covariates(source, endpoint)

if not choices:
    notices.empty("Choose one covariate or more", "Each needs at least 5 events; 10 or more are advisable.")
    st.stop()

with notices.refusals_as_sentences():
    result = analysis.cox_model(source, endpoint, choices)
    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"{endpoint}, {wording.plural(result.n, 'patient')}, {wording.plural(result.n_events, 'event')}"
        st.subheader(wording.literal_markdown(title), width="content", anchor=False)
        notices.standing(source, endpoint, [choice.name for choice in choices], plain=True)
    panels.model_numbers(result)
    st.plotly_chart(
        forest_figure(result, title=""),
        theme=None,
        config=panels.FIGURE_CONFIG,
        key="forest",
        alt=panels.model_in_words(result),
    )
    panels.coefficients(result)
    st.subheader("Proportional hazards")
    panels.proportional_hazards(result)
    with st.expander("Residuals"), notices.refusals_as_sentences():
        over_time, forms = analysis.cox_residuals(source, endpoint, choices)
        for kind, curves, question in (
            (
                "time",
                over_time,
                "Scaled Schoenfeld residuals: a level line says that the hazard ratio does not change.",
            ),
            ("form", forms, "Martingale residuals without the covariate: a straight line says that it has its form."),
        ):
            st.caption(question)
            for number, curve in enumerate(curves):
                st.plotly_chart(
                    residual_figure(curve),
                    theme=None,
                    config=panels.FIGURE_CONFIG,
                    key=f"residuals_{kind}_{number}",
                    alt=f"{curve.y_label} against {curve.x_label}, n = {curve.n}, {curve.n_events} events.",
                )
    notices.notes(result.notes)
    # Doubling with a rule for zeros is the same scale.
    scales = [choice.scale.removesuffix("_zeros") for choice in choices]
    names = [choice.name for choice in choices]
    ledger.enter(source, endpoint, names, hypotheses_of_cox(result, scales), n=result.n, n_events=result.n_events)
