"""Kaplan-Meier analysis of a cohort or of its groups: curves, log-rank test, restricted means, follow-up."""

from __future__ import annotations

import math
from collections.abc import Sequence

from petct.errors import SurvivalError
from petct.survival.cohort.groups import Grouping, groups_of
from petct.survival.cohort.multiplicity import Correction
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.power import minimum_detectable_hazard_ratio
from petct.survival.cohort.results import SIGNIFICANCE_LEVEL, p_text, without
from petct.survival.kaplan_meier.curves import ProductLimit, crossing_half, product_limit
from petct.survival.kaplan_meier.group_tests import (
    LogRankTest,
    pairwise_tests,
    trend_test,
    weighted_test,
    withheld_reason,
)
from petct.survival.kaplan_meier.log_rank import Weighting
from petct.survival.kaplan_meier.restricted_mean import restricted_means
from petct.survival.kaplan_meier.result import KaplanMeierResult, MedianTime, SurvivalAt, SurvivalCurve


def kaplan_meier(
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    landmarks: Sequence[float] = (),
    tau: float | None = None,
    weightings: Sequence[Weighting] = (),
    trend: bool = False,
    pairwise: bool = False,
    correction: Correction = "holm",
) -> KaplanMeierResult:
    """Kaplan-Meier analysis with log-log intervals, equal to R's ``survfit(conf.type="log-log")``.

    Parameters
    ----------
    grouping
        Groups to compare; None for the whole cohort.
    landmarks
        Times at which to give S(t).
    tau
        Horizon of the restricted mean; the largest time observed in every group when None.
    weightings
        Weighted variants of the log-rank test to run beside it.
    trend
        Test a trend over the groups in their order.
    pairwise
        Test every two of several groups.
    correction
        How p-values of several pairs, or of several contrasts of restricted means, are adjusted.

    Raises
    ------
    SurvivalError
        GROUPING_LENGTH, TIME_GRID_INVALID, TAU_BEYOND_FOLLOW_UP, TAU_INVALID, TREND_UNORDERED,
        CORRECTION_UNKNOWN, and the codes of ``Outcome`` when the patients with a group have no event.
    """
    groups = groups_of(grouping, outcome.n)
    check_times((*landmarks, *(() if tau is None else (tau,))))
    several = len(groups.labels) > 1
    if trend and not (groups.ordered and several):
        raise SurvivalError(
            "TREND_UNORDERED",
            "A trend needs groups in an order",
            keyword=groups.variable,
            found=f"{groups.rule}: {', '.join(groups.labels)}",
            expected="groups by cuts or quantiles, or categories with a declared order",
        )
    kept = groups.codes >= 0
    cohort = outcome.subset(kept) if groups.n_missing else outcome
    codes = groups.codes[kept]
    grid = round_times(float(cohort.duration.max()), cohort.unit)

    fits = []
    curves = []
    for i, label in enumerate(groups.labels):
        arm = codes == i
        entry = None if cohort.entry is None else cohort.entry[arm]
        fit = product_limit(cohort.duration[arm], cohort.event[arm], entry)
        fits.append(fit)
        follow_up = _median(product_limit(cohort.duration[arm], 1 - cohort.event[arm], entry))
        curves.append(_curve(label, fit, follow_up, grid, landmarks))

    withheld = withheld_reason(groups, [curve.n for curve in curves])
    test = weighted_test(cohort, codes, groups, withheld) if several else None
    detectable = None
    if test is not None and len(curves) == 2 and test.chi_squared is not None:
        detectable = minimum_detectable_hazard_ratio(cohort.n_events, curves[0].n / cohort.n)
    restricted = restricted_means(
        fits,
        groups.labels,
        tau=tau,
        unit=cohort.unit,
        withheld=withheld,
        contrasts=several and not groups.chosen_by_outcome,
        correction=correction,
    )
    return KaplanMeierResult(
        unit=cohort.unit,
        n=cohort.n,
        n_missing=groups.n_missing,
        variable=groups.variable,
        variable_unit=groups.unit,
        rule=groups.rule,
        cut_points=groups.cut_points,
        at_risk_times=grid,
        notes=_notes(cohort, groups, fits, curves, (test, len(weightings)), detectable),
        n_events=cohort.n_events,
        curves=tuple(curves),
        follow_up=_median(product_limit(cohort.duration, 1 - cohort.event, cohort.entry)),
        log_rank=test,
        weighted_tests=tuple(weighted_test(cohort, codes, groups, withheld, w) for w in weightings if several),
        trend=trend_test(cohort, codes, len(curves), withheld) if trend else None,
        pairwise=pairwise_tests(cohort, codes, groups.labels, correction) if pairwise and len(curves) > 2 else (),
        correction=correction,
        restricted_mean=restricted,
        minimum_detectable_hazard_ratio=detectable,
    )


