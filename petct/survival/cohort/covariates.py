"""Covariates of a Cox model and the design matrix they make, with the scale of each coefficient stated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.groups import number_text
from petct.survival.cohort.outcome import LARGEST_NUMBER, BoolArray, FloatArray
from petct.survival.cohort.results import counted
from petct.survival.cohort.splines import SplinePart, knots_of, spline_basis

Scale = Literal["per_sd", "per_doubling", "as_is", "spline"]
AtZero = Literal["refuse", "half_minimum"]


@dataclass(frozen=True, eq=False)
class NumericCovariate:
    """A number for each patient.

    Parameters
    ----------
    values
        Shape (n,); NaN is missing.
    scale
        The hazard ratio is given per standard deviation (of the patients in the model), per doubling, or per unit; with
        ``spline`` the log hazard is a restricted cubic spline, and the ratio is of the upper to the lower quartile.
    at_zero
        Only for ``per_doubling``, which zero has no place in: ``refuse``, or ``half_minimum`` to put half the smallest
        positive value there (stated in the result).
    knots
        Number of knots of a spline, 3 to 5, at Harrell's percentiles.
    known_from
        Time from the origin at which the value was known, one for all or shape (n,); see ``time_varying``.
    sd
        Standard deviation to scale by, where it is not that of the values in the model.
    """

    name: str
    values: npt.ArrayLike
    unit: str | None = None
    scale: Scale = "per_sd"
    at_zero: AtZero = "refuse"
    knots: int = 3
    known_from: npt.ArrayLike = 0.0
    sd: float | None = None


@dataclass(frozen=True, eq=False)
class CategoricalCovariate:
    """A category for each patient.

    Parameters
    ----------
    values
        One text a patient; None is missing.
    reference
        Level the others are compared with; the most frequent one (the first in the alphabet among equals) when None.
    known_from
        Time from the origin at which the value was known, one for all or shape (n,); see ``time_varying``.
    """

    name: str
    values: Sequence[str | None]
    reference: str | None = None
    known_from: npt.ArrayLike = 0.0


Covariate = NumericCovariate | CategoricalCovariate


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the design matrix: values of shape (n,), and what its coefficient means.

    Parameters
    ----------
    covariate, level, reference
        Where the column comes from; level and reference of a category.
    scale
        What one unit of the column is, for example ``per SD (11.2 ml)``.
    smallest_arm
        Label and size of the smaller of two groups that the column separates; None for a column with more values.
    per_sd
        One unit of the column is one standard deviation.
    spline
        Knots and place of the column in a spline: 0 the straight part, 1, 2, ... the others; None elsewhere.
    """

    covariate: str
    level: str | None
    reference: str | None
    scale: str
    values: FloatArray
    smallest_arm: tuple[str, int] | None
    per_sd: bool = False
    spline: SplinePart | None = None

    @property
    def name(self) -> str:
        """Name of the column for messages."""
        return self.covariate if self.level is None else f"{self.covariate}: {self.level}"


