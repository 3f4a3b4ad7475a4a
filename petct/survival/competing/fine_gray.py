"""Fine and Gray's model of the subdistribution hazard: what covariates do to the cumulative incidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import Column, Covariate, design_of
from petct.survival.cohort.results import (
    NORMAL_QUANTILE,
    SIGNIFICANCE_LEVEL,
    IntervalResult,
    TermWithTest,
    chi_squared_p,
    counted,
    p_text,
    small_arm,
    without,
)
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.competing.subdistribution import SubdistributionRiskSets, maximise_subdistribution
from petct.survival.cox.fit import FEWEST_EVENTS_PER_PARAMETER
from petct.survival.cox.wording import WARNED_EVENTS_PER_PARAMETER


@dataclass(frozen=True, kw_only=True)
class FineGrayTerm(TermWithTest):
    """One coefficient; ``p`` is that of the robust score test (ADR 0021).

    Parameters
    ----------
    subdistribution_hazard_ratio
        With Wald's confidence limits. Above 1 means a higher cumulative incidence; it is no ratio of probabilities.
    """

    subdistribution_hazard_ratio: float


@dataclass(frozen=True, kw_only=True)
class FineGrayResult(IntervalResult):
    """A fitted model of one event.

    Parameters
    ----------
    n_missing, n_competing
        Patients left out for a missing covariate, and competing events.
    log_likelihood, log_likelihood_null
        Log pseudo-likelihood with and without the covariates.
    """

    cause: str
    n_missing: int
    n_competing: int
    n_parameters: int
    events_per_parameter: float
    terms: tuple[FineGrayTerm, ...]
    log_likelihood: float
    log_likelihood_null: float


def fine_gray(outcome: CompetingOutcome, covariates: Sequence[Covariate]) -> FineGrayResult:
    """Fit the subdistribution hazard of the event of interest, equal to R's ``cmprsk::crr``.

    Parameters
    ----------
    outcome
        The cohort; ``of_interest`` puts another event first.
    covariates
        Numbers and categories, one value per patient in the order of the outcome.

    Raises
    ------
    SurvivalError
        FINE_GRAY_TOO_FEW_EVENTS below 5 events per parameter, FINE_GRAY_SEPARATION, FINE_GRAY_NOT_CONVERGED,
        FINE_GRAY_VARIANCE, the codes of ``design_of``, and those of ``CompetingOutcome`` for the
        complete cases.
    """
    design = design_of(covariates, outcome.n)
    cohort = outcome.subset(design.complete)
    n_events, n_parameters = cohort.n_events(1), len(design.columns)
    per_parameter = n_events / n_parameters
    if per_parameter < FEWEST_EVENTS_PER_PARAMETER:
        raise SurvivalError(
            "FINE_GRAY_TOO_FEW_EVENTS",
            "The model has more parameters than the events can carry",
            found=f"{counted(n_events, 'event')} for {counted(n_parameters, 'parameter')}",
            expected=f"at least {FEWEST_EVENTS_PER_PARAMETER} events per parameter",
            hint="Use fewer covariates.",
        )
    matrix = design.matrix
    sd = matrix.std(axis=0)
    risk_sets = SubdistributionRiskSets.of(cohort.duration, cohort.cause, (matrix - matrix.mean(axis=0)) / sd)
    names = tuple(column.name for column in design.columns)
    coefficients, variance, log_likelihood, null = maximise_subdistribution(risk_sets, names)
    errors = np.sqrt(np.diag(variance)) / sd
    terms = tuple(
        _term(column, float(beta), float(error), risk_sets.robust_score(i, names))
        for i, (column, beta, error) in enumerate(zip(design.columns, coefficients / sd, errors, strict=True))
    )
    n_missing = outcome.n - cohort.n
    notes = [*design.notes, *without(n_missing, "all covariates", cohort.n)]
    if per_parameter < WARNED_EVENTS_PER_PARAMETER:
        notes.append(
            f"{per_parameter:.1f} events per parameter, fewer than {WARNED_EVENTS_PER_PARAMETER}: estimates are "
            "unstable and p-values approximate."
        )
    notes += list(dict.fromkeys(term.p_suppressed.message for term in terms if term.p_suppressed is not None))
    notes += [
        f"No evidence of an association of {term.covariate} ({term.scale}) with the cumulative incidence of "
        f"'{cohort.causes[0]}' ({p_text(term.p)})."
        for term in terms
        if term.p is not None and term.p >= SIGNIFICANCE_LEVEL
    ]
    return FineGrayResult(
        unit=cohort.unit,
        cause=cohort.causes[0],
        n=cohort.n,
        n_missing=n_missing,
        n_events=n_events,
        n_competing=int(np.count_nonzero(cohort.cause > 1)),
        n_parameters=n_parameters,
        events_per_parameter=per_parameter,
        terms=terms,
        log_likelihood=log_likelihood,
        log_likelihood_null=null,
        notes=tuple(notes),
    )


def _term(column: Column, beta: float, error: float, score: float) -> FineGrayTerm:
    suppressed = small_arm(*column.smallest_arm) if column.smallest_arm else None
    with np.errstate(over="ignore"):
        upper = float(np.exp(beta + NORMAL_QUANTILE * error))
    if not (error > 0 and np.isfinite(upper)):
        raise SurvivalError(
            "FINE_GRAY_VARIANCE",
            f"The hazard ratio of {column.name} has no usable standard error",
            keyword=column.name,
            found=f"log hazard ratio {beta:.3g}, standard error {error:.3g}",
            hint="Are there patients at risk beyond the first event? Is the scale too large? Try the scale per SD.",
        )
    return FineGrayTerm(
        covariate=column.covariate,
        level=column.level,
        reference=column.reference,
        scale=column.scale,
        coefficient=beta,
        standard_error=error,
        lower=float(np.exp(beta - NORMAL_QUANTILE * error)),
        upper=upper,
        z=beta / error,
        p=None if suppressed else chi_squared_p(score, 1),
        p_suppressed=suppressed,
        subdistribution_hazard_ratio=float(np.exp(beta)),
    )