def round_times(longest: float, unit: str) -> tuple[float, ...]:
    """Return about 6 round times from 0 to ``longest``: 1, 2 or 5 times a power of ten; months by the year."""
    if longest <= 0:
        return (0.0,)
    raw = longest / 6
    power = 10.0 ** math.floor(math.log10(raw))
    steps = [factor * power for factor in (1, 2, 5, 10)]
    if unit == "month" and raw > 2:
        steps = [3.0, 6.0, *(12.0 * years for years in (1, 2, 3, 5, 10, 20))]
    step = min(steps, key=lambda candidate: abs(math.log(candidate / raw)))
    return tuple(float(f"{i * step:.12g}") for i in range(int(longest / step * (1 + 1e-12)) + 1))


def check_times(times: Sequence[float]) -> None:
    """Raise TIME_GRID_INVALID unless all times are finite and at least 0."""
    bad = [time for time in times if not (math.isfinite(time) and time >= 0)]
    if bad:
        raise SurvivalError("TIME_GRID_INVALID", "A time asked for is negative or not finite", found=str(bad[0]))


def optional(value: float) -> float | None:
    """The number, or None for NaN: a limit that does not exist."""
    return None if math.isnan(value) else float(value)


def _median(fit: ProductLimit) -> MedianTime:
    lower, upper = fit.band()
    return MedianTime(
        crossing_half(fit.times, fit.survival), crossing_half(fit.times, lower), crossing_half(fit.times, upper)
    )


def _curve(
    label: str,
    fit: ProductLimit,
    follow_up: MedianTime,
    grid: Sequence[float],
    landmarks: Sequence[float],
) -> SurvivalCurve:
    lower, upper = fit.band()
    steps, marks = fit.events > 0, fit.censored > 0

    def at(time: float) -> SurvivalAt:
        i = fit.index_at(time)
        if i < 0:
            return SurvivalAt(float(time), 1.0, None, None, fit.n_at_risk(time))
        limits = optional(lower[i]), optional(upper[i])
        return SurvivalAt(float(time), float(fit.survival[i]), *limits, fit.n_at_risk(time))

    return SurvivalCurve(
        group=label,
        n=fit.n,
        n_events=int(fit.events.sum()),
        n_censored=int(fit.censored.sum()),
        last_time=float(fit.times[-1]),
        times=tuple(fit.times[steps].tolist()),
        survival=tuple(fit.survival[steps].tolist()),
        lower=tuple(optional(value) for value in lower[steps]),
        upper=tuple(optional(value) for value in upper[steps]),
        at_risk=tuple(int(value) for value in fit.at_risk[steps]),
        events=tuple(int(value) for value in fit.events[steps]),
        censor_times=tuple(fit.times[marks].tolist()),
        censored=tuple(int(value) for value in fit.censored[marks]),
        censor_survival=tuple(fit.survival[marks].tolist()),
        n_at_risk=tuple(fit.n_at_risk(time) for time in grid),
        median=_median(fit),
        follow_up=follow_up,
        landmarks=tuple(at(time) for time in landmarks),
    )


def _notes(
    cohort: Outcome,
    groups: Grouping,
    fits: Sequence[ProductLimit],
    curves: Sequence[SurvivalCurve],
    tests: tuple[LogRankTest | None, int],
    detectable: float | None,
) -> tuple[str, ...]:
    test, n_weighted = tests
    notes = [*cohort.notes, *without(groups.n_missing, f"a value of {groups.variable}", cohort.n)]
    notes += [
        f"At {landmark.time:g} {cohort.unit} nobody of group '{curve.group}' was under observation any more."
        for curve in curves
        for landmark in curve.landmarks
        if landmark.time > curve.last_time
    ]
    notes += [
        f"In group '{curve.group}' the only patients at risk at {emptied:g} {cohort.unit} had the event although "
        "others came later: S(t) is 0 from there on. Begin at a landmark after it."
        for curve, fit in zip(curves, fits, strict=True)
        if cohort.entry is not None and (emptied := fit.emptied_at()) is not None
    ]
    if test is None:
        return tuple(notes)
    if test.p_suppressed is not None:
        notes.append(test.p_suppressed.message)
    elif test.p is not None and test.p >= SIGNIFICANCE_LEVEL:
        notes.append(f"No evidence of a difference in survival between the groups (log-rank {p_text(test.p)}).")
    elif test.p is not None:
        notes.append(f"The groups differ in survival (log-rank {p_text(test.p)}, not corrected for other tests).")
    if n_weighted and not groups.chosen_by_outcome:
        notes.append(
            f"{n_weighted + 1} log-rank tests of one question, by their weights: the one chosen beforehand counts."
        )
    if detectable is not None and (test.p is None or test.p >= SIGNIFICANCE_LEVEL):
        notes.append(
            f"{cohort.n_events} events in groups of {curves[0].n} and {curves[1].n} detect a hazard ratio of "
            f"{detectable:.2f} or more with 80 % power; smaller effects would probably go unseen."
        )
    return tuple(notes)
