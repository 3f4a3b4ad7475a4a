"""Nuclides, decay and body sizes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.suv.body_size import body_surface_area_m2, lean_body_mass_janmahasatian_kg
from petct.suv.decay import HALF_LIVES_S, decay_constant, frame_factor, mean_activity_time_s, nuclide_of


@pytest.mark.parametrize(
    ("code", "meaning", "expected"),
    [
        ("C-111A1", None, "18F"),
        ("77004003", "^18^Fluorine", "18F"),
        ("35337001", None, "68Ga"),
        ("X-1", "^68^Gallium", "68Ga"),
        (None, "Ga-68", "68Ga"),
        (None, "68Ga", "68Ga"),
        (None, "Ga68", "68Ga"),
        (None, "^68^Germanium", "68Ge"),
        (None, "Cu 64", "64Cu"),
        (None, "^177^Lutetium", "177Lu"),
        (None, "Fluorine F^18^", "18F"),
        (None, "FDG", None),
        (None, "^99m^Technetium", None),
        (None, None, None),
    ],
)
def test_names_of_nuclides(code: str | None, meaning: str | None, expected: str | None) -> None:
    assert nuclide_of(code, meaning) == expected


def test_the_radiopharmaceutical_names_the_nuclide_where_its_code_does_not() -> None:
    assert nuclide_of(None, None, "Ga-68 DOTATOC") == "68Ga"
    assert nuclide_of("C-111A1", None, "Ga-68 DOTATOC") == "18F"
    assert nuclide_of(None, None, "DOTATATE") is None


@given(st.sampled_from(sorted(HALF_LIVES_S.values())), st.floats(1, 3600))
def test_the_mean_activity_of_a_frame_lies_at_its_mean_time(half_life: float, duration: float) -> None:
    rate = decay_constant(half_life)
    mean = (1 - math.exp(-rate * duration)) / (rate * duration)
    assert frame_factor(half_life, duration) == pytest.approx(1 / mean, rel=1e-6)
    mean_time = mean_activity_time_s(half_life, duration)
    assert math.exp(-rate * mean_time) == pytest.approx(mean, rel=1e-6)
    assert 0 < mean_time <= duration / 2 * (1 + 1e-6)


def test_body_sizes_of_an_ordinary_patient() -> None:
    assert body_surface_area_m2(70, 1.75) == pytest.approx(1.848, abs=1e-3)
    assert lean_body_mass_janmahasatian_kg(70, 1.75, "M") == pytest.approx(55.9, abs=0.1)
    both = [lean_body_mass_janmahasatian_kg(70, 1.75, sex) for sex in "MFO"]
    assert both[2] == pytest.approx((both[0] + both[1]) / 2)
