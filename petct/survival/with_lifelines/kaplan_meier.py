"""A Kaplan-Meier analysis computed again by lifelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from petct.survival.cohort.groups import Grouping, groups_of
from petct.survival.cohort.outcome import BoolArray, FloatArray, IntArray, Outcome
from petct.survival.cohort.results import Suppressed, counted
from petct.survival.kaplan_meier.group_tests import LogRankTest
from petct.survival.kaplan_meier.log_rank import LOG_RANK, Weighting
from petct.survival.kaplan_meier.result import KaplanMeierResult, MedianTime, SurvivalCurve
from petct.survival.with_lifelines.comparison import Comparing, LifelinesCheck
from petct.survival.with_lifelines.library import attempt, lifelines

_HALF = (
    "Where S(t) stays at one half petlake gives the middle of that interval, as R does; lifelines gives its beginning, "
    "or its end when rounding decides."
)
_ZERO = "Where S(t) is 0 lifelines takes 0 as its confidence limit; petlake has none there, as R."
_SMALLER_DF = "lifelines counts a degree of freedom for a group that left before the first event."
_NO_ENTRY = "The log-rank test of lifelines takes no account of late entries."
_FIRST_ENTRY = "With late entries lifelines measures the area from the first entry on; petlake from the origin."
_WEIGHTS = {(1.0, 0.0, 0.0): "wilcoxon", (0.5, 0.0, 0.0): "tarone-ware"}


def check_kaplan_meier(
    outcome: Outcome, grouping: Grouping | None, result: KaplanMeierResult, weightings: Sequence[Weighting] = ()
) -> LifelinesCheck:
    """Compute curves, medians, restricted means and tests by lifelines, and compare.

    Parameters
    ----------
    outcome, grouping, weightings
        What ``kaplan_meier`` was given.
    result
        What it found.
    """
    groups = groups_of(grouping, outcome.n)
    kept = groups.codes >= 0
    cohort, codes = (outcome.subset(kept), groups.codes[kept]) if groups.n_missing else (outcome, groups.codes)
    check = Comparing()
    for i, curve in enumerate(result.curves):
        with check.may_stop(f"curve of {curve.group}"):
            _compare_curve(check, cohort, codes == i, curve, result)
    tests = () if result.log_rank is None else (result.log_rank, *result.weighted_tests)
    for test, weighting in zip(tests, (LOG_RANK, *weightings), strict=bool(tests)):
        with check.may_stop(f"{test.name} test"):
            _compare_test(check, cohort, codes, test, weighting)
    _compare_pairs(check, cohort, codes, result)
    if result.restricted_mean is not None:
        check.skip(
            "limits of restricted means, and their differences",
            "lifelines gives the variance of the times up to the horizon, not the standard error of their mean.",
        )
    if result.trend is not None:
        check.skip("trend over the groups", "lifelines has no test of a trend.")
    if groups.chosen_by_outcome:
        check.skip("search for the cut", "lifelines has no maximally selected log-rank statistic.")
    return check.done()


def _compare_curve(
    check: Comparing, cohort: Outcome, arm: BoolArray, curve: SurvivalCurve, result: KaplanMeierResult
) -> None:
    restricted, entry = result.restricted_mean, None if cohort.entry is None else cohort.entry[arm]
    duration, event = cohort.duration[arm], cohort.event[arm]

    def fitted(events: IntArray) -> Any:
        return attempt(lifelines().KaplanMeierFitter(alpha=1 - result.confidence).fit, duration, events, entry=entry)

    fit = fitted(event)
    place = fit.timeline.searchsorted(curve.times)
    band = fit.confidence_interval_.to_numpy()[place]
    _compare_steps(check, "S(t)", curve, curve.survival, fit.survival_function_.to_numpy()[place, 0])
    _compare_steps(check, "lower limit of S(t)", curve, curve.lower, band[:, 0])
    _compare_steps(check, "upper limit of S(t)", curve, curve.upper, band[:, 1])
    _compare_median(check, "median survival", curve, curve.median, fit)
    _compare_median(check, "median follow-up", curve, curve.follow_up, fitted(1 - event))
    if restricted is not None:
        (ours,) = (mean.mean for mean in restricted.groups if mean.group == curve.group)
        theirs = attempt(lifelines().utils.restricted_mean_survival_time, fit, t=restricted.tau)
        known = _FIRST_ENTRY if fit.timeline[0] > 0 else None
        check.add(f"restricted mean to {restricted.tau:g}", ours, theirs, of=curve.group, known=known)


def _compare_steps(
    check: Comparing, quantity: str, curve: SurvivalCurve, ours: Sequence[float | None], theirs: FloatArray
) -> None:
    """Compare a step function at all event times: the row shows the time at which both differ most."""
    both = [(abs(theirs[i] - value), i, value) for i, value in enumerate(ours) if value is not None]
    if both:
        _, i, value = max(both)
        of = f"{curve.group}, {counted(len(both), 'event time')}, largest difference at {curve.times[i]:g}"
        check.add(quantity, value, theirs[i], of=of)


def _compare_median(check: Comparing, quantity: str, curve: SurvivalCurve, ours: MedianTime, fit: Any) -> None:
    survival = fit.survival_function_.to_numpy()
    half = _HALF if np.abs(survival - 0.5).min() < 1e-8 else None
    check.add(quantity, ours.value, fit.median_survival_time_, of=curve.group, known=half)
    limits = attempt(lifelines().utils.median_survival_times, fit.confidence_interval_).to_numpy()[0]
    for name, limit, theirs in (("lower", ours.lower, limits[0]), ("upper", ours.upper, limits[1])):
        zero = _ZERO if limit is None and survival.min() < 1e-8 else None
        check.add(f"{name} limit of {quantity}", limit, theirs, of=curve.group, known=zero)


def _compare_test(check: Comparing, cohort: Outcome, codes: IntArray, test: LogRankTest, weighting: Weighting) -> None:
    powers = (weighting.at_risk_power, weighting.rho, weighting.gamma)
    named = _WEIGHTS.get(powers, "fleming-harrington" if any(powers) else None)
    if cohort.entry is not None or test.chi_squared is None:
        check.skip(f"{test.name} test", _NO_ENTRY if cohort.entry is not None else _withheld(test.p_suppressed))
        return
    log_rank, options = lifelines().statistics.multivariate_logrank_test, {"p": weighting.rho, "q": weighting.gamma}
    found = attempt(log_rank, cohort.duration, codes, cohort.event, weightings=named, **options)
    known = _SMALLER_DF if test.df < len(test.groups) - 1 else None
    check.add(f"{test.name} chi-squared", test.chi_squared, found.test_statistic, known=known)
    if test.p is None:
        check.skip(f"p of the {test.name} test", _withheld(test.p_suppressed))
    else:
        check.add(f"{test.name} p", test.p, found.p_value, known=known)


def _compare_pairs(check: Comparing, cohort: Outcome, codes: IntArray, result: KaplanMeierResult) -> None:
    labels = [curve.group for curve in result.curves]
    for pair in result.pairwise:
        of = f"{pair.group} vs {pair.reference}"
        if cohort.entry is not None or pair.p is None:
            check.skip(f"log-rank of {of}", _NO_ENTRY if cohort.entry is not None else _withheld(pair.p_suppressed))
            continue
        own = np.isin(codes, [labels.index(pair.group), labels.index(pair.reference)])
        with check.may_stop(f"log-rank of {of}"):
            log_rank = lifelines().statistics.multivariate_logrank_test
            found = attempt(log_rank, cohort.duration[own], codes[own], cohort.event[own])
            check.add("log-rank chi-squared of a pair", pair.chi_squared, found.test_statistic, of=of)
            check.add("log-rank p of a pair, not adjusted", pair.p, found.p_value, of=of)
    if result.pairwise:
        check.skip("adjusted p of pairs", "lifelines does not correct for several pairs.")


def _withheld(reason: Suppressed | None) -> str:
    return reason.message if reason else ""
