"""What every script has: reading of a snapshot, and the functions that an analysis fills in."""

from __future__ import annotations

from dataclasses import dataclass

from analyses.context import Resolved
from analyses.scripts.text import Code, indented, literal, wrapped


@dataclass(frozen=True)
class Parts:
    """The parts of a script besides its statements.

    Parameters
    ----------
    numbers
        Statements of the function that makes the JSON.
    table, figure
        Expressions for the table and the figure.
    functions
        Functions that the analysis needs.
    """

    numbers: tuple[str, ...]
    table: str
    figure: str
    functions: tuple[tuple[str, ...], ...] = ()


def column(name: str) -> str:
    """The values of a column."""
    return f"values.columns[{literal(name)}]"


def texts(name: str) -> str:
    """The values of a column as categories."""
    return f"values.texts({literal(name)})"


def read(resolved: Resolved, code: Code) -> None:
    """Read survival times (``times``) and columns (``values``), patients in one order."""
    names = [literal(name) for name in resolved.columns]
    body: list[str] = []
    selected, protocol = bool(resolved.conditions), resolved.selection.protocol_id is not None
    if selected:
        body.append("selection = snapshot.selection(CONDITIONS)")
    if resolved.endpoint is not None:
        of = ".of(selection.patient_ids)" if selected else ""
        body.append(f"times = snapshot.endpoint(ENDPOINT){of}")
    end = ", selection.protocol_id)" if protocol else ")"
    family = resolved.recipe.value("feature-set") if resolved.recipe.command in ("pca", "scan") else None
    if family is not None:
        adjusted = resolved.recipe.names("adjust-for") if resolved.recipe.command == "scan" else ()
        inside = tuple(name for name in adjusted if name.startswith(f"{family}:"))
        but = f" and c.name not in {literal(inside)}" if inside else ""
        body.append(f"family = [c for c in snapshot.columns() if c.name.startswith({literal(f'{family}:')}){but}]")
        body.append("names = [c.name for c in family]")
        asked = f"[*names, {', '.join(literal(name) for name in adjusted)}]" if adjusted else "names"
        body.append(f"values = snapshot.values({asked}{end}")
    else:
        body += wrapped("values = snapshot.values([", names, f"]{end}")
    if resolved.endpoint is not None:
        body.append("values = values.of(times.patient_ids)")
    elif selected:
        body.append("values = values.of(selection.patient_ids)")
    code.add("with open_snapshot(lake, SNAPSHOT) as snapshot:", *indented(body))
