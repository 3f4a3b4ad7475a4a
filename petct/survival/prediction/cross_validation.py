"""Nested cross-validation: what a procedure is worth in patients it has not seen.

Preparation, selection and penalty are learnt anew in every training part; only pairs of patients within one test part
are compared, so that differences between the parts' models count for nothing. On noise the expected concordance is 0.5.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from petct.errors import PetctError, SurvivalError
from petct.survival.accuracy.concordance import concordance, no_comparable_pairs
from petct.survival.accuracy.pair_counts import pair_counts
from petct.survival.cohort.outcome import BoolArray, Outcome, event_stratified_folds
from petct.survival.cohort.results import CONFIDENCE, IntervalResult, counted
from petct.survival.features.feature_table import FeatureTable, check_rows
from petct.survival.features.harmonisation import refuse_confounded_batches
from petct.survival.prediction.fold_predictions import CrossValidatedAccuracy, FoldPredictions
from petct.survival.prediction.procedures import Procedure

MOST_REFUSED = 0.1
"""Share of the training parts that may be refused a fit before there is no answer."""


@dataclass(frozen=True)
class SelectionFrequency:
    """In which share of the training parts a feature got a coefficient other than 0."""

    name: str
    share: float


@dataclass(frozen=True, kw_only=True)
class CrossValidation(IntervalResult):
    """Result of a nested cross-validation.

    Parameters
    ----------
    n_features
        Candidate features.
    concordance, standard_error, lower, upper
        Harrell's C in the test parts, all pairs alike; 0.5 where nothing was selected. The standard error allows for
        the training parts' overlap (Nadeau C, Bengio Y, Mach Learn 2003;52:239).
    repeats
        C of each repeat.
    apparent_concordance
        C of the procedure in the very patients it was fitted on: what a paper without validation would print.
    optimism
        The difference.
    accuracy
        Brier score and calibration of the probabilities at the horizon; None without one, or where no repeat was
        complete.
    n_fits, n_empty, n_refused
        Training parts; those in which nothing was selected; those in which a fit was refused (left out).
    selected
        Features that were ever selected, most often first.
    """

    procedure: str
    n_features: int
    n_folds: int
    n_repeats: int
    seed: int
    concordance: float
    standard_error: float
    lower: float
    upper: float
    repeats: tuple[float, ...]
    apparent_concordance: float
    optimism: float
    accuracy: CrossValidatedAccuracy | None
    n_fits: int
    n_empty: int
    n_refused: int
    selected: tuple[SelectionFrequency, ...]


def nested_cross_validation(
    outcome: Outcome,
    table: FeatureTable,
    procedure: Procedure,
    *,
    n_folds: int = 5,
    n_repeats: int = 5,
    seed: int = 0,
    horizon: float | None = None,
) -> CrossValidation:
    """Validate a procedure by repeated cross-validation, folds stratified by event.

    Parameters
    ----------
    table
        All candidate features, raw, rows in the order of the outcome.
    procedure
        All that is done to the training patients.
    horizon
        Time at which predicted probabilities are judged, too, in the unit of the outcome.

    Raises
    ------
    SurvivalError
        FOLDS_INVALID, TABLE_LENGTH, ENTRY_UNSUPPORTED, HORIZON_NO_CASES, HORIZON_NO_CONTROLS, NO_COMPARABLE_PAIRS,
        CROSS_VALIDATION_REFUSED when more than a tenth of the training parts are refused a fit, and what the
        procedure refuses on all patients (FeatureError too).
    """
    check_cohort(outcome, table)
    apparent = concordance(outcome, procedure.fit(outcome, table, seed).predictor(table)).value
    predictions = None if horizon is None else FoldPredictions(outcome, horizon)
    parts = _Parts(predictions)
    repeats = []
    for repeat in range(n_repeats):
        rng = np.random.default_rng([seed, repeat])
        fold = event_stratified_folds(outcome, n_folds, rng)
        before = len(parts.agree)
        for k in range(n_folds):
            parts.add(outcome, table, procedure, fold == k, seed)
        if predictions is not None:
            predictions.end_repeat()
            predictions.start_repeat()
        pairs = sum(parts.pairs[before:])
        if pairs:
            repeats.append(sum(parts.agree[before:]) / pairs)
    _refuse_failures(parts)
    if not repeats:
        raise no_comparable_pairs()
    value = sum(parts.agree) / sum(parts.pairs)
    error = _corrected_error(parts, n_folds)
    reach = float(stdtrit(len(parts.pairs) - 1, 0.5 + CONFIDENCE / 2)) * error
    n_fits = n_folds * n_repeats
    return CrossValidation(
        procedure=procedure.description,
        unit=outcome.unit,
        n=outcome.n,
        n_events=outcome.n_events,
        n_features=len(table.names),
        n_folds=n_folds,
        n_repeats=n_repeats,
        seed=seed,
        concordance=value,
        standard_error=error,
        lower=max(0.0, value - reach),
        upper=min(1.0, value + reach),
        repeats=tuple(repeats),
        apparent_concordance=apparent,
        optimism=apparent - value,
        accuracy=None if predictions is None else predictions.result(),
        n_fits=n_fits,
        n_empty=parts.n_empty,
        n_refused=sum(parts.refused.values()),
        selected=tuple(
            SelectionFrequency(name, count / n_fits)
            for name, count in sorted(parts.selected.items(), key=lambda item: (-item[1], item[0]))
        ),
        notes=_notes(outcome, parts, n_fits, value, value - reach),
    )


class _Parts:
    """What the test parts gave: concordant and comparable pairs of each, and what was selected."""

    def __init__(self, predictions: FoldPredictions | None) -> None:
        self.predictions = predictions
        self.agree: list[float] = []
        self.pairs: list[int] = []
        self.selected: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.n_empty = 0

    def add(self, outcome: Outcome, table: FeatureTable, procedure: Procedure, test: BoolArray, seed: int) -> None:
        try:
            train = table.rows(~test)
            model = procedure.fit(outcome.subset(~test), train, seed)
            risk = model.predictor(table.rows(test))
        except PetctError as error:
            self.refused[error.code] += 1
            return
        if self.predictions is not None:
            self.predictions.add(test, model.predictor(train), risk)
        self.selected.update(model.selected)
        self.n_empty += not model.selected
        counts = pair_counts(outcome.subset(test), risk)
        pairs = int(counts.outlived_by.sum())
        if pairs:
            self.agree.append(float(counts.agree.sum()))
            self.pairs.append(pairs)


def check_cohort(outcome: Outcome, table: FeatureTable) -> None:
    """Refuse a cohort to validate on: other patients, late entry, batches that differ in survival."""
    check_rows(outcome, table)
    outcome.refuse_entries("Validation by concordance")
    if table.batch is not None:
        refuse_confounded_batches(table.batch, outcome)


def _corrected_error(parts: _Parts, n_folds: int) -> float:
    if len(parts.pairs) < 2:
        return 0.0
    values = np.array(parts.agree) / np.array(parts.pairs)
    return float(np.sqrt((1 / len(values) + 1 / (n_folds - 1)) * values.var(ddof=1)))


def _refuse_failures(parts: _Parts) -> None:
    n_refused = sum(parts.refused.values())
    if n_refused > MOST_REFUSED * (n_refused + len(parts.pairs)):
        code, count = parts.refused.most_common(1)[0]
        raise SurvivalError(
            "CROSS_VALIDATION_REFUSED",
            "The procedure cannot be fitted to the training parts",
            found=f"{n_refused} of {n_refused + len(parts.pairs)} refused, {count} of them {code}",
            expected=f"at most {100 * MOST_REFUSED:g} %",
            hint="Use fewer folds, fewer features or a penalised model.",
        )


def _notes(outcome: Outcome, parts: _Parts, n_fits: int, value: float, lower: float) -> tuple[str, ...]:
    notes = list(outcome.notes)
    if parts.n_empty:
        notes.append(f"Nothing was selected in {parts.n_empty} of {n_fits} training parts: C = 0.5 there.")
    for code, count in sorted(parts.refused.items()):
        notes.append(f"{counted(count, 'training part')} of {n_fits} refused ({code}) and left out.")
    if lower <= 0.5:
        notes.append(f"No evidence that the procedure discriminates in new patients (C {value:.3f}).")
    return tuple(notes)
