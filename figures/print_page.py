"""The look that all print figures share: columns of a journal, thin lines, embedded fonts, the same bytes every time.

matplotlib without pyplot: a figure belongs to whoever made it, and nothing is shown. Its settings are global to the
process, so that one lock keeps figures of several threads apart.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figures.palette import GRID, INK

SINGLE_COLUMN_MM = 85.0
DOUBLE_COLUMN_MM = 180.0

Format = Literal["svg", "pdf", "png"]
FORMATS: tuple[Format, ...] = ("svg", "pdf", "png")

DOTS_PER_INCH = 300
SMALL = 6.5
NORMAL = 7.5

_MM_PER_INCH = 25.4
_LOCK = threading.RLock()
# Whatever a matplotlibrc of the reader says: the defaults first, without what chooses a window system.
_DEFAULTS = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(("backend", "webagg"))}
_SETTINGS = {
    **_DEFAULTS,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": NORMAL,
    "axes.titlesize": NORMAL,
    "axes.labelsize": NORMAL,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.1,
    "grid.color": GRID,
    "grid.linewidth": 0.4,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "petlake",
    "pdf.fonttype": 42,
    "path.simplify": False,
}
_CREATOR = "petlake"


@contextmanager
def journal_look() -> Iterator[None]:
    """The settings under which every print figure is made and written; one thread at a time."""
    with _LOCK, mpl.rc_context(_SETTINGS):
        yield


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """Return an empty figure of this size."""
    figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    return figure


def axes_at(figure: Figure, *, left_mm: float, bottom_mm: float, right_mm: float = 2.5, top_mm: float = 2.5) -> Axes:
    """Add axes with these margins to the edges of the figure."""
    width, height = (inches * _MM_PER_INCH for inches in figure.get_size_inches())
    return figure.add_axes(
        (
            left_mm / width,
            bottom_mm / height,
            (width - left_mm - right_mm) / width,
            (height - bottom_mm - top_mm) / height,
        )
    )


def width_of(figure: Figure, texts: Sequence[str], size: float) -> float:
    """Return the width of the widest text, in mm; 0 for none."""
    widest = 0.0
    for text in texts:
        drawn = figure.text(0, 0, text, fontsize=size)
        widest = max(widest, drawn.get_window_extent().width)
        drawn.remove()
    return widest / figure.dpi * _MM_PER_INCH


def shortened_to(figure: Figure, text: str, size: float, most_mm: float) -> str:
    """Return the text, its end left out where it is wider than ``most_mm``."""
    if width_of(figure, [text], size) <= most_mm:
        return text
    while text and width_of(figure, [f"{text}…"], size) > most_mm:
        text = text[:-1]
    return f"{text.rstrip()}…"


def readable(text: str) -> str:
    """Return a label as papers print it, with nothing that matplotlib would read as mathematics."""
    return text.replace("<=", "≤").replace(">=", "≥").replace("$", r"\$")


def rendered(figure: Figure, kind: Format) -> bytes:
    """Return the bytes of a figure: the same for the same figure, with fonts inside and without a date.

    Raises
    ------
    ValueError
        Another format than SVG, PDF or PNG.
    """
    metadata: dict[Format, dict[str, str | None]] = {
        "svg": {"Date": None, "Creator": _CREATOR},
        "pdf": {"CreationDate": None, "Creator": _CREATOR, "Producer": _CREATOR},
        "png": {"Software": _CREATOR},
    }
    if kind not in metadata:
        raise ValueError(f"a figure is written as {', '.join(FORMATS)}, not as {kind}")
    with journal_look(), io.BytesIO() as file:
        figure.savefig(file, format=kind, dpi=DOTS_PER_INCH, metadata=metadata[kind])
        return file.getvalue()


def save(figure: Figure, path: Path | str) -> Path:
    """Write a figure in the format that the suffix of its name says, and return the path; raises as ``rendered``."""
    path = Path(path)
    path.write_bytes(rendered(figure, path.suffix.removeprefix(".").lower()))  # type: ignore[arg-type]
    return path
