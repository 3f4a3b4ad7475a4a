"""How good predicted probabilities are at a time: AUC(t), Brier score, index of prediction accuracy.

Cases are the patients with the event by t, controls those known to be without it beyond t. Patients censored before t
are neither; the others stand for them, each case with weight 1/G(T-), each control with 1/G(t), G being the
Kaplan-Meier estimate of censoring (Graf E et al., Stat Med 1999;18:2529; Blanche P et al., Stat Med 2013;32:5381).
The same numbers as R's ``riskRegression::Score(cens.model = "km")``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.accuracy.censoring import censoring_distribution
from petct.survival.accuracy.concordance import check_risk
from petct.survival.cohort.outcome import BoolArray, FloatArray, Outcome
from petct.survival.kaplan_meier.curves import product_limit

# Times evaluated at once for the integral: bounds the memory at n x this.
_CHUNK = 64

EventProbability = Callable[[FloatArray], FloatArray]
"""Times of shape (t,) to the probability of the event by each of them, shape (n, t)."""


@dataclass(frozen=True)
class HorizonScore:
    """Discrimination and prediction error at one time.

    Parameters
    ----------
    time, unit
        The horizon.
    n, n_cases, n_controls, n_censored
        Patients; with the event by then, without it beyond, and censored before.
    auc
        Probability that a case has the higher risk than a control.
    brier
        Mean squared difference of predicted probability and event: 0 is perfect, 0.25 what a constant 1/2 gets.
    brier_null
        The same for a prediction that gives everyone the Kaplan-Meier estimate of these patients.
    ipa
        Index of prediction accuracy 1 - brier / brier_null (Kattan MW, Gerds TA 2018); at most 0 for a useless model.
        None where the null prediction is perfect.
    """

    time: float
    unit: str
    n: int
    n_cases: int
    n_controls: int
    n_censored: int
    auc: float
    brier: float
    brier_null: float
    ipa: float | None


@dataclass(frozen=True)
class IntegratedBrier:
    """Mean of the Brier score from 0 to ``until``, of the model and of the Kaplan-Meier estimate, and its IPA."""

    until: float
    unit: str
    brier: float
    brier_null: float
    ipa: float | None


def auc_at(outcome: Outcome, risk: FloatArray, time: float) -> float:
    """Cumulative/dynamic AUC of a risk score.

    Parameters
    ----------
    risk
        Higher means earlier events, shape (n,).
    time
        The horizon, in the unit of the outcome.

    Raises
    ------
    SurvivalError
        RISK_INVALID, HORIZON_NO_CASES, HORIZON_NO_CONTROLS.
    """
    check_risk(outcome, risk)
    case, control = _cases_and_controls(outcome, time)
    weight = 1.0 / censoring_distribution(outcome).before(outcome.duration[case])
    controls = np.sort(risk[control])
    lower = np.searchsorted(controls, risk[case], side="left")
    not_higher = np.searchsorted(controls, risk[case], side="right")
    return float(weight @ (lower + not_higher) / (2 * weight.sum() * len(controls)))


def brier_at(outcome: Outcome, probability: FloatArray, time: float) -> float:
    """Brier score of predicted probabilities of the event by ``time``, shape (n,).

    Raises
    ------
    SurvivalError
        PROBABILITY_INVALID, HORIZON_NO_CASES, HORIZON_NO_CONTROLS.
    """
    _cases_and_controls(outcome, time)
    return float(_brier(outcome, _probabilities(outcome, probability[:, None]), np.array([time]))[0])


def horizon_score(outcome: Outcome, risk: FloatArray, probability: FloatArray, time: float) -> HorizonScore:
    """AUC(t), Brier(t) and IPA of one model at one time.

    Parameters
    ----------
    risk
        Risk score, shape (n,).
    probability
        Predicted probability of the event by ``time``, shape (n,).
    time
        The horizon, in the unit of the outcome.

    Raises
    ------
    SurvivalError
        As ``auc_at`` and ``brier_at``.
    """
    case, control = _cases_and_controls(outcome, time)
    brier = brier_at(outcome, probability, time)
    null = float(_brier(outcome, _kaplan_meier(outcome)(np.array([time])), np.array([time]))[0])
    n_cases, n_controls = int(case.sum()), int(control.sum())
    return HorizonScore(
        time=float(time),
        unit=outcome.unit,
        n=outcome.n,
        n_cases=n_cases,
        n_controls=n_controls,
        n_censored=outcome.n - n_cases - n_controls,
        auc=auc_at(outcome, risk, time),
        brier=brier,
        brier_null=null,
        ipa=_ipa(brier, null),
    )


def integrated_brier(outcome: Outcome, probability: EventProbability, until: float) -> IntegratedBrier:
    """Brier score integrated from 0 to ``until`` and divided by it.

    Predictions and weights change only at the times of the cohort, so the integral is a sum, not an approximation.

    Parameters
    ----------
    probability
        The model's prediction; constant between distinct times of the cohort of its fit.
    until
        End of the interval, in the unit of the outcome.

    Raises
    ------
    SurvivalError
        PROBABILITY_INVALID, HORIZON_NO_CASES, HORIZON_NO_CONTROLS.
    """
    _cases_and_controls(outcome, until)
    times = np.unique(outcome.duration[outcome.duration < until])
    edges = np.concatenate(([0.0], times[times > 0]))
    length = np.diff(np.append(edges, until))
    total = _integral(outcome, probability, edges, length) / until
    null = _integral(outcome, _kaplan_meier(outcome), edges, length) / until
    return IntegratedBrier(float(until), outcome.unit, total, null, _ipa(total, null))


def _integral(outcome: Outcome, probability: EventProbability, edges: FloatArray, length: FloatArray) -> float:
    total = 0.0
    for first in range(0, len(edges), _CHUNK):
        times = edges[first : first + _CHUNK]
        total += float(
            _brier(outcome, _probabilities(outcome, probability(times)), times) @ length[first : first + _CHUNK]
        )
    return total


def _brier(outcome: Outcome, probability: FloatArray, times: FloatArray) -> FloatArray:
    """Brier score at each time: probabilities (n, t) to (t,)."""
    censoring = censoring_distribution(outcome)
    case = (outcome.duration[:, None] <= times) & (outcome.event == 1)[:, None]
    control = outcome.duration[:, None] > times
    # Nobody beyond a time at which G is 0, and no case after it: the weight is never used where it has no value.
    case_weight = 1.0 / np.maximum(censoring.before(outcome.duration), np.finfo(float).tiny)
    control_weight = 1.0 / np.maximum(censoring.after(times), np.finfo(float).tiny)
    squares = np.where(case, (1 - probability) ** 2 * case_weight[:, None], 0.0)
    squares += np.where(control, probability**2 * control_weight, 0.0)
    return np.asarray(squares.mean(axis=0), dtype=np.float64)


def _kaplan_meier(outcome: Outcome) -> EventProbability:
    estimate = product_limit(outcome.duration, outcome.event)
    steps = np.concatenate(([1.0], estimate.survival))

    def probability(times: FloatArray) -> FloatArray:
        at = 1.0 - steps[np.searchsorted(estimate.times, times, side="right")]
        return np.broadcast_to(at, (outcome.n, len(times)))

    return probability


def _ipa(brier: float, null: float) -> float | None:
    return None if null == 0 else 1.0 - brier / null


def _probabilities(outcome: Outcome, probability: FloatArray) -> FloatArray:
    if (
        len(probability) != outcome.n
        or not np.isfinite(probability).all()
        or np.any((probability < 0) | (probability > 1))
    ):
        raise SurvivalError(
            "PROBABILITY_INVALID",
            "A prediction needs one probability for each patient",
            found=f"{len(probability)} values",
            expected=f"{outcome.n} numbers between 0 and 1",
        )
    return probability


def _cases_and_controls(outcome: Outcome, time: float) -> tuple[BoolArray, BoolArray]:
    case = (outcome.duration <= time) & (outcome.event == 1)
    control = outcome.duration > time
    first = outcome.duration[outcome.event == 1].min()
    for code, what, there in (
        ("HORIZON_NO_CASES", "No event was seen by this time", case),
        ("HORIZON_NO_CONTROLS", "Nobody is known to be without the event beyond this time", control),
    ):
        if not there.any():
            raise SurvivalError(
                code,
                what,
                keyword="horizon",
                found=f"{time:g} {outcome.unit}s; first event {first:g}, last time {outcome.duration.max():g}",
                hint="Choose a time with events before it and patients under observation beyond it.",
            )
    return case, control
