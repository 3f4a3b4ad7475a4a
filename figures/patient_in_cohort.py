"""One patient among all: a strip of values for each variable, and where the patient stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from figures.palette import MUTED, VERMILION, translucent
from figures.paper import dress, plain

_ROW_PIXELS = 40
_SPREAD = 0.22


@dataclass(frozen=True, eq=False)
class Strip:
    """The values of one variable in the cohort.

    Attributes
    ----------
    name
        With its unit.
    values
        Of all patients, the patient among them; NaN where there is none.
    position
        Which of them is the patient.
    """

    name: str
    values: NDArray[np.float64]
    position: int

    @property
    def n(self) -> int:
        """Patients with a value."""
        return int(np.isfinite(self.values).sum())

    @property
    def value(self) -> float | None:
        """The patient's value."""
        value = float(self.values[self.position])
        return value if np.isfinite(value) else None

    @property
    def percentile(self) -> float | None:
        """Share of the patients with a lower value, ties counted half, in percent; None without a value."""
        if self.value is None:
            return None
        known = self.values[np.isfinite(self.values)]
        below, equal = np.count_nonzero(known < self.value), np.count_nonzero(known == self.value)
        return 100.0 * (below + 0.5 * equal) / known.size


def strip_figure(strips: Sequence[Strip]) -> go.Figure:
    """Draw each variable as a row of points at the percentile of their value, so that rows can be compared.

    Raises
    ------
    ValueError
        No strip.
    """
    if not strips:
        raise ValueError("there is no variable to draw")
    figure = go.Figure()
    # The same scatter every time: patients keep their height from row to row.
    jitter = np.random.default_rng(7).uniform(-_SPREAD, _SPREAD, strips[0].values.size)
    for number, strip in enumerate(strips):
        height = len(strips) - number
        known = np.isfinite(strip.values)
        ranks = _percentiles(strip.values[known])
        figure.add_scatter(
            x=ranks,
            y=height + jitter[known],
            mode="markers",
            marker={"size": 6, "color": translucent(MUTED, 0.45)},
            customdata=strip.values[known],
            hovertemplate=f"{plain(strip.name)}: %{{customdata:.4g}}<extra></extra>",
            showlegend=False,
        )
        if strip.value is not None:
            figure.add_scatter(
                x=[strip.percentile],
                y=[height],
                mode="markers",
                marker={"symbol": "diamond", "size": 14, "color": VERMILION, "line": {"width": 1.5, "color": "white"}},
                hovertemplate=f"{plain(strip.name)}: {strip.value:.4g}<extra>this patient</extra>",
                showlegend=False,
            )
    dress(figure, 80 + _ROW_PIXELS * len(strips))
    figure.update_xaxes(title_text="Percentile in the cohort", range=[-2, 102], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(
        tickvals=[len(strips) - number for number in range(len(strips))],
        ticktext=[f"{plain(strip.name)}<br><sup>n = {strip.n}</sup>" for strip in strips],
        range=[0.4, len(strips) + 0.6],
        showgrid=False,
        ticks="",
        automargin=True,
    )
    figure.update_layout(margin={"t": 10, "b": 45, "l": 20, "r": 20})
    return figure


def _percentiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    return 50.0 * (below + up_to) / max(values.size, 1)
