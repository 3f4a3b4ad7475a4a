"""Whether the probabilities that a Cox model predicts come true, corrected for judging it in its own patients.

The bootstrap of Harrell (Regression Modeling Strategies, 2nd ed. 2015, section 5.3, as ``calibrate`` and ``validate``
of his R package rms): the model is fitted again to resamples of the patients, and what it gains in its own resample
over the patients themselves is taken from what is seen in them. The form of the covariates (knots, categories,
logarithms) stays that of all patients; nothing is selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.accuracy.calibration import (
    Calibration,
    CalibrationGroup,
    calibration,
    calibration_slope,
    risk_cuts,
)
from petct.survival.accuracy.concordance import concordance
from petct.survival.accuracy.discrimination import FEWEST_RESAMPLES, MOST_REFUSED, bootstrap
from petct.survival.cohort.covariates import Covariate
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome
from petct.survival.cohort.results import TAILS, IntervalResult, counted
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.kaplan_meier.curves import product_limit
from petct.survival.likelihood.baseline import baseline_hazard
from petct.survival.likelihood.partial_likelihood import RiskSets, maximise
from petct.survival.likelihood.penalised import Firth, Penalty, Ridge, maximise_firth, ridge_of

DEFAULT_SEED = 0


@dataclass(frozen=True)
class Corrected:
    """A number as it is in the patients of the fit, how much of it is flattery, and the difference."""

    apparent: float
    optimism: float
    value: float


@dataclass(frozen=True)
class CorrectedGroup(CalibrationGroup):
    """Patients of similar predicted risk, with the observed share corrected.

    Parameters
    ----------
    corrected
        What would be observed in new patients with these predictions, 0 to 1; None where the group had no estimate in
        more than a tenth of the resamples.
    """

    corrected: float | None


@dataclass(frozen=True, kw_only=True)
class CoxValidation(IntervalResult):
    """A model in the patients of its fit, corrected for optimism.

    Parameters
    ----------
    time
        The horizon.
    predicted, observed
        Mean predicted probability of the event by the horizon, and the Kaplan-Meier estimate.
    groups
        From the lowest to the highest predicted risk.
    concordance
        Harrell's C.
    lower, upper
        Limits of the corrected concordance: the spread of the apparent one over the resamples, around it.
    slope
        Calibration slope: 1 in the patients of the fit (of a model without a penalty); below 1, the log hazard ratios
        are too large for new ones by this factor.
    n_resamples, n_refused, seed
        Resamples, and those to which the model could not be fitted (left out).
    """

    time: float
    predicted: float
    observed: float
    groups: tuple[CorrectedGroup, ...]
    concordance: Corrected
    lower: float
    upper: float
    slope: Corrected | None
    n_resamples: int
    n_refused: int
    seed: int


def validate_cox(
    outcome: Outcome,
    covariates: Sequence[Covariate],
    time: float,
    *,
    penalty: Penalty | None = None,
    n_resamples: int = FEWEST_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> CoxValidation:
    """Judge a model at a horizon and correct the judgement.

    Parameters
    ----------
    outcome, covariates, penalty
        The model, as for ``cox``.
    time
        The horizon, in the unit of the outcome.
    n_resamples, seed
        Of the bootstrap, at least 200.

    Raises
    ------
    SurvivalError
        LEFT_TRUNCATION_UNSUPPORTED, BOOTSTRAP_INVALID, BOOTSTRAP_REFUSED, HORIZON_BEYOND_FOLLOW_UP, and the codes of
        ``fit_cox``.
    """
    outcome.refuse_entries("Validation by the bootstrap")
    fit = fit_cox(outcome, covariates, penalty=penalty)
    model = _Model(fit.cohort, fit.design.matrix, fit.names, penalty, float(time))
    predictor = model.predictor(fit.coefficients)
    probability = model.probability(fit.cohort, predictor, predictor)
    apparent = calibration(fit.cohort, probability, time)
    concordant = concordance(fit.cohort, predictor).value
    found, code = bootstrap(model.resampled, fit.cohort.n, n_resamples, seed)
    flattering = np.array([each.flattering for each in found])
    optimism = float(np.mean(flattering - [each.honest for each in found]))
    corrected = Corrected(concordant, optimism, concordant - optimism)
    lower, upper = corrected.value + np.quantile(flattering - flattering.mean(), TAILS)
    n_refused = n_resamples - len(found)
    slope = _corrected_slope(apparent.slope, [each.slope for each in found])
    return CoxValidation(
        time=float(time),
        unit=fit.cohort.unit,
        n=fit.cohort.n,
        n_events=fit.cohort.n_events,
        predicted=apparent.predicted,
        observed=apparent.observed,
        groups=_corrected_groups(apparent, [each.misfit for each in found]),
        concordance=corrected,
        lower=float(max(lower, 0.0)),
        upper=float(min(upper, 1.0)),
        slope=slope,
        n_resamples=n_resamples,
        n_refused=n_refused,
        seed=seed,
        notes=_notes(fit, outcome.n, apparent, corrected.value, float(lower), (n_refused, n_resamples, code), slope),
    )


@dataclass(frozen=True)
class _Resampled:
    """What one resample shows: C in it and of its model in all patients, its slope there, and the misfit it hides.

    ``misfit`` is, for each group by risk, observed minus predicted in the resample less the same in all patients; NaN
    where one of them has no estimate, and empty where equal predictions make other groups.
    """

    flattering: float
    honest: float
    slope: float | None
    misfit: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class _Model:
    """The cohort and its design, ready to be fitted to resamples."""

    cohort: Outcome
    design: FloatArray
    names: tuple[str, ...]
    penalty: Penalty | None
    time: float

    def predictor(self, coefficients: FloatArray) -> FloatArray:
        """Log hazard of all patients against the mean one, shape (n,); equal patients have exactly equal ones."""
        return np.asarray(((self.design - self.design.mean(axis=0)) * coefficients).sum(axis=1), dtype=np.float64)

    def probability(self, train: Outcome, train_predictor: FloatArray, predictor: FloatArray) -> FloatArray:
        """Probability of the event by the horizon by the baseline hazard of ``train``, shape (n,)."""
        baseline = baseline_hazard(train, train_predictor)
        found = baseline.event_probability(predictor, np.array([self.time]))[:, 0]
        return np.asarray(np.maximum(found, np.finfo(np.float64).tiny), dtype=np.float64)

    def resampled(self, drawn: IntArray) -> _Resampled:
        """Fit to the patients ``drawn`` and judge there and in all; raises what a fit does."""
        train = Outcome(self.cohort.duration[drawn], self.cohort.event[drawn], self.cohort.unit)
        predictor = self.predictor(self._coefficients(train, drawn))
        probability = self.probability(train, predictor[drawn], predictor)
        slope = calibration_slope(self.cohort, predictor)
        inside = self._misfit(train, probability[drawn])
        outside = self._misfit(self.cohort, probability)
        return _Resampled(
            flattering=concordance(train, predictor[drawn]).value,
            honest=concordance(self.cohort, predictor).value,
            slope=None if slope is None else slope.value,
            misfit=tuple(np.subtract(inside, outside).tolist()) if len(inside) == len(outside) else (),
        )

    def _coefficients(self, train: Outcome, drawn: IntArray) -> FloatArray:
        rows = self.design[drawn]
        sd = rows.std(axis=0)
        if not (sd > 0).all():
            name = self.names[int(np.argmin(sd))]
            raise SurvivalError("COVARIATE_CONSTANT", f"{name} is the same in all patients drawn", keyword=name)
        sets = RiskSets.of(train.duration, train.event, (rows - rows.mean(axis=0)) / sd)
        if isinstance(self.penalty, Firth):
            maximum = maximise_firth(sets)
        else:
            ridge = ridge_of(sets, self.penalty.strength) if isinstance(self.penalty, Ridge) else 0.0
            maximum = maximise(sets, self.names, ridge=ridge)
        return np.asarray(maximum.coefficients / sd, dtype=np.float64)

    def _misfit(self, cohort: Outcome, probability: FloatArray) -> list[float]:
        """Observed minus predicted share with the event by the horizon, by groups of equal size of predicted risk."""
        cuts = risk_cuts(probability)
        group = np.searchsorted(cuts, probability, side="left")
        found = []
        for k in range(len(cuts) + 1):
            inside = group == k
            observed = _observed(cohort.duration[inside], cohort.event[inside], self.time)
            found.append(observed - float(probability[inside].mean()))
        return found


def _observed(duration: FloatArray, event: IntArray, time: float) -> float:
    """1 - S(t) of Kaplan and Meier; NaN where nobody was followed so long and some were free of the event."""
    curve = product_limit(duration, event)
    observed = curve.event_probability(time)
    return np.nan if time > curve.times[-1] and observed < 1 else observed


def _corrected_groups(apparent: Calibration, misfits: Sequence[tuple[float, ...]]) -> tuple[CorrectedGroup, ...]:
    """Groups with their observed share less the mean misfit that a fit hides."""
    alike = [misfit for misfit in misfits if len(misfit) == len(apparent.groups)]
    hidden = np.array(alike, dtype=np.float64).reshape(len(alike), len(apparent.groups))
    found = []
    for group, own in zip(apparent.groups, hidden.T, strict=True):
        seen = own[~np.isnan(own)]
        corrected = None
        if group.observed is not None and len(seen) >= (1 - MOST_REFUSED) * len(misfits):
            corrected = float(np.clip(group.observed - seen.mean(), 0.0, 1.0))
        found.append(CorrectedGroup(**vars(group), corrected=corrected))
    return tuple(found)


def _corrected_slope(apparent: float | None, slopes: Sequence[float | None]) -> Corrected | None:
    known = [slope for slope in slopes if slope is not None]
    if apparent is None or len(known) < (1 - MOST_REFUSED) * len(slopes):
        return None
    # In its own resample an unpenalised model has the slope 1, so that the mean slope in all patients is the corrected
    # one; of a penalised model it is what is left of its own.
    value = float(np.mean(known))
    return Corrected(apparent, apparent - value, value)


def _notes(
    fit: CoxFit,
    n_offered: int,
    apparent: Calibration,
    corrected: float,
    lower: float,
    refused: tuple[int, int, str | None],
    slope: Corrected | None,
) -> tuple[str, ...]:
    notes = list(fit.cohort.notes)
    if n_offered > fit.cohort.n:
        notes.append(f"{counted(n_offered - fit.cohort.n, 'patient')} without all covariates left out.")
    notes += [note for note in apparent.notes if note not in notes]
    n_refused, n_resamples, code = refused
    if n_refused:
        notes.append(f"{counted(n_refused, 'resample')} of {n_resamples} refused (last: {code}) and left out.")
    notes.append(
        "The correction knows these covariates and not how they were chosen: if they were chosen by their p-values, "
        "the model is still flattered (petlake validate repeats the choice)."
    )
    if slope is not None and slope.value > 1:
        notes.append(
            "The corrected slope lies above 1 because some resamples show almost no effect: it does not say that the "
            "model is too cautious."
        )
    if lower <= 0.5:
        notes.append(f"No evidence that the model discriminates in new patients (corrected C {corrected:.3f}).")
    return tuple(notes)
