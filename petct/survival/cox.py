"""Cox proportional hazards model, equal to R's ``coxph(ties="efron")``, with its own limits stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.concordance import concordance
from petct.survival.covariates import CategoricalCovariate, Column, Covariate, Design, NumericCovariate, design_of
from petct.survival.outcome import Outcome
from petct.survival.partial_likelihood import RiskSets, maximise
from petct.survival.power import minimum_detectable_hazard_ratio_per_sd
from petct.survival.results import (
    SIGNIFICANCE_LEVEL,
    Suppressed,
    chi_squared_p,
    counted,
    normal_quantile,
    p_text,
    small_arm,
)
from petct.survival.schoenfeld import ProportionalHazardsTest, Transform, proportional_hazards

__all__ = ["CategoricalCovariate", "CoxResult", "CoxTerm", "NumericCovariate", "cox"]

FEWEST_EVENTS_PER_PARAMETER = 5
WARNED_EVENTS_PER_PARAMETER = 10


@dataclass(frozen=True)
class CoxTerm:
    """One coefficient.

    Parameters
    ----------
    covariate, level, reference
        What it belongs to; level and reference of a category.
    scale
        What the hazard ratio compares, for example ``per SD (11.2 ml)`` or ``G3 vs G1``.
    coefficient, standard_error
        Log hazard ratio.
    hazard_ratio, lower, upper
        Hazard ratio with its confidence limits (Wald).
    z, p
        Wald test; ``p`` is None exactly when ``p_suppressed`` says why.
    """

    covariate: str
    level: str | None
    reference: str | None
    scale: str
    coefficient: float
    standard_error: float
    hazard_ratio: float
    lower: float
    upper: float
    z: float
    p: float | None
    p_suppressed: Suppressed | None

    @property
    def label(self) -> str:
        """Covariate and scale in one text."""
        return f"{self.covariate}, {self.scale}"


@dataclass(frozen=True)
class CoxResult:
    """A fitted model.

    Parameters
    ----------
    unit
        Unit of the survival times.
    n, n_missing, n_events
        Complete cases in the model, patients left out for a missing covariate, events in the model.
    n_parameters, events_per_parameter
        Size of the model.
    confidence
        Level of the intervals.
    ties
        Always ``efron``.
    terms
        The coefficients.
    log_likelihood, log_likelihood_null
        With and without the covariates.
    lr_chi_squared, lr_df, lr_p
        Likelihood ratio test of all covariates together.
    aic
        Akaike's criterion.
    concordance, concordance_standard_error
        Harrell's C in the patients of the fit: optimistic for new ones.
    proportional_hazards
        Score tests of the assumption.
    minimum_detectable_hazard_ratio_per_sd
        What so many events detect with 80 % power at a level of 5 % for one continuous covariate.
    notes
        Sentences a reader of the numbers has to know.
    """

    unit: str
    n: int
    n_missing: int
    n_events: int
    n_parameters: int
    events_per_parameter: float
    confidence: float
    ties: str
    terms: tuple[CoxTerm, ...]
    log_likelihood: float
    log_likelihood_null: float
    lr_chi_squared: float
    lr_df: int
    lr_p: float | None
    lr_p_suppressed: Suppressed | None
    aic: float
    concordance: float
    concordance_standard_error: float
    proportional_hazards: ProportionalHazardsTest
    minimum_detectable_hazard_ratio_per_sd: float
    notes: tuple[str, ...]


def cox(
    outcome: Outcome, covariates: Sequence[Covariate], *, transform: Transform = "km", confidence: float = 0.95
) -> CoxResult:
    """Fit a Cox model to the patients who have all covariates.

    Parameters
    ----------
    outcome
        The cohort.
    covariates
        Numbers and categories, one value a patient in the order of the outcome.
    transform
        Time transform of the test of proportional hazards.
    confidence
        Level of the intervals.

    Raises
    ------
    SurvivalError
        COX_TOO_FEW_EVENTS below 5 events per parameter, COX_SEPARATION, COX_NOT_CONVERGED, NO_COMPARABLE_PAIRS,
        CONFIDENCE_INVALID, the codes of ``design_of``, and those of ``Outcome`` for the complete cases.
    """
    if not 0 < confidence < 1:
        raise SurvivalError(
            "CONFIDENCE_INVALID", "A confidence level lies between 0 and 1", found=f"{confidence:g}", expected="0.95"
        )
    design = design_of(covariates, outcome.n)
    cohort = outcome.subset(design.complete)
    n_parameters = len(design.columns)
    per_parameter = cohort.n_events / n_parameters
    if per_parameter < FEWEST_EVENTS_PER_PARAMETER:
        raise SurvivalError(
            "COX_TOO_FEW_EVENTS",
            "The model has more parameters than the events can carry",
            found=f"{cohort.n_events} events for {n_parameters} parameters",
            expected=f"at least {FEWEST_EVENTS_PER_PARAMETER} events per parameter",
            hint="Use fewer covariates, or a penalised model.",
        )

    matrix = design.matrix
    sd = matrix.std(axis=0)
    standardised = (matrix - matrix.mean(axis=0)) / sd
    # A cohort without an order of events has no hazard ratio; found before the fit, which would call it 1.
    concordance(cohort, np.zeros(cohort.n))
    fit = maximise(
        RiskSets.of(cohort.duration, cohort.event, standardised), tuple(column.name for column in design.columns)
    )
    # Summed row by row and not as a matrix product, so that equal patients get exactly equal risks.
    discrimination = concordance(cohort, (standardised * fit.coefficients).sum(axis=1))
    assumption = proportional_hazards(cohort, fit.terms, _columns_of(design), transform)

    z = normal_quantile(confidence)
    terms = tuple(
        _term(column, float(beta), float(error), z)
        for column, beta, error in zip(
            design.columns, fit.coefficients / sd, np.sqrt(np.diag(fit.covariance)) / sd, strict=True
        )
    )
    lr = max(2 * (fit.terms.log_likelihood - fit.log_likelihood_null), 0.0)
    lr_suppressed = next((term.p_suppressed for term in terms if term.p_suppressed is not None), None)
    detectable = minimum_detectable_hazard_ratio_per_sd(cohort.n_events)
    n_missing = outcome.n - cohort.n
    return CoxResult(
        unit=cohort.unit,
        n=cohort.n,
        n_missing=n_missing,
        n_events=cohort.n_events,
        n_parameters=n_parameters,
        events_per_parameter=per_parameter,
        confidence=confidence,
        ties="efron",
        terms=terms,
        log_likelihood=fit.terms.log_likelihood,
        log_likelihood_null=fit.log_likelihood_null,
        lr_chi_squared=lr,
        lr_df=n_parameters,
        lr_p=None if lr_suppressed else chi_squared_p(lr, n_parameters),
        lr_p_suppressed=lr_suppressed,
        aic=2 * n_parameters - 2 * fit.terms.log_likelihood,
        concordance=discrimination.value,
        concordance_standard_error=discrimination.standard_error,
        proportional_hazards=assumption,
        minimum_detectable_hazard_ratio_per_sd=detectable,
        notes=_notes(cohort, design, n_missing, per_parameter, terms, assumption, detectable),
    )


def _columns_of(design: Design) -> list[tuple[str, list[int]]]:
    columns: dict[str, list[int]] = {}
    for i, column in enumerate(design.columns):
        columns.setdefault(column.covariate, []).append(i)
    return list(columns.items())


def _term(column: Column, beta: float, error: float, z: float) -> CoxTerm:
    suppressed = small_arm(*column.smallest_arm) if column.smallest_arm else None
    with np.errstate(over="ignore"):
        ratio, lower, upper = (float(value) for value in np.exp([beta, beta - z * error, beta + z * error]))
    if not np.isfinite(upper):
        raise SurvivalError(
            "COX_SCALE",
            f"The hazard ratio of {column.name} on this scale is too large for a number",
            keyword=column.name,
            found=f"log hazard ratio {beta:.3g} {column.scale}",
            hint="Use the scale per SD.",
        )
    return CoxTerm(
        covariate=column.covariate,
        level=column.level,
        reference=column.reference,
        scale=column.scale,
        coefficient=beta,
        standard_error=error,
        hazard_ratio=ratio,
        lower=lower,
        upper=upper,
        z=beta / error,
        p=None if suppressed else chi_squared_p((beta / error) ** 2, 1),
        p_suppressed=suppressed,
    )


def _notes(
    cohort: Outcome,
    design: Design,
    n_missing: int,
    per_parameter: float,
    terms: Sequence[CoxTerm],
    assumption: ProportionalHazardsTest,
    detectable: float,
) -> tuple[str, ...]:
    notes = [*cohort.notes, *design.notes]
    if n_missing:
        notes.append(
            f"{counted(n_missing, 'patient')} without all covariates left out (complete cases): n = {cohort.n}."
        )
    if per_parameter < WARNED_EVENTS_PER_PARAMETER:
        notes.append(
            f"{per_parameter:.1f} events per parameter, fewer than {WARNED_EVENTS_PER_PARAMETER}: "
            "estimates are unstable and p-values approximate."
        )
    notes += list(dict.fromkeys(term.p_suppressed.message for term in terms if term.p_suppressed is not None))
    silent = [term for term in terms if term.p is not None and term.p >= SIGNIFICANCE_LEVEL]
    notes += [
        f"No evidence of an association of {term.covariate} ({term.scale}) with the hazard ({p_text(term.p)})."
        for term in silent
        if term.p is not None
    ]
    per_sd = {column.name for column in design.columns if column.per_sd}
    if any(term.covariate in per_sd for term in silent):
        notes.append(
            f"{cohort.n_events} events detect a hazard ratio per SD of {detectable:.2f} or more with 80 % power "
            "(one covariate, uncorrelated with others); smaller effects would probably go unseen."
        )
    notes += [
        f"The effect of {test.covariate} seems to change with time "
        f"(score test of proportional hazards, {p_text(test.p)}): its hazard ratio is an average."
        for test in assumption.terms
        if test.p < SIGNIFICANCE_LEVEL
    ]
    return tuple(notes)
