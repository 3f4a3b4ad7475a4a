"""Splits of a cohort into groups: by quantiles, fixed cuts or category."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, IntArray

_FIXED_CUT = "fixed cut"
_SHARED_VALUE = "Many patients share one value: choose a fixed cut."

# Names of splits into so many groups.
QUANTILE_RULES = {2: "median split", 3: "tertiles", 4: "quartiles", 5: "quintiles", 10: "deciles"}


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which patient belongs to which group, and by which rule.

    Parameters
    ----------
    variable, unit
        What the groups were made of; None for the whole cohort.
    rule
        The rule as a phrase, for example ``median split``.
    cut_points
        Cuts between the groups; a value equal to a cut belongs to the group below.
    labels
        Labels of the groups, in order.
    codes
        Index into ``labels`` for each patient, shape (n,); -1 where the value is missing.
    ordered
        The groups have an order, so that a trend over them makes sense.
    chosen_by_outcome
        The cuts were chosen by looking at the outcome: an ordinary test of the groups has no valid p-value.
    """

    variable: str | None
    unit: str | None
    rule: str
    cut_points: tuple[float, ...]
    labels: tuple[str, ...]
    codes: IntArray
    ordered: bool = False
    chosen_by_outcome: bool = False

    @property
    def n_missing(self) -> int:
        """Patients that belong to no group because their value is missing."""
        return int(np.count_nonzero(self.codes < 0))


def everyone(n: int) -> Grouping:
    """Return the whole cohort of ``n`` patients as one group."""
    return Grouping(None, None, "all patients", (), ("all",), np.zeros(n, dtype=np.int64))


def groups_of(grouping: Grouping | None, n: int) -> Grouping:
    """Return the groups of ``n`` patients, or all of them as one group; raises GROUPING_LENGTH for those of others."""
    if grouping is None:
        return everyone(n)
    if len(grouping.codes) != n:
        raise SurvivalError(
            "GROUPING_LENGTH",
            "The groups are not of these patients",
            found=f"{len(grouping.codes)} patients in groups",
            expected=f"{n}",
        )
    return grouping


def split_by_median(values: npt.ArrayLike, variable: str, unit: str | None = None) -> Grouping:
    """Split at the median of the values that are there; see ``split_at``."""
    numbers = numeric_values(values, variable)
    return _split(numbers, [float(np.nanmedian(numbers))], variable, unit, QUANTILE_RULES[2])


def split_by_quantiles(values: npt.ArrayLike, n_groups: int, variable: str, unit: str | None = None) -> Grouping:
    """Split into ``n_groups`` groups at the quantiles (linear interpolation); see ``split_at``.

    Raises
    ------
    SurvivalError
        SPLIT_QUANTILES_INVALID, and the codes of ``split_at``: with many equal values a group may stay empty.
    """
    if n_groups < 2:
        raise SurvivalError(
            "SPLIT_QUANTILES_INVALID",
            "A split has at least two groups",
            keyword=variable,
            found=str(n_groups),
            expected="2 or more",
        )
    numbers = numeric_values(values, variable)
    cuts = [float(cut) for cut in np.nanquantile(numbers, np.arange(1, n_groups) / n_groups)]
    return _split(numbers, cuts, variable, unit, QUANTILE_RULES.get(n_groups, f"{n_groups} quantile groups"))


def split_at_chosen_cut(values: npt.ArrayLike, cut: float, variable: str, unit: str | None = None) -> Grouping:
    """Split at a cut that was chosen by looking at the outcome, and say so; see ``split_at``."""
    grouping = _split(numeric_values(values, variable), [float(cut)], variable, unit, "optimal cut")
    return replace(grouping, chosen_by_outcome=True)


def split_at(values: npt.ArrayLike, cuts: Sequence[float], variable: str, unit: str | None = None) -> Grouping:
    """Split at cuts that were fixed before looking at the outcome.

    Parameters
    ----------
    values
        One number a patient, shape (n,); NaN is missing.
    cuts
        Ascending; a value equal to a cut belongs to the group below.
    variable, unit
        Name and unit for labels and results.

    Raises
    ------
    SurvivalError
        SPLIT_NO_VALUES, SPLIT_CONSTANT, SPLIT_CUTS_INVALID, SPLIT_EMPTY_GROUP.
    """
    return _split(numeric_values(values, variable), [float(cut) for cut in cuts], variable, unit, _FIXED_CUT)


def split_by_category(values: Sequence[str | None], variable: str, order: Sequence[str] | None = None) -> Grouping:
    """Make one group of each category.

    Parameters
    ----------
    values
        One text a patient; None is missing.
    order
        Order of the categories; alphabetical when None.

    Raises
    ------
    SurvivalError
        SPLIT_NO_VALUES, SPLIT_CONSTANT, SPLIT_EMPTY_GROUP (a category of ``order`` that nobody has), or
        SPLIT_CATEGORY_UNKNOWN (one that ``order`` lacks).
    """
    counts = Counter(value for value in values if value is not None)
    if not counts:
        raise SurvivalError("SPLIT_NO_VALUES", f"{variable} has no value in any patient", keyword=variable)
    labels = tuple(sorted(counts) if order is None else order)
    unknown = sorted(set(counts) - set(labels))
    if unknown:
        raise SurvivalError(
            "SPLIT_CATEGORY_UNKNOWN",
            f"{variable} has categories outside the declared order",
            keyword=variable,
            found=", ".join(unknown),
            expected=", ".join(labels),
        )
    if len(counts) == 1:
        raise _constant(variable, next(iter(counts)))
    code = {label: i for i, label in enumerate(labels)}
    codes = np.array([-1 if value is None else code[value] for value in values], dtype=np.int64)
    _refuse_empty(codes, labels, variable, "Leave it out of the order.")
    return Grouping(variable, None, "categories", (), labels, codes, ordered=order is not None)


