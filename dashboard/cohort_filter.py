"""The cohort filter of the session: whom all pages are about, as a sentence, in the URL, and to be changed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import streamlit as st

from dashboard import data, wording
from dashboard.data import Source
from warehouse.errors import WarehouseError
from warehouse.queries.analysis_columns import AnalysisColumn
from warehouse.queries.conditions import PROTOCOL, Condition, Operator, with_unit
from warehouse.queries.selection import choices, quality_columns

_PARAMETER = "where"
_HELD = "where_conditions"
_WRITTEN = "where_in_url"
_COLUMN = "filter_column"
_GROUP = "filter_group"
_QUALITY = "Quality"


def held(*, may_follow: bool = False) -> tuple[str, ...]:
    """Return the conditions of the session as they were given, at first those of the URL; they stay in the URL.

    ``may_follow`` says that the URL is as the browser sent it: when it names other conditions than were written into
    it, the reader went back or forward, and the session follows.
    """
    written = tuple(dict.fromkeys(st.query_params.get_all(_PARAMETER)))
    if _HELD not in st.session_state or (may_follow and written != st.session_state.get(_WRITTEN)):
        hold(written)
    conditions: tuple[str, ...] = st.session_state[_HELD]
    st.session_state[_WRITTEN] = conditions
    if written != conditions:
        if conditions:
            st.query_params[_PARAMETER] = list(conditions)
        else:
            del st.query_params[_PARAMETER]
    return conditions


def hold(conditions: Iterable[str]) -> None:
    """Change the conditions of the session (a callback); the URL follows in the run that it causes."""
    st.session_state[_HELD] = tuple(dict.fromkeys(conditions))


def conditioned(source: Source) -> Source:
    """Return the source with the conditions of the session, in their canonical form unless one of them is refused."""
    asked = Source(source.lake_root, source.snapshot_id, held())
    try:
        texts = data.selection(asked).texts
    except WarehouseError:
        return asked
    if texts != asked.conditions:
        hold(texts)
        held()
    return Source(source.lake_root, source.snapshot_id, texts)


def refusals(source: Source) -> dict[str, WarehouseError]:
    """Return why conditions of the source are refused, by their text; empty where all of them hold."""
    try:
        data.selection(source)
    except WarehouseError as together:
        alone = {text: error for text in source.conditions if (error := _refusal(source, text)) is not None}
        return alone or dict.fromkeys(source.conditions, together)
    return {}


def _refusal(source: Source, text: str) -> WarehouseError | None:
    try:
        data.selection(Source(source.lake_root, source.snapshot_id, (text,)))
    except WarehouseError as error:
        return error
    return None


def show_refusals(source: Source, refused: dict[str, WarehouseError]) -> None:
    """Show each refused condition as a sentence, with a button that removes it."""
    st.markdown("#### The filter of this link cannot be applied")
    for text, error in refused.items():
        st.error(wording.literal_markdown(error.sentence()), icon=":material/filter_alt_off:")
        others = tuple(condition for condition in source.conditions if condition != text)
        st.button(f"Remove the condition {text}", key=f"remove_refused_{text}", on_click=hold, args=(others,))
    if len(source.conditions) > 1:
        st.button("Remove all conditions", key="remove_all_refused", on_click=hold, args=((),))


def show_nobody(source: Source) -> None:
    """Show that the conditions leave nobody, how many meet each of them, and how to get patients back."""
    with st.container(border=True):
        st.markdown("#### No patient meets all conditions of the filter")
        for text, words in zip(source.conditions, conditions_in_words(source), strict=True):
            alone = len(data.selected_patients(Source(source.lake_root, source.snapshot_id, (text,))))
            others = tuple(condition for condition in source.conditions if condition != text)
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.markdown(f"{wording.literal_markdown(words)}: met by {wording.plural(alone, 'patient')}")
            right.button("Remove", key=f"remove_empty_{text}", on_click=hold, args=(others,), width="stretch")
        st.markdown("Remove a condition, or all of them, to see patients again.")
        st.button("Remove all conditions", key="remove_all_empty", type="primary", on_click=hold, args=((),))


def sentence(source: Source) -> str:
    """Return ``43 of 67 patients: age ≥ 60 years, sex F``, or ``All 67 patients``."""
    selected = data.selection(source)
    if not selected.conditions:
        return f"All {wording.plural(selected.n_cohort, 'patient')}" if selected.n_cohort != 1 else "1 patient"
    count = f"{len(selected.patient_ids):,} of {wording.plural(selected.n_cohort, 'patient')}"
    return f"{count}: {', '.join(conditions_in_words(source))}"


def conditions_in_words(source: Source) -> tuple[str, ...]:
    """Return the conditions as a reader says them, in their order."""
    selected = data.selection(source)
    named = [column for column in selected.columns if column is not None]
    names = wording.distinct_names(named)
    return tuple(
        f"lesions by {condition.operands[0].replace('_', ' ')}"
        if column is None
        else wording.condition_words(condition, names[column.name], column)
        for condition, column in zip(selected.conditions, selected.columns, strict=True)
    )


def bar(source: Source) -> None:
    """Draw the sentence, and beside it what changes the filter."""
    with st.container(key="cohort_filter", horizontal=True, vertical_alignment="center", gap="small"):
        n, colon, rest = sentence(source).partition(":")
        st.markdown(f"**{n}**{colon}{wording.literal_markdown(rest)}", width="content")
        with st.popover("Filter patients", icon=":material/filter_alt:", width="content"):
            _editor(source)
        if source.conditions:
            icon = ":material/filter_alt_off:"
            st.button("Remove the filter", key="filter_none", icon=icon, type="tertiary", on_click=hold, args=((),))


@st.fragment
def _editor(source: Source) -> None:
    """Draw the conditions, and what adds one; the page runs again only when they change."""
    changed: tuple[str, ...] | None = None
    for text, words in zip(source.conditions, conditions_in_words(source), strict=True):
        left, right = st.columns([3, 2], vertical_alignment="center")
        left.markdown(wording.literal_markdown(words))
        if right.button("Remove", key=f"filter_remove_{text}", width="stretch"):
            changed = tuple(condition for condition in source.conditions if condition != text)
    st.markdown("**Add a condition**")
    column = _choose_column(source)
    added = _choose_numbers(source, column) if column.kind == "number" else _choose_categories(source, column)
    if st.checkbox("Only patients with a value", key=f"filter_known_{column.name}"):
        added = (*added, Condition.of(column.name, Operator.KNOWN))
    proposed = _with(source, column, added)
    if st.button("Apply", key="filter_apply", type="primary", disabled=not added or not _is_possible(source, proposed)):
        changed = proposed
    if changed is not None:
        hold(changed)
        st.rerun()


def _with(source: Source, column: AnalysisColumn, added: tuple[Condition, ...]) -> tuple[str, ...]:
    """Return the conditions with others on this column."""
    kept = [text for text in source.conditions if Condition.parse(text).column != column.name]
    return (*kept, *(condition.text for condition in added))


def _is_possible(source: Source, proposed: tuple[str, ...]) -> bool:
    """Say how many patients would be left."""
    try:
        found = data.selection(Source(source.lake_root, source.snapshot_id, proposed))
    except WarehouseError as error:
        st.error(wording.literal_markdown(error.sentence()))
        return False
    st.caption(f"That leaves {len(found.patient_ids):,} of {wording.plural(found.n_cohort, 'patient')}.")
    return True


def _choose_column(source: Source) -> AnalysisColumn:
    groups = column_groups(source)
    group = st.selectbox("Kind of condition", list(groups), key=_GROUP)
    columns = {column.name: column for column in groups[group]}
    names = wording.labels(tuple(columns.values()))
    chosen = st.selectbox(
        "Column", list(columns), format_func=lambda name: names.get(name, name), key=f"{_COLUMN}_{group}"
    )
    return columns[chosen]


def column_groups(source: Source) -> dict[str, tuple[AnalysisColumn, ...]]:
    """Return the columns that conditions can be on, by what they are about."""
    groups: dict[str, list[AnalysisColumn]] = {}
    for column in data.analysis_columns(source):
        groups.setdefault(wording.column_kind(column), []).append(column)
    groups[_QUALITY] = list(quality_columns())
    return {name: tuple(columns) for name, columns in groups.items()}


def _choose_numbers(source: Source, column: AnalysisColumn) -> tuple[Condition, ...]:
    """Offer a least and a greatest value, beside those that are there."""
    lower, upper = _extent(source.whole, column)
    places = st.columns(2)
    unit = f" ({column.unit})" if column.unit else ""
    found = []
    for place, label, seen, operator in (
        (places[0], "At least", lower, Operator.AT_LEAST),
        (places[1], "At most", upper, Operator.AT_MOST),
    ):
        limit = place.number_input(
            f"{label}{unit}",
            value=None,
            format="%.6g",
            placeholder="any" if seen is None else wording.amount(seen),
            key=f"filter_{operator.name}_{column.name}",
        )
        if limit is not None:
            found.append(Condition.of(column.name, operator, limit))
    if lower is not None and upper is not None:
        st.caption(f"In the cohort: {wording.amount(lower)} to {with_unit(wording.amount(upper), column.unit)}.")
    return tuple(found)


@st.cache_data(max_entries=64, show_spinner=False)
def _extent(source: Source, column: AnalysisColumn) -> tuple[float | None, float | None]:
    if column.table in ("refusals", "qc_events"):
        return None, None
    found = np.asarray(data.values(source, (column.name,)).columns[column.name], dtype=np.float64)
    found = found[np.isfinite(found)]
    return (float(found.min()), float(found.max())) if found.size else (None, None)


def _choose_categories(source: Source, column: AnalysisColumn) -> tuple[Condition, ...]:
    """Offer the values of a category, each with its number of patients."""
    counts = _choices(source.whole, column)
    chosen = st.multiselect(
        "One of",
        list(counts),
        format_func=lambda value: f"{value} ({counts.get(value, 0)})",
        key=f"filter_values_{column.name}",
        placeholder="Choose values",
    )
    but = st.checkbox("All but these", key=f"filter_but_{column.name}")
    operator = Operator.NONE_OF if but else Operator.ONE_OF
    return (Condition.of(column.name, operator, *chosen),) if chosen else ()


@st.cache_data(max_entries=64, show_spinner=False)
def _choices(source: Source, column: AnalysisColumn) -> dict[str, int]:
    return choices(data.snapshot(source), column)


def choose_protocol(source: Source) -> None:
    """Offer the protocols of the snapshot, where there are several; the choice is one of the conditions."""
    names = _protocols(source.whole)
    if len(names) < 2:
        return
    default = next(iter(names))
    st.session_state["filter_protocol"] = data.protocol_id(source) or default
    st.selectbox(
        "Lesions by protocol",
        list(names),
        format_func=lambda name: names[name].replace("_", " ") + (" (default)" if name == default else ""),
        key="filter_protocol",
        on_change=_change_protocol,
        args=(source,),
        help="How lesions are delineated. Tumour burden, uptake and radiomic features of all pages follow; analyses "
        "under another protocol than the default are exploratory.",
    )


def _change_protocol(source: Source) -> None:
    others = [text for text in source.conditions if Condition.parse(text).column != PROTOCOL]
    hold((Condition.of(PROTOCOL, Operator.ONE_OF, st.session_state["filter_protocol"]).text, *others))


@st.cache_data(max_entries=16, show_spinner=False)
def _protocols(source: Source) -> dict[str, str]:
    """Names of the protocols by id, the default one first."""
    rows = data.rows_of(
        source,
        "SELECT protocol_id, name FROM protocols ORDER BY protocol_id IS DISTINCT FROM"
        " (SELECT default_protocol_id FROM snapshot_info), name",
    )
    return {str(protocol_id): str(name) for protocol_id, name in rows}
