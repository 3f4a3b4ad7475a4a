"""Table 1 of a paper: what the patients are like, in all and by group, and how far the groups differ.

The difference is the standardised mean difference (Austin PC, Stat Med 2009;28:3083; for categories Yang D, Dalton JE,
SAS Global Forum 2012, paper 335), which does not grow with the number of patients. There are no p-values: a test of the
baseline answers no question that a study asks, and would be one more test in its ledger.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.groups import Grouping, groups_of, number_text
from petct.survival.cohort.outcome import FloatArray, IntArray
from petct.survival.cohort.results import counted

ALL = "all"
"""Heading of the column of all patients."""


@dataclass(frozen=True, eq=False)
class BaselineNumber:
    """A number for each patient, shape (n,), NaN where there is none; infinite is refused."""

    name: str
    values: npt.ArrayLike
    unit: str | None = None


@dataclass(frozen=True, eq=False)
class BaselineCategory:
    """A text for each patient, None where there is none; levels in the order given, else alphabetical."""

    name: str
    values: Sequence[str | None]
    levels: Sequence[str] | None = None


Baseline = BaselineNumber | BaselineCategory


@dataclass(frozen=True)
class NumberCell:
    """A number in one group.

    Parameters
    ----------
    n, n_missing
        Patients with a value and without.
    median, lower_quartile, upper_quartile, mean, standard_deviation
        Of those with a value (quartiles interpolated as by R's type 7); None where there is nobody, and the standard
        deviation where there are fewer than 2.
    """

    n: int
    n_missing: int
    median: float | None
    lower_quartile: float | None
    upper_quartile: float | None
    mean: float | None
    standard_deviation: float | None


@dataclass(frozen=True)
class CategoryCell:
    """A category in one group: patients with a value and without, and how many have each level, in the row's order."""

    n: int
    n_missing: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class TableOneRow:
    """One variable.

    Parameters
    ----------
    levels
        Levels of a category; None for a number.
    overall, by_group
        All patients of the table, and the groups in order (empty without groups).
    standardised_difference
        Absolute, of the means or of the shares of the levels; with more than two groups the largest of any two. None
        without groups, or where a group has too few values or none of them varies.
    """

    variable: str
    unit: str | None
    levels: tuple[str, ...] | None
    overall: NumberCell | CategoryCell
    by_group: tuple[NumberCell | CategoryCell, ...]
    standardised_difference: float | None


@dataclass(frozen=True)
class TableOne:
    """Table 1.

    Parameters
    ----------
    n, n_missing
        Patients in the table, and those left out because they belong to no group.
    group_variable, group_rule
        What made the groups; None and ``all patients`` without groups.
    groups, group_sizes
        Labels and patients of the groups; empty without groups.
    rows
        One a variable.
    notes
        Sentences a reader of the table has to know.
    """

    n: int
    n_missing: int
    group_variable: str | None
    group_rule: str
    groups: tuple[str, ...]
    group_sizes: tuple[int, ...]
    rows: tuple[TableOneRow, ...]
    notes: tuple[str, ...]


def table_one(n: int, variables: Sequence[Baseline], grouping: Grouping | None = None) -> TableOne:
    """Describe ``n`` patients, in all and by group.

    Parameters
    ----------
    n
        Patients; each variable has so many values.
    variables
        What to describe, in order.
    grouping
        Groups of the same patients; those without a group are left out and counted.

    Raises
    ------
    SurvivalError
        TABLE_ONE_EMPTY (nobody is left), TABLE_ONE_LENGTH (a variable of other patients), TABLE_ONE_NOT_FINITE,
        TABLE_ONE_LEVEL_UNKNOWN (a category outside the declared levels), GROUPING_LENGTH.
    """
    groups = groups_of(grouping, n)
    kept = groups.codes >= 0
    if not kept.any():
        raise SurvivalError("TABLE_ONE_EMPTY", "There is no patient to describe", found=f"0 of {n} in a group")
    labels = () if grouping is None or grouping.variable is None else groups.labels
    codes = groups.codes[kept]
    rows = tuple(_row(variable, n, kept, codes, len(labels)) for variable in variables)
    sizes = tuple(int(np.count_nonzero(codes == code)) for code in range(len(labels)))
    n_kept = int(kept.sum())
    notes = _notes(groups, n - n_kept, len(labels), rows)
    return TableOne(n_kept, n - n_kept, groups.variable, groups.rule, labels, sizes, rows, notes)


def table_one_texts(table: TableOne) -> tuple[tuple[str, ...], ...]:
    """Return the table as papers print it: a heading and one line a number, a level or a count of missing values.

    Numbers are medians with quartiles, levels counts with the percentage of the patients with a value.
    """
    columns = [(ALL, table.n), *zip(table.groups, table.group_sizes, strict=True)]
    heading = ["", *(f"{label} (n = {n})" for label, n in columns)]
    if table.groups:
        heading.append("SMD")
    lines = [tuple(heading)]
    for row in table.rows:
        lines += _lines(row, bool(table.groups))
    return tuple(lines)


def _row(variable: Baseline, n: int, kept: npt.NDArray[np.bool_], codes: IntArray, n_groups: int) -> TableOneRow:
    if isinstance(variable, BaselineNumber):
        numbers = _numbers(variable, n)[kept]
        parts = [numbers[codes == code] for code in range(n_groups)]
        cells = tuple(_number_cell(part) for part in parts)
        difference = _largest([_mean_difference(a, b) for a, b in itertools.combinations(parts, 2)])
        return TableOneRow(variable.name, variable.unit, None, _number_cell(numbers), cells, difference)
    found, levels = _coded(variable, n)
    found = found[kept]
    pieces = [found[codes == code] for code in range(n_groups)]
    counted_cells = tuple(_category_cell(piece, len(levels)) for piece in pieces)
    difference = _largest([_share_difference(a, b) for a, b in itertools.combinations(counted_cells, 2)])
    return TableOneRow(variable.name, None, levels, _category_cell(found, len(levels)), counted_cells, difference)


def _numbers(variable: BaselineNumber, n: int) -> FloatArray:
    values = np.asarray(variable.values, dtype=np.float64)
    if values.shape != (n,):
        raise _length(variable.name, values.shape, n)
    if np.isinf(values).any():
        raise SurvivalError(
            "TABLE_ONE_NOT_FINITE", f"{variable.name} has infinite values", keyword=variable.name, found="inf"
        )
    return values


def _coded(variable: BaselineCategory, n: int) -> tuple[IntArray, tuple[str, ...]]:
    if len(variable.values) != n:
        raise _length(variable.name, (len(variable.values),), n)
    present = sorted({value for value in variable.values if value is not None})
    levels = tuple(present if variable.levels is None else variable.levels)
    unknown = [value for value in present if value not in levels]
    if unknown:
        raise SurvivalError(
            "TABLE_ONE_LEVEL_UNKNOWN",
            f"{variable.name} has categories outside the declared levels",
            keyword=variable.name,
            found=", ".join(unknown),
            expected=", ".join(levels),
        )
    code = {level: index for index, level in enumerate(levels)}
    return np.array([-1 if value is None else code[value] for value in variable.values], dtype=np.int64), levels


def _length(name: str, shape: tuple[int, ...], n: int) -> SurvivalError:
    return SurvivalError(
        "TABLE_ONE_LENGTH", f"{name} is not of these patients", keyword=name, found=str(shape), expected=f"({n},)"
    )


def _number_cell(values: FloatArray) -> NumberCell:
    present = values[~np.isnan(values)]
    n, n_missing = len(present), len(values) - len(present)
    if not n:
        return NumberCell(0, n_missing, None, None, None, None, None)
    lower, median, upper = (float(value) for value in np.quantile(present, (0.25, 0.5, 0.75)))
    deviation = float(present.std(ddof=1)) if n > 1 else None
    return NumberCell(n, n_missing, median, lower, upper, float(present.mean()), deviation)


def _category_cell(codes: IntArray, n_levels: int) -> CategoryCell:
    present = codes[codes >= 0]
    counts = np.bincount(present, minlength=n_levels)
    return CategoryCell(len(present), len(codes) - len(present), tuple(int(count) for count in counts))


def _mean_difference(a: FloatArray, b: FloatArray) -> float | None:
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if min(len(a), len(b)) < 2:
        return None
    spread = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    difference = abs(float(a.mean() - b.mean()))
    if spread == 0:
        return 0.0 if difference == 0 else None
    return difference / spread


def _share_difference(a: CategoryCell, b: CategoryCell) -> float | None:
    """Distance of Mahalanobis between the shares of all levels but one."""
    if not a.n or not b.n:
        return None
    used = [i for i, (x, y) in enumerate(zip(a.counts, b.counts, strict=True)) if x + y]
    # One level follows from the others, whichever it is.
    p, q = (np.array([cell.counts[i] for i in used[1:]], dtype=np.float64) / cell.n for cell in (a, b))
    if not len(p):
        return 0.0
    covariance = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    difference = p - q
    if not difference.any():
        return 0.0
    if np.linalg.matrix_rank(covariance, hermitian=True) < len(p):
        return None
    return float(np.sqrt(difference @ np.linalg.solve(covariance, difference)))


def _largest(differences: Sequence[float | None]) -> float | None:
    """The largest, or None where there is none or one of them cannot be given."""
    known = [difference for difference in differences if difference is not None]
    return max(known) if known and len(known) == len(differences) else None


def _notes(groups: Grouping, n_missing: int, n_groups: int, rows: Sequence[TableOneRow]) -> tuple[str, ...]:
    notes = []
    if n_missing:
        notes.append(f"{counted(n_missing, 'patient')} without {groups.variable} left out.")
    if any(row.levels is None for row in rows):
        notes.append("Numbers are medians with lower and upper quartile.")
    if any(row.levels is not None for row in rows):
        notes.append("Categories are patients with the percentage of those with a value.")
    if n_groups:
        largest = "" if n_groups == 2 else ", the largest of any two groups"
        notes.append(f"SMD: absolute standardised mean difference{largest}; a baseline is described and not tested.")
    return tuple(notes)


def _lines(row: TableOneRow, grouped: bool) -> list[tuple[str, ...]]:
    cells = (row.overall, *row.by_group)
    difference = "-" if row.standardised_difference is None else f"{row.standardised_difference:.2f}"
    ends = ("",) if grouped else ()
    unit = f" ({row.unit})" if row.unit else ""
    first = (difference,) if grouped else ()
    if row.levels is None:
        lines = [(f"{row.variable}{unit}", *(_number_text(cell) for cell in cells), *first)]
    else:
        lines = [(row.variable, *("" for _ in cells), *first)]
        for index, level in enumerate(row.levels):
            lines.append((f"  {level}", *(_count_text(cell, index) for cell in cells), *ends))
    if row.overall.n_missing:
        lines.append(("  missing", *(str(cell.n_missing) for cell in cells), *ends))
    return lines


def _number_text(cell: NumberCell | CategoryCell) -> str:
    quartiles = (cell.median, cell.lower_quartile, cell.upper_quartile) if isinstance(cell, NumberCell) else ()
    texts = [number_text(value) for value in quartiles if value is not None]
    return "{} ({} to {})".format(*texts) if len(texts) == 3 else "-"


def _count_text(cell: NumberCell | CategoryCell, index: int) -> str:
    if not isinstance(cell, CategoryCell) or not cell.n:
        return "-"
    return f"{cell.counts[index]} ({100 * cell.counts[index] / cell.n:.0f} %)"
