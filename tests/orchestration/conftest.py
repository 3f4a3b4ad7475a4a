"""The command line, as a user has it, and the studies that are made with it once a run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.command_line import PETLAKE, Ran, run_petlake, run_petlake_process
from tests.made_once import demo_study, make_sts_study, sts_study


@pytest.fixture(scope="session")
def petlake() -> Callable[..., Ran]:
    return run_petlake


@pytest.fixture(scope="session")
def petlake_process() -> Callable[..., Ran]:
    return run_petlake_process


@pytest.fixture(scope="session")
def make_study() -> Callable[[Path, Path, Path], Path]:
    return make_sts_study


@pytest.fixture(scope="session")
def sts(petlake_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sts_study(tmp_path_factory, petlake_data)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_study(tmp_path_factory)


@contextmanager
def serving(*arguments: str | Path, health: str) -> Iterator[str]:
    """Run a server command of ``petlake`` on a free port until the block ends; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [PETLAKE, *map(str, arguments), "--port", str(port)], stdout=log, stderr=log, start_new_session=True
        ) as server,
    ):
        try:
            until = time.monotonic() + 120
            while not _answers(address + health):
                log.seek(0)
                assert server.poll() is None, log.read()
                assert time.monotonic() < until, log.read()
                time.sleep(0.2)
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)
        log.seek(0)
        assert "Traceback" not in log.read()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    return serving
