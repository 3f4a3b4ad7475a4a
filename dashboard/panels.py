"""Parts of the pages: lines of facts, tables and figures in words, each with its n and units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard import analysis, data, wording
from dashboard.contents import AttritionStep, EndpointSummary, Sizes
from dashboard.data import Source
from figures.palette import BLUE
from warehouse.queries import AnalysisColumn
from warehouse.snapshot import SnapshotDetails

FIGURE_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
"""Plotly's tool bar without its logo and the tools that do nothing here."""

_BINS = 20
_CATEGORIES = 30
_ROWS = 14
_ROWS_PIXELS = 500


def snapshot_line(source: Source) -> None:
    """Name the snapshot that all numbers of the page come from."""
    about = data.details(source)
    st.caption(
        f"Snapshot `{wording.short_id(source.snapshot_id)}` · {wording.plural(about.n_patients, 'patient')} · "
        f"petlake {about.petlake_version}",
        help=f"Full id: `{source.snapshot_id}`. It names rows, settings and code versions: cite it with the numbers.",
    )


def meaning(column: AnalysisColumn) -> str:
    """Return what a variable is, and its name in SQL and on the command line."""
    unit = f" [{column.unit}]" if column.unit else ""
    return f"{wording.literal_markdown(column.description)}{unit} · `{column.name}`"


def text_of(customdata: object) -> str:
    """Return the text that a point carries; plotly gives it alone or in a list."""
    return str(customdata[0] if isinstance(customdata, (list, tuple)) else customdata)


def widths(**pixels: int) -> dict[str, ColumnConfig]:
    """Return a column configuration of fixed widths, in pixels."""
    return {name: st.column_config.Column(width=width) for name, width in pixels.items()}


def sizes(counts: Sizes, endpoints: tuple[EndpointSummary, ...]) -> None:
    """Show how large the cohort is."""
    shown = [
        ("Patients", counts.n_patients, None),
        ("PET/CT scans", counts.n_scans, None),
        ("Lesions", counts.n_lesions, "Delineated with the default protocol."),
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


def attrition(steps: tuple[AttritionStep, ...]) -> None:
    """Show how many patients reach each step, and who is lost at it."""
    total = steps[0].n
    table = pd.DataFrame(
        [
            (step.name, step.n, f"{len(step.lost)}: {wording.shortened(step.lost, 4)}" if step.lost else "")
            for step in steps
        ],
        columns=["Step", "Patients", "Lost"],
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "Step": st.column_config.TextColumn(width=140),
            "Patients": st.column_config.ProgressColumn(format="%d", min_value=0, max_value=total, width=120),
            "Lost": st.column_config.TextColumn("Lost at this step"),
        },
    )
    st.caption(
        "Each step counts the patients who passed those above it too; features and endpoints stand for themselves."
    )


def distribution(source: Source, column: AnalysisColumn) -> None:
    """Show the distribution of a variable over the patients: bins of a number, counts of a category."""
    label = wording.labels([column])[column.name]
    found = data.values(source, (column.name,)).columns[column.name]
    if column.kind == "category":
        texts = [str(value) for value in found if value is not None]
        n, table, across = len(texts), _counts(texts), _categories_axis(label)
    else:
        numbers = analysis.numbers(source, column.name)
        n, table, across = numbers.size, _bins(numbers), _bins_axis(label)
    if n == 0:
        st.caption(f"{label} has no value in any patient: choose another variable.")
        return
    up = {"field": "n", "type": "quantitative", "title": "Patients", "axis": {"tickMinStep": 1}}
    mark = {"type": "bar", "color": BLUE, "opacity": 0.85, "binSpacing": 1, "tooltip": True}
    st.vega_lite_chart(table, {"mark": mark, "encoding": {**across, "y": up}, "height": 240})
    missing = len(found) - n
    st.caption(f"n = {n}{f', {missing} without a value' if missing else ''}. {meaning(column)}")


def _counts(texts: list[str]) -> pd.DataFrame:
    counts = pd.Series(texts, dtype=object).value_counts()[:_CATEGORIES]
    return pd.DataFrame({"value": counts.index.astype(str), "n": counts.to_numpy()})


def _bins(numbers: NDArray[np.float64]) -> pd.DataFrame:
    """Bins of equal width, about twice the square root of n."""
    if numbers.size == 0:
        return pd.DataFrame()
    counts, edges = np.histogram(numbers, bins=min(_BINS, max(5, int(2 * np.sqrt(numbers.size)))))
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "n": counts})


def _categories_axis(label: str) -> dict[str, object]:
    return {"x": {"field": "value", "type": "nominal", "title": label, "sort": "-y", "axis": {"labelAngle": 0}}}


def _bins_axis(label: str) -> dict[str, object]:
    x = {"field": "from", "type": "quantitative", "title": label, "bin": {"binned": True}}
    return {"x": x, "x2": {"field": "to"}}


def cohort_table(source: Source) -> None:
    """Show the cohort, one row a patient, with the meaning of each column under its heading."""
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
        height="content" if len(table) <= _ROWS else _ROWS_PIXELS,
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
