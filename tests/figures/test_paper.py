"""Figures in the dark theme: whatever needs the light theme gets its counterpart, and the numbers stay."""

from __future__ import annotations

import json

import numpy as np
import pytest

from figures.palette import BLUE, INK, ON_DARK, PAPER, SERIES, translucent
from figures.paper import on_dark
from figures.survival_curves import kaplan_meier_figure
from petct.survival.cohort.groups import split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.kaplan_meier.estimate import kaplan_meier
from tests.some import some


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_words_can_be_read_and_series_be_seen_on_both_papers() -> None:
    for paper, at in ((PAPER, {}), (ON_DARK[PAPER], ON_DARK)):
        for words in ("#222222", "#6B6B6B"):
            assert contrast(at.get(words, words), paper) >= 4.5
    # Numbers at risk are words in the colours of their curves. On white the palette's light ones do not reach it.
    assert all(contrast(ON_DARK.get(colour, colour), ON_DARK[PAPER]) >= 4.5 for colour in some(SERIES))


@pytest.mark.parametrize(("light", "dark"), [(INK, ON_DARK[INK]), (translucent(PAPER, 0.8), "rgba(15,20,26,0.8)")])
def test_a_figure_on_dark_paper_has_its_colours_and_the_same_numbers(light: str, dark: str) -> None:
    rng = np.random.default_rng(3)
    outcome = Outcome(rng.exponential(500, 40) + 1, rng.integers(0, 2, 40))
    figure = kaplan_meier_figure(kaplan_meier(outcome, split_by_median(rng.normal(size=40), "x", None)))
    figure.add_annotation(text="#222222 is words here", bgcolor=light)
    before = json.loads(figure.to_json())
    after = json.loads(on_dark(figure).to_json())
    assert after["layout"]["paper_bgcolor"] == ON_DARK[PAPER]
    assert after["layout"]["annotations"][-1]["bgcolor"] == dark
    assert after["layout"]["annotations"][-1]["text"] == "#222222 is words here"
    assert [trace.get("y") for trace in after["data"]] == [trace.get("y") for trace in before["data"]]
    assert ON_DARK[BLUE] in json.dumps(after["data"])
    written = json.dumps({**after["layout"], "annotations": []})
    assert not [colour for colour in some(ON_DARK) if colour != "#FFFFFF" and f'"{colour}"' in written]
