"""Who was lost where, as a flow diagram in the manner of CONSORT: boxes downwards, and beside them the lost and why."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from figures.palette import BLUE, GRID, INK, MUTED, PAPER, translucent
from figures.paper import dress, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAIN = (0.0, 44.0)
_SIDE = (52.0, 100.0)
# At 500 pixels for the whole; where there is more room the boxes have wider margins.
_MAIN_LETTERS = 26
_SIDE_LETTERS = 31
_LINE_PIXELS = 17
_PADDING_PIXELS = 18
_GAP_PIXELS = 30
_MOST_REASONS = 4


@dataclass(frozen=True)
class Lost:
    """A number of patients who were lost at a step, and why."""

    reason: str
    n: int


@dataclass(frozen=True)
class FlowStep:
    """A box: what the patients have in common who got here, how many they are, and who was lost on the way."""

    name: str
    n: int
    lost: tuple[Lost, ...] = ()

    @property
    def n_lost(self) -> int:
        """Patients who were lost at this step."""
        return sum(lost.n for lost in self.lost)


def flow_figure(steps: Sequence[FlowStep], ends: Sequence[FlowStep] = ()) -> go.Figure:
    """Draw the steps below each other.

    Parameters
    ----------
    steps
        From the first box to the last one; who was lost stands beside the arrow that leads to a box.
    ends
        What the patients of the last step have, each for itself: boxes beside each other at the bottom.
    """
    figure = go.Figure()
    down = _GAP_PIXELS / 2
    for number, step in enumerate(steps):
        side = _reasons(step)
        if number:
            beside = len(side) * _LINE_PIXELS + _PADDING_PIXELS if side else 0
            middle = down + max(beside, _GAP_PIXELS) / 2
            bottom = down + max(beside, _GAP_PIXELS) + (_GAP_PIXELS / 2 if side else 0)
            _arrow(figure, sum(_MAIN) / 2, down, sum(_MAIN) / 2, bottom)
            if side:
                _arrow(figure, sum(_MAIN) / 2, middle, _SIDE[0], middle)
                _box(figure, _SIDE, middle - beside / 2, middle + beside / 2, side, GRID, PAPER)
            down = bottom
        down = _main_box(figure, _MAIN, down, step)
    if ends:
        down = _ends(figure, ends, down)
    dress(figure, int(down + _GAP_PIXELS / 2))
    figure.update_layout(margin={"l": 2, "r": 2, "t": 2, "b": 2}, hovermode=False, dragmode=False)
    figure.update_xaxes(visible=False, range=[-1, 101], fixedrange=True)
    figure.update_yaxes(visible=False, range=[down + _GAP_PIXELS / 2, 0], fixedrange=True)
    return figure


def flow_in_words(steps: Sequence[FlowStep], ends: Sequence[FlowStep] = ()) -> str:
    """Describe the diagram for those who cannot see it."""
    said = []
    for step in (*steps, *ends):
        reasons = "; ".join(f"{lost.n}: {lost.reason}" for lost in step.lost)
        said.append(f"{step.name}: {step.n}{f', lost {reasons}' if reasons else ''}.")
    return f"Flow of patients. {' '.join(said)}"


def _ends(figure: go.Figure, ends: Sequence[FlowStep], down: float) -> float:
    """Boxes of equal width over the whole figure, each under an arrow from the last step."""
    width = (_SIDE[1] - _MAIN[0] + 4) / len(ends)
    letters = max(10, int(_SIDE_LETTERS * (width - 4) / (_SIDE[1] - _SIDE[0])))
    rail, top = down + _GAP_PIXELS / 2, down + _GAP_PIXELS
    _line(figure, sum(_MAIN) / 2, down, sum(_MAIN) / 2, rail)
    places = [(_MAIN[0] + index * width, _MAIN[0] + (index + 1) * width - 4) for index in range(len(ends))]
    centres = [sum(place) / 2 for place in places]
    _line(figure, min(*centres, sum(_MAIN) / 2), rail, max(*centres, sum(_MAIN) / 2), rail)
    texts = [
        [f"<b>{line}</b>" for line in _wrapped(step.name, letters)]
        + [f"n = {step.n:,}"]
        + [line for lost in step.lost for line in _wrapped(f"lost {lost.n:,}: {lost.reason}", letters)]
        for step in ends
    ]
    bottom = top + max(map(len, texts)) * _LINE_PIXELS + _PADDING_PIXELS
    for place, centre, lines in zip(places, centres, texts, strict=True):
        _arrow(figure, centre, rail, centre, top)
        _box(figure, place, top, bottom, lines, BLUE, translucent(BLUE, 0.06))
    return bottom


def _main_box(figure: go.Figure, place: tuple[float, float], top: float, step: FlowStep) -> float:
    lines = [f"<b>{line}</b>" for line in _wrapped(step.name, _MAIN_LETTERS)] + [f"n = {step.n:,}"]
    bottom = top + len(lines) * _LINE_PIXELS + _PADDING_PIXELS
    _box(figure, place, top, bottom, lines, BLUE, translucent(BLUE, 0.06))
    return bottom


def _reasons(step: FlowStep) -> list[str]:
    if not step.lost:
        return []
    shown = step.lost[:_MOST_REASONS]
    rest = step.lost[_MOST_REASONS:]
    lines = [f"<b>lost {step.n_lost:,}</b>"]
    for lost in (*shown, *([Lost("for other reasons", sum(one.n for one in rest))] if rest else [])):
        lines += _wrapped(f"{lost.n:,}: {lost.reason}", _SIDE_LETTERS)
    return lines


def _wrapped(text: str, letters: int) -> list[str]:
    return [plain(line) for line in textwrap.wrap(text, letters, max_lines=3, placeholder=" …")]


def _box(
    figure: go.Figure,
    place: tuple[float, float],
    top: float,
    bottom: float,
    lines: Sequence[str],
    border: str,
    fill: str,
) -> None:
    figure.add_shape(
        type="rect",
        x0=place[0],
        x1=place[1],
        y0=top,
        y1=bottom,
        line={"color": border, "width": 1.2},
        fillcolor=fill,
        layer="below",
    )
    figure.add_annotation(
        x=sum(place) / 2,
        y=(top + bottom) / 2,
        text="<br>".join(lines),
        showarrow=False,
        font={"color": INK, "size": 12},
        align="center",
    )


def _line(figure: go.Figure, x0: float, y0: float, x1: float, y1: float) -> None:
    figure.add_shape(type="line", x0=x0, y0=y0, x1=x1, y1=y1, line={"color": MUTED, "width": 1.2})


def _arrow(figure: go.Figure, x0: float, y0: float, x1: float, y1: float) -> None:
    figure.add_annotation(
        x=x1,
        y=y1,
        ax=x0,
        ay=y0,
        xref="x",
        yref="y",
        axref="x",
        ayref="y",
        text="",
        showarrow=True,
        arrowhead=2,
        arrowwidth=1.2,
        arrowcolor=MUTED,
    )
