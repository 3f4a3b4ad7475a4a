"""Whether two runs of an analysis gave the same numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

RELATIVE_TOLERANCE = 1e-9
"""Beyond what the order of summation in another library or processor may change, and below what anyone prints."""


@dataclass(frozen=True)
class Difference:
    """The first place at which two results differ: its path, and what is there."""

    path: str
    found: str
    expected: str


def first_difference(found: object, expected: object, path: str = "") -> Difference | None:
    """Return the first difference of two results as JSON has them, or None where they are the same.

    Numbers may differ by ``RELATIVE_TOLERANCE``, everything else not at all; keys that only ``expected`` has are
    ignored at the top, where a command says where its data come from.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        missing = [key for key in found if key not in expected]
        if path:
            missing += [key for key in expected if key not in found]
        if missing:
            return Difference(f"{path}.{missing[0]}".lstrip("."), *_sides(missing[0] in found))
        pairs = [(f"{path}.{key}".lstrip("."), found[key], expected[key]) for key in found]
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        if len(found) != len(expected):
            return Difference(path, f"{len(found)} entries", f"{len(expected)} entries")
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(found, expected, strict=True))]
    else:
        return None if _same(found, expected) else Difference(path, repr(found), repr(expected))
    return next((it for pair in pairs if (it := first_difference(pair[1], pair[2], pair[0])) is not None), None)


def _sides(in_found: bool) -> tuple[str, str]:
    return ("there", "not there") if in_found else ("not there", "there")


def _same(found: object, expected: object) -> bool:
    numbers = (int, float)
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, numbers) and isinstance(expected, numbers):
        return math.isclose(found, expected, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
    return found == expected
