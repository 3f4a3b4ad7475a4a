from __future__ import annotations

import streamlit as st

from dashboard import analysis, data, filters, notices, panels, wording
from figures.screen import pca_loadings_figure, pca_scores_figure, pca_scree_figure

source = filters.pinned_source(data.lake_root())

st.title("Principal components")
panels.snapshot_line(source)
if not data.feature_tables(source):
    notices.no_features()
    st.stop()

with st.container(border=True):
    places = st.columns([3, 3, 4, 2, 2])
    with places[0]:
        feature_set = filters.choose_feature_set(source)
    with places[1]:
        aggregation = filters.choose_aggregation(source, feature_set)
    with places[2]:
        colour = filters.choose_colour(source)

with notices.refusals_as_sentences():
    result = analysis.components(source, feature_set, aggregation)
    n_components = len(result.components)
    with places[3]:
        x = filters.choose_component("Across", "pc_x", n_components, 1)
    with places[4]:
        y = filters.choose_component("Up", "pc_y", n_components, 2)

    name = wording.literal_markdown(wording.group_label(f"{feature_set}__{aggregation}"))
    st.subheader(
        f"{wording.plural(result.n, 'patient')}, {wording.plural(len(result.features), 'feature')} of {name}",
        anchor=False,
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"**Scores** (n = {result.n})")
        st.plotly_chart(
            pca_scores_figure(
                result,
                x,
                y,
                colour_by=analysis.colours(source, colour.name, result.row_ids) if colour else None,
                colour_title=wording.labels([colour])[colour.name] if colour else None,
                title="",
            ),
            theme=None,
            config=panels.FIGURE_CONFIG,
            key="scores",
            alt=f"Scores of {result.n} patients on PC{x} and PC{y}.",
        )
    with right:
        st.markdown(f"**Variance explained** (n = {result.n})")
        st.plotly_chart(
            pca_scree_figure(result, n_components=panels.SCREE_COMPONENTS, title=""),
            theme=None,
            config=panels.FIGURE_CONFIG,
            key="scree",
            alt=panels.variance_in_words(result),
        )

    st.subheader("Loadings", anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        component = filters.choose_component("Component", "pc_loadings", n_components, 1)
        st.plotly_chart(
            pca_loadings_figure(result, component, title=""),
            theme=None,
            config=panels.FIGURE_CONFIG,
            key="loadings",
            alt=f"The features with the largest loadings on PC{component}; the table beside it lists all.",
        )
    with right:
        panels.loadings(result, component)
    notices.notes(result.notes)
    panels.left_out(result)
