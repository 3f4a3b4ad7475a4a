"""Whether predicted probabilities come true: predicted against observed at a horizon, over all patients and by risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import BoolArray, FloatArray, Outcome
from petct.survival.cohort.results import NORMAL_QUANTILE, IntervalResult, counted
from petct.survival.kaplan_meier.curves import product_limit
from petct.survival.likelihood.partial_likelihood import RiskSets, maximise

GROUPS = 5
"""Of equal size by predicted risk."""

FEWEST_IN_GROUP = 10


@dataclass(frozen=True)
class CalibrationGroup:
    """Patients of similar predicted risk.

    Parameters
    ----------
    n, n_events
        Patients, and events by the horizon.
    predicted
        Mean predicted probability of the event by the horizon.
    observed, lower, upper
        1 - Kaplan-Meier at the horizon with log-log limits; limits None where the estimate is 0 or 1; all None
        where nobody of the group was observed so long.
    """

    n: int
    n_events: int
    predicted: float
    observed: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class Calibration(IntervalResult):
    """Calibration of predictions in patients who were not in the fit.

    Parameters
    ----------
    time
        The horizon.
    predicted, observed, lower, upper
        Mean predicted probability and Kaplan-Meier estimate over all patients.
    observed_to_expected
        Their ratio: above 1 too few events were predicted.
    slope, slope_lower, slope_upper
        Coefficient of log(-log(1 - p)) in a Cox model of these patients: 1 is right, below 1 the predictions are
        too extreme (overfitted), 0 useless. None where all predictions are equal or the coefficient runs away.
    groups
        From the lowest to the highest predicted risk.
    """

    time: float
    predicted: float
    observed: float
    lower: float | None
    upper: float | None
    observed_to_expected: float
    slope: float | None
    slope_lower: float | None
    slope_upper: float | None
    groups: tuple[CalibrationGroup, ...]


def calibration(outcome: Outcome, probability: FloatArray, time: float) -> Calibration:
    """Compare predicted with observed probabilities.

    Parameters
    ----------
    probability
        Predicted probability of the event by ``time``, shape (n,), above 0; 1 only where it is certain to rounding.
    time
        The horizon, in the unit of the outcome.

    Raises
    ------
    SurvivalError
        PROBABILITY_INVALID, HORIZON_BEYOND_FOLLOW_UP.
    """
    if len(probability) != outcome.n or not np.all((probability > 0) & (probability <= 1)):
        raise SurvivalError(
            "PROBABILITY_INVALID",
            "Calibration needs a predicted probability for each patient",
            found=f"{len(probability)} values",
            expected=f"{outcome.n} numbers above 0 and at most 1",
        )
    if time > outcome.duration.max():
        raise SurvivalError(
            "HORIZON_BEYOND_FOLLOW_UP",
            "Nobody was observed until this time",
            keyword="horizon",
            found=f"{time:g} {outcome.unit}s",
            expected=f"at most {outcome.duration.max():g}",
        )
    everyone = _group(outcome, probability, np.ones(outcome.n, dtype=np.bool_), time)
    # A probability that rounding made 1 has no log(-log(1 - p)); the largest number below 1 has.
    hazard = -np.log1p(-np.minimum(probability, np.nextafter(1.0, 0.0)))
    slope = calibration_slope(outcome, np.log(hazard))
    groups = tuple(_group(outcome, probability, inside, time) for inside in _by_risk(probability))
    observed = everyone.observed if everyone.observed is not None else float("nan")
    notes = list(outcome.notes)
    unseen = sum(group.observed is None for group in groups)
    if unseen:
        notes.append(f"{counted(unseen, 'group')} without anyone observed until {time:g} {outcome.unit}s.")
    if slope is None:
        notes.append("No calibration slope: the predictions are all equal, or order the patients without error.")
    return Calibration(
        time=float(time),
        unit=outcome.unit,
        n=outcome.n,
        n_events=outcome.n_events,
        predicted=everyone.predicted,
        observed=observed,
        lower=everyone.lower,
        upper=everyone.upper,
        observed_to_expected=observed / everyone.predicted,
        slope=None if slope is None else slope.value,
        slope_lower=None if slope is None else slope.lower,
        slope_upper=None if slope is None else slope.upper,
        groups=groups,
        notes=tuple(notes),
    )


def _group(outcome: Outcome, probability: FloatArray, inside: BoolArray, time: float) -> CalibrationGroup:
    duration, event = outcome.duration[inside], outcome.event[inside]
    entry = None if outcome.entry is None else outcome.entry[inside]
    curve = product_limit(duration, event, entry)
    lower_band, upper_band = curve.band()
    at = curve.index_at(time)
    observed: float | None = curve.event_probability(time)
    # Beyond the last patient the estimate ends, unless everyone has died.
    if time > duration.max() and observed is not None and observed < 1:
        observed = None
    limits: tuple[float | None, float | None] = (None, None)
    if observed is not None and 0 < observed < 1:
        limits = (float(1 - upper_band[at]), float(1 - lower_band[at]))
    return CalibrationGroup(
        n=int(inside.sum()),
        n_events=int(event[duration <= time].sum()),
        predicted=float(probability[inside].mean()),
        observed=observed,
        lower=limits[0],
        upper=limits[1],
    )


def risk_cuts(probability: FloatArray) -> FloatArray:
    """Cuts of predicted probabilities into groups of equal size, ascending; a value equal to a cut belongs below.

    Fewer groups where one would have less than 10 patients, or where predictions are equal: no group stays empty.
    """
    n_groups = max(1, min(GROUPS, len(probability) // FEWEST_IN_GROUP))
    cuts = np.quantile(probability, np.arange(1, n_groups) / n_groups)
    occupied = np.unique(np.searchsorted(cuts, probability, side="left"))
    return np.asarray(cuts[occupied[:-1]], dtype=np.float64)


def _by_risk(probability: FloatArray) -> list[BoolArray]:
    cuts = risk_cuts(probability)
    code = np.searchsorted(cuts, probability, side="left")
    return [code == group for group in range(len(cuts) + 1)]


@dataclass(frozen=True)
class Slope:
    """Coefficient of a predictor in a Cox model of new patients, with Wald limits."""

    value: float
    lower: float
    upper: float


def calibration_slope(outcome: Outcome, predictor: FloatArray) -> Slope | None:
    """How much of a predicted log hazard is real: 1 all of it, below 1 the model is overfitted, 0 nothing.

    Parameters
    ----------
    outcome
        Patients who were not in the fit.
    predictor
        Their predicted log hazards, shape (n,).

    Returns
    -------
    Slope or None
        None where the predictions are all equal, or order the patients without error (the slope is then infinite).
    """
    sd = predictor.std()
    if sd <= 1e-12 * max(1.0, float(np.abs(predictor).max())):
        return None
    standardised = ((predictor - predictor.mean()) / sd)[:, None]
    try:
        fit = maximise(RiskSets.of(outcome.duration, outcome.event, standardised, entry=outcome.entry), ("prediction",))
    except SurvivalError:
        return None
    slope, reach = fit.coefficients[0] / sd, NORMAL_QUANTILE * np.sqrt(fit.covariance[0, 0]) / sd
    return Slope(float(slope), float(slope - reach), float(slope + reach))
