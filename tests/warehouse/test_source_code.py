"""What petlake says of its own code: from git, from an export of git, from what was built, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from warehouse.source_code import BUILT, SourceCode, source_code

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD_FILES = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".git_archival.txt", ".gitattributes")
# Git's own settings, and those of whoever runs the tests, have no say.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    **{f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "init.defaultBranch=main", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout.strip()


def asked(root: Path) -> SourceCode:
    source_code.cache_clear()
    return source_code(root)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with one commit: the files of the build, the module itself, and the other packages empty."""
    root = tmp_path / "a tree"
    (root / "warehouse").mkdir(parents=True)
    for name in BUILD_FILES:
        shutil.copyfile(REPOSITORY / name, root / name)
    (root / "warehouse" / "source_code.py").write_bytes((REPOSITORY / "warehouse" / "source_code.py").read_bytes())
    (root / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    git(root, "init")
    git(root, "add", "--all")
    git(root, "commit", "-m", "First")
    return root


def test_without_a_tag_the_first_release_is_being_worked_on(tree: Path) -> None:
    assert asked(tree) == SourceCode("0.1.0.dev1", git(tree, "rev-parse", "HEAD"), modified=False)
    git(tree, "commit", "--allow-empty", "-m", "Second")
    assert asked(tree).version == "0.1.0.dev2"


@pytest.mark.parametrize("tag", ["v0.2.0", "v1.0.0rc1"])
def test_a_tag_is_a_release_and_what_follows_comes_after_it(tree: Path, tag: str) -> None:
    git(tree, "tag", tag)
    git(tree, "tag", "paper-2026")
    release = asked(tree)
    assert (release.version, release.modified) == (tag.removeprefix("v"), False)
    (tree / "warehouse" / "source_code.py").write_text("changed = True\n", encoding="utf-8")
    changed = asked(tree)
    git(tree, "commit", "--all", "-m", "Second")
    later = asked(tree)
    assert (changed.version, changed.modified) == (f"{release.version}.post1.dev0", True)
    assert (later.version, later.modified) == (f"{release.version}.post1.dev1", False)
    assert Version(release.version) < Version(changed.version) < Version(later.version) < Version("1.0.1")


@pytest.mark.parametrize(
    ("file", "modified"),
    [
        ("warehouse/source_code.py", True),
        # A file that git does not know may be read by the code just as well: a protocol, a feature set.
        ("warehouse/new.yaml", True),
        ("README.md", False),
        ("demo/study.yaml", False),
    ],
)
def test_modified_is_said_of_the_packages_only(tree: Path, file: str, modified: bool) -> None:
    (tree / file).parent.mkdir(exist_ok=True)
    (tree / file).write_text("changed\n", encoding="utf-8")
    assert asked(tree).modified is modified
    assert asked(tree).text.endswith(", modified") is modified


def test_a_repository_around_the_installation_is_not_its_own(tree: Path) -> None:
    installed = tree / "venv" / "site-packages"
    (installed / "warehouse").mkdir(parents=True)
    assert asked(installed) == SourceCode("0.1.0.dev0", None, None)
    assert asked(installed).text == "0.1.0.dev0, commit unknown"


def test_another_repository_that_the_environment_names_is_not_asked(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    git(other, "commit", "--allow-empty", "-m", "Other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert asked(tree).commit == git(tree, "rev-parse", "HEAD")


def test_a_tree_whose_git_does_not_answer_says_that_it_does_not_know(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert asked(tree) == SourceCode("0.1.0.dev0", None, None)


def exported(tree: Path, to: Path) -> Path:
    git(tree, "archive", "--output", str(to.with_suffix(".tar")), "HEAD")
    with tarfile.open(to.with_suffix(".tar")) as archive:
        archive.extractall(to, filter="data")
    return to


def test_an_export_says_its_commit_and_not_whether_it_was_changed(tree: Path, tmp_path: Path) -> None:
    commit = git(tree, "rev-parse", "HEAD")
    assert asked(exported(tree, tmp_path / "untagged")) == SourceCode("0.1.0.dev0", commit, None)
    git(tree, "tag", "v0.2.0")
    assert asked(exported(tree, tmp_path / "tagged")) == SourceCode("0.2.0", commit, None)
    git(tree, "commit", "--allow-empty", "-m", "Second")
    later = asked(exported(tree, tmp_path / "later"))
    assert later == SourceCode("0.2.0.post1.dev1", git(tree, "rev-parse", "HEAD"), None)


def build(root: Path, target: str, out: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)]
    subprocess.run(command, check=True, capture_output=True, cwd=root, env=ENVIRONMENT)
    (built,) = out.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


def of_wheel(wheel: Path) -> SourceCode:
    with zipfile.ZipFile(wheel) as archive:
        assert f"-{json.loads(archive.read(BUILT))['version']}-" in wheel.name
        return SourceCode(**json.loads(archive.read(BUILT)))


def test_what_is_built_says_what_it_was_built_from(tree: Path, tmp_path: Path) -> None:
    for package in ("petct", "warehouse"):
        (tree / package).mkdir(exist_ok=True)
        (tree / package / "__init__.py").write_text("", encoding="utf-8")
    git(tree, "add", "--all")
    git(tree, "commit", "-m", "Second")
    code = asked(tree)
    assert (code.version, code.modified) == ("0.1.0.dev2", False)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--depth", "2", f"file://{tree}", str(clone))
    assert of_wheel(build(clone, "wheel", tmp_path / "of clone")) == code
    assert git(clone, "status", "--porcelain") == ""

    # By way of a source archive, which has no git either.
    archive = build(tree, "sdist", tmp_path / "source")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "source", filter="data")
    (unpacked,) = (path for path in (tmp_path / "source").iterdir() if path.is_dir())
    assert of_wheel(build(unpacked, "wheel", tmp_path / "of source")) == code

    plain = exported(tree, tmp_path / "export")
    assert of_wheel(build(plain, "wheel", tmp_path / "of export")) == SourceCode("0.1.0.dev0", code.commit, None)


def test_this_code_has_a_version_and_the_build_gives_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "version"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == asked(REPOSITORY).version
    assert Version(asked(REPOSITORY).version) >= Version("0.1.0.dev0")
    assert asked(REPOSITORY).commit is not None or not (REPOSITORY / ".git").exists()
