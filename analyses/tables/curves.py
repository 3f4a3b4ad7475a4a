"""Tables of survival curves and cumulative incidences; times are in the unit that is asked for."""

from __future__ import annotations

from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.options import option_of
from analyses.tables.table import Cell, Estimate, Limits, Table, p_cell, table
from figures.ticks import in_unit
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.kaplan_meier.restricted_mean import RestrictedMean
from petct.survival.kaplan_meier.result import KaplanMeierResult, MedianTime

CORRECTIONS = option_of(KaplanMeierRequest, "correction").shape.offered
"""How several p-values are corrected, in words."""


def group_name(group: str, unit: str | None = None) -> str:
    """Return the label of a group with its unit."""
    return (f"{group} {unit}" if unit else group).replace("<=", "≤")


def groups(result: KaplanMeierResult, unit: str) -> Table:
    """Each group with n, events, median survival and median follow-up."""
    scale, digits = _times(result.unit, unit)

    def median(found: MedianTime) -> Estimate:
        value, lower, upper = (None if x is None else x * scale for x in (found.value, found.lower, found.upper))
        return Estimate(value, lower, upper, "not reached")

    level = f"({result.confidence:.0%} CI), {unit}s"
    return table(
        result.curves,
        ("Group", "", lambda curve: group_name(curve.group, result.variable_unit)),
        ("n", "", lambda curve: curve.n),
        ("Events", "", lambda curve: curve.n_events),
        (f"Median {level}", digits, lambda curve: median(curve.median)),
        (f"Follow-up {level}", digits, lambda curve: median(curve.follow_up)),
    )


def survival_at(result: KaplanMeierResult, unit: str) -> Table:
    """S(t) of each group at the landmarks."""
    scale, digits = _times(result.unit, unit)
    return table(
        [(group_name(curve.group, result.variable_unit), at) for curve in result.curves for at in curve.landmarks],
        ("Group", "", lambda row: row[0]),
        (f"Time ({unit}s)", digits, lambda row: row[1].time * scale),
        ("Survival", ".1%", lambda row: row[1].survival if row[1].n_at_risk else "beyond follow-up"),
        (f"{result.confidence:.0%} CI", ".1%", lambda row: Limits(row[1].lower, row[1].upper)),
        ("At risk", "", lambda row: row[1].n_at_risk),
    )


def tests(result: KaplanMeierResult) -> Table:
    """The tests of the groups beside each other."""
    trend, plain = result.trend, result.log_rank
    rows: list[tuple[Cell, ...]] = []
    for test in () if plain is None else (plain, *result.weighted_tests):
        name = f"{test.name[0].upper()}{test.name[1:]}"
        rows.append((name, test.chi_squared, *([None] if trend else []), test.df, p_cell(test.p)))
    if trend is not None:
        rows.append(("Trend over the groups", None, trend.z, 1, p_cell(trend.p)))
    return Table([("Test", ""), ("χ²", ".2f"), *([("z", "+.2f")] if trend else []), ("df", ""), ("p", "")], rows)


def pairs(result: KaplanMeierResult) -> Table:
    """Every two groups against each other, corrected p-values first."""
    return table(
        result.pairwise,
        ("Pair", "", lambda pair: group_name(f"{pair.group} vs {pair.reference}")),
        (f"p ({CORRECTIONS[result.correction]})", "", lambda pair: p_cell(pair.p_adjusted)),
        ("p of this pair alone", "", lambda pair: p_cell(pair.p)),
        ("χ²", ".2f", lambda pair: pair.chi_squared),
    )


def restricted_means(result: KaplanMeierResult, found: RestrictedMean, unit: str) -> Table:
    """The restricted mean of each group."""
    scale, digits = _times(result.unit, unit)
    heading = f"{unit.capitalize()}s ({result.confidence:.0%} CI)"
    return table(
        found.groups,
        ("Group", "", lambda mean: group_name(mean.group, result.variable_unit)),
        (heading, digits, lambda mean: Estimate(mean.mean * scale, mean.lower * scale, mean.upper * scale)),
    )


def mean_differences(result: KaplanMeierResult, found: RestrictedMean, unit: str) -> Table:
    """How restricted means differ from that of the first group."""
    scale, digits = _times(result.unit, unit)
    level = f"({result.confidence:.0%} CI)"
    p = f"p ({CORRECTIONS[found.correction]})" if len(found.contrasts) > 1 else "p"
    return table(
        found.contrasts,
        ("Difference", "", lambda c: group_name(f"{c.group} minus {c.reference}")),
        (
            f"{unit.capitalize()}s {level}",
            digits,
            lambda c: Estimate(c.difference * scale, c.lower * scale, c.upper * scale),
        ),
        (f"Ratio {level}", ".2f", lambda c: Estimate(c.ratio, c.ratio_lower, c.ratio_upper)),
        (p, "", lambda c: p_cell(c.p_adjusted)),
    )


def gray_tests(result: CumulativeIncidenceResult) -> Table:
    """Gray's tests, one per event."""
    return table(
        result.gray_tests,
        ("Event", "", lambda test: test.cause),
        ("χ²", ".2f", lambda test: test.chi_squared),
        ("df", "", lambda test: test.df),
        ("p", "", lambda test: p_cell(test.p)),
    )


def incidence_at(result: CumulativeIncidenceResult, unit: str) -> Table:
    """The cumulative incidence of every event at the landmarks, or where there are none at the end of the curve."""
    scale, digits = _times(result.unit, unit)
    rows: list[tuple[Cell, ...]] = []
    for curve in result.curves:
        who = (curve.cause, group_name(curve.group, result.variable_unit))
        for at in curve.landmarks:
            beyond = at.time > curve.last_time
            seen = ("beyond follow-up", None) if beyond else (at.incidence, Limits(at.lower, at.upper))
            rows.append((*who, at.time * scale, *seen, at.n_at_risk))
        if not curve.landmarks:
            last = (curve.incidence[-1], Limits(curve.lower[-1], curve.upper[-1])) if curve.times else (0.0, None)
            rows.append((*who, curve.last_time * scale, *last, None))
    shares = [("Incidence", ".1%"), (f"{result.confidence:.0%} CI", ".1%")]
    return Table([("Event", ""), ("Group", ""), (f"Time ({unit}s)", digits), *shares, ("At risk", "")], rows)


def _times(of: str, unit: str) -> tuple[float, str]:
    """The factor to a unit of time, and the digits of times in it."""
    return in_unit(of, unit), ".1f" if unit in ("month", "year") else ".0f"
