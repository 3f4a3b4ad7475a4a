"""The runnable Python of a recipe: short, readable, and with the numbers of the page and the command.

The script is the analysis: ``petlake export`` runs it to make its figures, and compares its numbers with the command's.
Every value is written by ``literal``, so that no name of a column can be read as code.
"""

from __future__ import annotations

from collections.abc import Mapping

from analyses.context import Resolved
from analyses.scripts.cox import cox_statements
from analyses.scripts.features import pca_statements, scan_statements
from analyses.scripts.kaplan_meier import km_statements
from analyses.scripts.sensitivity import sensitivity_statements
from analyses.scripts.text import Code, indented, literal, wrapped

OUR_PACKAGES = ("analyses", "figures", "petct", "warehouse")
_ANALYSES = {
    "km": km_statements,
    "cox": cox_statements,
    "pca": pca_statements,
    "scan": scan_statements,
    "sensitivity": sensitivity_statements,
}

_MAIN = '''

def main() -> None:
    """Print the numbers as JSON; with --out, also write the table and the figure."""
    parser = argparse.ArgumentParser(description="Run one analysis of a petlake study.")
    parser.add_argument("lake", type=Path, help="folder lake of the study")
    parser.add_argument("--out", type=Path, help="folder for the table and the figures")
    arguments = parser.parse_args()
    found = analyse(arguments.lake)
    print(json.dumps(numbers(found), indent=2, ensure_ascii=False, allow_nan=False))
    if arguments.out:
        table(found).to_csv(arguments.out / "numbers.csv", index=False, lineterminator="\\n")
        drawn = figure(found)
        for kind in paper.FORMATS:
            paper.save(drawn, arguments.out / f"figure.{kind}")


if __name__ == "__main__":
    main()
'''


def script_of(resolved: Resolved, labels: Mapping[str, str], version: str) -> str:
    """Return the script of a recipe.

    Parameters
    ----------
    resolved
        The recipe on its snapshot.
    labels
        Names to print in the figure for the columns it names.
    version
        Version of petlake that the script was written by.

    Raises
    ------
    SurvivalError
        What the command refuses of its options, for example SPLIT_UNKNOWN, WEIGHTING_UNKNOWN.
    """
    code = Code()
    code.use("argparse")
    code.use("json")
    code.use("pathlib", "Path")
    code.use("figures", "print as paper")
    code.use("petct.survival.cohort.results", "as_dict")
    code.use("warehouse.queries.open_snapshot", "open_snapshot")
    code.use("pandas", "DataFrame")
    code.use("matplotlib.figure", "Figure")
    parts = _ANALYSES[resolved.recipe.command](resolved, code)
    shown = {name: labels[name] for name in resolved.recipe.columns if labels.get(name, name) != name}
    constants = [f"SNAPSHOT = {literal(resolved.snapshot_id)}"]
    if resolved.endpoint is not None:
        constants.append(f"ENDPOINT = {literal(resolved.endpoint)}")
    if resolved.conditions:
        constants += wrapped("CONDITIONS = (", [literal(text) for text in resolved.conditions], ",)")
    constants += wrapped("LABELS = {", [f"{literal(key)}: {literal(text)}" for key, text in shown.items()], "}")
    lines = [
        *_heading(resolved, version),
        "",
        *code.import_lines(OUR_PACKAGES),
        *constants,
        "",
        *(line for function in parts.functions for line in ("", *function, "")),
        "",
        "def analyse(lake: Path) -> dict:",
        '    """Return the results by name, computed from the snapshot."""',
        *indented(code.lines),
        "",
        "",
        "def numbers(found: dict) -> dict:",
        f'    """Return what `petlake {resolved.recipe.command} --json` prints."""',
        *indented(parts.numbers),
        "",
        "",
        "def table(found: dict) -> DataFrame:",
        '    """Return the numbers of the figure."""',
        f"    return {parts.table}",
        "",
        "",
        "def figure(found: dict) -> Figure:",
        '    """Return the figure as it is printed."""',
        f"    return {parts.figure}",
        "",
    ]
    return "\n".join(lines) + _MAIN


def _heading(resolved: Resolved, version: str) -> list[str]:
    command = resolved.command_line.replace("\\", "\\\\").replace('"""', "'''")
    return [
        f'"""{command}',
        "",
        f"On snapshot {resolved.snapshot_id}.",
        f"Written by petlake {version}, with which it is run:",
        "",
        "    python analysis.py LAKE             prints the numbers",
        "    python analysis.py LAKE --out DIR   also writes numbers.csv and the figure",
        '"""',
    ]
