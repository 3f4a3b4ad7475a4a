"""The dashboard: opens one published snapshot for the session, and leads to the pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard import cohort_filter, data, filters, notices, wording
from dashboard.access import audit, permissions
from dashboard.access.permissions import Permission
from dashboard.data import Source
from refusals.coded_error import CodedError
from warehouse.errors import WarehouseError

_FOLDER = Path(__file__).resolve().parent
_CHECK_EVERY_SECONDS = 30


@dataclass(frozen=True)
class _Entry:
    """A page of the navigation: its script is ``page.py`` in the folder of its name.

    Attributes
    ----------
    filtered
        Whether it shows the patients of the filter.
    needs
        What its visitor must be allowed to.
    """

    script: str
    title: str
    icon: str
    filtered: bool = True
    needs: Permission | None = None

    @property
    def script_path(self) -> Path:
        """Where the script is, or will be."""
        return _FOLDER / self.script / "page.py"


# In the order of the navigation; an entry without its script is left out.
_ENTRIES = (
    _Entry("study", "Study", ":material/groups:"),
    _Entry("survival", "Survival", ":material/stairs_2:"),
    _Entry("cox", "Cox model", ":material/forest:"),
    _Entry("features", "Features", ":material/manage_search:"),
    _Entry("pca", "Principal components", ":material/scatter_plot:"),
    _Entry("protocols", "Protocols", ":material/compare:"),
    _Entry("patient", "Patient", ":material/person_search:", needs=Permission.PATIENT_IMAGES),
    _Entry("sql", "SQL", ":material/database:", filtered=False, needs=Permission.SQL),
    _Entry("snapshots", "Snapshots", ":material/history:", filtered=False),
    _Entry("conformance", "Conformance", ":material/rule:", filtered=False),
)


def main() -> None:
    """Draw the sidebar and the filter, and run the page that was chosen."""
    st.set_page_config(page_title="petlake", page_icon=str(_FOLDER / "favicon.svg"), layout="wide")
    st.html(_FOLDER / "style.css")
    person = permissions.admit()
    entries = [entry for entry in _ENTRIES if entry.script_path.is_file()]
    pages = [
        st.Page(e.script_path, title=e.title, icon=e.icon, url_path=e.script, visibility=person.sees(e.needs))
        for e in entries
    ]
    chosen = st.navigation(pages)
    entry = entries[pages.index(chosen)]
    lake = _lake()
    source = _source(lake)
    audit.open_page(entry.title)
    refused = cohort_filter.refusals(source)
    with st.sidebar:
        _about(lake, source)
        if not refused:
            cohort_filter.choose_protocol(source)
        permissions.about(person)
    permissions.require(entry.needs, source)
    audit.viewed(source)
    if refused:
        cohort_filter.show_refusals(source, refused)
        st.stop()
    if entry.filtered:
        cohort_filter.bar(source)
        if source.conditions and not data.selected_patients(source):
            cohort_filter.show_nobody(source)
            st.stop()
    elif source.conditions:
        st.caption("This page is about the whole snapshot: the filter of patients does not apply here.")
    with notices.refusals_as_sentences():
        chosen.run()


def _lake() -> Path:
    try:
        return data.lake_root()
    except WarehouseError as refusal:
        st.error(wording.literal_markdown(refusal.sentence()))
        st.stop()


def _source(lake: Path) -> Source:
    try:
        source = filters.pinned_source(lake)
        data.snapshot(source)
    except WarehouseError as refusal:
        if refusal.code == "SNAPSHOT_NONE":
            notices.empty(*notices.NO_SNAPSHOT)
        else:
            st.error(wording.literal_markdown(refusal.sentence()), icon=":material/error:")
            st.link_button("Open the current snapshot", "./")
        st.stop()
    return source


def _about(lake: Path, source: Source) -> None:
    """Study, snapshot and number of patients, on every page."""
    about = data.details(source)
    tracer = data.tracer(source)
    st.markdown(f"**{wording.literal_markdown(data.study_name(source))}**")
    patients = wording.plural(about.n_patients, "patient")
    st.caption(f"{patients}, {wording.literal_markdown(tracer)}" if tracer else patients)
    filters.choose_snapshot(lake)
    _hint_at_newer(lake, source)


@st.fragment(run_every=_CHECK_EVERY_SECONDS)
def _hint_at_newer(lake: Path, source: Source) -> None:
    """Say that another snapshot is current by now; the session keeps its own until it is asked to change."""
    try:
        newest = data.newest_id(lake)
    except CodedError:
        return
    if newest == source.snapshot_id:
        st.caption("This is the current snapshot.")
        return
    st.caption(f"Another snapshot is current: `{wording.short_id(newest)}`")
    if st.button("Open the current snapshot", on_click=filters.show_newest, args=(newest,), width="stretch"):
        st.rerun()


main()
