"""Which code this is: its version, its commit, and whether its files were changed since.

In a working tree of git this is asked of git, in what `git archive` exported it is read from ``.git_archival.txt``, and
in an installed wheel from what the build wrote beside this file. The build asks the same (``pyproject.toml``,
``hatch_build.py``) and loads this file alone: it imports nothing of petlake, and nothing that is not Python's own.
"""

import json
import os
import subprocess
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILT = "warehouse/source_code.json"
_EXPORTED = ".git_archival.txt"

# Of the release that is being worked on where no tag says of an earlier one.
_FIRST = "0.1.0"
_TAGS = "v[0-9]*"
_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class SourceCode:
    """The code of petlake.

    Attributes
    ----------
    version
        As Python packages are numbered: ``0.2.0`` at the tag ``v0.2.0``, ``0.2.0.post1.dev7`` seven commits later.
    commit
        The commit in full; None where nothing says it.
    modified
        Whether a file of the packages was another one than in the commit; None where nothing says it.
    """

    version: str
    commit: str | None
    modified: bool | None

    @property
    def text(self) -> str:
        """One phrase: ``0.2.0.post1.dev7, commit 1a2b3c4d5e6f, modified``."""
        commit = f"commit {self.commit[:_SHOWN_DIGITS]}" if self.commit else "commit unknown"
        return f"{self.version}, {commit}{', modified' if self.modified else ''}"

    def to_json(self) -> str:
        """Return what a build writes to ``BUILT``."""
        return json.dumps(asdict(self)) + "\n"


@cache
def source_code(root: Path = ROOT) -> SourceCode:
    """Return which code lies below ``root``; asked once in a process, because what runs was loaded when it began."""
    return _of_working_tree(root) or _of_build(root) or _of_export(root) or SourceCode(_version(None, 0), None, None)


def _of_working_tree(root: Path) -> SourceCode | None:
    # A repository around the installation is not that of this code.
    if not (root / ".git").exists() or (commit := _git(root, "rev-parse", "HEAD")) is None:
        return None
    wheel = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    modified = _git(root, "status", "--porcelain", "--", *wheel["packages"]) != ""
    described = _git(root, "describe", "--tags", "--long", "--match", _TAGS)
    if described is None:
        return SourceCode(_version(None, int(_git(root, "rev-list", "--count", "HEAD") or 0)), commit, modified)
    return SourceCode(_version(*_tag_and_distance(described), modified=modified), commit, modified)


def _of_build(root: Path) -> SourceCode | None:
    try:
        return SourceCode(**json.loads((root / BUILT).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _of_export(root: Path) -> SourceCode | None:
    try:
        lines = (root / _EXPORTED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    said = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    commit, described = said.get("node", ""), said.get("describe-name", "")
    if not commit or "$" in commit:
        # The file as it is committed: copied, not exported.
        return None
    return SourceCode(_version(*_tag_and_distance(described)) if described else _version(None, 0), commit, None)


def _tag_and_distance(described: str) -> tuple[str, int]:
    """Read ``v0.2.0-7-g1a2b3c4``, seven commits after the tag, or ``v0.2.0``."""
    if "-g" not in described:
        return described, 0
    tag, distance, _ = described.rsplit("-", 2)
    return tag, int(distance)


def _version(tag: str | None, distance: int, *, modified: bool = False) -> str:
    if tag is None:
        return f"{_FIRST}.dev{distance}"
    release = tag.removeprefix("v")
    # After a release, without a guess at the number of the next.
    return f"{release}.post1.dev{distance}" if distance or modified else release


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git says, or None where it is not installed or refuses."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            # Whose the files are is of no matter: what runs is what is asked about.
            ["git", "-c", f"safe.directory={root}", "-C", str(root), *arguments],  # noqa: S607 (the git of whoever asks)
            capture_output=True,
            text=True,
            check=False,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