def split_by_eye(picked: Sequence[bool] | npt.NDArray[np.bool_], variable: str) -> Grouping:
    """Make two groups: the patients who were picked by looking at a figure, and all others.

    Parameters
    ----------
    picked
        One truth value a patient.
    variable
        What was looked at, for results.

    Raises
    ------
    SurvivalError
        SPLIT_EMPTY_GROUP where nobody or everybody is picked.
    """
    codes = np.where(np.asarray(picked, dtype=np.bool_), 0, 1).astype(np.int64)
    labels = ("selected", "others")
    _refuse_empty(codes, labels, variable, "Select some of the patients, not none or all.")
    return Grouping(variable, None, "picked by eye", (), labels, codes)


def numeric_values(values: npt.ArrayLike, variable: str) -> FloatArray:
    """Return the values of a variable that can split patients, NaN where missing.

    Raises
    ------
    SurvivalError
        SPLIT_NOT_NUMERIC, SPLIT_NOT_FINITE, SPLIT_NO_VALUES, SPLIT_CONSTANT.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise SurvivalError(
            "SPLIT_NOT_NUMERIC", f"{variable} has values that are not numbers", keyword=variable, expected="numbers"
        ) from None
    if numbers.ndim != 1:
        raise SurvivalError(
            "SPLIT_NOT_NUMERIC", f"{variable} is not one column", keyword=variable, found=str(numbers.shape)
        )
    if np.isinf(numbers).any():
        raise SurvivalError("SPLIT_NOT_FINITE", f"{variable} has infinite values", keyword=variable, found="inf")
    present = numbers[~np.isnan(numbers)]
    if present.size == 0:
        raise SurvivalError("SPLIT_NO_VALUES", f"{variable} has no value in any patient", keyword=variable)
    if present.min() == present.max():
        raise _constant(variable, f"{present[0]:g}")
    return numbers


def _split(values: FloatArray, cuts: list[float], variable: str, unit: str | None, rule: str) -> Grouping:
    if not cuts or not np.isfinite(cuts).all() or any(b < a for a, b in itertools.pairwise(cuts)):
        raise SurvivalError(
            "SPLIT_CUTS_INVALID", "Cuts must be finite and ascending", keyword=variable, found=str(cuts)
        )
    texts = _short(cuts)
    labels = (
        f"<= {texts[0]}",
        *(f"> {low} to {high}" for low, high in itertools.pairwise(texts)),
        f"> {texts[-1]}",
    )
    # side="left": a value equal to the cut stays below it, as in R's x > median(x).
    codes = np.searchsorted(np.array(cuts), np.nan_to_num(values), side="left").astype(np.int64)
    codes[np.isnan(values)] = -1
    hint = _SHARED_VALUE
    if rule == _FIXED_CUT:
        low, high = (number_text(float(limit)) for limit in (np.nanmin(values), np.nanmax(values)))
        hint = f"The values lie between {low} and {high}{f' {unit}' if unit else ''}."
    _refuse_empty(codes, labels, variable, hint)
    return Grouping(variable, unit, rule, tuple(cuts), labels, codes, ordered=True)


def number_text(value: float, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits, never fewer than its integer part has, without exponent."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits}g}"
    integer_digits = int(np.floor(np.log10(abs(value)))) + 1
    return np.format_float_positional(value, precision=max(digits, integer_digits), fractional=False, trim="-")


def _short(cuts: list[float]) -> list[str]:
    """Texts of the cuts with the fewest digits (at least 3) that keep different cuts different."""
    for digits in range(3, 17):
        texts = [number_text(cut, digits) for cut in cuts]
        if len(set(texts)) == len(set(cuts)):
            return texts
    return [repr(cut) for cut in cuts]


def _constant(variable: str, value: str) -> SurvivalError:
    return SurvivalError(
        "SPLIT_CONSTANT",
        f"{variable} is the same in all patients and cannot split them",
        keyword=variable,
        found=value,
        expected="at least 2 different values",
    )


def _refuse_empty(
    codes: IntArray,
    labels: tuple[str, ...],
    variable: str,
    hint: str = _SHARED_VALUE,
) -> None:
    empty = [label for i, label in enumerate(labels) if not np.any(codes == i)]
    if empty:
        raise SurvivalError(
            "SPLIT_EMPTY_GROUP",
            f"The split of {variable} leaves a group without patients",
            keyword=variable,
            found=", ".join(f"'{label}'" for label in empty),
            expected="at least 1 patient in each group",
            hint=hint,
        )
