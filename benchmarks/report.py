"""Rows of a result: what was measured, ours and theirs, the ratio, and whether the target is met."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field

HEADING = """| claim | case | petlake CPU s | petlake wall s | pyradiomics CPU s | pyradiomics wall s | ratio | target |
|---|---|---|---|---|---|---|---|"""


@dataclass
class Report:
    """Prints rows as they come, and remembers whether a target was missed."""

    claim: str
    missed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        print(HEADING, flush=True)

    def row(
        self,
        case: str,
        ours: tuple[float, float],
        theirs: tuple[float, float],
        ratio: float,
        target: float,
        kind: str,
        *,
        at_most: bool = False,
    ) -> None:
        """One row; times are (CPU, wall) in seconds, ``kind`` says of what the ratio is."""
        met = ratio <= target if at_most else ratio >= target
        if not met:
            self.missed.append(case)
        sign = "<=" if at_most else ">="
        print(
            f"| {self.claim} | {case} | {_seconds(ours[0])} | {_seconds(ours[1])} "
            f"| {_seconds(theirs[0])} | {_seconds(theirs[1])} "
            f"| {ratio:.2f}x {kind} | {sign} {target:g}x, {'met' if met else 'MISSED'} |",
            flush=True,
        )

    def end(self) -> None:
        """End the process: exit code 1 when a target was missed."""
        if self.missed:
            print(f"{self.claim} missed: {', '.join(self.missed)}", file=sys.stderr)
        sys.exit(bool(self.missed))


def _seconds(value: float) -> str:
    # NaN: not measured.
    return "" if math.isnan(value) else f"{value:.2f}"
