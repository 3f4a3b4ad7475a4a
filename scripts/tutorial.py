"""Run the commands of docs/tutorial.md and write what they print below them.

A block ``console`` holds commands (lines that begin with ``$``) and their output. ``make tutorial`` runs all of them on
a new demo cohort, in order, and replaces the output; with ``--study DIR`` on one that is there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
FIGURE = ROOT / "docs" / "images" / "tutorial-km.svg"
PATIENTS = "30"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Write the outputs of the tutorial again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, help="a demo study on which nothing was run yet (default: a new one)")
    study = parser.parse_args().study
    with tempfile.TemporaryDirectory() as folder:
        if study is None:
            study = Path(folder) / "demo"
            _output(f"petlake demo --patients {PATIENTS} --dir {study}", ROOT)
        text = PAGE.read_text("utf-8")
        PAGE.write_text(BLOCK.sub(lambda block: _run(block[0], study), text), encoding="utf-8")
        shutil.copyfile(study / "volume" / "figure.svg", FIGURE)


def _run(block: str, study: Path) -> str:
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{command}\n{_output(command.removeprefix('$ '), study)}" for command in commands)


def _output(command: str, folder: Path) -> str:
    """What a command prints, its errors included; the environment's own programs come first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # One program, so that `| head` in a command ends it as in a terminal.
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path, "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"{command}: exit code {run.returncode}\n{run.stdout}")
    return "".join(line.rstrip() + "\n" for line in run.stdout.splitlines())


if __name__ == "__main__":
    main()
