"""Figures of the features themselves: one over the patients, one against another, all against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from figures.palette import BLUE, INK, PAPER, VERMILION, series_colour, translucent
from figures.paper import dress, marked, plain
from figures.ticks import round_numbers

_PIXELS = 400
_CELL_PIXELS = 21
_LONGEST_LABEL = 34


def patient_boxes(groups: Iterable[tuple[str, Sequence[str], Sequence[float]]], unit: str = "") -> go.Figure:
    """Draw values in groups of patients (name, patients, values): every patient a point, beside box and median."""
    figure = go.Figure()
    for index, (name, patients, values) in enumerate(groups):
        figure.add_box(
            y=list(values),
            name=name,
            boxpoints="all",
            jitter=0.5,
            pointpos=-1.6,
            marker={"color": translucent(series_colour(index), 0.7), "size": 6},
            line={"color": series_colour(index), "width": 1.6},
            fillcolor=translucent(series_colour(index), 0.15),
            customdata=list(patients),
            hovertemplate=f"%{{customdata}}: %{{y:.4g}}{unit}<extra></extra>",
            showlegend=False,
        )
    return dress(figure, _PIXELS)


def patient_points(x: Sequence[float], y: Sequence[float], patients: Sequence[str], hover: str) -> go.Figure:
    """Draw one value against another, a point a patient; ``hover`` is what plotly writes after the patient."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(x),
        y=list(y),
        mode="markers",
        marker={"size": 8, "color": translucent(BLUE, 0.75)},
        customdata=list(patients),
        hovertemplate=f"%{{customdata}}: {hover}<extra></extra>",
        showlegend=False,
    )
    return dress(figure, _PIXELS)


def distribution_figure(groups: Mapping[str, tuple[Sequence[str], Sequence[float]]], label: str) -> go.Figure:
    """Draw the values of a variable in groups of patients.

    Parameters
    ----------
    groups
        Patients and their values by the name of the group, in order.
    label
        What the values are, with unit.
    """
    figure = patient_boxes((f"{plain(name)}<br>n = {len(of)}", patients, of) for name, (patients, of) in groups.items())
    return figure.update_yaxes(title_text=plain(label))


def against_volume_figure(
    patients: Sequence[str], volume_ml: Sequence[float], values: Sequence[float], label: str
) -> go.Figure:
    """Draw a feature against tumour volume, on a logarithmic axis where no volume is 0; a point a patient."""
    figure = patient_points(volume_ml, values, patients, "%{x:.4g} ml, %{y:.4g}")
    figure.update_xaxes(title_text="Tumour volume (ml)")
    if volume_ml and min(volume_ml) > 0:
        figure.update_xaxes(type="log", **marked(round_numbers(min(volume_ml), max(volume_ml))))
    return figure.update_yaxes(title_text=plain(label))


def correlation_figure(rho: NDArray[np.float64], labels: Sequence[str]) -> go.Figure:
    """Draw the correlations of all pairs of features as a heat map, in the order given.

    Parameters
    ----------
    rho
        Shape (p, p), -1 to 1.
    labels
        Names of the features, shape (p,).
    """
    names = [_shortened(label) for label in labels]
    figure = go.Figure(
        go.Heatmap(
            z=rho,
            x=list(range(len(names))),
            y=list(range(len(names))),
            zmin=-1,
            zmax=1,
            colorscale=[[0.0, VERMILION], [0.5, PAPER], [1.0, BLUE]],
            colorbar={"title": {"text": "rho"}, "thickness": 12, "tickvals": [-1, -0.5, 0, 0.5, 1]},
            customdata=[[f"{plain(a)}<br>{plain(b)}" for b in labels] for a in labels],
            hovertemplate="%{customdata}<br>rho = %{z:.2f}<extra></extra>",
        )
    )
    dress(figure, 240 + _CELL_PIXELS * len(names))
    ticks = {"tickvals": list(range(len(names))), "ticks": "", "showline": False, "showgrid": False}
    figure.update_xaxes(ticktext=[str(i + 1) for i in range(len(names))], side="bottom", **ticks)
    figure.update_yaxes(
        ticktext=[f"{plain(name)}  <b>{i + 1}</b>" for i, name in enumerate(names)],
        autorange="reversed",
        automargin=True,
        **ticks,
    )
    figure.update_layout(font={"color": INK, "size": 11})
    return figure


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
