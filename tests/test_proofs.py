"""A test that cannot fail is a defect: no loop of assertions goes through what may be empty."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

# What is given as long as what it is made from.
_KEEPING = {"dict", "enumerate", "list", "map", "reversed", "set", "sorted", "tuple", "zip"}
_COMPREHENSIONS = (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


def is_something(value: ast.expr, known: set[str]) -> bool:
    """Whether it can be seen here, without running it, that the value is not empty."""
    match value:
        case ast.Constant():
            return bool(value.value)
        case ast.Tuple() | ast.List() | ast.Set():
            return any(is_something(e.value, known) if isinstance(e, ast.Starred) else True for e in value.elts)
        case ast.Dict():
            return None not in value.keys and bool(value.keys)
        case ast.Name(name):
            return name in known
        case ast.Attribute():
            return ast.unparse(value) in known
        case ast.BinOp(left, ast.BitOr() | ast.Add(), right):
            return is_something(left, known) or is_something(right, known)
        case ast.Call(ast.Name("some")):
            return True
        case ast.Call(ast.Name("range")):
            return all(is_number(number, known) for number in value.args)
        case ast.Call(ast.Name(name), arguments) if name in _KEEPING:
            return all(is_something(each, known) for each in (arguments[1:] if name == "map" else arguments))
        case ast.Call(ast.Attribute(ast.Constant() as text, "split")):
            return is_something(text, known)
        case ast.Call(ast.Attribute(inner, "items" | "keys" | "values")):
            return is_something(inner, known)
    return isinstance(value, _COMPREHENSIONS) and not unseen(value, known)


def is_number(value: ast.expr, known: set[str]) -> bool:
    """Whether a bound of a range is a number that stands here."""
    return isinstance(value, ast.Constant | ast.UnaryOp) or is_something(value, known)


def unseen(loops: ast.expr, known: set[str]) -> list[ast.expr]:
    """What a comprehension goes through that may be nothing."""
    found = []
    for loop in loops.generators:
        if loop.ifs or not is_something(loop.iter, known):
            found.append(loop.iter)
    return found


def names_of_something(body: list[ast.stmt], known: set[str]) -> set[str]:
    """The names that these statements give to what is not empty."""
    found = set(known)
    for statement in body:
        match statement:
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, ast.expr() as value):
                if is_something(value, found):
                    found.add(name)
            case ast.ClassDef(name, [ast.Name("Enum" | "StrEnum"), *_]):
                found.add(name)
    return found


def asserts(statement: ast.stmt) -> bool:
    for node in ast.walk(statement):
        match node:
            case ast.Assert():
                return True
            case ast.Call(ast.Attribute(_, name)) if name.startswith("assert_") or name == "raises":
                return True
    return False


def asserted(test: ast.expr, known: set[str]) -> Iterator[ast.expr]:
    """What an assertion goes through that holds for nothing: all(...), not any(...), not [...], [...] == []."""
    match test:
        case ast.BoolOp(ast.And(), parts):
            for part in parts:
                yield from asserted(part, known)
        case (
            ast.Call(ast.Name("all"), [loops])
            | ast.UnaryOp(ast.Not(), ast.Call(ast.Name("any"), [loops]))
            | ast.UnaryOp(ast.Not(), loops)
            | ast.Compare(loops, [ast.Eq()], [ast.List([]) | ast.Dict([], []) | ast.Call(ast.Name("set"), [])])
        ) if isinstance(loops, _COMPREHENSIONS):
            if "not" in ast.unparse(test)[:3] or isinstance(test, ast.Compare):
                # Its condition finds what is wrong: only what it goes through must be there.
                yield from (loop.iter for loop in loops.generators if not is_something(loop.iter, known))
            else:
                yield from unseen(loops, known)


def proves_nothing(tree: ast.Module) -> Iterator[ast.expr]:
    """What the loops of assertions of a file go through that may be nothing."""
    of_file = names_of_something(tree.body, set())
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        known = names_of_something([node for node in ast.walk(function) if isinstance(node, ast.stmt)], of_file)
        for node in ast.walk(function):
            if isinstance(node, ast.For) and any(map(asserts, node.body)) and not is_something(node.iter, known):
                yield node.iter
            elif isinstance(node, ast.Assert):
                yield from asserted(node.test, known)


def test_every_loop_of_assertions_goes_through_something() -> None:
    files = sorted(TESTS.rglob("*.py"))
    assert len(files) > 100
    found = {
        f"{path.relative_to(TESTS)}:{iterable.lineno}: {ast.unparse(iterable)}"
        for path in files
        for iterable in proves_nothing(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found, "what may be nothing is gone through as some(...):\n" + "\n".join(sorted(found))


@pytest.mark.parametrize(
    "code",
    [
        "for x in found: assert x",
        "for x in folder.glob('*'): assert x",
        "for a, b in zip(one, (1, 2), strict=True): assert a == b",
        "for x in found:\n        with pytest.raises(ValueError): x()",
        "assert all(x for x in found)",
        "assert all(x for x in (1, 2) if x > y)",
        "assert n == 1 and not any(x for x in found)",
        "assert not [x for x in found if x > 1]",
        "assert {x for x in found if x > 1} == set()",
        "for x in EMPTY: assert x",
    ],
)
def test_what_may_be_nothing_is_found(code: str) -> None:
    assert list(proves_nothing(ast.parse(f"EMPTY = ()\ndef test():\n    {code}")))


@pytest.mark.parametrize(
    "code",
    [
        "for x in some(found): assert x",
        "for i, x in enumerate(SOME): assert x",
        "for x in range(3): assert x < y",
        "for x in found: print(x)",
        "assert all(x for x in some(y for y in found if y))",
        "assert not [x for x in some(found) if x > 1]",
        "these = [1, 2]\n    assert all(x for x in these)",
        "assert {x for x in found} == {1}",
    ],
)
def test_what_is_something_is_let_through(code: str) -> None:
    assert not list(proves_nothing(ast.parse(f"SOME = ('a', 'b')\ndef test():\n    {code}")))
