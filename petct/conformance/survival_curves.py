"""Kaplan-Meier curves, tests of groups, follow-up and searched cuts of the survival exam."""

from __future__ import annotations

from collections.abc import Sequence

from petct.conformance.survival_reference import Found, Statistic, Table
from petct.survival.cohort.groups import Grouping, split_by_category, split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.kaplan_meier.cut_points import maximally_selected_cut
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.log_rank import PETO_PETO

_OUTCOMES = {
    "rossi": ("week", "arrest", "week"),
    "larynx": ("time", "death", "year"),
    "gbsg2": ("time", "cens", "day"),
    "lung": ("time", "status", "day"),
}
_STAGES = ("Stage_II", "Stage_III", "Stage_IV")


def outcome_of(table: Table) -> Outcome:
    """Return the outcome of a data set; all code the event as 1."""
    duration, event, unit = _OUTCOMES[table.name]
    return Outcome(table.numbers(duration), table.numbers(event).astype(int), unit)


def _grouping(table: Table, what: str) -> Grouping:
    """Return the groups of an analysis: ``age>median``, the stage of larynx, or the categories of a column."""
    if what.endswith(">median"):
        variable = what.removesuffix(">median")
        return split_by_median(table.numbers(variable), variable)
    if what == "stage":
        indicators = [table.numbers(name) for name in _STAGES]
        stages = sum((i * indicator for i, indicator in enumerate(indicators, 1)), start=1 + 0 * indicators[0])
        return split_by_category([f"{stage:g}" for stage in stages], what)
    return split_by_category(table.texts(what), what)


def kaplan_meier_curves(table: Table, what: str, statistics: Sequence[Statistic]) -> Found:
    """``survfit(conf.type="log-log")`` and its restricted means: the largest time common to the groups is R's, too."""
    grouping = _grouping(table, what)
    landmarks = sorted({s.term for s in statistics if s.statistic.endswith("_at") or s.statistic == "at_risk"})
    result = kaplan_meier(outcome_of(table), grouping, landmarks=[float(time) for time in landmarks])
    found: Found = {}
    names = {grouping.labels[0]: "low", grouping.labels[-1]: "high"} if what.endswith(">median") else {}
    for curve in result.curves:
        group = names.get(curve.group, curve.group)
        found[group, "", "records"] = curve.n
        found[group, "", "events"] = curve.n_events
        found[group, "", "median"] = curve.median.value
        found[group, "", "0.95LCL"] = curve.median.lower
        found[group, "", "0.95UCL"] = curve.median.upper
        for term, at in zip(landmarks, curve.landmarks, strict=True):
            found[group, term, "survival_at"] = at.survival
            found[group, term, "lower_at"] = at.lower
            found[group, term, "upper_at"] = at.upper
            found[group, term, "at_risk"] = at.n_at_risk
    if result.restricted_mean is not None:
        for mean in result.restricted_mean.groups:
            group, tau = names.get(mean.group, mean.group), f"{result.restricted_mean.tau:g}"
            found[group, tau, "rmst"] = mean.mean
            found[group, tau, "rmst_se"] = mean.standard_error
    return found


def log_rank_test(table: Table, what: str, _: Sequence[Statistic]) -> Found:
    """``survdiff``."""
    test = kaplan_meier(outcome_of(table), _grouping(table, what)).log_rank
    return {} if test is None else {("", "", "chisq"): test.chi_squared, ("", "", "p"): test.p}


def weighted_log_rank_tests(table: Table, what: str, _: Sequence[Statistic]) -> Found:
    """``survdiff`` with rho 0 and 1."""
    result = kaplan_meier(outcome_of(table), _grouping(table, what), weightings=[PETO_PETO])
    tests = [test for test in (result.log_rank, *result.weighted_tests) if test is not None]
    return {("", str(rho), "chisq"): test.chi_squared for rho, test in enumerate(tests)}


def follow_up(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """Median follow-up by reverse Kaplan-Meier."""
    median = kaplan_meier(outcome_of(table)).follow_up
    return {("", "", "median"): median.value, ("", "", "lower"): median.lower, ("", "", "upper"): median.upper}


def searched_cut(table: Table, variable: str, _: Sequence[Statistic]) -> Found:
    """``maxstat.test(smethod="LogRank", minprop=0.1, maxprop=0.9)``; R has no permutation test here."""
    result = maximally_selected_cut(
        outcome_of(table), table.numbers(variable), variable, n_permutations=99, n_resamples=0
    )
    return {
        ("", "", "statistic"): result.statistic,
        ("", "", "cutpoint"): result.cut,
        ("", "", "n_cuts"): len(result.cuts),
        ("", "Lau92", "p"): result.p_lausen_1992,
        ("", "Lau94", "p"): result.p_lausen_1994,
    }
