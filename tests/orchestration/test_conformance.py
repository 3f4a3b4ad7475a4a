"""``petlake conformance``: its exit code is 0 only when all of an exam passes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from orchestration.cli import petlake as program
from petct.conformance.exam import EXAM_FOLDERS, Exam, ExamLine, Verdict
from petct.conformance.suv_objects import suv_objects
from tests.petct.conformance.suv_synthesis import small_phantom, write_object
from tests.some import some

OBJECTS = suv_objects()


def _reference(folder: Path, *, wrong: bool) -> Path:
    """Two reference objects; one of them is stored under the id of another where ``wrong``."""
    write_object(OBJECTS["DRO_0_0"], small_phantom(), folder / "DRO_0_0")
    write_object(OBJECTS["DRO_0_0" if wrong else "DRO_error_2_0"], small_phantom(), folder / "DRO_error_2_0")
    return folder


@pytest.mark.parametrize("options", [(), ("--all",), ("--json",)])
def test_one_object_that_fails_is_exit_code_1_and_none_is_0(
    tmp_path: Path, petlake: Callable, options: tuple[str, ...]
) -> None:
    good, bad = _reference(tmp_path / "good", wrong=False), _reference(tmp_path / "bad", wrong=True)
    assert "2 of 2" in petlake("conformance", "suv", good, "--all").out
    petlake("conformance", "suv", good, *options, expect=0)
    petlake("conformance", "suv", bad, *options, expect=1)


def test_the_installed_program_ends_with_that_code(tmp_path: Path, petlake_process: Callable) -> None:
    petlake_process("conformance", "suv", _reference(tmp_path / "bad", wrong=True), expect=1)


@pytest.mark.parametrize("exam", sorted(EXAM_FOLDERS))
@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((Verdict.PASS, Verdict.KNOWN_DIFFERENCE, Verdict.NOT_COMPUTED), 0),
        ((Verdict.PASS, Verdict.FAIL), 1),
        ((), 1),
    ],
)
def test_every_exam_ends_with_the_code_of_its_lines(
    tmp_path: Path,
    petlake: Callable,
    monkeypatch: pytest.MonkeyPatch,
    exam: str,
    options: tuple[str, ...],
    verdicts: tuple[Verdict, ...],
    code: int,
) -> None:
    lines = tuple(ExamLine("case", "quantity", "1", "1", None, verdict) for verdict in verdicts)
    monkeypatch.setattr(importlib.import_module(f"petct.conformance.{exam}"), "run", lambda _: Exam(exam, lines))
    petlake("conformance", exam, tmp_path, *options, expect=code)


def _commands(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    below = [
        (f"{name} {inner}", command)
        for name, outer in found.items()
        if isinstance(outer, click.Group)
        for inner, command in _commands(outer).items()
    ]
    return {**found, **dict(below)}


def test_no_command_returns_anything_that_could_be_taken_for_its_exit_code() -> None:
    # An exit code is given by `sys.exit` or `context.exit`; click hands what a command returns to the same place.
    commands = _commands(program)
    assert len(commands) > 20
    annotations = {name: getattr(command.callback, "__annotations__", {}) for name, command in commands.items()}
    assert not [
        name for name, kinds in some(annotations.items()) if kinds.get("return", "missing") not in (None, "None")
    ]
