"""Cox proportional hazards model, equal to R's ``coxph(ties="efron")``, with its own limits stated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from petct.errors import SurvivalError
from petct.survival.accuracy.concordance import paired_rows
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate
from petct.survival.cohort.groups import number_text
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.power import minimum_detectable_from_error, minimum_detectable_hazard_ratio_per_sd
from petct.survival.cohort.results import NORMAL_QUANTILE, Suppressed, small_arm
from petct.survival.cohort.splines import SplinePart
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.cox.result import CovariateTest, CoxResult, CoxTerm
from petct.survival.cox.schoenfeld import Transform, proportional_hazards
from petct.survival.cox.tests import DEFAULT_SEED, ColumnTest, CoxTests
from petct.survival.cox.wording import model_notes
from petct.survival.likelihood.penalised import Firth, Penalty, Ridge, firth_limits


def cox(  # noqa: PLR0913 (the choices of a model, each with its own keyword as in coxph)
    outcome: Outcome,
    covariates: Sequence[Covariate],
    *,
    strata: Sequence[CategoricalCovariate] = (),
    robust: bool = False,
    cluster: CategoricalCovariate | None = None,
    patients: Sequence[str] | None = None,
    penalty: Penalty | None = None,
    permutations: int | None = None,
    seed: int = DEFAULT_SEED,
    transform: Transform = "km",
) -> CoxResult:
    """Fit a Cox model to the patients who have all it needs (complete cases).

    The p-values shown are those of a test that keeps its level in a model of that kind (ADR 0021): up to 200 patients a
    permutation of the score test, above that the likelihood ratio test; with robust or clustered standard errors the
    robust score test; with Firth's penalty the penalised likelihood ratio test; with a ridge none.

    Parameters
    ----------
    outcome
        The cohort; its entry times, where it has some, are the left truncation.
    covariates
        Numbers and categories, one value per row in the order of the outcome.
    strata
        Categories with a baseline hazard each.
    robust
        Standard errors of Lin and Wei, as R's ``robust=TRUE``.
    cluster
        Rows that belong together, as R's ``cluster``; implies robust standard errors.
    patients
        Patient of each row, shape (n,), where follow-up is split into several rows (``time_varying``).
    penalty
        ``Firth()`` for separation and few events, ``Ridge()`` for many or collinear covariates.
    permutations, seed
        Number of permutations (0 for none, None for the rule above), and their seed.
    transform
        Time transform of the test of proportional hazards.

    Raises
    ------
    SurvivalError
        COX_TOO_FEW_EVENTS below 5 events per parameter, COX_SEPARATION, COX_NOT_CONVERGED, COX_PROFILE_OPEN,
        COX_SCALE, NO_COMPARABLE_PAIRS, COVARIATE_CONSTANT_IN_STRATA, IMMORTAL_TIME, PERMUTATION_NOT_EXCHANGEABLE,
        TRANSFORM_UNKNOWN, the codes of ``design_of``, and those of ``Outcome`` for the complete
        cases.
    """
    fit = fit_cox(
        outcome, covariates, strata=strata, robust=robust, cluster=cluster, patients=patients, penalty=penalty
    )
    return summarise(fit, outcome.n, permutations, seed, transform)


def summarise(
    fit: CoxFit,
    n_rows_before: int,
    permutations: int | None = None,
    seed: int = DEFAULT_SEED,
    transform: Transform = "km",
) -> CoxResult:
    """Say what a fit says; ``n_rows_before`` counts the rows that it was offered. See ``cox``."""
    cohort, design, maximum = fit.cohort, fit.design, fit.maximum
    tests = CoxTests(fit, permutations, seed)
    cluster = None
    if fit.standard_errors == "clustered" or fit.n_patients < cohort.n:
        cluster = np.empty_like(fit.cluster)
        cluster[fit.risk_sets.order] = fit.cluster
    discrimination = paired_rows(cohort, fit.linear_predictor, fit.stratum).concordance(cluster)
    terms = _terms(fit, tests)
    too_small = next((term.p_suppressed for term in terms if term.p_suppressed is not None), None)
    every = tuple(range(len(design.columns)))
    overall = tests.of(every)
    df = fit.degrees_of_freedom
    lr = max(2 * (maximum.terms.log_likelihood - maximum.log_likelihood_null), 0.0)
    log_likelihood, null = maximum.terms.log_likelihood, maximum.log_likelihood_null
    if isinstance(fit.penalty, Firth):
        # The null of a Firth model is penalised, and so is its statistic.
        lr = overall.chi_squared or 0.0
        log_likelihood = null + lr / 2
    assumption = proportional_hazards(cohort, maximum.terms, design.covariates, transform)
    detectable = minimum_detectable_hazard_ratio_per_sd(cohort.n_events)
    per_parameter = cohort.n_events / len(design.columns)
    n_missing = n_rows_before - cohort.n
    return CoxResult(
        unit=cohort.unit,
        n=fit.n_patients,
        n_missing=n_missing,
        n_events=cohort.n_events,
        n_rows=cohort.n,
        n_parameters=len(design.columns),
        events_per_parameter=per_parameter,
        ties="efron",
        strata=fit.strata_names,
        n_strata=max(len(fit.strata_labels), 1),
        standard_errors=f"clustered by {fit.cluster_name}" if fit.cluster_name else fit.standard_errors,
        penalty=_penalty_text(fit),
        terms=terms,
        tests=_covariate_tests(fit, tests, too_small),
        overall=overall.about("all covariates", "all covariates", too_small),
        log_likelihood=log_likelihood,
        log_likelihood_null=null,
        lr_chi_squared=lr,
        lr_df=df,
        aic=2 * df - 2 * log_likelihood,
        concordance=discrimination.value,
        concordance_standard_error=discrimination.standard_error,
        proportional_hazards=assumption,
        minimum_detectable_hazard_ratio_per_sd=detectable,
        notes=model_notes(fit, n_missing, per_parameter, terms, assumption, detectable, tests.n_permutations),
    )


def _penalty_text(fit: CoxFit) -> str | None:
    if isinstance(fit.penalty, Firth):
        return "Firth"
    if isinstance(fit.penalty, Ridge):
        chosen = " (chosen: a tenth as many degrees of freedom as events)" if fit.penalty.strength is None else ""
        return f"ridge of {fit.ridge:.3g} on log hazard ratios per SD{chosen}"
    return None


def _terms(fit: CoxFit, tests: CoxTests) -> tuple[CoxTerm, ...]:
    terms = []
    for _, columns in fit.design.covariates:
        spline = fit.design.columns[columns[0]].spline
        if spline is not None:
            terms.append(_spline_term(fit, columns, spline, tests.of(columns)))
        else:
            terms += [_term(fit, column, tests.of((column,))) for column in columns]
    return tuple(terms)


def _term(fit: CoxFit, index: int, test: ColumnTest) -> CoxTerm:
    column = fit.design.columns[index]
    contrast = np.zeros(len(fit.design.columns))
    contrast[index] = 1.0
    limits = None
    if isinstance(fit.penalty, Firth):
        lower, upper = firth_limits(fit.risk_sets, fit.maximum, index)
        limits = (lower / float(fit.sd[index]), upper / float(fit.sd[index]))
    suppressed = test.p_suppressed or (small_arm(*column.smallest_arm) if column.smallest_arm else None)
    labels = (column.covariate, column.level, column.reference, column.scale)
    return _contrast(fit, contrast, labels, test, suppressed, limits)


def _spline_term(fit: CoxFit, columns: tuple[int, ...], spline: SplinePart, test: ColumnTest) -> CoxTerm:
    """Upper against lower quartile: one ratio of a curve, to stand beside the others."""
    column = fit.design.columns[columns[0]]
    quartiles = np.quantile(spline.values, [0.25, 0.75])
    basis = spline.basis(quartiles)
    contrast = np.zeros(len(fit.design.columns))
    contrast[list(columns)] = basis[1] - basis[0]
    low, high = (number_text(float(quartile)) for quartile in quartiles)
    labels = (column.covariate, None, None, f"upper vs lower quartile ({high} vs {low}), spline")
    return _contrast(fit, contrast, labels, test, test.p_suppressed)


def _contrast(
    fit: CoxFit,
    contrast: FloatArray,
    labels: tuple[str, str | None, str | None, str],
    test: ColumnTest,
    suppressed: Suppressed | None,
    limits: tuple[float, float] | None = None,
) -> CoxTerm:
    beta = float(contrast @ fit.coefficients)
    error = float(np.sqrt(contrast @ fit.covariance @ contrast))
    z = NORMAL_QUANTILE
    low, high = limits or (beta - z * error, beta + z * error)
    with np.errstate(over="ignore"):
        ratio, lower, upper = (float(value) for value in np.exp([beta, low, high]))
    covariate, level, reference, scale = labels
    if not np.isfinite(upper):
        raise SurvivalError(
            "COX_SCALE",
            f"The hazard ratio of {covariate} on this scale is too large for a number",
            keyword=covariate if level is None else f"{covariate}: {level}",
            found=f"log hazard ratio {beta:.3g} {scale}",
            hint="Use the scale per SD.",
        )
    return CoxTerm(
        covariate=covariate,
        level=level,
        reference=reference,
        scale=scale,
        coefficient=beta,
        standard_error=error,
        hazard_ratio=ratio,
        lower=lower,
        upper=upper,
        z=beta / error,
        p=None if suppressed else test.p,
        test=test.name,
        p_suppressed=suppressed,
        minimum_detectable_hazard_ratio=minimum_detectable_from_error(error),
    )


def _covariate_tests(fit: CoxFit, tests: CoxTests, too_small: Suppressed | None) -> tuple[CovariateTest, ...]:
    found = []
    for name, columns in fit.design.covariates:
        if len(columns) == 1:
            continue
        bent = tuple(i for i in columns if (part := fit.design.columns[i].spline) is not None and part.place > 0)
        # A small level withholds the test of its own covariate only.
        own = None if bent else too_small
        found.append(tests.of(columns).about(name, "association", own))
        if bent:
            found.append(tests.of(bent).about(name, "non-linearity"))
    return tuple(found)
