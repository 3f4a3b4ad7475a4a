"""METRICS and CLEAR, filled in as far as the lineage of an analysis goes; the rest is marked for the authors.

An entry is evidence and not a score: whether an item is met is for the authors to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import yaml

from analyses.lineage import Lineage
from analyses.manuscript.checklist_facts import Evidence, facts_of
from analyses.requests.answer import Answer

Status = Literal["from lineage", "partly from lineage", "not applicable", "to be filled by the authors"]
ChecklistName = Literal["metrics", "clear"]

CHECKLISTS: tuple[ChecklistName, ...] = ("metrics", "clear")


@dataclass(frozen=True)
class Item:
    """An item as the checklist has it: ``fact`` names what the lineage may know about it."""

    number: int
    section: str
    text: str
    fact: str | None


@dataclass(frozen=True)
class Checklist:
    """A published checklist, its items in our own words."""

    name: str
    title: str
    source: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Filled:
    """An item with what the lineage says about it; ``evidence`` is empty where that is nothing."""

    item: Item
    status: Status
    evidence: str


@cache
def checklist(name: ChecklistName) -> Checklist:
    """Read a packaged checklist."""
    text = resources.files("analyses.manuscript.items").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    items = tuple(Item(i["number"], i["section"], i["text"], i.get("fact")) for i in content["items"])
    return Checklist(content["name"], content["title"], content["source"], items)


def filled(name: ChecklistName, lineage: Lineage, answer: Answer) -> tuple[Filled, ...]:
    """Fill a checklist in."""
    facts = facts_of(lineage, answer)
    return tuple(_filled(item, facts.get(item.fact or "")) for item in checklist(name).items)


def _filled(item: Item, evidence: Evidence | None) -> Filled:
    if evidence is None:
        return Filled(item, "to be filled by the authors", "")
    if evidence.not_applicable:
        return Filled(item, "not applicable", evidence.text)
    return Filled(item, "partly from lineage" if evidence.partly else "from lineage", evidence.text)


def checklist_markdown(name: ChecklistName, entries: tuple[Filled, ...]) -> str:
    """Return a filled checklist as a Markdown document."""
    about = checklist(name)
    counts = [f"{sum(e.status == status for e in entries)} {status}" for status in Status.__args__]  # type: ignore[attr-defined]
    lines = [
        f"# {about.name}: {about.title}",
        "",
        f"Source: {about.source}. Items are paraphrased; submit the authors' own form.",
        "What stands here comes from the recorded lineage of one analysis. It is evidence and not a score:",
        "whether an item is met, and all that is marked, is for the authors to say.",
        "",
        f"{len(entries)} items: {', '.join(counts)}.",
        "",
        "| no. | section | item | status | evidence |",
        "|---:|---|---|---|---|",
    ]
    for entry in entries:
        cells = (str(entry.item.number), entry.item.section, entry.item.text, entry.status, entry.evidence)
        lines.append(f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |")
    return "\n".join(lines) + "\n"
