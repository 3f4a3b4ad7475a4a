"""The command line, as a user has it, and the studies that are made with it once a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Ran, run_petlake, run_petlake_process
from tests.made_once import demo_study, sts_study


@pytest.fixture(scope="session")
def petlake() -> Callable[..., Ran]:
    return run_petlake


@pytest.fixture(scope="session")
def petlake_process() -> Callable[..., Ran]:
    return run_petlake_process


@pytest.fixture(scope="session")
def sts(petlake_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sts_study(tmp_path_factory, petlake_data)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_study(tmp_path_factory)
