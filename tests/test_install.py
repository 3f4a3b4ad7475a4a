from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# A Python that answers the questions of scripts/install.sh as a system would on which a package is missing.
PYTHON = """#!/bin/sh
case "$2" in
    *version_info*) {finds} ;;
    *ensurepip*) {ensurepip} ;;
    *sysconfig*) echo "{include}" ;;
    *) echo "unexpected call: $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what the installation reads."""
    for name in ("requirements.lock", "pyproject.toml", "scripts/install.sh", "scripts/bootstrap.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def install(checkout: Path, *, compiler: str = "true", **python: str) -> subprocess.CompletedProcess[str]:
    (checkout / "include").mkdir()
    stub = checkout / "python-stub"
    answers = {"finds": f"echo {stub}", "ensurepip": "exit 0", "include": str(checkout / "include"), **python}
    stub.write_text(PYTHON.format(**answers))
    stub.chmod(0o755)
    return subprocess.run(
        ["sh", "scripts/install.sh"],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "PYTHON": str(stub), "CC": compiler, "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("found", "packages"),
    [
        ({"finds": "exit 1"}, "python3.11 python3.11-venv python3.11-dev"),
        ({"ensurepip": "exit 1", "include": "/usr/include"}, "python3.11-venv python3.11-dev"),
        ({}, "python3.11-dev"),
        ({"compiler": "no-such-compiler"}, "python3.11-dev build-essential"),
    ],
    ids=["no-python", "no-venv", "no-headers", "no-compiler"],
)
def test_prints_the_line_for_what_is_missing_and_stops(checkout: Path, found: Any, packages: str) -> None:
    run = install(checkout, **found)

    assert run.returncode == 1
    assert f"    apt-get install --yes {packages}\n" in run.stderr
    assert "unexpected call" not in run.stderr
    assert not (checkout / ".venv").exists()


def test_a_compiler_alone_can_be_missing(checkout: Path) -> None:
    (checkout / "headers").mkdir()
    (checkout / "headers" / "Python.h").touch()

    run = install(checkout, compiler="no-such-compiler", include=str(checkout / "headers"))

    assert run.returncode == 1
    assert "    apt-get install --yes build-essential\n" in run.stderr
