"""Programs that a test starts and waits for: none of them outlives the test, however the test ends.

A program is waited for as long as it works, by its processor time and its log, and not by a clock: a machine that is
three times slower is waited for three times longer. What it starts itself, even in a session of its own, is found by a
mark in its environment.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

STALLED_S = 120.0
"""A program that neither works nor writes for so long will not go on."""
PATIENCE_S = 900.0
"""The end of all waiting, for a program that works on something else for ever."""

_MARK = "PETLAKE_TEST_PROGRAM"
_PROCESSES = Path("/proc")

T = TypeVar("T")


@dataclass(frozen=True)
class Program:
    """A program that runs, with all that it has started itself."""

    process: subprocess.Popen[bytes]
    log: Path
    mark: str = field(repr=False)

    def processes(self) -> dict[int, str]:
        """The processes that are left of it, by their number: what each of them runs."""
        return {pid: command for pid, command, _ in self._alive()}

    def wait(self, what: str, ready: Callable[[], T], every_s: float = 0.1) -> T:
        """What ``ready`` gives, as soon as it is something; fails when the program ends or does nothing any more."""

        def look() -> T:
            assert self.process.poll() is None, f"{what}: ended with code {self.process.returncode}\n{self.written()}"
            return ready()

        return self._while_it_works(what, look, every_s)

    def written(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ended(self) -> int:
        """Wait until it has ended by itself; its exit code."""
        self._while_it_works("the end of the program", lambda: self.process.poll() is not None)
        return self.process.returncode

    def end(self, ask: int = signal.SIGTERM) -> None:
        """Ask it to end and wait until all of it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, ask)

        def gone() -> bool:
            # A zombie would be found until it is asked for its code.
            return self.process.poll() is not None and not self.processes()

        self._while_it_works("the end of the program", gone)

    def kill(self) -> list[str]:
        """End what is left of it by force: the commands of which there was something left."""
        killed: dict[int, str] = {}
        while left := self.processes():
            killed |= left
            # All at once where it can be: nobody sees the other one die.
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.poll()
        self.process.wait()
        return list(killed.values())

    def _while_it_works(self, what: str, ready: Callable[[], T], every_s: float = 0.1) -> T:
        started = looked = since = time.monotonic()
        work = self._work()
        while not (result := ready()):
            time.sleep(every_s)
            now = time.monotonic()
            if now - looked < STALLED_S / 100:
                continue
            looked, before, work = now, work, self._work()
            if work != before:
                since = now
            assert now - since < STALLED_S, f"{what}: nothing happened for {STALLED_S:g} s\n{self.written()[-5000:]}"
            assert now - started < PATIENCE_S, f"{what}: waited {PATIENCE_S:g} s\n{self.written()[-5000:]}"
        return result

    def _work(self) -> tuple[int, dict[int, int]]:
        """What it has written and computed so far."""
        return self.log.stat().st_size, {pid: ticks for pid, _, ticks in self._alive()}

    def _alive(self) -> Iterator[tuple[int, str, int]]:
        """The number, the command and the processor time of each process that has the mark and is no zombie."""
        for folder in _PROCESSES.iterdir():
            # A process may end while it is looked at, and those of other users may not be looked at.
            with suppress(OSError):
                if folder.name.isdigit() and self.mark.encode() in (folder / "environ").read_bytes():
                    state, *numbers = (folder / "stat").read_text().rpartition(")")[2].split()
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    if state not in "ZX":
                        yield int(folder.name), command, int(numbers[10]) + int(numbers[11])


@contextmanager
def running(*command: str | Path, log: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Program]:
    """Run a program, in a session of its own, until the block ends; what has to be killed then fails the test."""
    mark = f"{_MARK}={uuid.uuid4().hex}"
    name, _, value = mark.partition("=")
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**environment, name: value},
            start_new_session=True,
        )
    program = Program(process, log, mark)
    try:
        yield program
        program.end()
    finally:
        program.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(address: str) -> bool:
    """Whether there is an answer at the address, and a good one."""
    try:
        with urllib.request.urlopen(address, timeout=STALLED_S) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@contextmanager
def serving(
    *command: str | Path,
    log: Path,
    port_option: str = "--port",
    health: str = "/_stcore/health",
    environment: Mapping[str, str] = os.environ,
) -> Iterator[str]:
    """Run a server on a free port until the block ends; its address. Its log may hold no traceback."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    with running(*command, port_option, str(port), log=log, environment=environment) as server:
        server.wait(f"an answer of {address}", lambda: answers(address + health))
        yield address
    written = server.written()
    assert "Traceback" not in written, written