@dataclass(frozen=True, eq=False)
class Design:
    """Design matrix of the complete cases.

    Parameters
    ----------
    complete
        Which patients have all covariates, shape (n,).
    notes
        What was done to the values.
    """

    columns: tuple[Column, ...]
    complete: BoolArray
    notes: tuple[str, ...]

    @property
    def covariates(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and columns of each covariate."""
        columns: dict[str, list[int]] = {}
        for i, column in enumerate(self.columns):
            columns.setdefault(column.covariate, []).append(i)
        return tuple((name, tuple(own)) for name, own in columns.items())

    @property
    def matrix(self) -> FloatArray:
        """Shape (complete patients, columns)."""
        return np.column_stack([column.values for column in self.columns])


def design_of(
    covariates: Sequence[Covariate], n: int, *, also_present: BoolArray | None = None, collinear: bool = False
) -> Design:
    """Make the design matrix of the patients who have all covariates.

    Parameters
    ----------
    covariates
        At least one, names all different, values of ``n`` patients each.
    n
        Number of patients.
    also_present
        Which patients have all that the model needs beside its covariates, shape (n,); all when None.
    collinear
        Allow columns that others determine, as a ridge can carry.

    Raises
    ------
    SurvivalError
        COX_NO_COVARIATES, COVARIATE_DUPLICATE, COVARIATE_LENGTH, COVARIATE_NOT_FINITE, COX_NO_COMPLETE_CASES,
        COVARIATE_CONSTANT, COVARIATE_NOT_POSITIVE, COVARIATE_REFERENCE_UNKNOWN, COVARIATE_COLLINEAR.
    """
    if not covariates:
        raise SurvivalError("COX_NO_COVARIATES", "A Cox model needs at least one covariate", found="0")
    repeated = sorted(name for name, count in Counter(covariate.name for covariate in covariates).items() if count > 1)
    if repeated:
        raise SurvivalError(
            "COVARIATE_DUPLICATE", "A covariate is named twice", keyword=repeated[0], found=", ".join(repeated)
        )
    present = np.ones(n, dtype=np.bool_) if also_present is None else also_present.copy()
    for covariate in covariates:
        present &= present_in(covariate, n)
    if not present.any():
        raise SurvivalError("COX_NO_COMPLETE_CASES", "No patient has a value of every covariate", found=f"0 of {n}")
    columns: list[Column] = []
    notes: list[str] = []
    for covariate in covariates:
        if isinstance(covariate, NumericCovariate):
            columns += _numeric(covariate, present, notes)
        else:
            columns += _categorical(covariate, present)
    design = Design(tuple(columns), present, tuple(notes))
    if not collinear:
        _refuse_collinear(design)
    return design


def present_in(covariate: Covariate, n: int) -> BoolArray:
    """Which of ``n`` patients have a value, shape (n,); raises COVARIATE_NOT_FINITE and COVARIATE_LENGTH."""
    if isinstance(covariate, CategoricalCovariate):
        found = len(covariate.values)
        present = np.array([value is not None for value in covariate.values], dtype=np.bool_)
    else:
        values = np.asarray(covariate.values, dtype=np.float64)
        found = values.shape[0] if values.ndim == 1 else -1
        if np.any(np.abs(values) > LARGEST_NUMBER):
            raise SurvivalError(
                "COVARIATE_NOT_FINITE",
                f"{covariate.name} has values that are infinite, or too large to compute with",
                keyword=covariate.name,
                found=f"{np.nanmax(np.abs(values)):g}",
            )
        present = ~np.isnan(values)
    if found != n:
        raise SurvivalError(
            "COVARIATE_LENGTH",
            f"{covariate.name} is not of these patients",
            keyword=covariate.name,
            found=f"{found} values",
            expected=f"{n}",
        )
    return present


def _numeric(covariate: NumericCovariate, present: BoolArray, notes: list[str]) -> list[Column]:
    name, unit = covariate.name, covariate.unit
    values = np.asarray(covariate.values, dtype=np.float64)[present]
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) == 1 or values.std() == 0:  # a spread below the range of numbers is none
        raise _constant(name, number_text(float(distinct[0])), len(values))
    arm = None
    if len(distinct) == 2:
        smaller = int(counts.argmin())
        arm = (f"{name} = {number_text(float(distinct[smaller]))}", int(counts[smaller]))
    unit_text = f" {unit}" if unit else ""
    if covariate.scale == "as_is":
        return [Column(name, None, None, f"per 1{unit_text}" if unit else "per unit", values, arm)]
    if covariate.scale == "per_sd":
        sd = float(values.std(ddof=1)) if covariate.sd is None else covariate.sd
        return [Column(name, None, None, f"per SD ({number_text(sd)}{unit_text})", values / sd, arm, per_sd=True)]
    if covariate.scale == "per_doubling":
        return [Column(name, None, None, "per doubling", np.log2(_positive(covariate, values, notes)), arm)]
    knots = knots_of(values, covariate.knots, name)
    notes.append(
        f"{name}: restricted cubic spline with knots at {', '.join(number_text(knot) for knot in knots)}{unit_text}."
    )
    return [
        Column(name, None, None, f"spline part {place}", part, arm, spline=SplinePart(knots, place, values))
        for place, part in enumerate(spline_basis(values, knots).T)
    ]


def _positive(covariate: NumericCovariate, values: FloatArray, notes: list[str]) -> FloatArray:
    """Values with zeros treated by the covariate's rule; negative ones are refused whatever the rule."""
    low = values <= 0
    if not low.any():
        return values
    if covariate.at_zero == "half_minimum" and values.min() == 0:
        half = float(values[~low].min()) / 2
        unit_text = f" {covariate.unit}" if covariate.unit else ""
        notes.append(
            f"{covariate.name}: {counted(int(np.count_nonzero(low)), 'zero')} put at half the smallest positive value "
            f"({number_text(half)}{unit_text}) to take logarithms."
        )
        return np.where(low, half, values)
    raise SurvivalError(
        "COVARIATE_NOT_POSITIVE",
        f"{covariate.name} has values that cannot double",
        keyword=covariate.name,
        found=f"{np.count_nonzero(low)} values <= 0, the smallest {number_text(float(values.min()))}",
        expected="values above 0",
        hint="Use the scale per SD, or put zeros at half the smallest positive value.",
    )


def _categorical(covariate: CategoricalCovariate, present: BoolArray) -> list[Column]:
    name = covariate.name
    values = [value for value, there in zip(covariate.values, present, strict=True) if there and value is not None]
    counts = Counter(values)
    if len(counts) == 1:
        raise _constant(name, values[0], len(values))
    reference = covariate.reference
    if reference is None:
        reference = min(counts, key=lambda level: (-counts[level], level))
    if reference not in counts:
        raise SurvivalError(
            "COVARIATE_REFERENCE_UNKNOWN",
            f"No patient has the reference level of {name}",
            keyword=name,
            found=reference,
            expected=", ".join(sorted(counts)),
        )
    columns = []
    for level in sorted(set(counts) - {reference}):
        smaller = min((level, reference), key=lambda group: counts[group])
        indicator = np.array([value == level for value in values], dtype=np.float64)
        arm = (smaller, counts[smaller])
        columns.append(Column(name, level, reference, f"{level} vs {reference}", indicator, arm))
    return columns


def _constant(name: str, value: str, n: int) -> SurvivalError:
    return SurvivalError(
        "COVARIATE_CONSTANT",
        f"{name} is the same in all patients of the model",
        keyword=name,
        found=f"{value} in {n} patients",
        expected="at least 2 different values",
    )


def _refuse_collinear(design: Design) -> None:
    """Refuse the first column that the ones before it determine."""
    matrix = design.matrix
    matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    for j in range(1, matrix.shape[1]):
        before = matrix[:, :j]
        rest = matrix[:, j] - before @ np.linalg.lstsq(before, matrix[:, j], rcond=None)[0]
        if np.linalg.norm(rest) < 1e-6 * np.sqrt(len(rest)):
            name = design.columns[j].name
            raise SurvivalError(
                "COVARIATE_COLLINEAR",
                f"{name} is determined by the other covariates",
                keyword=name,
                found="a linear combination of " + ", ".join(column.name for column in design.columns[:j]),
                hint="Leave one of them out.",
            )
