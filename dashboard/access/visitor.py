"""Who is looking: the person of a session and their role in the study.

With ``[auth]`` in the study's ``.streamlit/secrets.toml`` a visitor logs in with OpenID Connect, and ``access.yaml``
says what they are to the study. Without it, whoever is at this machine is an analyst.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import streamlit as st

from dashboard import data
from warehouse.people.access import ACCESS_FILE, AccessRules, Permission, Role, read_access

LOCAL = "local"
"""Who is looking where there is no login."""

ANYONE = "anyone"
"""Who is looking from elsewhere where there is no login."""


@dataclass(frozen=True)
class Visitor:
    """The person of this session; ``role`` is None for one who logged in and has no role in the study."""

    who: str
    role: Role | None

    def may(self, permission: Permission) -> bool:
        """Whether this person has a permission."""
        return self.role is not None and self.role.may(permission)

    def sees(self, permission: Permission | None) -> Literal["visible", "hidden"]:
        """Whether a page that needs a permission stands in the navigation; ``access.require`` refuses it itself."""
        return "visible" if permission is None or self.may(permission) else "hidden"


def visitor() -> Visitor | None:
    """Return the person of this session, None before the login.

    Raises
    ------
    WarehouseError
        ACCESS_MISSING, ACCESS_INVALID where there is a login; STUDY_NOT_NAMED.
    """
    if "is_logged_in" not in st.user:
        return Visitor(LOCAL, Role.ANALYST) if _only_this_machine() else Visitor(ANYONE, Role.VIEWER)
    if not st.user.is_logged_in:
        return None
    claims = dict(st.user.to_dict())
    who = str(claims.get("email") or claims.get("sub") or "unknown")
    return Visitor(who, _rules(data.lake_root().parent).role_of(claims))


def _only_this_machine() -> bool:
    """Whether nobody else can reach the server; ``config.toml`` gives it an address where nobody else did."""
    address = st.get_option("server.address") or "localhost"
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _rules(study_folder: Path) -> AccessRules:
    try:
        changed_ns = (study_folder / ACCESS_FILE).stat().st_mtime_ns
    except OSError:
        changed_ns = 0
    return _read(study_folder, changed_ns)


@lru_cache(maxsize=4)
def _read(study_folder: Path, changed_ns: int) -> AccessRules:  # noqa: ARG001 (a changed file is read again)
    return read_access(study_folder)
