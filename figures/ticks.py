"""Units of time axes, steps of curves and round ticks of ratios, for figures on screen and in print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from petct.survival.kaplan_meier.result import SurvivalCurve

AxisUnit = Literal["day", "month", "year"]

_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}


def in_unit(unit: str, axis_unit: str) -> float:
    """Return the factor from times in a unit to times on an axis; raises ValueError for a unit that has none."""
    if unit == axis_unit:
        return 1.0
    if unit not in _DAYS or axis_unit not in _DAYS:
        raise ValueError(f"times in {unit} cannot be drawn in {axis_unit}; known units: {', '.join(_DAYS)}")
    return _DAYS[unit] / _DAYS[axis_unit]


def band_of(
    times: Sequence[float], lower: Sequence[float | None], upper: Sequence[float | None], last_time: float
) -> list[tuple[float, float, float]]:
    """The steps of a confidence band: time, lower and upper limit; none where a curve has no limits.

    Where it has none any more, because it reached 0 or 1, the band ends at that step.
    """
    steps = zip(times, lower, upper, strict=True)
    limits = [(time, low, high) for time, low, high in steps if low is not None and high is not None]
    if limits:
        limits.append((times[-1] if lower[-1] is None else last_time, *limits[-1][1:]))
    return limits


def steps_until(curve: SurvivalCurve, tau: float) -> tuple[list[float], list[float]]:
    """Times and values of a survival curve up to a horizon."""
    inside = [(time, value) for time, value in zip(curve.times, curve.survival, strict=True) if time < tau]
    y = [1.0, *(value for _, value in inside)]
    return [0.0, *(time for time, _ in inside), tau], [*y, y[-1]]


def round_ratios(lower: float, upper: float) -> list[float]:
    """Between 3 and about 8 round hazard ratios that cover an interval, 1 among them."""
    decades = range(math.floor(math.log10(min(lower, 1.0))), math.ceil(math.log10(max(upper, 1.0))) + 1)
    for factors in ((1.0, 2.0, 5.0), (1.0,)):
        ticks = [float(f"{factor * 10.0**decade:.6g}") for decade in decades for factor in factors]
        inside = [tick for tick in ticks if min(lower, 0.5) / 1.1 <= tick <= max(upper, 2.0) * 1.1]
        if len(inside) <= 10:
            return inside
    every = math.ceil(len(inside) / 8)
    return [tick for tick in inside if round(math.log10(tick)) % every == 0]


def round_numbers(lower: float, upper: float) -> list[float]:
    """Between 3 and about 10 round numbers in an interval of positive numbers, for a logarithmic axis."""
    decades = range(math.floor(math.log10(lower)), math.ceil(math.log10(upper)) + 1)
    for factors in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        ticks = [float(f"{factor * 10.0**decade:.6g}") for decade in decades for factor in factors]
        inside = [tick for tick in ticks if lower <= tick <= upper]
        if len(inside) >= 3:
            return inside[:: math.ceil(len(inside) / 10)]
    exponent = math.floor(math.log10((upper - lower) / 2)) if upper > lower else 0
    step = next(f * 10.0**exponent for f in (5.0, 2.0, 1.0) if f * 10.0**exponent * 2 <= upper - lower or f == 1.0)
    first = math.ceil(lower / step)
    return [float(f"{step * k:.6g}") for k in range(first, math.floor(upper / step) + 1)]
