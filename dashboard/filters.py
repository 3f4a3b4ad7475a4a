"""The choices that drive the pages: snapshot, endpoint, variable, split, covariates. All of them live in the URL.

A key belongs to one page: a widget of the next page that has the same key loses the value in the run that changes pages
and gets it back in the run after.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard import cohort_filter, data, wording
from dashboard.data import COHORT, Source
from figures.ticks import AxisUnit
from warehouse.queries.analysis_columns import AnalysisColumn

_SNAPSHOT = "snapshot"
_CHOSEN_SNAPSHOT = "chosen_snapshot"
# The keys that the choice of an endpoint has on each page.
_ENDPOINTS = ("endpoint", "cox_endpoint", "scan_endpoint", "pca_endpoint", "protocol_endpoint")
_PREFERRED = "tumour_volume_ml"
_GROUP_LABEL = "Cohort table"
_COMPONENTS = 10

_AXES: dict[AxisUnit, str] = {"month": "Months", "year": "Years", "day": "Days"}


def pinned_source(lake: Path) -> Source:
    """Return the snapshot of this session, with its cohort filter: what the URL names, else the current one.

    It is the current one of when the session began. A condition of the filter that is refused stays in the source as it
    was given, for ``cohort_filter.refusals`` to say so.

    Raises
    ------
    WarehouseError
        SNAPSHOT_NONE; for a URL or ``PETLAKE_SNAPSHOT`` that names none, SNAPSHOT_UNKNOWN or SNAPSHOT_AMBIGUOUS.
    """
    # A link to another page has no parameters: it says nothing of the filter.
    cohort_filter.held(may_follow=_SNAPSHOT in st.query_params)
    known = {info.snapshot_id for info in data.published(lake)}
    chosen = st.session_state.get(_CHOSEN_SNAPSHOT)
    if chosen not in known:
        requested = None if chosen else st.query_params.get(_SNAPSHOT)
        st.session_state[_CHOSEN_SNAPSHOT] = chosen = data.first_snapshot_id(lake, requested)
    # Always in the URL: a copied link opens the same snapshot, also when another one is current by then.
    if st.query_params.get(_SNAPSHOT) != wording.short_id(chosen):
        st.query_params[_SNAPSHOT] = wording.short_id(chosen)
    return cohort_filter.conditioned(Source(str(lake), chosen))


def choose_snapshot(lake: Path) -> None:
    """Offer the published snapshots; the choice takes effect with the rerun that it causes."""
    infos = {info.snapshot_id: info for info in data.published(lake)}
    st.selectbox(
        "Snapshot",
        list(infos),
        format_func=lambda name: (
            f"{wording.short_id(name)} · {infos[name].published_at:%d %b %Y}" if name in infos else name
        ),
        key=_CHOSEN_SNAPSHOT,
        help="A snapshot never changes: its id is made from its rows, settings and code versions. The latest "
        "comes first; the date is that of its publication (UTC).",
    )


def show_newest(snapshot_id: str) -> None:
    """Change to another snapshot (a callback)."""
    st.session_state[_CHOSEN_SNAPSHOT] = snapshot_id


def choose_endpoint(source: Source, *, key: str) -> str:
    """Offer the endpoints, one that was declared first; there must be one. Other pages begin with the choice."""
    declared = [endpoint for endpoint, _ in data.hypotheses(source)]
    names = sorted(data.endpoints(source), key=lambda name: (name not in declared, name))
    forget_unknown(key, names)
    return remember(_ENDPOINTS, key, st.selectbox("Endpoint", names, key=key, bind="query-params"))


def forget_unknown(key: str, options: Sequence[str]) -> None:
    """Let a widget begin anew where what was remembered for it is not among its options; call it before the widget."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]


def remember(keys: Sequence[str], key: str, chosen: str) -> str:
    """Let the widgets of other pages begin with what was chosen in this one, and return it.

    ``keys`` are those of all pages, ``key`` this one's. The value is set before the other page is opened, because only
    then Streamlit writes it into the URL of that page.
    """
    for other in keys:
        if other != key:
            st.session_state[other] = chosen
    return chosen


def choose_variable(
    source: Source, *, key: str, label: str = "Variable", endpoint: str | None = None
) -> AnalysisColumn:
    """Offer the analysis columns in two steps: where they come from, and which."""
    groups = {group.name: group.columns for group in data.column_groups(source)}
    preferred = preferred_variable(source, endpoint)
    home = next((name for name, columns in groups.items() if any(c.name == preferred for c in columns)), None)
    left, right = st.columns([2, 3])
    group = left.selectbox(
        "From",
        list(groups),
        index=list(groups).index(home) if home else 0,
        format_func=lambda name: _GROUP_LABEL if name == COHORT else wording.column_kind(groups[name][0]),
        key=f"{key}_from",
        bind="query-params",
    )
    columns = {column.name: column for column in groups[group]}
    names = wording.labels(tuple(columns.values()))
    chosen = right.selectbox(
        label,
        list(columns),
        index=list(columns).index(preferred) if preferred in columns else 0,
        format_func=lambda name: names.get(name, name),
        key=key,
        bind="query-params",
    )
    return columns[chosen]


def preferred_variable(source: Source, endpoint: str | None) -> str:
    """Return the variable to begin with: one declared for the endpoint, else the tumour volume."""
    declared = [name for tested, name in data.hypotheses(source) if endpoint in (None, tested)]
    known = {column.name for column in data.analysis_columns(source)}
    return next((name for name in declared if name in known), _PREFERRED)


def choose_time_unit(*, key: str = "time_unit") -> AxisUnit:
    """Offer the unit of the times on the page."""
    unit = st.segmented_control(
        "Time in",
        list(_AXES),
        default="month",
        required=True,
        format_func=lambda name: _AXES[name],
        key=key,
        bind="query-params",
    )
    return unit


def choose_component(label: str, key: str, n_components: int, first: int) -> int:
    """Offer the first components by number."""
    chosen = st.selectbox(
        label,
        list(range(1, min(n_components, _COMPONENTS) + 1)),
        index=min(first, n_components) - 1,
        format_func=lambda number: f"PC{number}",
        key=key,
        bind="query-params",
    )
    return chosen


def all_labels(columns: tuple[AnalysisColumn, ...]) -> dict[str, str]:
    """Return labels over all groups: a feature stands in several of them, so its group is always said."""
    names = wording.labels([column for column in columns if column.family is None])
    for column in columns:
        if column.family is not None:
            text = wording.with_unit(column.column, column.unit)
            names[column.name] = f"{text} · {column.family.label}"
    return names
