"""What a test goes through must not be nothing: a loop without a turn asserts nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def some(items: Iterable[T]) -> list[T]:
    """All of these, of which there is at least one."""
    found = list(items)
    assert found, "there is nothing to look at"
    return found
