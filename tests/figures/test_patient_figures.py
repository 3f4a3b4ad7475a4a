"""A patient among all, and the patient's time line."""

from __future__ import annotations

import numpy as np
import pytest

from figures.organ_colours import OrganColour
from figures.patient_in_cohort import Strip, strip_figure
from figures.slicer import NamedLabel, colour_table
from figures.time_line import Moment, time_line_figure

NAN = float("nan")


def test_the_percentile_counts_ties_half_and_leaves_out_the_missing() -> None:
    values = np.array([1.0, 2.0, 2.0, 3.0, NAN])
    assert [Strip("Volume (ml)", values, i).percentile for i in range(5)] == [12.5, 50.0, 50.0, 87.5, None]
    assert Strip("Volume (ml)", values, 4).value is None
    assert Strip("Volume (ml)", values, 0).n == 4


def test_every_row_has_its_n_and_the_patient_on_it() -> None:
    known, missing = np.array([5.0, 1.0, 3.0]), np.array([1.0, NAN, 2.0])
    figure = strip_figure([Strip("SUVmax", known, 1), Strip("a < b", missing, 1)])
    dots, patient, others = figure.data
    assert dots.x == pytest.approx([100 * 2.5 / 3, 100 * 0.5 / 3, 50])
    assert (patient.x[0], patient.y[0]) == (pytest.approx(100 * 0.5 / 3), 2)
    assert len(others.x) == 2
    assert list(figure.layout.yaxis.ticktext) == ["SUVmax<br><sup>n = 3</sup>", "a &lt; b<br><sup>n = 2</sup>"]
    with pytest.raises(ValueError, match="no variable"):
        strip_figure([])


def test_a_colour_table_names_every_label() -> None:
    colours = {"liver": OrganColour("#D55E00", dashed=False), "lymph node": OrganColour("#0072B2", dashed=False)}
    text = colour_table([NamedLabel(2, "L02", "lymph node"), NamedLabel(1, "L01", "liver")], colours)
    assert text.splitlines()[1:] == [
        "0 background 0 0 0 0",
        "1 L01_liver 213 94 0 255",
        "2 L02_lymph_node 0 114 178 255",
    ]


def test_a_time_line_is_in_days_and_an_endpoint_is_a_line_from_the_origin() -> None:
    moments = [
        Moment("Origin", 0, "origin", "therapy start"),
        Moment("PET/CT", -21, "scan", "scan 1"),
        Moment("PET/CT", 90, "scan", "scan 2"),
        Moment("OS", 800, "censored", "censored, day 800"),
    ]
    figure = time_line_figure(moments)
    assert list(figure.layout.yaxis.ticktext) == ["Origin", "PET/CT", "OS"]
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [(list(line.x), list(line.y)) for line in lines] == [([0, 800], [1, 1])]
    marks = {trace.x[0]: trace.y[0] for trace in figure.data if trace.mode != "lines"}
    assert marks == {0: 3, -21: 2, 90: 2, 800: 1}
