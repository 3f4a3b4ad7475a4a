"""Predicted probabilities of patients left out, collected over the folds and judged at a horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.survival.accuracy.prediction_error import brier_at
from petct.survival.cohort.outcome import BoolArray, FloatArray, Outcome
from petct.survival.kaplan_meier.curves import product_limit
from petct.survival.likelihood.baseline import baseline_hazard


@dataclass(frozen=True)
class CrossValidatedAccuracy:
    """Prediction error in patients left out, mean over the repeats.

    Parameters
    ----------
    time, unit
        The horizon.
    brier, brier_null
        Of the model and of the Kaplan-Meier estimate, both learnt from the training parts.
    ipa
        1 - brier / brier_null: at most 0 where the model predicts no better than that estimate; None where that is
        perfect.
    predicted, observed
        Mean predicted probability of the event, and the Kaplan-Meier estimate of all patients.
    n_repeats
        Repeats in which every patient had a prediction.
    """

    time: float
    unit: str
    brier: float
    brier_null: float
    ipa: float | None
    predicted: float
    observed: float
    n_repeats: int


class FoldPredictions:
    """Collects the predictions of one repeat after the other."""

    def __init__(self, outcome: Outcome, horizon: float) -> None:
        # Refuses a horizon without cases or controls before any fold is fitted.
        brier_at(outcome, np.zeros(outcome.n), horizon)
        self._outcome, self._horizon = outcome, horizon
        self._scores: list[tuple[float, float, float]] = []
        self.start_repeat()

    def start_repeat(self) -> None:
        """Forget the predictions of the repeat before."""
        self._model = np.full(self._outcome.n, np.nan)
        self._null = np.full(self._outcome.n, np.nan)

    def add(self, test: BoolArray, train_predictor: FloatArray, test_predictor: FloatArray) -> None:
        """Take the linear predictors of a fold's training and test patients."""
        train = self._outcome.subset(~test)
        baseline = baseline_hazard(train, train_predictor)
        self._model[test] = baseline.event_probability(test_predictor, np.array([self._horizon]))[:, 0]
        self._null[test] = _kaplan_meier(train, self._horizon)

    def end_repeat(self) -> None:
        """Judge a repeat in which every patient has a prediction."""
        if np.isnan(self._model).any():
            return
        self._scores.append(
            (
                brier_at(self._outcome, self._model, self._horizon),
                brier_at(self._outcome, self._null, self._horizon),
                float(self._model.mean()),
            )
        )

    def result(self) -> CrossValidatedAccuracy | None:
        """Mean over the repeats; None where none was complete."""
        if not self._scores:
            return None
        brier, null, predicted = (float(value) for value in np.mean(self._scores, axis=0))
        return CrossValidatedAccuracy(
            time=float(self._horizon),
            unit=self._outcome.unit,
            brier=brier,
            brier_null=null,
            ipa=None if null == 0 else 1 - brier / null,
            predicted=predicted,
            observed=_kaplan_meier(self._outcome, self._horizon),
            n_repeats=len(self._scores),
        )


def _kaplan_meier(outcome: Outcome, time: float) -> float:
    return product_limit(outcome.duration, outcome.event).event_probability(time)
