"""Parts of the page Principal components: loadings, what was left out, and the patients who were picked."""

from __future__ import annotations

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from analyses.requests.tested import about, hypotheses_of_kaplan_meier
from dashboard import charts, filters, notices, panels, wording
from dashboard.access import ledger, permissions
from dashboard.data import Source
from dashboard.pca import analysis
from dashboard.survival import panels as panels_survival
from figures.survival_curves import kaplan_meier_figure
from petct.survival.features.pca import PcaResult
from warehouse.queries.analysis_columns import AnalysisColumn, FeatureFamily

SCREE_COMPONENTS = 8
"""Components in the scree figure: as many as its labels have room for."""

SCORES_KEY = "scores"
PICKED_KEY = "picked"


def loadings(result: PcaResult, number: int) -> None:
    """Show all loadings on a component, largest first."""
    component = result.components[number - 1]
    table = pd.DataFrame({"Feature": result.features, "Loading": component.loadings})
    table = table.reindex(table["Loading"].abs().sort_values(ascending=False, kind="stable").index)
    st.markdown(f"**{component.name}**, {component.explained_variance_ratio:.1%} of the variance (n = {result.n})")
    st.dataframe(
        table,
        hide_index=True,
        height=panels.height_of(len(table)),
        column_config={"Loading": st.column_config.NumberColumn(format="%.3f", width=80)},
    )


def left_out(result: PcaResult) -> None:
    """List the features and patients that take no part, where there are any."""
    if result.dropped_columns:
        with st.expander(f"{wording.plural(len(result.dropped_columns), 'feature')} left out"):
            rows = [(dropped.name, dropped.message) for dropped in result.dropped_columns]
            st.dataframe(pd.DataFrame(rows, columns=["Feature", "Reason"]), hide_index=True)
    if result.dropped_rows:
        with st.expander(f"{wording.plural(len(result.dropped_rows), 'patient')} left out for a missing feature"):
            named = permissions.may(permissions.Permission.PATIENT_ROWS)
            st.markdown(wording.literal_markdown(", ".join(result.dropped_rows)) if named else "")


def variance_in_words(result: PcaResult) -> str:
    """Describe the scree figure for those who cannot see it."""
    first = ", ".join(f"{c.name} {c.explained_variance_ratio:.0%}" for c in result.components[:3])
    return f"Share of variance explained by each component: {first}."


def pick(*, key: str = SCORES_KEY) -> None:
    """Make the points inside the lasso the picked patients (a callback); an empty lasso changes nothing."""
    points = st.session_state[key].selection.points
    if points:
        st.session_state[PICKED_KEY] = sorted({panels.text_of(point.get("customdata")) for point in points})


def choose_patients(result: PcaResult) -> tuple[str, ...]:
    """Offer the patients of the scores; the lasso fills it in, and it does by keyboard what the lasso does."""
    there = set(result.row_ids)
    before = st.session_state.get(PICKED_KEY, [])
    if any(patient not in there for patient in before):
        # Another cohort or family: who is not in the figure cannot be picked in it.
        st.session_state[PICKED_KEY] = [patient for patient in before if patient in there]
    chosen = st.multiselect(
        "Selected patients",
        sorted(result.row_ids),
        key=PICKED_KEY,
        bind="query-params",
        placeholder="Draw a lasso around points, or type patient ids",
    )
    return tuple(chosen)


def picked_survival(source: Source, family: FeatureFamily, axes: tuple[int, int], picked: tuple[str, ...]) -> None:
    """Show the survival of the picked patients against that of all others, which is exploratory by construction."""
    left, right = st.columns([1, 4], vertical_alignment="bottom")
    with left:
        endpoint = filters.choose_endpoint(source, key="pca_endpoint")
    with right:
        notices.standing("exploratory")
    with notices.refusals_as_sentences():
        result, basis = analysis.picked_survival(source, endpoint, family, picked)
        left, right = st.columns([3, 2], gap="large")
        with left:
            st.markdown(f"**Kaplan-Meier, {endpoint}** (n = {result.n}, {wording.plural(result.n_events, 'event')})")
            charts.draw(
                kaplan_meier_figure(result, axis_unit="month"),
                key="picked_survival",
                alt=panels_survival.curves_in_words(result, "month"),
            )
        with right:
            panels_survival.log_rank(result)
            st.caption(
                "The groups were made by looking at the components: whoever tries enough lassos finds one with a small "
                "p. It is a lead to follow in other patients, not evidence."
            )
        notices.notes(result.notes)
        tests = hypotheses_of_kaplan_meier(result, analysis.what_was_picked(family, axes, picked))
        entries = ledger.Entries(source)
        entries.add_tests(basis, about(tests, [family.name], result.n, result.n_events))
        entries.say()


def picked_table(
    source: Source, result: PcaResult, axes: tuple[int, int], picked: tuple[str, ...], colour: AnalysisColumn | None
) -> None:
    """List the picked patients with their scores, each with a link to its own page."""
    chosen = set(picked)
    places = [i for i, patient in enumerate(result.row_ids) if patient in chosen]
    columns: dict[str, list[object]] = {
        "Patient": [patient_link(source, result.row_ids[i]) for i in places],
    }
    for number in dict.fromkeys(axes):
        component = result.components[number - 1]
        columns[component.name] = [component.scores[i] for i in places]
    if colour is not None:
        found = analysis.colours(source, colour.name, tuple(result.row_ids[i] for i in places))
        columns[wording.labels([colour])[colour.name]] = list(found)
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=panels.height_of(len(places)),
        column_config={
            "Patient": st.column_config.LinkColumn(
                display_text=r"[?&]patient=([^&]+)", help="Opens the patient's images and features in another tab."
            )
        }
        | {f"PC{number}": st.column_config.NumberColumn(format="%.2f") for number in axes},
    )


def patient_link(source: Source, patient: str) -> str:
    """Return the link to the page of a patient, in this snapshot and with this filter."""
    asked = [("patient", patient), ("snapshot", wording.short_id(source.snapshot_id))]
    return f"patient?{urlencode([*asked, *(('where', condition) for condition in source.conditions)])}"
