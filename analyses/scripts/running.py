"""Running a script of ours inside this process: what it finds, and its figure and table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyses.findings import Findings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Program:
    """The functions of a script."""

    _analyse: Callable[[Path], dict[str, Any]]
    _numbers: Callable[[dict[str, Any]], dict[str, Any]]
    _table: Callable[[dict[str, Any]], pd.DataFrame]
    _figure: Callable[[dict[str, Any]], Figure]

    def run(self, lake_root: Path) -> Run:
        """Run the analysis; raises what it refuses."""
        return Run(self, self._analyse(lake_root))


@dataclass(frozen=True)
class Run:
    """One run of a script, and what it found."""

    program: Program
    found: dict[str, Any]

    @property
    def findings(self) -> Findings:
        """The results."""
        return Findings.of_script(self.found)

    def numbers(self) -> dict[str, Any]:
        """What the command prints as JSON."""
        return self.program._numbers(self.found)

    def table(self) -> pd.DataFrame:
        """The numbers of the figure."""
        return self.program._table(self.found)

    def figure(self) -> Figure:
        """The figure for paper."""
        return self.program._figure(self.found)


def program_of(script: str) -> Program:
    """Return the functions of a script that ``analyses.scripts.script`` wrote; nothing runs yet."""
    names: dict[str, Any] = {"__name__": "analysis"}
    # Only ever a text that was generated here, in which every value from outside is a quoted literal.
    exec(compile(script, "analysis.py", "exec"), names)
    return Program(names["analyse"], names["numbers"], names["table"], names["figure"])
