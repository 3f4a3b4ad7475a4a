"""Kaplan-Meier curves and cumulative incidences for print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from matplotlib.figure import Figure

from figures.print_page import SINGLE_COLUMN_MM
from figures.print_steps import StepCurve, step_figure
from figures.ticks import AxisUnit, in_unit
from petct.survival.cohort.results import counted, p_text
from petct.survival.competing.cumulative import CumulativeIncidenceResult, IncidenceCurve
from petct.survival.kaplan_meier.estimate import round_times
from petct.survival.kaplan_meier.result import KaplanMeierResult, SurvivalCurve


def kaplan_meier_print(
    result: KaplanMeierResult,
    *,
    axis_unit: AxisUnit | None = None,
    labels: Mapping[str, str] | None = None,
    width_mm: float = SINGLE_COLUMN_MM,
    band: bool = True,
) -> Figure:
    """Draw a Kaplan-Meier analysis for a journal.

    Parameters
    ----------
    result
        The analysis.
    axis_unit
        Unit of the time axis (a month is 365.25 / 12 days); months for times in days when None.
    labels
        Names to print for variables, by their names in the result.
    width_mm
        Width of the figure: ``SINGLE_COLUMN_MM`` or ``DOUBLE_COLUMN_MM``.
    band
        Draw the confidence bands.

    Raises
    ------
    ValueError
        The times of the result are in a unit that cannot be converted.
    """
    unit = axis_unit or ("month" if result.unit == "day" else result.unit)
    scale = in_unit(result.unit, unit)
    longest = max(curve.last_time for curve in result.curves)
    own = unit == result.unit
    ticks = result.at_risk_times if own else tuple(t / scale for t in round_times(longest * scale, unit))
    suffix = f" {result.variable_unit}" if result.variable_unit else ""
    test = result.log_rank
    statement = [_variable(result.variable, labels)]
    if test is not None:
        statement.append(p_withheld_or(test.p, "log-rank"))
    return step_figure(
        [_survival(curve, suffix, ticks, scale) for curve in result.curves],
        [time * scale for time in ticks],
        x_label=f"Time since origin ({unit}s)",
        y_label="Survival probability",
        statement="\n".join(filter(None, statement)),
        width_mm=width_mm,
        band=band,
    )


def cumulative_incidence_print(
    result: CumulativeIncidenceResult,
    *,
    axis_unit: AxisUnit | None = None,
    labels: Mapping[str, str] | None = None,
    width_mm: float = SINGLE_COLUMN_MM,
    band: bool = True,
) -> Figure:
    """Draw the cumulative incidence of the event of interest, that of the competing events as a thin dashed line.

    The ticks are the times at which the result counts who is at risk; see ``kaplan_meier_print`` for the parameters.
    """
    unit = axis_unit or result.unit
    scale = in_unit(result.unit, unit)
    interest = [curve for curve in result.curves if curve.cause == result.causes[0]]
    others = {curve.group: curve for curve in result.curves if curve.cause == result.causes[-1]}
    suffix = f" {result.variable_unit}" if result.variable_unit else ""
    statement = [_variable(result.variable, labels)]
    statement += [p_withheld_or(test.p, "Gray's test") for test in result.gray_tests if test.cause == result.causes[0]]
    if len(result.causes) > 1:
        statement.append(f"dashed: {result.causes[-1]}")
    return step_figure(
        [_incidence(curve, others.get(curve.group), suffix, scale) for curve in interest],
        [round(time * scale, 9) for time in result.at_risk_times],
        x_label=f"Time since origin ({unit}s)",
        y_label=f"Cumulative incidence of {result.causes[0]}",
        statement="\n".join(filter(None, statement)),
        width_mm=width_mm,
        band=band,
    )


def p_withheld_or(p: float | None, test: str) -> str:
    """Return ``log-rank p = 0.031``, or that the p-value is withheld."""
    return f"{test}: p withheld" if p is None else f"{test} {p_text(p)}"


def _variable(name: str | None, labels: Mapping[str, str] | None) -> str:
    return "" if name is None else (labels or {}).get(name, name)


def _survival(curve: SurvivalCurve, suffix: str, ticks: tuple[float, ...], scale: float) -> StepCurve:
    marks = tuple((t * scale, value) for t, value in zip(curve.censor_times, curve.censor_survival, strict=True))
    at_risk = tuple(curve.n_at_risk_at(time) for time in ticks)
    return replace(_curve(curve, suffix, scale, curve.survival), start=1.0, at_risk=at_risk, censored=marks)


def _incidence(curve: IncidenceCurve, other: IncidenceCurve | None, suffix: str, scale: float) -> StepCurve:
    competing: tuple[tuple[float, float], ...] = ()
    if other is not None and other is not curve and other.times:
        steps = ((time * scale, value) for time, value in zip(other.times, other.incidence, strict=True))
        competing = ((0.0, 0.0), *steps, (other.last_time * scale, other.incidence[-1]))
    return replace(_curve(curve, suffix, scale, curve.incidence), at_risk=curve.n_at_risk, companion=competing)


def _curve(curve: SurvivalCurve | IncidenceCurve, suffix: str, scale: float, values: tuple[float, ...]) -> StepCurve:
    size = f"n = {curve.n}, {counted(curve.n_events, 'event')}"
    times, last = tuple(time * scale for time in curve.times), curve.last_time * scale
    return StepCurve(f"{curve.group}{suffix}", size, times, values, curve.lower, curve.upper, 0.0, last, ())
