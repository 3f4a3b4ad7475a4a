"""The table beside a forest plot: every covariate alone and with the others, in the same patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate, design_of
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import AnalysisResult, Suppressed
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import cox, summarise
from petct.survival.cox.result import CoxResult, CoxTerm
from petct.survival.cox.tests import DEFAULT_SEED
from petct.survival.cox_repeated.subgroups import covariate_of
from petct.survival.likelihood.penalised import Penalty


@dataclass(frozen=True)
class ForestRow:
    """One line of the table.

    Parameters
    ----------
    covariate, level, scale
        What it is about; ``reference`` as scale for the level that others are compared with.
    n, n_events
        Patients of the level and their events; all of the model for a number.
    univariable, multivariable
        Hazard ratio alone, and with the others; None for a reference, and where ``withheld`` says why.
    withheld
        Why the covariate alone has no model.
    """

    covariate: str
    level: str | None
    scale: str
    n: int
    n_events: int
    univariable: CoxTerm | None
    multivariable: CoxTerm | None
    withheld: Suppressed | None


@dataclass(frozen=True, kw_only=True)
class ForestTable(AnalysisResult):
    """All lines, and the model of all covariates together; the univariable models are of the same patients."""

    n_missing: int
    rows: tuple[ForestRow, ...]
    model: CoxResult


def forest_table(
    outcome: Outcome,
    covariates: Sequence[Covariate],
    *,
    strata: Sequence[CategoricalCovariate] = (),
    penalty: Penalty | None = None,
    permutations: int | None = None,
    seed: int = DEFAULT_SEED,
) -> ForestTable:
    """Fit every covariate alone and all together; parameters and refusals of the latter are those of ``cox``."""
    fit = fit_cox(outcome, covariates, strata=strata, penalty=penalty)
    model = summarise(fit, outcome.n, permutations, seed)
    kept = fit.design.complete
    strata_kept = [
        CategoricalCovariate(s.name, [v for v, k in zip(s.values, kept, strict=True) if k], s.reference) for s in strata
    ]
    rows: list[ForestRow] = []
    for covariate in covariates:
        part = covariate_of(kept, covariate)
        alone: tuple[CoxTerm, ...] = ()
        withheld = None
        try:
            alone = cox(
                fit.cohort,
                [part],
                strata=strata_kept,
                penalty=penalty,
                permutations=permutations,
                seed=seed,
            ).terms
        except SurvivalError as error:
            withheld = Suppressed(error.code, error.sentence())
        together = [term for term in model.terms if term.covariate == covariate.name]
        by_level = {term.level: term for term in alone}
        if isinstance(part, CategoricalCovariate):
            reference = design_of([part], fit.cohort.n).columns[0].reference
            rows.append(_row(fit.cohort, part, reference, "reference", None, None, None))
        rows += [
            _row(fit.cohort, part, term.level, term.scale, by_level.get(term.level), term, withheld)
            for term in together
        ]
    note = f"Univariable and multivariable models of the same {fit.n_patients} patients."
    return ForestTable(
        unit=outcome.unit,
        n=model.n,
        n_missing=model.n_missing,
        n_events=model.n_events,
        rows=tuple(rows),
        model=model,
        notes=(note, *model.notes),
    )


def _row(
    cohort: Outcome,
    covariate: Covariate,
    level: str | None,
    scale: str,
    univariable: CoxTerm | None,
    multivariable: CoxTerm | None,
    withheld: Suppressed | None,
) -> ForestRow:
    own = np.ones(cohort.n, dtype=np.bool_)
    if isinstance(covariate, CategoricalCovariate):
        own = np.array([value == level for value in covariate.values], dtype=np.bool_)
    return ForestRow(
        covariate.name,
        level,
        scale,
        int(own.sum()),
        int(cohort.event[own].sum()),
        univariable,
        multivariable,
        withheld,
    )
