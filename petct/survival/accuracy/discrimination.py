"""How well a risk score orders new patients, with bootstrap limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from petct.errors import PetctError, SurvivalError
from petct.survival.accuracy.concordance import check_risk, concordance, uno_concordance
from petct.survival.accuracy.prediction_error import HorizonScore, auc_at, brier_at, horizon_score
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome
from petct.survival.cohort.results import CONFIDENCE, TAILS, AnalysisResult, counted

T = TypeVar("T")

FEWEST_RESAMPLES = 200
N_RESAMPLES = 500
MOST_REFUSED = 0.1
"""Share of the resamples that may have no value (no event before the horizon, for example)."""


@dataclass(frozen=True)
class Estimate:
    """A number with percentile bootstrap limits, from ``n_resamples`` resamples that had a value."""

    value: float
    lower: float
    upper: float
    n_resamples: int
    confidence: float = CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class Discrimination(AnalysisResult):
    """Order and accuracy of predictions in patients who were not in the fit.

    Parameters
    ----------
    harrell, uno
        Concordance: 0.5 is a coin, 1 perfect order.
    at_horizon
        AUC(t), Brier score and index of prediction accuracy; None without a horizon.
    auc, brier
        The same with limits; None without a horizon.
    seed
        Of the resamples.
    """

    harrell: Estimate
    uno: Estimate
    at_horizon: HorizonScore | None
    auc: Estimate | None
    brier: Estimate | None
    seed: int


def discrimination(
    outcome: Outcome,
    risk: FloatArray,
    *,
    horizon: float | None = None,
    probability: FloatArray | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Discrimination:
    """Measure a risk score that was fitted on other patients.

    Parameters
    ----------
    risk
        Higher means earlier events, shape (n,).
    horizon
        Time for AUC(t) and Brier score, in the unit of the outcome.
    probability
        Predicted probability of the event by the horizon, shape (n,); needed with a horizon.
    n_resamples, seed
        Of the bootstrap over patients, at least 200.

    Raises
    ------
    SurvivalError
        BOOTSTRAP_INVALID, BOOTSTRAP_REFUSED, HORIZON_WITHOUT_PROBABILITY, and the codes of ``concordance``,
        ``auc_at`` and ``brier_at``.
    """
    if (horizon is None) != (probability is None):
        raise SurvivalError(
            "HORIZON_WITHOUT_PROBABILITY", "A horizon and the predicted probabilities at it go together"
        )
    check_risk(outcome, risk)
    measures: dict[str, Callable[[IntArray], float]] = {
        "harrell": lambda rows: concordance(outcome.subset(rows), risk[rows]).value,
        "uno": lambda rows: uno_concordance(outcome.subset(rows), risk[rows]),
    }
    at_horizon = None
    if horizon is not None and probability is not None:
        at_horizon = horizon_score(outcome, risk, probability, horizon)
        measures["auc"] = lambda rows: auc_at(outcome.subset(rows), risk[rows], horizon)
        measures["brier"] = lambda rows: brier_at(outcome.subset(rows), probability[rows], horizon)
    estimates = {name: _estimate(measure, outcome.n, n_resamples, seed) for name, measure in measures.items()}
    fewest = min(estimate.n_resamples for estimate in estimates.values())
    notes = list(outcome.notes)
    if fewest < n_resamples:
        notes.append(f"{counted(n_resamples - fewest, 'resample')} without a value left out.")
    if estimates["harrell"].lower <= 0.5:
        notes.append(
            f"No evidence that the risk score orders these patients (C {estimates['harrell'].value:.3f}, "
            f"{estimates['harrell'].lower:.3f} to {estimates['harrell'].upper:.3f})."
        )
    if at_horizon is not None and at_horizon.ipa is not None and at_horizon.ipa <= 0:
        notes.append("The predicted probabilities are no better than the Kaplan-Meier estimate of these patients.")
    return Discrimination(
        unit=outcome.unit,
        n=outcome.n,
        n_events=outcome.n_events,
        harrell=estimates["harrell"],
        uno=estimates["uno"],
        at_horizon=at_horizon,
        auc=estimates.get("auc"),
        brier=estimates.get("brier"),
        seed=seed,
        notes=tuple(notes),
    )


def bootstrap(measure: Callable[[IntArray], T], n: int, n_resamples: int, seed: int) -> tuple[list[T], str | None]:
    """What ``measure`` finds in patients drawn with replacement, and the code of its last refusal, if any.

    Raises
    ------
    SurvivalError
        BOOTSTRAP_INVALID below 200 resamples; BOOTSTRAP_REFUSED when more than a tenth of them are refused.
    """
    if n_resamples < FEWEST_RESAMPLES:
        raise SurvivalError(
            "BOOTSTRAP_INVALID",
            "Limits of a bootstrap need more resamples",
            found=str(n_resamples),
            expected=f"at least {FEWEST_RESAMPLES}",
        )
    found, code = [], None
    for drawn in np.random.default_rng(seed).integers(0, n, size=(n_resamples, n)):
        try:
            found.append(measure(drawn))
        except PetctError as error:
            code = error.code
    if n_resamples - len(found) > MOST_REFUSED * n_resamples:
        raise SurvivalError(
            "BOOTSTRAP_REFUSED",
            "Too many resamples have no value",
            found=f"{n_resamples - len(found)} of {n_resamples}, mostly {code}",
            expected=f"at most {100 * MOST_REFUSED:g} %",
            hint="There are too few events, or the model is too large for them.",
        )
    return found, code


def _estimate(measure: Callable[[IntArray], float], n: int, n_resamples: int, seed: int) -> Estimate:
    value = measure(np.arange(n))
    found, _ = bootstrap(measure, n, n_resamples, seed)
    lower, upper = np.quantile(found, TAILS)
    return Estimate(value, float(lower), float(upper), len(found))
