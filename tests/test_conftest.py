from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

TESTS = """
import pytest

def test_reads_data(petlake_data):
    assert petlake_data.is_dir()

def test_skips_with_data(petlake_data):
    pytest.skip("for a reason")

@pytest.mark.browser
def test_opens_browser():
    pytest.skip("no chromium")
"""


@pytest.fixture
def run_tests(tmp_path: Path) -> Callable[..., Any]:
    """Run three tests in a process of their own, with the conftest of this folder."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "conftest.py").write_text((REPOSITORY / "tests" / "conftest.py").read_text())
    (tests / "test_three.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser: b\n")

    def run(data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tests)],
            env={"PATH": os.environ["PATH"], "PETLAKE_DATA": str(data), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_says_what_was_not_proved_without_the_data(run_tests: Callable[..., Any], tmp_path: Path) -> None:
    run = run_tests(tmp_path / "absent")

    assert run.returncode == 0, run.stdout
    summary = run.stdout.split("NOT PROVED by this run", 1)[1]
    assert "test_three.py::test_reads_data (needs the real data)" in summary
    assert "test_three.py::test_opens_browser (needs a browser)" in summary
    assert "3 tests did not run" in summary


def test_no_data_test_may_skip_where_the_data_are(run_tests: Callable[..., Any], tmp_path: Path) -> None:
    run = run_tests(tmp_path)

    assert run.returncode == 1
    assert "test_skips_with_data skipped although the real data must be there" in run.stdout
    assert "1 failed, 1 passed, 1 skipped" in run.stdout


def test_the_browser_test_may_not_skip_where_it_is_required(run_tests: Callable[..., Any], tmp_path: Path) -> None:
    run = run_tests(tmp_path / "absent", PETLAKE_REQUIRE_BROWSER="1")

    assert run.returncode == 1
    assert "test_opens_browser skipped although a browser must be there" in run.stdout
