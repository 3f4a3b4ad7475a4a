"""Accelerated failure time models, as lifelines fits them: Weibull, log-normal and log-logistic survival times.

The models are lifelines' own; petlake adds what it asks of every model: complete cases, scales that are stated, events
enough, and p-values of a test that keeps its level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import Covariate, Design, design_of
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import CONFIDENCE, Suppressed, counted, f_p, small_arm
from petct.survival.cox.fit import FEWEST_EVENTS_PER_PARAMETER
from petct.survival.cox.result import CovariateTest
from petct.survival.cox.wording import WARNED_EVENTS_PER_PARAMETER
from petct.survival.with_lifelines.aft_result import (
    DISTRIBUTIONS,
    TITLES,
    AftModel,
    AftResult,
    AftTerm,
    Distribution,
    HazardCheck,
)
from petct.survival.with_lifelines.library import Stopped, attempt, lifelines, version

# Fitter of each distribution, and its names of the parameter that covariates act on and of the other one.
_FITTERS = {
    "weibull": ("WeibullAFTFitter", "lambda_", "rho_"),
    "log_normal": ("LogNormalAFTFitter", "mu_", "sigma_"),
    "log_logistic": ("LogLogisticAFTFitter", "alpha_", "beta_"),
}
# A log time ratio per standard deviation that is known no better than this runs towards infinity.
_LARGEST_ERROR = 5.0


def accelerated_failure_time(
    outcome: Outcome,
    covariates: Sequence[Covariate],
    *,
    distributions: Sequence[Distribution] = DISTRIBUTIONS,
) -> AftResult:
    """Fit the models of some distributions to the patients who have all covariates.

    The p-value of a covariate is that of the likelihood ratio test, referred to the F distribution with the events less
    the parameters in the denominator; Wald's p is not shown.

    Parameters
    ----------
    outcome
        The cohort; its entry times, where it has some, are the left truncation.
    covariates
        Numbers and categories, one value per patient.

    Raises
    ------
    SurvivalError
        AFT_DISTRIBUTION_UNKNOWN, AFT_TIME_NOT_POSITIVE, AFT_TOO_FEW_EVENTS (the rule of ``cox``), AFT_NOT_CONVERGED,
        and the codes of ``design_of``.
    """
    _refuse_unknown(distributions)
    design = design_of(covariates, outcome.n)
    cohort = outcome.subset(design.complete)
    _refuse_times(cohort)
    _refuse_few_events(cohort, design)
    models = [_model(name, cohort, design) for name in dict.fromkeys(distributions)]
    models.sort(key=lambda model: model.aic)
    models = [replace(model, aic_difference=model.aic - models[0].aic) for model in models]
    n_missing, n_parameters = outcome.n - cohort.n, len(design.columns)
    return AftResult(
        unit=cohort.unit,
        n=cohort.n,
        n_missing=n_missing,
        n_events=cohort.n_events,
        n_parameters=n_parameters,
        events_per_parameter=cohort.n_events / n_parameters,
        lifelines_version=version(),
        models=tuple(models),
        notes=_notes(cohort, design, n_missing, models),
    )


def _refuse_unknown(distributions: Sequence[str]) -> None:
    unknown = set(distributions) - set(DISTRIBUTIONS)
    if unknown or not distributions:
        raise SurvivalError(
            "AFT_DISTRIBUTION_UNKNOWN",
            "There is no such distribution of survival times",
            found=", ".join(sorted(unknown)) or "none",
            expected=", ".join(DISTRIBUTIONS),
        )


def _refuse_times(cohort: Outcome) -> None:
    n_zero = int(np.count_nonzero(cohort.duration <= 0))
    if n_zero:
        raise SurvivalError(
            "AFT_TIME_NOT_POSITIVE",
            "A survival time of 0 has no logarithm, and these models are of log time",
            found=counted(n_zero, "patient") + " with a time of 0",
            expected="times above 0",
            hint="Leave those patients out and say so, or use petlake cox.",
        )


def _refuse_few_events(cohort: Outcome, design: Design) -> None:
    n_parameters = len(design.columns)
    if cohort.n_events < FEWEST_EVENTS_PER_PARAMETER * n_parameters:
        raise SurvivalError(
            "AFT_TOO_FEW_EVENTS",
            "The model has more parameters than the events can carry",
            found=f"{counted(cohort.n_events, 'event')} for {counted(n_parameters, 'parameter')}",
            expected=f"at least {FEWEST_EVENTS_PER_PARAMETER} events per parameter",
            hint="Use fewer covariates.",
        )


def _frame(cohort: Outcome, design: Design) -> pd.DataFrame:
    """The patients as lifelines takes them; columns of the design are called x0, x1, ..."""
    columns = {f"x{i}": column.values for i, column in enumerate(design.columns)}
    entry = {} if cohort.entry is None else {"entry": cohort.entry}
    return pd.DataFrame({**columns, "duration": cohort.duration, "event": cohort.event, **entry})


def _fit(name: Distribution, frame: pd.DataFrame) -> Any:
    fitter = getattr(lifelines(), _FITTERS[name][0])(alpha=1 - CONFIDENCE)
    try:
        fit = attempt(fitter.fit, frame, "duration", "event", entry_col="entry" if "entry" in frame else None)
    except Stopped as stop:
        raise _not_converged(name, str(stop)) from None
    if not np.isfinite(fit.standard_errors_).all():
        raise _not_converged(name, "a standard error is not finite")
    return fit


def _not_converged(name: Distribution, found: str) -> SurvivalError:
    return SurvivalError(
        "AFT_NOT_CONVERGED",
        f"The {TITLES[name]} model has no solution that lifelines could find",
        keyword=name,
        found=found,
        hint="A covariate may separate those with and without events: leave it out, or name other distributions.",
    )


def _model(name: Distribution, cohort: Outcome, design: Design) -> AftModel:
    frame = _frame(cohort, design)
    fit = _fit(name, frame)
    _, acted_on, other = _FITTERS[name]
    terms = _terms(fit, acted_on, design)
    errors = [
        term.standard_error * float(column.values.std()) for term, column in zip(terms, design.columns, strict=True)
    ]
    if max(errors) > _LARGEST_ERROR:
        worst = design.columns[int(np.argmax(errors))].name
        raise _not_converged(name, f"a standard error of {max(errors):.3g} of the log time ratio of {worst} per SD")
    log_shape = float(fit.params_[other, "Intercept"])
    return AftModel(
        distribution=name,
        terms=terms,
        tests=_tests(name, fit, frame, cohort, design),
        intercept=float(fit.params_[acted_on, "Intercept"]),
        # Weibull and log-logistic models have a shape, the reciprocal of the scale of log time.
        scale=float(np.exp(log_shape if name == "log_normal" else -log_shape)),
        log_likelihood=float(fit.log_likelihood_),
        aic=float(fit.AIC_),
        aic_difference=0.0,
        concordance=float(attempt(getattr, fit, "concordance_index_")),
        check=_hazard_check(fit, frame),
    )


def _terms(fit: Any, parameter: str, design: Design) -> tuple[AftTerm, ...]:
    terms = []
    for i, column in enumerate(design.columns):
        place = (parameter, f"x{i}")
        beta, error = float(fit.params_[place]), float(fit.standard_errors_[place])
        with np.errstate(over="ignore"):  # such a model is refused
            ratio, lower, upper = (float(value) for value in np.exp([beta, *fit.confidence_intervals_.loc[place]]))
        terms.append(
            AftTerm(
                covariate=column.covariate,
                level=column.level,
                reference=column.reference,
                scale=column.scale,
                coefficient=beta,
                standard_error=error,
                lower=lower,
                upper=upper,
                time_ratio=ratio,
            )
        )
    return tuple(terms)


def _tests(
    name: Distribution, fit: Any, frame: pd.DataFrame, cohort: Outcome, design: Design
) -> tuple[CovariateTest, ...]:
    n_columns = len(design.columns)
    arms = [column.smallest_arm for column in design.columns]
    withheld = next((reason for arm in arms if arm and (reason := small_arm(*arm))), None)

    def test(label: str, question: str, columns: Sequence[int], suppressed: Suppressed | None) -> CovariateTest:
        without = _fit(name, frame.drop(columns=[f"x{i}" for i in columns]))
        statistic = max(2 * float(fit.log_likelihood_ - without.log_likelihood_), 0.0)
        p = f_p(statistic, len(columns), cohort.n_events - n_columns - 2)
        statistic_shown, p_shown = (None, None) if suppressed else (statistic, p)
        name_of_test = "likelihood ratio test"
        return CovariateTest(label, question, name_of_test, len(columns), statistic_shown, p_shown, suppressed)

    found = []
    for covariate, columns in design.covariates:
        own = next((reason for i in columns if (arm := arms[i]) and (reason := small_arm(*arm))), None)
        found.append(test(covariate, "association", columns, own))
    if len(found) > 1:
        found.append(test("all covariates", "all covariates", range(n_columns), withheld))
    return tuple(found)


def _hazard_check(fit: Any, frame: pd.DataFrame) -> HazardCheck:
    """Nelson-Aalen estimate of the Cox-Snell residuals.

    Covariates stretch time, so that each patient's time over the expected median is one of a single curve.
    """
    medians = attempt(fit.predict_median, frame).to_numpy()

    def residuals(times: pd.Series[float]) -> FloatArray:
        stretched = times.to_numpy() / medians * medians[0]
        return np.asarray(attempt(fit.predict_cumulative_hazard, frame.iloc[[0]], times=stretched))[:, 0]

    expected = residuals(frame.duration)
    entry = residuals(frame.entry) if "entry" in frame else None
    estimate = attempt(
        lifelines().NelsonAalenFitter(alpha=1 - CONFIDENCE, nelson_aalen_smoothing=False).fit,
        expected,
        frame.event,
        entry=entry,
    )
    at = np.unique(expected[frame.event == 1])
    place = estimate.timeline.searchsorted(at)
    band = estimate.confidence_interval_.to_numpy()[place]
    observed = estimate.cumulative_hazard_.to_numpy()[place, 0]
    return HazardCheck(*(tuple(map(float, column)) for column in (at, observed, band[:, 0], band[:, 1])))


def _notes(cohort: Outcome, design: Design, n_missing: int, models: Sequence[AftModel]) -> tuple[str, ...]:
    notes = [*cohort.notes, *design.notes]
    if n_missing:
        notes.append(f"{counted(n_missing, 'patient')} with a missing value left out: n = {cohort.n}.")
    per_parameter = cohort.n_events / len(design.columns)
    if per_parameter < WARNED_EVENTS_PER_PARAMETER:
        notes.append(
            f"{per_parameter:.1f} events per parameter, fewer than {WARNED_EVENTS_PER_PARAMETER}: the estimates are "
            "unstable."
        )
    first, *others = models
    if others:
        differences = ", ".join(f"{TITLES[model.distribution]} +{model.aic_difference:.1f}" for model in others)
        close = any(model.aic_difference < 2 for model in others)
        told = " A difference below 2 does not tell two distributions apart." if close else ""
        notes.append(f"Smallest AIC: {TITLES[first.distribution]} ({differences}).{told}")
    notes.append(
        "Each p-value holds only where its distribution does: look at the cumulative hazard. The AIC is not comparable "
        "with that of a Cox model."
    )
    return tuple(notes)
