"""The dashboard: opens one published snapshot for the session, and leads to the pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import data, filters, notices, wording
from dashboard.data import Source
from petct.errors import PetctError
from warehouse.errors import WarehouseError

_FOLDER = Path(__file__).resolve().parent
_PAGES = _FOLDER / "app_pages"
_CHECK_EVERY_SECONDS = 30
_MARGINS = "<style>.stMainBlockContainer {padding: 2.5rem 2.5rem 4rem 2.5rem}</style>"


def main() -> None:
    """Draw the sidebar and run the page that was chosen."""
    st.set_page_config(page_title="petlake", page_icon=str(_FOLDER / "favicon.svg"), layout="wide")
    st.html(_MARGINS)
    page = st.navigation(
        [
            st.Page(_PAGES / "cohort.py", title="Cohort", icon=":material/groups:", default=True),
            st.Page(_PAGES / "survival.py", title="Survival", icon=":material/stairs_2:"),
            st.Page(_PAGES / "cox.py", title="Cox model", icon=":material/forest:", url_path="cox"),
            st.Page(_PAGES / "pca.py", title="Principal components", icon=":material/scatter_plot:", url_path="pca"),
            st.Page(_PAGES / "conformance.py", title="Conformance", icon=":material/rule:", url_path="conformance"),
        ]
    )
    lake = _lake()
    source = _source(lake)
    with st.sidebar:
        _about(lake, source)
    with notices.refusals_as_sentences():
        page.run()


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
            notices.no_snapshot()
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
    except (PetctError, WarehouseError):
        return
    if newest == source.snapshot_id:
        st.caption("This is the current snapshot.")
        return
    st.caption(f"Another snapshot is current: `{wording.short_id(newest)}`")
    if st.button("Open the current snapshot", on_click=filters.show_newest, args=(newest,), width="stretch"):
        st.rerun()


main()
