"""Python code as text: imports that are sorted, calls that are wrapped, values that are quoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_WIDTH = 100
_INDENT = "    "


@dataclass
class Code:
    """Statements of a function with the imports that they need."""

    lines: list[str] = field(default_factory=list)
    imports: dict[str, set[str]] = field(default_factory=dict)

    def use(self, module: str, *names: str) -> None:
        """Import names from a module."""
        self.imports.setdefault(module, set()).update(names)

    def add(self, *lines: str) -> None:
        """Append statements."""
        self.lines += lines

    def call(self, target: str, function: str, arguments: Sequence[str]) -> None:
        """Append ``target = function(arguments)``, one argument a line where it is long."""
        self.lines += wrapped(f"{target} = {function}(", arguments, ")")

    def import_lines(self, ours: Iterable[str]) -> list[str]:
        """Import statements, the standard library and others first, petlake's packages last."""
        own = set(ours)
        groups: list[list[str]] = [[], [], []]
        for module in sorted(self.imports):
            root = module.partition(".")[0]
            place = 2 if root in own else 0 if root in _STANDARD else 1
            names = sorted(self.imports[module])
            if not names:
                groups[place].append(f"import {_ALIASES.get(module, module)}")
            else:
                groups[place] += wrapped(f"from {module} import ", names, "", brackets=True)
        return [line for group in groups if group for line in (*group, "")]


_STANDARD = {"argparse", "csv", "dataclasses", "json", "pathlib", "sys"}
_ALIASES = {"numpy": "numpy as np", "pandas": "pandas as pd"}


def literal(value: object) -> str:
    """Return a value as Python writes it, with double quotes as far as they fit."""
    if isinstance(value, tuple):
        inside = ", ".join(literal(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return f"[{', '.join(literal(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        text = repr(value)
        plain = text.startswith("'") and '"' not in text and "\\" not in text
        return f'"{text[1:-1]}"' if plain else text
    return repr(value)


def wrapped(head: str, items: Sequence[str], tail: str, *, brackets: bool = False) -> list[str]:
    """Return ``head + items + tail`` on one line, or one item a line where that is too long."""
    line = f"{head}{', '.join(items)}{tail}"
    if len(line) + len(_INDENT) <= _WIDTH:
        return [line]
    if brackets:
        head, tail = f"{head}(", ")"
    return [head, *(f"{_INDENT}{item}," for item in items), tail]


def indented(lines: Iterable[str]) -> list[str]:
    """Return lines one step further in; empty ones stay empty."""
    return [f"{_INDENT}{line}" if line else "" for line in lines]
