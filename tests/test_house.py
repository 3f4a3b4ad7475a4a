"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import LONGEST_FIRST
from tests.some import some

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = (
    "records",
    "refusals",
    "petct",
    "warehouse",
    "assets",
    "figures",
    "analyses",
    "orchestration",
    "dashboard",
    "petlake",
)
FOLDERS = (*PACKAGES, "tests", "benchmarks", "scripts", "docs", ".ci")
TEXT = {
    "",
    ".cfg",
    ".css",
    ".csv",
    ".ini",
    ".lock",
    ".md",
    ".py",
    ".sh",
    ".sql",
    ".svg",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
}

MAX_LINES = 400
# Files that may be longer than MAX_LINES, each with the reason. There are none.
LONGER: dict[str, str] = {}

# Weak copyleft that is allowed: used as it was published, never changed.
FILE_LEVEL_COPYLEFT = {"certifi": "MPL-2.0", "tqdm": "MPL-2.0 AND MIT"}


def texts() -> Iterator[Path]:
    """Yield the text files of the repository: those at its top, and those in the folders named above."""
    # In a second working tree `.git` is a file.
    files = [path for path in REPOSITORY.iterdir() if path.is_file() and path.name != ".git"]
    for folder in FOLDERS:
        files += [path for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
    for path in files:
        if path.suffix in TEXT and "__pycache__" not in path.parts:
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_a_file_is_a_room_and_not_a_hall() -> None:
    lengths = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in texts()
        if path.suffix in {".py", ".sql", ".sh"}
    }

    too_long = {name: length for name, length in lengths.items() if length > MAX_LINES and name not in LONGER}
    assert not too_long
    assert set(LONGER) <= {name for name, length in lengths.items() if length > MAX_LINES}, (
        "an exception that is no longer needed"
    )


def test_the_files_that_are_run_first_are_there() -> None:
    # A file that moved would be run last, and the whole suite would wait for it.
    assert not [name for name in some(LONGEST_FIRST) if not (REPOSITORY / "tests" / name).is_file()]


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    # In pieces, so that this file does not name them either.
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org"))
    ]
    place = re.compile(r"(?<![\w./~}-])/(?:home|root|work|Users|workspace)/\w")

    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if place.search(line) or any(host in line for host in hosts)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["requirements.lock", "scripts/bootstrap.lock"])
def test_the_lock_pins_every_package_with_hashes_and_names_no_place(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())

    assert "://" not in text
    assert not re.search(r"^-", text, flags=re.MULTILINE), "an option such as another index"
    for entry in some(entries):
        assert re.match(r"[a-z0-9][a-z0-9-]*==[^\s;]+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_lock_holds_every_declared_requirement() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *(line for extra in project["tool"]["uv"]["extra-build-dependencies"].values() for line in extra),
    ]
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock, flags=re.MULTILINE))

    for requirement in some(map(Requirement, declared)):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in requirements.lock: make lock"
        assert requirement.specifier.contains(pinned[name], prereleases=True), (
            f"{requirement}, but {pinned[name]} is locked"
        )


def installed_closure(distribution: str) -> set[str]:
    """Return the names of all that ``distribution`` requires when it is installed without extras."""
    closure: set[str] = set()
    waiting = [Requirement(distribution)]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        closure.add(name)
        for line in metadata.requires(name) or ():
            below = Requirement(line)
            extras = {"", *requirement.extras}
            if below.marker is None or any(below.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(below)
    return closure - {canonicalize_name(distribution)}


def licences(distribution: str) -> tuple[str, ...]:
    """Return what a distribution says of its licence, any of which one may choose."""
    fields = metadata.metadata(distribution)
    if expression := fields.get("License-Expression"):
        # With AND in it all parts hold at once: one choice.
        return (expression,) if " AND " in expression else tuple(expression.split(" OR "))
    classifiers = [value for value in fields.get_all("Classifier") or () if value.startswith("License :: ")]
    # OSI Approved alone says nothing.
    named = tuple(value.rsplit(" :: ", 1)[1] for value in classifiers if value.count(" :: ") > 1)
    return named or tuple((fields.get("License") or "").splitlines()[:1])


def test_what_is_installed_with_petlake_is_free_of_strong_copyleft() -> None:
    closure = installed_closure("petlake")
    assert {"dagster", "duckdb", "numpy", "pyradiomics", "streamlit"} <= closure
    stated = {name: licences(name) for name in closure}

    assert not [name for name, choices in some(stated.items()) if not choices], "no licence stated"
    strong = re.compile(r"GPL|General Public License|Affero", re.IGNORECASE)
    assert not {name: choices for name, choices in some(stated.items()) if all(strong.search(each) for each in choices)}

    weak = re.compile(r"MPL|Mozilla", re.IGNORECASE)
    found = {name for name, choices in stated.items() if all(weak.search(each) for each in choices)}
    assert found <= set(FILE_LEVEL_COPYLEFT)


def test_codespell_is_a_tool_and_never_a_part() -> None:
    # Its licence is GPL-2.0: it is run, as a development tool, and neither required nor imported.
    assert "codespell" not in installed_closure("petlake")
    importing = [
        name_of(path)
        for path in texts()
        if path.suffix == ".py" and re.search(r"^\s*(?:import|from)\s+codespell", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert not importing


def test_the_data_dictionary_is_up_to_date() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "warehouse.registry.dictionary"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout == (REPOSITORY / "docs" / "data-dictionary.md").read_text(encoding="utf-8"), "make dictionary"


def imported_in(folders: Iterable[str]) -> set[str]:
    """Return the distributions of which something is imported in these folders."""
    distributions = metadata.packages_distributions()
    modules: set[str] = set()
    for path in (path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            modules |= {name.partition(".")[0] for name in names}
    return {canonicalize_name(name) for module in modules for name in distributions.get(module, ())}


def test_what_nothing_imports_has_a_reason_beside_it() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    shipped, all_of_it = imported_in(PACKAGES), imported_in((*PACKAGES, "tests", "benchmarks", "scripts"))
    assert {"duckdb", "pyyaml", "scikit-image", "simpleitk"} <= shipped

    without = [line for line in project["dependencies"] if canonicalize_name(Requirement(line).name) not in shipped]
    for extra in project["optional-dependencies"].values():
        without += [line for line in extra if canonicalize_name(Requirement(line).name) not in all_of_it]
    assert {"authlib", "ruff", "hatchling"} <= {Requirement(line).name for line in without}
    assert not [line for line in some(without) if not re.search(rf'"{re.escape(line)}",  # \S', text)]
