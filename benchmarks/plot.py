"""Draw the ratios of docs/benchmarks.md: ``python benchmarks/plot.py`` writes docs/images/benchmarks.svg.

It reads the table whose heading is that of ``report.HEADING``, so that the picture shows what the page says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from report import HEADING

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "benchmarks.md"
PICTURE = REPOSITORY / "docs" / "images" / "benchmarks.svg"

_ROW = re.compile(r"^\| (P\d+) \| (.+?) \|.*\| ([\d.]+)x (\w+) \| (<=|>=) ([\d.]+)x", re.MULTILINE)


@dataclass(frozen=True)
class Bar:
    """One claim: its ratio as times less than pyradiomics (or the other way of the claim), and the target likewise."""

    name: str
    ratio: float
    target: float


def bars(page: str) -> list[Bar]:
    """The rows of the table; a ratio that is to be small is drawn as its inverse."""
    table = page[page.index(HEADING) :]
    found = []
    for claim, case, ratio, kind, sign, target in _ROW.findall(table):
        short = re.split(r"[,:]", case)[0]
        value, limit = float(ratio), float(target)
        if sign == "<=":
            value, limit = 1 / value, 1 / limit
        found.append(Bar(f"{claim}  {short} ({kind})", value, limit))
    return found


def draw(found: list[Bar]) -> Figure:
    """Bars on a logarithmic axis, with a mark where each target lies."""
    figure = Figure(figsize=(8, 0.42 * len(found) + 1.1), layout="constrained")
    axes = figure.subplots()
    places = range(len(found))
    axes.barh(places, [bar.ratio for bar in found], color="#4c78a8", height=0.6)
    axes.plot([bar.target for bar in found], places, linestyle="", marker="|", markersize=16, color="#e45756")
    for place, bar in zip(places, found, strict=True):
        axes.annotate(f"{bar.ratio:.3g}", (bar.ratio, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, [bar.name for bar in found])
    axes.set_xscale("log")
    axes.set_xlim(0.3, 3 * max(bar.ratio for bar in found))
    axes.invert_yaxis()
    axes.set_xlabel("times less than pyradiomics (P10: than plain functions); red: the target")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    """Write the picture, the same bytes for the same page."""
    mpl.rcParams["svg.hashsalt"] = "petlake"
    draw(bars(PAGE.read_text(encoding="utf-8"))).savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
