"""Parts of the page of one patient beside its images: numbers, place in the cohort, time line."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import charts, data, wording
from dashboard.data import Source
from dashboard.patient import facts
from figures.patient_in_cohort import Strip, strip_figure
from figures.time_line import time_line_figure
from warehouse.queries.analysis_columns import AnalysisColumn

_USUAL = ("tumour_volume_ml", "n_lesions", "suv_max", "suv_mean", "suv_peak_global", "total_lesion_expression_ml")
_HEADLINE = ("n_lesions", "tumour_volume_ml", "suv_max", "suv_mean")
_MOST_STRIPS = 12


def numbers(source: Source, patient_id: str) -> None:
    """Show the patient's tumour in a row of numbers, each with its percentile among all."""
    columns = {column.name: column for column in data.analysis_columns(source)}
    names = [name for name in _HEADLINE if name in columns]
    for place, strip in zip(st.columns(len(names) or 1), _strips(source, patient_id, names, columns), strict=False):
        rank = "" if strip.percentile is None else f"Percentile {strip.percentile:.0f} of {strip.n} patients."
        place.metric(strip.name, "none" if strip.value is None else wording.amount(strip.value), help=rank or None)


def in_cohort(source: Source, patient_id: str) -> None:
    """Show chosen variables of all patients, this one marked."""
    st.subheader("Position in the cohort", anchor=False)
    columns = {column.name: column for column in data.analysis_columns(source) if column.kind == "number"}
    if not columns:
        st.caption("This snapshot holds no numbers of patients to compare.")
        return
    labels = wording.labels(tuple(columns.values()))
    chosen = st.multiselect(
        "Variables",
        list(columns),
        default=[name for name in _USUAL if name in columns],
        format_func=lambda name: labels.get(name, name),
        max_selections=_MOST_STRIPS,
        key="patient_variables",
        bind="query-params",
        placeholder="Choose variables or features",
    )
    if not chosen:
        st.caption("Choose a variable to see where the patient stands.")
        return
    strips = _strips(source, patient_id, chosen, columns)
    charts.draw(
        strip_figure(strips),
        key="patient_strips",
        alt="Percentiles of the patient: " + "; ".join(_in_words(strip) for strip in strips) + ".",
    )


def time_line(source: Source, patient_id: str) -> None:
    """Show scans, dates and outcomes in days since the origin."""
    st.subheader("Time line", anchor=False)
    found = facts.moments(source.whole, patient_id)
    if not found:
        st.caption("The patient has no endpoint, so there is no origin to count days from.")
        return
    charts.draw(
        time_line_figure(found),
        key="patient_time_line",
        alt="Days since the origin: " + "; ".join(f"{m.row}, day {m.day} ({m.text})" for m in found) + ".",
    )


def _strips(source: Source, patient_id: str, names: list[str], columns: dict[str, AnalysisColumn]) -> list[Strip]:
    values = data.values(source, tuple(names))
    labels = wording.labels([columns[name] for name in names])
    position = values.patient_ids.index(patient_id)
    return [
        Strip(labels[name], np.asarray(values.columns[name], dtype=np.float64), position)
        for name in names
        if columns[name].kind == "number"
    ]


def _in_words(strip: Strip) -> str:
    if strip.value is None or strip.percentile is None:
        return f"{strip.name}: no value"
    return f"{strip.name}: {strip.value:.4g}, percentile {strip.percentile:.0f} of {strip.n}"
