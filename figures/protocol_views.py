"""Figures of one cohort under several protocols: volumes, agreement, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from figures.feature_values import patient_boxes, patient_points
from figures.palette import INK, MUTED, PAPER, series_colour
from figures.paper import dress, marked, plain
from figures.ticks import round_numbers
from petct.survival.cox_repeated.protocol_sensitivity import Agreement

_ROW_PIXELS = 42


def volumes_figure(volumes_ml: Mapping[str, NDArray[np.float64]], patients: Sequence[str]) -> go.Figure:
    """Draw the tumour volumes of the same patients under each protocol, on a logarithmic axis.

    Parameters
    ----------
    volumes_ml
        By the name of the protocol, shape (n,) in the order of ``patients``; 0 has no place on the axis and is counted
        under the name, NaN where the lesions could not be determined.
    patients
        The patients.
    """
    boxes = []
    for name, volumes in volumes_ml.items():
        positive = np.flatnonzero(volumes > 0)
        zero, unknown = int((volumes == 0).sum()), int(np.isnan(volumes).sum())
        beside = "".join(f"<br>{n} {words}" for n, words in ((zero, "without tumour"), (unknown, "unknown")) if n)
        named = f"{plain(name)}<br>n = {len(positive)}{beside}"
        boxes.append((named, [patients[int(i)] for i in positive], volumes[positive].tolist()))
    figure = patient_boxes(boxes, " ml")
    drawn = np.concatenate([volumes[volumes > 0] for volumes in volumes_ml.values()])
    figure.update_yaxes(title_text="Tumour volume (ml, logarithmic axis)", **_log_axis(drawn))
    return figure


def bland_altman_figure(
    first_ml: NDArray[np.float64],
    second_ml: NDArray[np.float64],
    patients: Sequence[str],
    agreement: Agreement,
    names: tuple[str, str],
    *,
    as_ratio: bool,
) -> go.Figure:
    """Draw the difference of two volumes of each patient against their mean, with bias and limits of agreement.

    Parameters
    ----------
    first_ml, second_ml
        Volumes of the patients known under both, shape (n,); those without tumour under either are left out of ratios.
    patients
        The patients.
    agreement
        ``ProtocolPair.volume``, or ``log_volume`` with ``as_ratio``.
    names
        Of the two protocols.
    as_ratio
        Second by first on logarithmic axes against the geometric mean, instead of second minus first in ml.
    """
    there = np.isfinite(first_ml) & np.isfinite(second_ml)
    if as_ratio:
        there &= (first_ml > 0) & (second_ml > 0)
    a, b = first_ml[there], second_ml[there]
    mean, difference = (np.sqrt(a * b), b / a) if as_ratio else ((a + b) / 2, b - a)
    unit = "" if as_ratio else " ml"
    known = [patient for patient, kept in zip(patients, there, strict=True) if kept]
    figure = patient_points(mean.tolist(), difference.tolist(), known, f"%{{y:.3g}}{unit} at %{{x:.4g}} ml")
    for value, words, dash in (
        (agreement.upper_limit, "upper limit", "dash"),
        (agreement.bias, "mean ratio" if as_ratio else "bias", "solid"),
        (agreement.lower_limit, "lower limit", "dash"),
    ):
        figure.add_hline(y=value, line={"color": INK, "width": 1.3, "dash": dash})
        figure.add_annotation(
            text=f"{words} {value:.3g}{unit}",
            x=1.01,
            xref="paper",
            y=np.log10(value) if as_ratio else value,
            xanchor="left",
            showarrow=False,
        )
    figure.add_hline(y=1.0 if as_ratio else 0.0, line={"color": MUTED, "width": 1, "dash": "dot"})
    first, second = (plain(name) for name in names)
    figure.update_xaxes(title_text=f"{'Geometric mean' if as_ratio else 'Mean'} of both volumes (ml)")
    figure.update_yaxes(title_text=f"{second} / {first}" if as_ratio else f"{second} − {first} (ml)")
    if as_ratio:
        limits = [agreement.lower_limit, agreement.upper_limit, 1.0]
        figure.update_xaxes(**_log_axis(mean))
        figure.update_yaxes(**_log_axis(np.concatenate([difference, limits])))
    figure.update_layout(margin_r=140)
    return figure


def account_figure(shares_ml: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Draw what became of all that was above the threshold, one bar a protocol.

    Parameters
    ----------
    shares_ml
        Volume of each fate by protocol, ``{"suv_4": {"kept": 120.0, "spleen": 310.0}}``; the fates keep their order.
    """
    figure = go.Figure()
    fates = list(dict.fromkeys(fate for shares in shares_ml.values() for fate in shares))
    for index, fate in enumerate(fates):
        figure.add_bar(
            y=[plain(name) for name in shares_ml],
            x=[shares.get(fate, 0.0) for shares in shares_ml.values()],
            orientation="h",
            name=plain(fate),
            marker={"color": series_colour(index), "line": {"color": PAPER, "width": 0.5}},
            hovertemplate="%{y}, " + plain(fate) + ": %{x:,.4g} ml<extra></extra>",
        )
    dress(figure, 170 + _ROW_PIXELS * len(shares_ml))
    figure.update_layout(barmode="stack", showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title_text="Volume above the threshold, all patients together (ml)")
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False, automargin=True)
    return figure


def _log_axis(values: NDArray[np.float64]) -> dict[str, object]:
    """A logarithmic axis with round ticks over positive values."""
    if not len(values):
        return {"type": "log"}
    return {"type": "log", **marked(round_numbers(float(values.min()), float(values.max())))}
