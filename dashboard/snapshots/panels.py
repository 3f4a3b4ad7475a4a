"""Parts of the page Snapshots: the list, what changed between two of them, the tests that were run on one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from analyses.tables.snapshots import changed_tables, tests_run
from dashboard import data, panels, wording
from dashboard.access import permissions
from dashboard.data import Source
from warehouse.people.journal import ledger_of
from warehouse.snapshots.changes import EXAMPLES, SnapshotDiff, TableChange, ValueChange
from warehouse.snapshots.diff import diff

_ENTRIES = 8


@st.cache_data(max_entries=_ENTRIES, show_spinner="Comparing the snapshots ...")
def difference(lake_root: str, before: str, after: str) -> SnapshotDiff:
    """Compare two snapshots; raises as ``warehouse.snapshots.diff.diff``."""
    return diff(Path(lake_root), before, after)


def listed(source: Source) -> None:
    """List the published snapshots, the latest first."""
    infos = data.published(Path(source.lake_root))
    rows = [
        (
            wording.short_id(info.snapshot_id),
            " and ".join(
                word
                for word, holds in (
                    ("current", info.is_current),
                    ("shown here", info.snapshot_id == source.snapshot_id),
                )
                if holds
            ),
            info.published_at,
            info.n_patients,
            info.size_bytes / 1e6,
            info.snapshot_id,
        )
        for info in infos
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["Snapshot", "Which", "Published (UTC)", "Patients", "Size (MB)", "Full id"]),
        hide_index=True,
        column_config={
            "Published (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "Size (MB)": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    st.caption("The side bar changes the snapshot that all pages show. `petlake snapshot publish` makes a new one.")


def choose_two(source: Source) -> tuple[str, str] | None:
    """Offer two snapshots to compare: the one shown, and the one that was published before it."""
    infos = {info.snapshot_id: info for info in data.published(Path(source.lake_root))}
    if len(infos) < 2:
        return None
    names = list(infos)
    place = names.index(source.snapshot_id)
    earlier = place + 1 if place + 1 < len(names) else place - 1
    left, right = st.columns(2)
    chosen = [
        column.selectbox(
            label,
            names,
            index=index,
            format_func=lambda name: (
                f"{wording.short_id(name)} · {infos[name].published_at:%d %b %Y %H:%M}"
                f"{' · current' if infos[name].is_current else ''}"
                if name in infos
                else name
            ),
            key=key,
            bind="query-params",
        )
        for column, label, key, index in (
            (left, "From", "diff_from", max(earlier, place)),
            (right, "To", "diff_to", min(earlier, place)),
        )
    ]
    return chosen[0], chosen[1]


def changes(found: SnapshotDiff) -> None:
    """Show what changed, in words and in tables."""
    st.markdown("\n".join(f"- {wording.literal_markdown(sentence)}" for sentence in found.sentences))
    if found.tables:
        st.markdown("**Tables**")
        panels.result_table(changed_tables(found.tables))
        st.caption(
            "Rows are told apart by their key. A row has changed when a column of both snapshots holds another value."
        )
        _values(found.tables)
    left, right = st.columns(2, gap="large")
    with left:
        _named("Settings", found.settings)
    with right:
        _named("Code versions", found.code_versions)
    if permissions.may(permissions.Permission.PATIENT_ROWS):
        for title, patients in (
            ("Patients who came", found.patients_added),
            ("Patients who went", found.patients_removed),
            ("Patients whose tables changed", found.patients_changed),
        ):
            if patients:
                st.markdown(
                    f"**{title}** ({len(patients)}): {wording.literal_markdown(wording.shortened(patients, EXAMPLES))}"
                )


def _values(tables: Sequence[TableChange]) -> None:
    """The columns whose values changed, and for those who may see patients the first of the values."""
    counts = [(t.name, column, n) for t in tables for column, n in t.changed_values.items()]
    if not counts:
        return
    with st.expander(f"Changed values, by column ({len(counts)})"):
        st.dataframe(pd.DataFrame(counts, columns=["Table", "Column", "Rows"]), hide_index=True)
    if permissions.may(permissions.Permission.PATIENT_ROWS):
        cells = [
            (t.name, ", ".join(cell.key), cell.column, cell.before, cell.after) for t in tables for cell in t.examples
        ]
        with st.expander(f"Changed values, the first {EXAMPLES} of each table"):
            st.dataframe(
                pd.DataFrame(cells, columns=["Table", "Row", "Column", "Before", "After"]),
                hide_index=True,
                placeholder="",
            )


def _named(title: str, changed: Sequence[ValueChange]) -> None:
    st.markdown(f"**{title}**")
    if not changed:
        st.caption("The same in both.")
        return
    rows = [(one.name, one.before, one.after) for one in changed]
    st.dataframe(pd.DataFrame(rows, columns=["Name", "Before", "After"]), hide_index=True, placeholder="")


def tests(source: Source) -> None:
    """Show every test that was run on the snapshot."""
    ledger = ledger_of(Path(source.lake_root), source.snapshot_id)
    st.markdown(f"{wording.literal_markdown(ledger.sentence)}.")
    if not ledger.entries:
        return
    panels.result_table(tests_run(ledger), column_config=panels.widths(n=50, Events=60, Tests=50))
    st.caption("The smallest p of each, as it was shown. `petlake snapshot tests` prints the same.")
