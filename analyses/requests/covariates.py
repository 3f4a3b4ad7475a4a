"""Columns as covariates of a model: the one place where a column becomes a number or a category of it."""

from __future__ import annotations

from collections.abc import Iterable

from petct.survival.cohort.columns import Columns
from petct.survival.cohort.covariates import AtZero, CategoricalCovariate, Covariate, NumericCovariate, Scale


def covariate(
    columns: Columns,
    name: str,
    *,
    scale: Scale = "per_sd",
    at_zero: AtZero = "refuse",
    knots: int = 3,
    reference: str | None = None,
    as_category: bool = False,
) -> Covariate:
    """Return a column as a covariate: a number unless it holds categories, or is to be taken as one."""
    label = columns.label(name)
    if columns.is_number(name) and not as_category:
        return NumericCovariate(label, columns.number(name), columns.unit(name), scale, at_zero, knots)
    return CategoricalCovariate(label, columns.texts(name), reference)


def covariates(columns: Columns, names: Iterable[str]) -> list[Covariate]:
    """Return columns as covariates; hazard ratios of numbers are per standard deviation."""
    return [covariate(columns, name) for name in names]


def categories(columns: Columns, names: Iterable[str]) -> list[CategoricalCovariate]:
    """Return columns as categories, whatever they hold."""
    return [CategoricalCovariate(columns.label(name), columns.texts(name)) for name in names]
