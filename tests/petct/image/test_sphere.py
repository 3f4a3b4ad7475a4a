"""The voxels of a sphere: counted with exact fractions, those on the surface included."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from petct.image.sphere import sphere_offsets


@pytest.mark.parametrize(
    ("radius_mm", "spacing_zyx_mm"),
    [
        ("10", ("2", "1.6", "1.6")),
        ("15", ("3.27", "4.07", "4.07")),
        ("0.3", ("0.1", "0.1", "0.1")),
        ("1", ("5", "5", "5")),
    ],
)
def test_the_offsets_are_those_of_exact_arithmetic(radius_mm: str, spacing_zyx_mm: tuple[str, str, str]) -> None:
    radius, spacing = Fraction(radius_mm), [Fraction(text) for text in spacing_zyx_mm]
    reach = [int(radius / size) + 1 for size in spacing]
    expected = {
        offset
        for offset in product(*(range(-n, n + 1) for n in reach))
        if sum((n * size) ** 2 for n, size in zip(offset, spacing, strict=True)) <= radius**2
    }

    found = sphere_offsets(float(radius_mm), tuple(float(text) for text in spacing_zyx_mm))

    assert {tuple(row) for row in found.tolist()} == expected
    assert len(found) == len(expected)
