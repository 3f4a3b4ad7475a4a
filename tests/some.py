"""What a test goes through must not be nothing: a loop without a turn asserts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def some(items: Iterable[T]) -> Iterator[T]:
    """All of these, of which there is at least one; one at a time, because a page is another one at the next turn."""
    found = False
    for item in items:
        found = True
        yield item
    assert found, "there is nothing to look at"
