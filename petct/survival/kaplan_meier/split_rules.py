"""Splits and weighted tests by the words in which they are asked for, on the command line and in a link alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.groups import (
    QUANTILE_RULES,
    Grouping,
    split_at,
    split_by_category,
    split_by_median,
    split_by_quantiles,
)
from petct.survival.kaplan_meier.log_rank import GEHAN_BRESLOW, PETO_PETO, TARONE_WARE, Weighting

OPTIMAL = "optimal"
"""The split at the cut that separates survival most; it needs the outcome, see ``analyses.requests.kaplan_meier``."""

WEIGHTINGS = {"peto-peto": PETO_PETO, "gehan-breslow": GEHAN_BRESLOW, "tarone-ware": TARONE_WARE}
"""Weighted log-rank tests that have a name."""

NOT_NUMERIC_HINT = "Split it into its categories (--split category)."

_QUANTILES = {name: n for n, name in QUANTILE_RULES.items() if n > 2}


def split_by_rule(columns: Columns, variable: str, rule: str, order: Sequence[str] = ()) -> Grouping:
    """Split patients by a column.

    Parameters
    ----------
    columns, variable
        The column.
    rule
        ``median`` (the categories, where it holds some), ``tertiles``, ``quartiles``, ``quantiles:N``, ``category``, or
        one or more ascending cut points separated by commas.
    order
        Order of the categories; makes a split into categories of any rule.

    Raises
    ------
    SurvivalError
        SPLIT_UNKNOWN, COLUMN_NOT_NUMERIC, and the codes of ``petct.survival.cohort.groups``.
    """
    label, unit = columns.label(variable), columns.unit(variable)
    if order or rule == "category" or (rule == "median" and not columns.is_number(variable)):
        return split_by_category(columns.texts(variable), label, list(order) or None)
    values = columns.number(variable, NOT_NUMERIC_HINT)
    if rule == "median":
        return split_by_median(values, label, unit)
    n_groups = _n_groups(rule)
    if n_groups is not None:
        return split_by_quantiles(values, n_groups, label, unit)
    return split_at(values, cut_points(rule), label, unit)


def _n_groups(rule: str) -> int | None:
    number = rule.removeprefix("quantiles:")
    return int(number) if number != rule and number.isdecimal() else _QUANTILES.get(rule)


def is_named(rule: str) -> bool:
    """Whether a rule is one of the words, and not cut points."""
    return rule in ("median", "category", OPTIMAL) or _n_groups(rule) is not None


def cut_points(rule: str) -> list[float]:
    """Return the cut points that a rule of numbers lists; raises SPLIT_UNKNOWN."""
    try:
        cuts = [float(part) for part in rule.split(",")]
    except ValueError:
        cuts = [math.nan]
    if not all(math.isfinite(cut) for cut in cuts):
        raise SurvivalError(
            "SPLIT_UNKNOWN",
            "The patients cannot be split like this",
            keyword="--split",
            found=rule,
            expected="median, tertiles, quartiles, quantiles:N, category, optimal, or numbers separated by commas",
        )
    return cuts


def weighting_of(name: str) -> Weighting:
    """Return a weighted log-rank test by its name, or ``RHO:GAMMA`` of Fleming and Harrington.

    Raises
    ------
    SurvivalError
        WEIGHTING_UNKNOWN, WEIGHTING_INVALID.
    """
    if name in WEIGHTINGS:
        return WEIGHTINGS[name]
    try:
        rho, gamma = (float(part) for part in name.split(":"))
    except ValueError:
        raise SurvivalError(
            "WEIGHTING_UNKNOWN",
            "There is no such weighted log-rank test",
            keyword="--weights",
            found=name,
            expected=", ".join([*WEIGHTINGS, "or RHO:GAMMA, for example 0:1"]),
        ) from None
    return Weighting(f"Fleming-Harrington rho {rho:g}, gamma {gamma:g}", rho=rho, gamma=gamma)
