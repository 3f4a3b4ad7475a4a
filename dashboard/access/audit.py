"""Entering what a visitor looks at, asks and exports into the audit log of the lake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from dashboard.access.visitor import LOCAL, visitor
from dashboard.data import Source
from dashboard.wording import literal_markdown
from warehouse.errors import WarehouseError
from warehouse.people.audit import Action, AuditEntry, now, record

_PAGE = "audit_page"
_LAST = "audit_last_view"


def open_page(page: str) -> None:
    """Say which page all that follows is done on."""
    st.session_state[_PAGE] = page


def viewed(source: Source) -> None:
    """Enter that the page is looked at: once until the page or the snapshot is another one."""
    page = st.session_state[_PAGE]
    if st.session_state.get(_LAST) != (page, source.snapshot_id):
        enter(source, Action.VIEW)
        st.session_state[_LAST] = (page, source.snapshot_id)


def turned_away(lake_root: Path) -> None:
    """Enter that somebody logged in who has no role, once a session."""
    if st.session_state.get(_LAST) is None:
        st.session_state[_LAST] = ("", "")
        enter(Source(str(lake_root), ""), Action.REFUSED)


def exporting(source: Source, what: str) -> Callable[[], None]:
    """Return a callback (``on_click`` of a download) that enters what is taken away, for example ``result.csv``."""
    return lambda: enter(source, Action.EXPORT, what)


def enter(source: Source, action: Action, detail: str = "") -> None:
    """Enter an action on the page that is shown.

    Where there is a login nobody looks without being entered: a log that cannot be written ends the page. On one's own
    machine it is said, and no more.
    """
    person = visitor()
    if person is None:
        return
    page = str(st.session_state.get(_PAGE, ""))
    role = "none" if person.role is None else person.role.value
    try:
        record(Path(source.lake_root), AuditEntry(now(), person.who, role, action, page, source.snapshot_id, detail))
    except WarehouseError as refusal:
        st.warning(literal_markdown(refusal.sentence()))
        if person.who != LOCAL:
            st.stop()
