"""access.yaml: who is what, and what is no answer to that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.some import some
from warehouse.errors import WarehouseError
from warehouse.people.access import Permission, Role, read_access

RULES = """
analyst:
  emails: [Anna@Hospital.example]
  claims: {groups: [petct-analysts, physics]}
viewer:
  emails: ["*@hospital.example"]
"""


def written(folder: Path, text: str) -> Path:
    (folder / "access.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "anna@hospital.example", "email_verified": True}, Role.ANALYST),
        ({"email": "ANNA@HOSPITAL.EXAMPLE", "email_verified": "true"}, Role.ANALYST),
        ({"email": "bo@hospital.example", "email_verified": True}, Role.VIEWER),
        ({"email": "bo@x.hospital.example", "email_verified": True}, None),
        ({"email": "bo@evil-hospital.example", "email_verified": True}, None),
        ({"email": "anna@hospital.example@evil.example", "email_verified": True}, None),
        # Whoever has not shown that an address is theirs is not its owner.
        ({"email": "anna@hospital.example"}, None),
        ({"email": "anna@hospital.example", "email_verified": False}, None),
        ({"groups": ["staff", "physics"]}, Role.ANALYST),
        ({"groups": "petct-analysts"}, Role.ANALYST),
        ({"groups": ["petct"]}, None),
        ({"groups": None}, None),
        ({}, None),
    ],
)
def test_roles_by_email_domain_and_claim(tmp_path: Path, claims: dict[str, object], role: Role | None) -> None:
    assert read_access(written(tmp_path, RULES)).role_of(claims) is role


def test_what_the_owner_may_decide_otherwise(tmp_path: Path) -> None:
    rules = read_access(written(tmp_path, f"{RULES}\nothers: viewer\nemail_must_be_verified: false\n"))
    assert rules.role_of({"email": "anna@hospital.example"}) is Role.ANALYST
    assert rules.role_of({"email": "x@elsewhere.example"}) is Role.VIEWER
    assert read_access(written(tmp_path, "")).role_of({"email": "x@y.example", "email_verified": True}) is None


def test_an_analyst_may_all_and_a_viewer_nothing_of_single_patients() -> None:
    assert all(Role.ANALYST.may(permission) for permission in some(Permission))
    assert not any(Role.VIEWER.may(permission) for permission in some(Permission))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("analysts: {emails: [a@b.example]}", r"ACCESS_INVALID.*analysts.*expected analyst, viewer"),
        ("analyst: {emails: [anna]}", r"ACCESS_INVALID.*'anna' is neither"),
        ('analyst: {emails: ["*@*"]}', r"ACCESS_INVALID"),
        ('analyst: {emails: ["*"]}', r"ACCESS_INVALID"),
        ("viewer: {emails: [*@hospital.example]}", r"ACCESS_INVALID.*needs quotes"),
        ("others: analyst", r"ACCESS_INVALID.*others"),
        ("[1]", r"ACCESS_INVALID"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WarehouseError, match=message):
        read_access(written(tmp_path, text))


def test_without_the_file_nobody_has_a_role(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"ACCESS_MISSING.*dashboard-access\.md"):
        read_access(tmp_path)
