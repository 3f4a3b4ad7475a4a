"""The bundle of an analysis: figure, numbers, methods, script, Table 1 and checklists, as files with fixed bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analyses.context import Resolved
from analyses.lineage import lineage_of
from analyses.manuscript.baseline import baseline_of, table_one_csv, table_one_markdown
from analyses.manuscript.checklists import CHECKLISTS, checklist_markdown, filled
from analyses.manuscript.methods import methods_text
from analyses.naming import names_of
from analyses.scripts.comparison import RELATIVE_TOLERANCE
from analyses.scripts.running import program_of
from analyses.scripts.script import script_of
from figures.print import FORMATS, rendered
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


@dataclass(frozen=True)
class Bundle:
    """The files of a bundle by name, and the numbers of its script."""

    files: Mapping[str, bytes]
    numbers: Mapping[str, object]


def bundle_of(
    lake_root: Path,
    snapshot: Snapshot,
    resolved: Resolved,
    result: Mapping[str, object],
    *,
    title: str,
    version: str,
) -> Bundle:
    """Make all files of a bundle.

    Parameters
    ----------
    resolved
        The recipe.
    result
        What the command prints with ``--json``.
    title
        Name of the saved analysis, or the command.
    version
        Version of petlake.

    Raises
    ------
    SurvivalError, WarehouseError
        What the analysis refuses.
    """
    labels = names_of(resolved.columns.values())
    script = script_of(resolved, labels, version)
    run = program_of(script).run(lake_root)
    lineage = lineage_of(lake_root, snapshot, resolved)
    figure = run.figure()
    baseline = baseline_of(snapshot, resolved, run.findings)
    texts = {
        SCRIPT: script,
        NUMBERS: run.table().to_csv(index=False, lineterminator="\n"),
        RESULT: json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        "methods.md": methods_text(lineage, resolved, run.findings, labels),
        "table1.csv": table_one_csv(baseline),
        "table1.md": table_one_markdown(baseline),
        "README.md": _readme(title, resolved),
    }
    for name in CHECKLISTS:
        texts[f"{name}.md"] = checklist_markdown(name, filled(name, lineage, resolved, run.findings))
    files = {name: text.encode() for name, text in texts.items()}
    files |= {f"figure.{kind}": rendered(figure, kind) for kind in FORMATS}
    return Bundle(files, run.numbers())


def _readme(title: str, resolved: Resolved) -> str:
    files = "\n".join(f"- `{name}`: {text}" for name, text in _ABOUT.items())
    return f"""# {title}

    {resolved.command_line}

on snapshot `{resolved.snapshot_id}` of the study. A snapshot never changes, so these numbers do not either.

{files}

Run the script again with petlake installed, LAKE being the folder `lake` of the study:

    python {SCRIPT} LAKE --out .

`petlake export . --check --study STUDY` does so and compares its numbers with `{RESULT}`
(relative tolerance {RELATIVE_TOLERANCE:g}).
"""
