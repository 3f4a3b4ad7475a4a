"""The records of decisions name each other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.some import some

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "decisions"
RECORDS = {path.name[:4]: path for path in FOLDER.glob("[0-9]*.md")}
TEXTS = {number: path.read_text(encoding="utf-8") for number, path in RECORDS.items()}

BACK = {"amends": "amended by", "amended by": "amends", "supersedes": "superseded by", "superseded by": "supersedes"}
CHANGE = re.compile(r"(Amends|Amended by|Supersedes|Superseded by) ([^.]*(?:\.md[^.]*)+)", re.IGNORECASE)


def test_the_list_names_every_record_and_no_number_stands_for_two() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    assert len(RECORDS) == len(list(FOLDER.glob("[0-9]*.md"))) > 30
    assert listed == sorted((number, path.name) for number, path in RECORDS.items())
    assert all(text.startswith(f"# {number}: ") for number, text in some(TEXTS.items()))


def test_what_a_record_changes_says_so_too() -> None:
    changes = {
        (number, kind.lower(), other)
        for number, text in TEXTS.items()
        for kind, names in CHANGE.findall(text.partition("\nStatus: ")[2].partition("\n")[0])
        for other in re.findall(r"\[(\d{4})\]", names)
    }
    assert ("0040", "amends", "0033") in changes
    assert not [change for change in some(changes) if (change[2], BACK[change[1]], change[0]) not in changes]


def test_every_link_leads_somewhere() -> None:
    links = {(number, link) for number, text in TEXTS.items() for link in re.findall(r"\]\(([^):#]+)", text)}
    assert len(links) > 10
    assert not [link for link in some(links) if not (FOLDER / link[1]).exists()]
