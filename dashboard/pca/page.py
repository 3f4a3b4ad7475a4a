from __future__ import annotations

import streamlit as st

from analyses.numbers import component_numbers
from analyses.requests.pca import PcaRequest
from dashboard import charts, filters, notices, panels, takeaway, wording
from dashboard.access import permissions
from dashboard.answers import answered
from dashboard.features import analysis as analysis_features
from dashboard.features import choices
from dashboard.pca import analysis as analysis_pca
from dashboard.pca import panels as panels_pca
from figures.pca_views import pca_loadings_figure, pca_scores_figure, pca_scree_figure
from figures.print_components import components_print

source = panels.begin("Principal components")
notices.require(analysis_features.families(source), notices.NO_FEATURES)

with st.container(border=True):
    family = choices.choose_family(source, "pca")
    places = st.columns([2, 1, 1])
    with places[0]:
        colour = choices.choose_colour(source, family)

with notices.refusals_as_sentences():
    found = answered(source, PcaRequest(feature_set=family.name))
    result = analysis_pca.with_short_names(found)
    n_components = len(result.components)
    with places[1]:
        x = filters.choose_component("X axis", "pc_x", n_components, 1)
    with places[2]:
        y = filters.choose_component("Y axis", "pc_y", n_components, 2)

    name = wording.literal_markdown(family.label)
    st.subheader(
        f"{wording.plural(result.n, 'patient')}, {wording.plural(len(result.features), 'feature')} of {name}",
        anchor=False,
    )
    chart = st.container()
    names_patients = permissions.may(permissions.Permission.PATIENT_ROWS)
    picked = panels_pca.choose_patients(result) if names_patients else ()
    with chart:
        left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"**Scores** (n = {result.n}){': draw a lasso around points' if names_patients else ''}")
        charts.draw(
            pca_scores_figure(
                result,
                x,
                y,
                colour_by=analysis_pca.colours(source, colour.name, result.row_ids) if colour else None,
                colour_title=wording.labels([colour])[colour.name] if colour else None,
                picked=set(picked),
            ),
            key=panels_pca.SCORES_KEY,
            on_select=panels_pca.pick,
            of_patients=True,
            alt=f"Scores of {result.n} patients on PC{x} and PC{y}; the list below it chooses among them.",
        )
    with right:
        st.markdown(f"**Variance explained** (n = {result.n})")
        charts.draw(
            pca_scree_figure(result, n_components=panels_pca.SCREE_COMPONENTS),
            key="scree",
            alt=panels_pca.variance_in_words(result),
        )
    takeaway.offer(
        source,
        found,
        figure=lambda: components_print(result, x, y),
        numbers=lambda: component_numbers(result),
        # What is drawn depends on the axes, which the request does not know.
        key=f"components_{x}_{y}",
    )
    if picked:
        st.subheader(
            f"{wording.plural(len(picked), 'selected patient')} against {result.n - len(picked)} others", anchor=False
        )
        panels_pca.picked_survival(source, family, (x, y), picked)
        panels_pca.picked_table(source, result, (x, y), picked, colour)

    st.subheader("Loadings", anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        component = filters.choose_component("Component", "pc_loadings", n_components, 1)
        charts.draw(
            pca_loadings_figure(result, component),
            key="loadings",
            alt=f"The features with the largest loadings on PC{component}; the table beside it lists all.",
        )
    with right:
        panels_pca.loadings(result, component)
    notices.notes(result.notes)
    panels_pca.left_out(result)
