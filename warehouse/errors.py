"""Refusals of the store."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from refusals.coded_error import CodedError


class WarehouseError(CodedError):
    """A refusal of the store; ``keyword`` is the table, column or file."""

    keyword_label = "in"


def unknown_name(
    code: str, message: str, found: str, known: Sequence[str], *, keyword: str | None = None
) -> WarehouseError:
    """The refusal of a name that is not among those ``known``, with the nearest of them."""
    near = difflib.get_close_matches(found, known, n=1, cutoff=0.4)
    return WarehouseError(
        code,
        message,
        keyword=keyword,
        found=found,
        expected=", ".join(known) if len(known) <= 12 else f"one of {len(known)} names",
        hint=f"Nearest: {near[0]}." if near else None,
    )
