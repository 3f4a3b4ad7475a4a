"""Parts of the page Study: sizes, the flow of patients, Table 1, quality, missing values, the patients themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard import charts, data, panels, wording
from dashboard.access import audit, permissions
from dashboard.data import Source, numbers
from dashboard.study import analysis as analysis_study
from dashboard.study import contents
from dashboard.study.contents import EndpointSummary, Sizes
from figures.flow import flow_figure, flow_in_words
from figures.palette import BLUE
from petct.survival.cohort.table_one import table_one_texts
from warehouse.queries.analysis_columns import AnalysisColumn
from warehouse.snapshots.publish import SnapshotDetails

_BINS = 20
_CATEGORIES = 30
_NOBODY = "nobody"
_LINKS = 8
_QUANTITIES = {
    "uptake_duration_s": "uptake time (s)",
    "injected_dose_bq_per_kg": "injected activity by weight (Bq/kg)",
    "dose_share_in_field": "share of the injected activity in the field of view",
    "ln_suv_max": "logarithm of the largest SUV of the image",
}


def sizes(counts: Sizes, endpoints: tuple[EndpointSummary, ...]) -> None:
    """Show how large the cohort is."""
    shown = [
        ("Patients", counts.n_patients, None),
        ("PET/CT scans", counts.n_scans, None),
        (
            "Lesions",
            counts.n_lesions,
            "Delineated by one protocol: the default one, unless the filter chooses another.",
        ),
        ("Radiomic values", counts.n_feature_values, "One a lesion and feature, of all feature sets and protocols."),
    ]
    places = st.columns(len(shown) + len(endpoints))
    for place, (label, count, meaning) in zip(places, shown, strict=False):
        place.metric(label, f"{count:,}", help=meaning)
    for place, endpoint in zip(places[len(shown) :], endpoints, strict=True):
        competing = f", {endpoint.n_competing} competing" if endpoint.n_competing else ""
        place.metric(
            f"{endpoint.name} events",
            f"{endpoint.n_events} of {endpoint.n}",
            help=f"{endpoint.n} patients have the endpoint {endpoint.name}: {endpoint.n_events} events{competing}, the "
            "others are censored.",
        )


def flow(source: Source) -> None:
    """Show who is lost between registration and analysis, and why: as a diagram, and as a table."""
    steps, ends = analysis_study.flow(source)
    charts.draw(flow_figure(steps, ends), key="flow", alt=flow_in_words(steps, ends))
    rows = [
        (step.name, step.n, step.n_lost, "; ".join(f"{lost.n}: {lost.reason}" for lost in step.lost))
        for step in (*steps, *ends)
    ]
    with st.expander("The same as a table"):
        st.dataframe(
            pd.DataFrame(rows, columns=["Step", "Patients", "Lost", "Why"]),
            hide_index=True,
            column_config=panels.widths(Step=150, Patients=70, Lost=50),
        )


def table_one(source: Source) -> None:
    """Show Table 1 by a group and with rows that are chosen here."""
    columns, usual = analysis_study.table_one_columns(source)
    names = wording.labels(columns)
    groups = {column.name: column for column in analysis_study.group_columns(source)}
    left, right = st.columns([2, 5])
    group = left.selectbox(
        "By",
        [_NOBODY, *groups],
        format_func=lambda name: "all patients" if name == _NOBODY else names.get(name, name),
        key="study_group",
        bind="query-params",
        help="Categories, or numbers at their median.",
    )
    chosen = right.multiselect(
        "Rows",
        [column.name for column in columns],
        default=list(usual),
        format_func=lambda name: names.get(name, name),
        key="study_rows",
        bind="query-params",
        placeholder="Type to search",
    )
    rows = tuple(name for name in chosen if name != group)
    if not rows:
        st.caption("Choose a row or more.")
        return
    table = analysis_study.first_table(source, rows, None if group == _NOBODY else group)
    heading, *lines = table_one_texts(table)
    shown = pd.DataFrame(
        [(_indented(first), *rest) for first, *rest in lines], columns=["Characteristic", *heading[1:]]
    )
    what = "all patients" if table.group_variable is None else f"{table.group_variable}, {table.group_rule}"
    st.markdown(f"**{wording.literal_markdown(what)}** (n = {table.n})")
    st.dataframe(shown, hide_index=True, height="content", column_config=panels.widths(Characteristic=230))
    for note in table.notes:
        st.caption(wording.literal_markdown(note))
    st.download_button(
        "CSV",
        shown.to_csv(index=False),
        file_name=f"table-1-{wording.short_id(source.snapshot_id)}.csv",
        mime="text/csv",
        on_click=audit.exporting(source, "table 1"),
        icon=":material/download:",
        key="study_table_one_csv",
    )


def _indented(text: str) -> str:
    """A level under its variable: spaces at the start of a cell are not shown, a no-break space is."""
    return f"\u2003{text.strip()}" if text.startswith(" ") else text


def conformance_line(source: Source) -> None:
    """Show the scores of the external exams in one line, with the way to their lines."""
    scores = contents.exam_scores(source)
    if not scores:
        st.caption("No external exam was run beside this study.")
        return
    texts = [f"{s.exam} not run" if s.note else f"{s.exam} {s.n_pass:,} of {s.n:,} pass" for s in scores]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Conformance** {wording.literal_markdown(', '.join(texts))}", width="content")
        st.page_link("conformance/page.py", label="every line", icon=":material/rule:")


def refusals(source: Source) -> None:
    """Show what could not be computed, by reason; whom it concerns, for those who may see patients."""
    nothing = "Nothing was refused: every table of every patient is there."
    _told(contents.refusals(source), "refusal", "; everything else of these patients is used.", nothing, "Reason")


def findings(source: Source) -> None:
    """Show what was found and did not stop the work."""
    nothing = "Nothing stood out in any file."
    _told(contents.findings(source), "finding", " that did not stop the work.", nothing, "Finding")


def _told(table: pd.DataFrame, noun: str, rest: str, nothing: str, reason: str) -> None:
    if table.empty:
        st.caption(nothing)
        return
    st.caption(f"{wording.plural(len(table), noun)} in {wording.plural(table['Patient'].nunique(), 'patient')}{rest}")
    _by_code_then_patients(table, reason)


def _by_code_then_patients(table: pd.DataFrame, reason: str) -> None:
    if not permissions.may(permissions.Permission.PATIENT_ROWS):
        counts = contents.by_code(table, reason).drop(columns="Example")
        st.dataframe(counts, hide_index=True, column_config=panels.widths(Patients=70))
        return
    st.dataframe(
        contents.by_code(table, reason), hide_index=True, column_config=panels.widths(Code=240, Table=120, Patients=70)
    )
    with st.expander("Patient by patient"):
        st.dataframe(table, hide_index=True, column_config=panels.widths(Patient=90, Table=130, Severity=90, Code=230))


def missingness(source: Source) -> None:
    """Show how often each clinical variable is there."""
    table = analysis_study.missingness(source)
    if table.empty:
        st.caption("This study has no clinical variable.")
        return
    st.caption("Over the patients with a row in the clinical table; a refused cell is listed under the refusals.")
    share = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width=130)
    st.dataframe(table, hide_index=True, placeholder="", column_config={"Share missing": share})


def outliers(source: Source) -> None:
    """Show the scans that lie far from the cohort, with the way to the patient."""
    table = analysis_study.outliers(source)
    if table.empty:
        st.caption("No scan lies far from the others (robust z beyond 3.5 in uptake time, activity, field or SUV).")
        return
    n_scans = len(table[["Patient", "Scan"]].drop_duplicates())
    st.caption(f"{wording.plural(n_scans, 'scan')} with a robust z beyond 3.5 (Iglewicz and Hoaglin).")
    if not permissions.may(permissions.Permission.PATIENT_ROWS):
        return
    shown = table.assign(Quantity=table["Quantity"].map(lambda name: _QUANTITIES.get(name, name)))
    number = st.column_config.NumberColumn(format="%.4g")
    st.dataframe(
        shown,
        hide_index=True,
        column_config={"Value": number, "Median": number, "Robust z": st.column_config.NumberColumn(format="%.1f")},
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Look at", width="content")
        for patient in table["Patient"].drop_duplicates()[:_LINKS]:
            asked = {"patient": patient, "snapshot": wording.short_id(source.snapshot_id), "where": source.conditions}
            st.page_link("patient/page.py", label=patient, icon=":material/person_search:", query_params=asked)


def distribution(source: Source, column: AnalysisColumn) -> None:
    """Show the distribution of a variable over the patients: bins of a number, counts of a category."""
    label = wording.labels([column])[column.name]
    found = data.values(source, (column.name,)).columns[column.name]
    if column.kind == "category":
        texts = [str(value) for value in found if value is not None]
        n, (table, across) = len(texts), _counts(texts, label)
    else:
        measured = numbers(source, column.name)
        n, (table, across) = measured.size, _bins(measured, label)
    if n == 0:
        st.caption(f"{label} has no value in any patient: choose another variable.")
        return
    up = {"field": "n", "type": "quantitative", "title": "Patients", "axis": {"tickMinStep": 1}}
    mark = {"type": "bar", "color": BLUE, "opacity": 0.85, "binSpacing": 1, "tooltip": True}
    st.vega_lite_chart(table, {"mark": mark, "encoding": {**across, "y": up}, "height": 240})
    missing = len(found) - n
    st.caption(f"n = {n}{f', {missing} without a value' if missing else ''}. {panels.meaning(column)}")


def _counts(texts: list[str], label: str) -> tuple[pd.DataFrame, dict[str, object]]:
    """Bars of categories, and their axis."""
    counts = pd.Series(texts, dtype=object).value_counts()[:_CATEGORIES]
    axis = {"field": "value", "type": "nominal", "title": label, "sort": "-y", "axis": {"labelAngle": 0}}
    return pd.DataFrame({"value": counts.index.astype(str), "n": counts.to_numpy()}), {"x": axis}


def _bins(numbers: NDArray[np.float64], label: str) -> tuple[pd.DataFrame, dict[str, object]]:
    """Bins of equal width, about twice the square root of n, and their axis."""
    counts, edges = np.histogram(numbers, bins=min(_BINS, max(5, int(2 * np.sqrt(numbers.size)))))
    axis = {"field": "from", "type": "quantitative", "title": label, "bin": {"binned": True}}
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "n": counts}), {"x": axis, "x2": {"field": "to"}}


def cohort_table(source: Source) -> None:
    """Show the cohort, one row per patient, with the meaning of each column under its heading."""
    table = data.cohort_table(source)
    config: dict[str, ColumnConfig] = {}
    for name, text in data.cohort_descriptions(source).items():
        if pd.api.types.is_float_dtype(table[name]):
            config[name] = st.column_config.NumberColumn(help=text, format="%.5g")
        elif pd.api.types.is_datetime64_any_dtype(table[name]):
            config[name] = st.column_config.DateColumn(help=text, format="YYYY-MM-DD")
        else:
            config[name] = st.column_config.Column(help=text, pinned=name == "patient_id")
    st.dataframe(
        table,
        hide_index=True,
        column_config=config,
        height=panels.height_of(len(table)),
        placeholder="",
    )


def snapshot_contents(about: SnapshotDetails) -> None:
    """Show the full id, the tables with their rows, the settings and the code versions."""
    st.markdown(f"Full id `{about.snapshot_id}`, made of {about.n_files:,} files of the lake.")
    left, right = st.columns(2, gap="large")
    with left:
        st.dataframe(pd.DataFrame(list(about.tables.items()), columns=["Table", "Rows"]), hide_index=True)
    with right:
        st.dataframe(
            pd.DataFrame(sorted(about.code_versions.items()), columns=["Computed by", "Version"]), hide_index=True
        )
    st.markdown("Settings that change a number:")
    st.json({name: data.parsed(value) for name, value in about.settings_json.items()}, expanded=1)
