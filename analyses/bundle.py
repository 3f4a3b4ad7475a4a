"""The bundle of an analysis: figure, numbers, methods, script, Table 1 and checklists, as files with fixed bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from analyses.comparison import RELATIVE_TOLERANCE
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
