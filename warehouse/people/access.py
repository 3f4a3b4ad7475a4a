"""Who may see what: the roles of a study's dashboard, and ``access.yaml``, which gives them to people.

Not in study.yaml: what is there is part of the identity of a snapshot, and who may look at it is not.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACCESS_FILE = "access.yaml"

_EMAIL = re.compile(r"(\*|[^@\s*]+)@[^@\s*]+")
_EXAMPLE = 'Write for example:  analyst: {emails: ["you@hospital.example"]}'


class Permission(StrEnum):
    """What not every role may do."""

    PATIENT_ROWS = "rows of single patients"
    PATIENT_IMAGES = "images of single patients"
    SQL = "SQL"


class Role(StrEnum):
    """What a person is to the study."""

    ANALYST = "analyst"
    VIEWER = "viewer"

    def may(self, permission: Permission) -> bool:  # noqa: ARG002 (the viewer has none of them so far)
        """Whether the role has a permission: an analyst has all, a viewer sees results of groups only."""
        return self is Role.ANALYST


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _People(_Section):
    emails: tuple[str, ...] = ()
    claims: dict[str, tuple[str, ...]] = {}

    @field_validator("emails")
    @classmethod
    def _are_emails(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for email in value:
            if _EMAIL.fullmatch(email) is None:
                raise ValueError(f"{email!r} is neither an e-mail address nor *@domain")
        return value


class AccessRules(_Section):
    """The content of ``access.yaml``.

    Attributes
    ----------
    analyst, viewer
        The people of each role, by the e-mail of their login (``*@domain`` for all of a domain) or by a claim of their
        identity token, for example ``{groups: [petct-analysts]}``. Who is named twice is an analyst.
    others
        The role of those who can log in and are named nowhere.
    email_must_be_verified
        Whether an e-mail counts only when the provider says that it has verified it (the claim ``email_verified``).
    """

    analyst: _People = Field(default_factory=_People)
    viewer: _People = Field(default_factory=_People)
    others: Literal["refused", "viewer"] = "refused"
    email_must_be_verified: bool = True

    def role_of(self, claims: Mapping[str, object]) -> Role | None:
        """Return the role of a person, by the claims of their identity token; None for one who is refused."""
        for role, people in ((Role.ANALYST, self.analyst), (Role.VIEWER, self.viewer)):
            if self._is_named(people, claims):
                return role
        return Role.VIEWER if self.others == "viewer" else None

    def _is_named(self, people: _People, claims: Mapping[str, object]) -> bool:
        email = claims.get("email")
        verified = claims.get("email_verified") in (True, "true") or not self.email_must_be_verified
        if isinstance(email, str) and verified and any(_matches(email, pattern) for pattern in people.emails):
            return True
        return any(set(wanted) & _texts(claims.get(name)) for name, wanted in people.claims.items())


def read_access(study_folder: Path) -> AccessRules:
    """Read ``access.yaml`` of a study.

    Raises
    ------
    WarehouseError
        ACCESS_MISSING, ACCESS_INVALID.
    """
    path = study_folder / ACCESS_FILE
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return AccessRules.model_validate({} if content is None else content)
    except FileNotFoundError:
        raise WarehouseError(
            "ACCESS_MISSING",
            "Nobody has a role in this study",
            keyword=ACCESS_FILE,
            expected=f"{ACCESS_FILE} beside study.yaml",
            hint=f"{_EXAMPLE}. docs/dashboard-access.md says more.",
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        raise WarehouseError(
            "ACCESS_INVALID",
            f"{ACCESS_FILE} cannot be used",
            keyword=".".join(str(part) for part in first["loc"]) or ACCESS_FILE,
            found=None if first["type"] == "extra_forbidden" else repr(first["input"]),
            expected="analyst, viewer, others or email_must_be_verified, with emails and claims"
            if first["type"] == "extra_forbidden"
            else first["msg"],
            hint=f"{_EXAMPLE}.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise WarehouseError(
            "ACCESS_INVALID",
            f"{ACCESS_FILE} cannot be read",
            keyword=ACCESS_FILE,
            found=" ".join(str(error).split()),
            hint='An address with a star needs quotes: "*@hospital.example".',
        ) from error


def _matches(email: str, pattern: str) -> bool:
    email, pattern = email.casefold(), pattern.casefold()
    return email.endswith(pattern[1:]) if pattern.startswith("*@") else email == pattern


def _texts(claim: object) -> set[str]:
    if isinstance(claim, str):
        return {claim}
    return {str(item) for item in claim} if isinstance(claim, list | tuple) else set()
