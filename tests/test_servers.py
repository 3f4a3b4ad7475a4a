"""No program that a test starts is left when the test is over, and none is waited for that will not go on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import servers
from tests.servers import Program, running, serving

# A helper that takes no request to end, in a session of its own, as the servers under `petlake ui` are.
HELPER = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("started", flush=True)
time.sleep(600)
"""
START_HELPER = f"""
import subprocess, sys, time
helper = subprocess.Popen([sys.executable, "-c", {HELPER!r}], start_new_session=True, stdout=subprocess.PIPE)
helper.stdout.readline()
"""
SERVER = """
import http.server, sys
print("Traceback", flush=True)
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[2]))
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "program.log"


@pytest.fixture
def soon_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "STALLED_S", 2.0)


def failed(code: str, log: Path, test: Callable[[Program], object], message: str) -> Program:
    """The program, after a test with it that has failed with this message."""
    seen: list[Program] = []

    def run() -> None:
        with running(sys.executable, "-c", code, log=log) as program:
            seen.append(program)
            test(program)

    with pytest.raises(AssertionError, match=message):
        run()
    return seen[0]


def wait_in_vain(program: Program) -> None:
    program.wait("the page", lambda: False)


def test_a_server_that_fails_to_start_leaves_nothing_behind(log: Path) -> None:
    """It has started another process before it fails; the test fails at once, with what the server wrote."""
    code = START_HELPER + "print('no such study', flush=True); sys.exit(3)"
    program = failed(code, log, wait_in_vain, r"the page: ended with code 3\s+no such study")
    assert program.processes() == {}


def test_a_failing_fixture_ends_the_server_and_what_it_started(log: Path) -> None:
    def fixture(program: Program) -> None:
        assert program.wait("the helper", lambda: len(program.processes()) == 2)
        raise AssertionError("in the fixture")

    program = failed(START_HELPER + "time.sleep(600)", log, fixture, "in the fixture")
    assert program.processes() == {}


@pytest.mark.usefixtures("soon_stalled")
def test_a_program_that_does_nothing_is_not_waited_for(log: Path) -> None:
    failed("import time; time.sleep(600)", log, wait_in_vain, "nothing happened for 2 s")


@pytest.mark.usefixtures("soon_stalled")
def test_a_program_that_works_is_waited_for(log: Path) -> None:
    """Longer than a program that does nothing would be."""
    until = time.monotonic() + 5
    with running(sys.executable, "-c", "while True: pass", log=log) as program:
        assert program.wait("five seconds", lambda: time.monotonic() > until)


@pytest.mark.usefixtures("soon_stalled")
def test_what_does_not_end_when_it_is_asked_fails_the_test_and_is_killed(log: Path) -> None:
    def test(program: Program) -> None:
        assert program.wait("its first line", program.written)

    program = failed(HELPER, log, test, "the end of the program")
    assert program.processes() == {}


def test_a_server_that_wrote_a_traceback_fails_the_test(log: Path) -> None:
    def serve() -> None:
        with serving(sys.executable, "-c", SERVER, log=log, health="/") as address:
            assert servers.answers(address)
            assert not servers.answers(f"{address}/nothing-of-that-name")

    with pytest.raises(AssertionError, match="Traceback"):
        serve()


def test_petlake_leaves_nothing_of_a_server_that_fails(log: Path) -> None:
    """`dagster dev` may fail when some of its servers run already: they end with `petlake ui`."""
    fails = [sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '600']); raise SystemExit(5)"]
    code = f"import os, sys; from orchestration.commands.servers import _run; sys.exit(_run({fails}, dict(os.environ)))"
    with running(sys.executable, "-c", code, log=log) as program:
        assert program.ended() == 5
        assert program.processes() == {}
