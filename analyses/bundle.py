"""The bundle of an analysis: figure, numbers, methods, script, Table 1, checklists; and whether it comes again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analyses.lineage import lineage_of
from analyses.manuscript.baseline import baseline_of, table_one_csv, table_one_markdown
from analyses.manuscript.checklists import CHECKLISTS, checklist_markdown, filled
from analyses.manuscript.methods import methods_text
from analyses.naming import names_of
from analyses.paper import figure_of, numbers_of
from analyses.requests.answer import Answer
from analyses.script import script_of
from figures.print_page import FORMATS, rendered
from warehouse.queries.open_snapshot import Snapshot

SCRIPT = "analysis.py"
RESULT = "result.json"
NUMBERS = "numbers.csv"
RELATIVE_TOLERANCE = 1e-9
"""Beyond what the order of summation in another library or processor may change, and below what anyone prints."""

_ABOUT = {
    "figure.svg, .pdf, .png": "the figure for a journal, fonts inside",
    NUMBERS: "what the figure draws, at full precision",
    RESULT: "the whole result, as the command prints it with --json",
    "methods.md": "methods and result in sentences, to be pasted and checked",
    "table1.md, table1.csv": "the patients of the analysis, by its groups",
    "metrics.md, clear.md": "the checklists, filled in as far as the recorded lineage goes; the rest is marked",
    SCRIPT: "the Python that makes figure and numbers from the snapshot",
}


def bundle_of(
    lake_root: Path, snapshot: Snapshot, answer: Answer, ledger: str | None, *, title: str, version: str
) -> Mapping[str, bytes]:
    """Make all files of a bundle, by name.

    Parameters
    ----------
    answer
        What was asked, and what was found.
    ledger
        The sentence with which its tests were entered into the ledger, which the methods cite.
    title
        Name of the saved analysis, or the command.
    version
        Version of petlake.

    Raises
    ------
    SurvivalError, WarehouseError
        What the snapshot, Table 1 or the figure refuse.
    """
    labels = names_of(answer.basis.columns.values())
    lineage = lineage_of(lake_root, snapshot, answer.basis)
    figure = figure_of(answer)
    baseline = baseline_of(snapshot, answer)
    texts = {
        SCRIPT: script_of(answer.request, snapshot.id, answer.basis.conditions, version),
        NUMBERS: numbers_of(answer).to_csv(index=False, lineterminator="\n"),
        RESULT: json.dumps(answer.as_json(ledger), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        "methods.md": methods_text(lineage, answer, labels),
        "table1.csv": table_one_csv(baseline),
        "table1.md": table_one_markdown(baseline),
        "README.md": _readme(title, answer),
    }
    for name in CHECKLISTS:
        texts[f"{name}.md"] = checklist_markdown(name, filled(name, lineage, answer))
    files = {name: text.encode() for name, text in texts.items()}
    return files | {f"figure.{kind}": rendered(figure, kind) for kind in FORMATS}


def _readme(title: str, answer: Answer) -> str:
    files = "\n".join(f"- `{name}`: {text}" for name, text in _ABOUT.items())
    return f"""# {title}

    {answer.command_line}

on snapshot `{answer.basis.snapshot_id}` of the study. A snapshot never changes, so these numbers do not either.

{files}

Run the script again with petlake installed, LAKE being the folder `lake` of the study:

    python {SCRIPT} LAKE --out .

`petlake export . --check --study STUDY` does so and compares its numbers with `{RESULT}`
(relative tolerance {RELATIVE_TOLERANCE:g}).
"""


@dataclass(frozen=True)
class Difference:
    """The first place at which two results differ: its path, and what is there."""

    path: str
    found: str
    expected: str


def first_difference(found: object, expected: object, path: str = "") -> Difference | None:
    """Return the first difference of two results as JSON has them, or None where they are the same.

    Numbers may differ by ``RELATIVE_TOLERANCE``, everything else not at all; keys that only ``expected`` has are
    ignored at the top, where a command says where its data come from.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        missing = [key for key in found if key not in expected]
        if path:
            missing += [key for key in expected if key not in found]
        if missing:
            return Difference(f"{path}.{missing[0]}".lstrip("."), *_sides(missing[0] in found))
        pairs = [(f"{path}.{key}".lstrip("."), found[key], expected[key]) for key in found]
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        if len(found) != len(expected):
            return Difference(path, f"{len(found)} entries", f"{len(expected)} entries")
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(found, expected, strict=True))]
    else:
        return None if _same(found, expected) else Difference(path, repr(found), repr(expected))
    return next((it for pair in pairs if (it := first_difference(pair[1], pair[2], pair[0])) is not None), None)


def _sides(in_found: bool) -> tuple[str, str]:
    return ("there", "not there") if in_found else ("not there", "there")


def _same(found: object, expected: object) -> bool:
    numbers = (int, float)
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, numbers) and isinstance(expected, numbers):
        return math.isclose(found, expected, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
    return found == expected
