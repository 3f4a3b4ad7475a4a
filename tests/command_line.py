"""The command line in the tests: in this process, or as the installed program."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from orchestration import cli

PETLAKE = Path(sys.executable).with_name("petlake")


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


def run_petlake(*arguments: str | Path, expect: int | None = 0) -> Ran:
    """Run ``petlake`` in this process, from its arguments to its exit code, which must be ``expect``.

    A process of its own would only load all libraries again; it is for tests of what a process does
    (``petlake_process``). Not for several threads: there is one standard output.
    """
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.run([str(argument) for argument in arguments])
    return _checked(arguments, Ran(code, out.getvalue(), err.getvalue()), expect)


def run_petlake_process(*arguments: str | Path, expect: int | None = 0) -> Ran:
    """Run the installed program ``petlake``; ``expect`` is the exit code it must have."""
    done = subprocess.run([PETLAKE, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=600)
    return _checked(arguments, Ran(done.returncode, done.stdout, done.stderr), expect)


def _checked(arguments: tuple[str | Path, ...], ran: Ran, expect: int | None) -> Ran:
    assert "Traceback" not in ran.err, ran.err
    assert expect is None or ran.code == expect, f"{arguments}: {ran.code}\n{ran.out}\n{ran.err}"
    return ran
