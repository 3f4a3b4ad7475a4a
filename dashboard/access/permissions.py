"""What a visitor may see: the login, and the end of a page that is not for them. Every decision is made here."""

from __future__ import annotations

import streamlit as st

from dashboard import data, wording
from dashboard.access import audit
from dashboard.access.visitor import ANYONE, LOCAL, Visitor, visitor
from dashboard.data import Source
from warehouse.errors import WarehouseError
from warehouse.people.access import ACCESS_FILE, Permission
from warehouse.people.audit import Action

__all__ = ["Permission", "about", "admit", "may", "require"]

_CAN_ONLY = "You see this study as a viewer: results of groups of patients."
_NEEDS = {
    Permission.SQL: "SQL reads the rows of single patients.",
    Permission.PATIENT_IMAGES: "This page shows the images and the data of single patients.",
    Permission.PATIENT_ROWS: "This page shows the data of single patients.",
}


def may(permission: Permission) -> bool:
    """Whether the person of this session has a permission."""
    person = visitor()
    return person is not None and person.may(permission)


def require(permission: Permission | None, source: Source) -> None:
    """End a page that its visitor may not see, with a sentence, and enter that into the audit log."""
    if permission is not None and not may(permission):
        audit.enter(source, Action.REFUSED)
        st.warning(f"{_NEEDS[permission]} {_CAN_ONLY}", icon=":material/lock:")
        st.stop()


def admit() -> Visitor:
    """Return the person of this session, or show the login and end the run; for the start of the app."""
    try:
        person = visitor()
    except WarehouseError as refusal:
        st.error(wording.literal_markdown(refusal.sentence()), icon=":material/error:")
        st.stop()
    if person is None:
        _login()
        st.stop()
    if person.role is None:
        audit.turned_away(data.lake_root())
        st.title("petlake")
        st.warning(
            f"{wording.literal_markdown(person.who)} has no role in this study. Ask its owner, who gives roles in "
            f"`{ACCESS_FILE}`.",
            icon=":material/lock:",
        )
        st.button("Log out", on_click=st.logout)
        st.stop()
    return person


def about(person: Visitor) -> None:
    """Show who is logged in, and the way out; nothing where there is no login."""
    if person.who in (LOCAL, ANYONE):
        return
    st.caption(f"{wording.literal_markdown(person.who)}, {person.role}")
    st.button("Log out", on_click=st.logout, width="stretch")


def _login() -> None:
    st.title("petlake")
    st.markdown("This study asks who is looking.")
    providers = [name for name, value in st.secrets["auth"].items() if hasattr(value, "keys")]
    if not providers:
        st.button("Log in", type="primary", on_click=st.login)
    for name in providers:
        st.button(f"Log in with {name.title()}", key=f"login_{name}", on_click=st.login, args=(name,))
