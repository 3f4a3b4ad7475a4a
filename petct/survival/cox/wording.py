"""Sentences that a reader of a Cox model has to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from petct.survival.cohort.results import CONFIDENCE, SIGNIFICANCE_LEVEL, counted, p_text
from petct.survival.cox.fit import CoxFit
from petct.survival.cox.result import CoxTerm
from petct.survival.cox.schoenfeld import ProportionalHazardsTest
from petct.survival.likelihood.penalised import Firth, Ridge

WARNED_EVENTS_PER_PARAMETER = 10


def model_notes(
    fit: CoxFit,
    n_missing: int,
    per_parameter: float,
    terms: Sequence[CoxTerm],
    assumption: ProportionalHazardsTest,
    detectable: float,
    n_permutations: int,
) -> tuple[str, ...]:
    """Notes of a model, in the order in which they matter.

    Parameters
    ----------
    fit, terms, assumption
        The model, its hazard ratios, and the test of proportional hazards.
    n_missing
        Rows left out for something missing.
    per_parameter, detectable
        Events per parameter, and the hazard ratio per SD that so many events detect.
    n_permutations
        Permutations of each test; 0 where the p-values come from another.
    """
    cohort = fit.cohort
    # Where follow-up is split an entry is a change, not a late arrival.
    split = fit.n_patients < cohort.n
    notes = [*(replace(cohort, entry=None) if split else cohort).notes, *fit.design.notes]
    if n_missing:
        row = "row" if split else "patient"
        notes.append(
            f"{counted(n_missing, row)} without all covariates left out (complete cases): n = {fit.n_patients}."
        )
    if split:
        notes.append(f"Follow-up of {counted(fit.n_patients, 'patient')} is split into {cohort.n} rows.")
    if fit.strata_names:
        notes.append(
            f"Each of the {len(fit.strata_labels)} strata of {', '.join(fit.strata_names)} has a baseline hazard of "
            "its own; hazard ratios hold within them."
        )
    if per_parameter < WARNED_EVENTS_PER_PARAMETER:
        notes.append(
            f"{per_parameter:.1f} events per parameter, fewer than {WARNED_EVENTS_PER_PARAMETER}: "
            "estimates are unstable and p-values approximate."
        )
    notes += _penalty_notes(fit)
    if fit.standard_errors == "clustered" and int(fit.cluster.max()) + 1 < 20:
        notes.append(
            f"{counted(int(fit.cluster.max()) + 1, 'cluster')}, fewer than 20: clustered standard errors are too small."
        )
    notes += list(dict.fromkeys(term.p_suppressed.message for term in terms if term.p_suppressed is not None))
    notes += _null_results(fit, terms, detectable)
    if n_permutations and len(fit.design.covariates) > 1:
        notes.append("With several covariates a permutation test of one of them is approximate.")
    notes += [
        f"The interval of {term.covariate} ({term.scale}) is Wald's, its p-value is not: at the edge of significance "
        "they disagree, and the p-value decides."
        for term in terms
        if term.p is not None
        and not isinstance(fit.penalty, Firth)
        and (term.p < 1 - CONFIDENCE) == (term.lower <= 1 <= term.upper)
    ]
    notes += [
        f"The effect of {test.covariate} seems to change with time "
        f"(score test of proportional hazards, {p_text(test.p)}): its hazard ratio is an average."
        for test in assumption.terms
        if test.p < SIGNIFICANCE_LEVEL
    ]
    return tuple(notes)


def _penalty_notes(fit: CoxFit) -> list[str]:
    if isinstance(fit.penalty, Ridge):
        return ["A ridge pulls hazard ratios towards 1: intervals are those of shrunken values, not of the true ones."]
    if isinstance(fit.penalty, Firth):
        return ["Firth's penalised likelihood: limits and p-values from its profile; fit and AIC are penalised."]
    return []


def _null_results(fit: CoxFit, terms: Sequence[CoxTerm], detectable: float) -> list[str]:
    silent = [term for term in terms if term.p is not None and term.p >= SIGNIFICANCE_LEVEL]
    notes = [
        f"No evidence of an association of {term.covariate} ({term.scale}) with the hazard ({p_text(term.p)}): hazard "
        f"ratio {term.hazard_ratio:.2f}, interval {term.lower:.2f} to {term.upper:.2f}{_detectable(fit, term)}."
        for term in silent
        if term.p is not None
    ]
    per_sd = {column.name for column in fit.design.columns if column.per_sd}
    if any(term.covariate in per_sd for term in silent):
        notes.append(
            f"{fit.cohort.n_events} events detect a hazard ratio per SD of {detectable:.2f} or more with 80 % power "
            "(one covariate, uncorrelated with others); smaller effects would probably go unseen."
        )
    return notes


def _detectable(fit: CoxFit, term: CoxTerm) -> str:
    if isinstance(fit.penalty, Ridge):
        # The error of a shrunken value is not that of a test.
        return ""
    return f"; a hazard ratio of {term.minimum_detectable_hazard_ratio:.2f} or more was detectable with 80 % power"
