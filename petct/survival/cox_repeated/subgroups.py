"""An effect in subgroups, with the tests of whether it differs between them.

Subgroups show hazard ratios and intervals and no p-values of their own: whether an effect differs is the question of
the interaction (Rothwell PM, Lancet 2005;365:176).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate, NumericCovariate, design_of
from petct.survival.cohort.outcome import BoolArray, Outcome
from petct.survival.cohort.results import SMALLEST_ARM, AnalysisResult, Suppressed, counted
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.result import CovariateTest, CoxTerm
from petct.survival.cox.tests import DEFAULT_SEED, CoxTests


@dataclass(frozen=True)
class Subgroup:
    """The effect in the patients of one level.

    Parameters
    ----------
    level, n, n_events
        The level, its patients and events.
    hazard_ratio, lower, upper
        With confidence limits (Wald); None exactly when ``withheld`` says why.
    withheld
        Code and sentence.
    """

    level: str
    n: int
    n_events: int
    hazard_ratio: float | None
    lower: float | None
    upper: float | None
    withheld: Suppressed | None


@dataclass(frozen=True)
class SubgroupVariable:
    """All levels of one variable, and the test that the effect is the same in them."""

    variable: str
    n_missing: int
    interaction: CovariateTest
    subgroups: tuple[Subgroup, ...]


@dataclass(frozen=True, kw_only=True)
class SubgroupTable(AnalysisResult):
    """An effect in all patients with a value of it, and in subgroups.

    Parameters
    ----------
    effect
        The effect in all of them.
    adjusted_for
        Other covariates of every model.
    variables
        The subgroups.
    n_interaction_tests
        How many interactions were tested.
    """

    effect: CoxTerm
    adjusted_for: tuple[str, ...]
    variables: tuple[SubgroupVariable, ...]
    n_interaction_tests: int


def subgroup_table(
    outcome: Outcome,
    effect: Covariate,
    variables: Sequence[CategoricalCovariate],
    *,
    adjust_for: Sequence[Covariate] = (),
    permutations: int | None = None,
    seed: int = DEFAULT_SEED,
) -> SubgroupTable:
    """Estimate an effect in subgroups.

    Parameters
    ----------
    effect
        A number, or a category of two levels; its scale is that of all patients in every subgroup.
    variables
        What the subgroups are made of.
    adjust_for
        Other covariates of every model.
    permutations, seed
        As for ``cox``.

    Raises
    ------
    SurvivalError
        SUBGROUPS_NONE, SUBGROUP_EFFECT for an effect with more than one coefficient, and the codes of ``cox`` for the
        model of all patients. What is refused in a subgroup stands in its row.
    """
    if not variables:
        raise SurvivalError("SUBGROUPS_NONE", "There is no variable to make subgroups of", found="0")
    design = design_of([effect], outcome.n)
    if len(design.columns) > 1:
        raise SurvivalError(
            "SUBGROUP_EFFECT",
            f"The effect of {effect.name} is not one hazard ratio",
            keyword=effect.name,
            found=f"{len(design.columns)} coefficients",
            expected="a number on a straight scale, or a category of two levels",
        )
    (column,) = design.columns
    values = np.full(outcome.n, np.nan)
    values[design.complete] = column.values
    fixed = NumericCovariate(effect.name, values, scale="as_is", known_from=effect.known_from)
    whole = cox(outcome, [fixed, *adjust_for], permutations=permutations, seed=seed)
    term = replace(whole.terms[0], scale=column.scale, level=column.level, reference=column.reference)
    asked = _Question(outcome, fixed, tuple(adjust_for), permutations, seed)
    found = tuple(_variable(asked, variable) for variable in variables)
    return SubgroupTable(
        unit=outcome.unit,
        n=whole.n,
        n_events=whole.n_events,
        effect=term,
        adjusted_for=tuple(covariate.name for covariate in adjust_for),
        variables=found,
        n_interaction_tests=sum(variable.interaction.p is not None for variable in found),
        notes=(
            "An effect that differs between subgroups shows in the interaction, not in intervals that do or do not "
            "cross 1; subgroups that were not declared beforehand are exploratory.",
        ),
    )


@dataclass(frozen=True, eq=False)
class _Question:
    """What is asked of the cohort in every subgroup, and how the interactions are tested."""

    outcome: Outcome
    effect: NumericCovariate
    adjust_for: tuple[Covariate, ...]
    permutations: int | None
    seed: int


def _variable(asked: _Question, variable: CategoricalCovariate) -> SubgroupVariable:
    there = ~np.isnan(np.asarray(asked.effect.values, dtype=np.float64))
    levels = sorted({value for value, kept in zip(variable.values, there, strict=True) if value is not None and kept})
    of_level = {level: there & np.array([value == level for value in variable.values]) for level in levels}
    small = next((level for level in levels if of_level[level].sum() < SMALLEST_ARM), None)
    subgroups = tuple(_subgroup(asked, level, of_level[level]) for level in levels)
    n_missing = int(there.sum()) - sum(int(rows.sum()) for rows in of_level.values())
    return SubgroupVariable(variable.name, n_missing, _interaction(asked, variable, levels, small), subgroups)


def _subgroup(asked: _Question, level: str, rows: BoolArray) -> Subgroup:
    n, n_events = int(rows.sum()), int(asked.outcome.event[rows].sum())
    withheld = None
    if n < SMALLEST_ARM:
        withheld = Suppressed(
            "ARM_TOO_SMALL", f"No hazard ratio: {counted(n, 'patient')}, fewer than the minimum of {SMALLEST_ARM}."
        )
    else:
        try:
            covariates = [covariate_of(rows, covariate) for covariate in (asked.effect, *asked.adjust_for)]
            part = cox(asked.outcome.subset(rows), covariates, permutations=0)
        except SurvivalError as error:
            withheld = Suppressed(error.code, error.sentence())
        else:
            term = part.terms[0]
            return Subgroup(level, part.n, part.n_events, term.hazard_ratio, term.lower, term.upper, None)
    return Subgroup(level, n, n_events, None, None, None, withheld)


def covariate_of(rows: BoolArray, covariate: Covariate) -> Covariate:
    """Return the values of a covariate in the patients where ``rows`` is true, shape (n,)."""
    known = np.broadcast_to(np.asarray(covariate.known_from, dtype=np.float64), rows.shape)[rows]
    if isinstance(covariate, NumericCovariate):
        return replace(covariate, values=np.asarray(covariate.values, dtype=np.float64)[rows], known_from=known)
    values = [value for value, kept in zip(covariate.values, rows, strict=True) if kept]
    return replace(covariate, values=values, known_from=known)


def _interaction(
    asked: _Question, variable: CategoricalCovariate, levels: list[str], small: str | None
) -> CovariateTest:
    values = np.asarray(asked.effect.values, dtype=np.float64)
    df = max(len(levels) - 1, 1)

    def withheld(code: str, message: str) -> CovariateTest:
        return CovariateTest(variable.name, "interaction", "none", df, None, None, Suppressed(code, message))

    if len(levels) < 2:
        return withheld("SUBGROUP_SINGLE", "No test: all patients are in one subgroup.")
    if small is not None:
        return withheld(
            "ARM_TOO_SMALL", f"No p-value: subgroup '{small}' has fewer than the minimum of {SMALLEST_ARM} patients."
        )
    products = [
        NumericCovariate(
            f"{asked.effect.name} in {level}",
            np.where([value == level for value in variable.values], values, 0.0 * values),
            scale="as_is",
        )
        for level in levels[1:]
    ]
    try:
        fit = fit_cox(asked.outcome, [asked.effect, variable, *asked.adjust_for, *products])
        columns = tuple(range(len(fit.names) - len(products), len(fit.names)))
        return CoxTests(fit, asked.permutations, asked.seed).of(columns).about(variable.name, "interaction")
    except SurvivalError as error:
        return withheld(error.code, error.sentence())
