"""Cumulative incidence of competing events in a cohort or its groups, with Gray's test.

Where another event can prevent the one of interest, 1 - S(t) of Kaplan and Meier overstates its probability: it speaks
of a world in which the other event does not happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.groups import Grouping, groups_of
from petct.survival.cohort.outcome import FloatArray, IntArray
from petct.survival.cohort.results import (
    SIGNIFICANCE_LEVEL,
    Suppressed,
    chi_squared_p,
    p_text,
    without,
)
from petct.survival.competing.incidence import Incidence, aalen_johansen, band, gray
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.kaplan_meier.estimate import check_times, optional, round_times
from petct.survival.kaplan_meier.group_tests import withheld_reason
from petct.survival.kaplan_meier.result import GroupedResult


@dataclass(frozen=True)
class IncidenceAt:
    """F(t) at a time with its variance; limits None where F(t) is 0 or 1, ``n_at_risk`` 0 beyond the follow-up."""

    time: float
    incidence: float
    variance: float
    lower: float | None
    upper: float | None
    n_at_risk: int


@dataclass(frozen=True)
class IncidenceCurve:
    """Cumulative incidence of one event in one group.

    Parameters
    ----------
    n, n_events
        Patients of the group, and those who had this event.
    last_time
        Longest time in the group.
    times, incidence, lower, upper
        The steps: distinct times of the event, F(t) from there on, and its limits (log of minus log scale).
    n_at_risk
        Patients free of any event at the result's ``at_risk_times``.
    landmarks
        F(t) at the times asked for.
    """

    group: str
    cause: str
    n: int
    n_events: int
    last_time: float
    times: tuple[float, ...]
    incidence: tuple[float, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    n_at_risk: tuple[int, ...]
    landmarks: tuple[IncidenceAt, ...]


@dataclass(frozen=True)
class GrayTest:
    """Gray's test that the cumulative incidence of an event is the same in all groups.

    ``p`` is None exactly when ``p_suppressed`` says why.
    """

    cause: str
    chi_squared: float | None
    df: int
    p: float | None
    p_suppressed: Suppressed | None


@dataclass(frozen=True, kw_only=True)
class CumulativeIncidenceResult(GroupedResult):
    """Competing risks analysis.

    Parameters
    ----------
    causes, n_events
        The events, that of interest first, and how many patients had each.
    curves
        One for each event and group, the event of interest first.
    gray_tests
        One for each event; empty for the whole cohort.
    """

    causes: tuple[str, ...]
    n_events: tuple[int, ...]
    curves: tuple[IncidenceCurve, ...]
    gray_tests: tuple[GrayTest, ...]


def cumulative_incidence(
    outcome: CompetingOutcome,
    grouping: Grouping | None = None,
    *,
    at_risk_times: Sequence[float] | None = None,
    landmarks: Sequence[float] = (),
) -> CumulativeIncidenceResult:
    """Cumulative incidence of every event, equal to R's ``cmprsk::cuminc``.

    Parameters
    ----------
    grouping
        Groups to compare; None for the whole cohort.
    at_risk_times
        Times for the numbers at risk; round times over the follow-up when None.
    landmarks
        Times at which to give F(t).

    Raises
    ------
    SurvivalError
        GROUPING_LENGTH, TIME_GRID_INVALID, and the codes of ``CompetingOutcome`` when the patients
        with a group have no event of interest.
    """
    groups = groups_of(grouping, outcome.n)
    check_times((*(at_risk_times or ()), *landmarks))
    kept = groups.codes >= 0
    cohort, codes = outcome.subset(kept), groups.codes[kept]
    grid = tuple(
        round_times(float(cohort.duration.max()), cohort.unit) if at_risk_times is None else map(float, at_risk_times)
    )
    arms = [codes == i for i in range(len(groups.labels))]
    withheld = withheld_reason(groups, [int(arm.sum()) for arm in arms])
    curves = []
    tests = []
    for number, name in enumerate(cohort.causes, 1):
        cause = _against_others(cohort.cause, number)
        for arm, label in zip(arms, groups.labels, strict=True):
            curves.append(_curve((label, name), cohort.duration[arm], cause[arm], grid, landmarks))
        if len(arms) > 1:
            tests.append(_test(name, cohort.duration, cause, codes, len(arms), withheld))
    return CumulativeIncidenceResult(
        unit=cohort.unit,
        n=cohort.n,
        n_missing=groups.n_missing,
        variable=groups.variable,
        variable_unit=groups.unit,
        rule=groups.rule,
        cut_points=groups.cut_points,
        at_risk_times=grid,
        notes=_notes(cohort, groups, curves, tests),
        causes=cohort.causes,
        n_events=tuple(cohort.n_events(number) for number in range(1, len(cohort.causes) + 1)),
        curves=tuple(curves),
        gray_tests=tuple(tests),
    )


def _against_others(cause: IntArray, number: int) -> IntArray:
    """Codes with cause ``number`` as 1 and every other as 2."""
    return np.where(cause == number, 1, np.where(cause > 0, 2, 0)).astype(np.int64)


def _curve(
    labels: tuple[str, str],
    duration: FloatArray,
    cause: IntArray,
    grid: Sequence[float],
    landmarks: Sequence[float],
) -> IncidenceCurve:
    seen = bool(np.any(cause == 1))
    empty = np.zeros(0)
    fit = aalen_johansen(duration, cause) if seen else Incidence(empty, empty, empty)
    lower, upper = band(fit.incidence, fit.variance)

    def n_at_risk(time: float) -> int:
        return int(np.count_nonzero(duration >= time))

    def at(time: float) -> IncidenceAt:
        incidence, variance = fit.at(time)
        low, high = band(np.array([incidence]), np.array([variance]))
        return IncidenceAt(float(time), incidence, variance, optional(low[0]), optional(high[0]), n_at_risk(time))

    return IncidenceCurve(
        *labels,
        n=len(duration),
        n_events=int(np.count_nonzero(cause == 1)),
        last_time=float(duration.max()),
        times=tuple(fit.times.tolist()),
        incidence=tuple(fit.incidence.tolist()),
        lower=tuple(optional(value) for value in lower),
        upper=tuple(optional(value) for value in upper),
        n_at_risk=tuple(n_at_risk(time) for time in grid),
        landmarks=tuple(at(time) for time in landmarks),
    )


def _test(
    name: str, duration: FloatArray, cause: IntArray, codes: IntArray, n_groups: int, withheld: Suppressed | None
) -> GrayTest:
    statistic = gray(duration, cause, codes, n_groups) if np.any(cause == 1) else None
    if statistic is None or statistic.chi_squared is None:
        reason = Suppressed("GRAY_UNDEFINED", f"No p-value: '{name}' leaves no groups to compare at any of its times.")
        return GrayTest(name, None, n_groups - 1, None, reason)
    if withheld is not None:
        shown = None if withheld.code == "CUT_CHOSEN_BY_OUTCOME" else statistic.chi_squared
        return GrayTest(name, shown, statistic.df, None, withheld)
    return GrayTest(name, statistic.chi_squared, statistic.df, chi_squared_p(statistic.chi_squared, statistic.df), None)


def _notes(
    cohort: CompetingOutcome, groups: Grouping, curves: Sequence[IncidenceCurve], tests: Sequence[GrayTest]
) -> tuple[str, ...]:
    notes = without(groups.n_missing, f"a value of {groups.variable}", cohort.n)
    notes += [
        f"At {landmark.time:g} {cohort.unit} nobody of group '{curve.group}' was under observation any more."
        for curve in curves
        for landmark in curve.landmarks
        if curve.cause == cohort.causes[0] and landmark.time > curve.last_time
    ]
    others = [name for number, name in enumerate(cohort.causes[1:], 2) if cohort.n_events(number)]
    if not others:
        notes.append("Nobody had a competing event: the cumulative incidence is 1 - S(t) of Kaplan and Meier.")
    notes += list(dict.fromkeys(test.p_suppressed.message for test in tests if test.p_suppressed is not None))
    for test in tests:
        if test.p is not None and test.p >= SIGNIFICANCE_LEVEL:
            notes.append(
                f"No evidence of a difference in the cumulative incidence of '{test.cause}' (Gray's test "
                f"{p_text(test.p)})."
            )
        elif test.p is not None:
            notes.append(
                f"The groups differ in the cumulative incidence of '{test.cause}' (Gray's test {p_text(test.p)}, not "
                "corrected for other tests)."
            )
    return tuple(notes)
