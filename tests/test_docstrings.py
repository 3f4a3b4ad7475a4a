"""Docstrings describe what exists: no parameter and no attribute that the code does not have."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.test_house import PACKAGES, REPOSITORY

Function = ast.FunctionDef | ast.AsyncFunctionDef

SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}\n|\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = '''
class Base:
    a: int

class Derived(Base):
    """D.

    Attributes
    ----------
    a, b
        X.
    """
    def f(self, c, *d):
        """F.

        Parameters
        ----------
        c, *d
            X.
        e : int
            Y.
        """
'''


def documented(node: Function | ast.ClassDef) -> set[str]:
    """Return the names under which a numpydoc docstring describes parameters and attributes."""
    lines = "\n".join(SECTION.findall(ast.get_docstring(node) or "")).splitlines()
    heads = [line.partition(":")[0] for line in lines if line and not line[0].isspace()]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def parameters(node: Function) -> set[str]:
    of = node.args
    given = [*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg]
    return {each.arg for each in given if each is not None}


def members(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> set[str]:
    """Return what a class has, its bases included: parameters of ``__init__``, fields, methods, constants."""
    targets = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
    targets += [target for each in node.body if isinstance(each, ast.Assign) for target in each.targets]
    functions = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    found = {target.id for target in targets if isinstance(target, ast.Name)} | {each.name for each in functions}
    bases = [classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
    return found.union(
        *(parameters(each) for each in functions if each.name == "__init__"),
        *(members(base, classes) for base in bases),
    )


def wrong(trees: list[ast.Module]) -> list[str]:
    """Return what docstrings describe and the code does not have, as ``name: what``."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    found = []
    for node in nodes:
        if isinstance(node, ast.ClassDef | Function):
            existing = members(node, classes) if isinstance(node, ast.ClassDef) else parameters(node)
            if extra := documented(node) - existing:
                found.append(f"{node.name}: {', '.join(sorted(extra))}")
    return found


def test_no_docstring_describes_what_does_not_exist() -> None:
    assert wrong([ast.parse(EXAMPLE)]) == ["Derived: b", "f: e"]

    paths = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    assert len(paths) > 300
    assert not wrong([ast.parse(Path(path).read_text(encoding="utf-8")) for path in paths])
