"""A model that was fitted once, kept with all it needs, and applied unchanged to a second cohort."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.accuracy.calibration import Calibration, calibration
from petct.survival.accuracy.concordance import concordance
from petct.survival.accuracy.discrimination import N_RESAMPLES, Discrimination, discrimination
from petct.survival.accuracy.prediction_error import IntegratedBrier, integrated_brier
from petct.survival.cohort.groups import split_at
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import counted, read_json, write_json
from petct.survival.features.feature_table import FeatureTable, check_rows
from petct.survival.features.preparation import Preparation
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.likelihood.baseline import BaselineHazard, baseline_hazard
from petct.survival.prediction.cross_validation import check_cohort
from petct.survival.prediction.procedures import LinearRisk, Procedure

FORMAT = 1
RISK_SCORE = "risk score"


@dataclass(frozen=True)
class FrozenModel:
    """A fitted model as plain values.

    Parameters
    ----------
    format
        Of this file.
    petlake_version, procedure, snapshot_id, endpoint
        What it was made with, how, on which snapshot (None for a CSV) and for which endpoint.
    n, n_events
        Patients and events of the fit.
    preparation, coefficients
        Of the features with a coefficient other than 0: what is done to them, and the log hazard ratio per training SD.
    baseline_times, baseline_cumulative
        Cumulative hazard of a patient whose prepared features are all 0: distinct event times, and its value from
        there on.
    cuts
        Cut points of the risk score that make risk groups, ascending, from quantiles of the patients of the fit.
    apparent_concordance
        Harrell's C in the patients of the fit: flattering.
    """

    format: int
    petlake_version: str
    procedure: str
    snapshot_id: str | None
    endpoint: str | None
    unit: str
    n: int
    n_events: int
    preparation: Preparation
    coefficients: tuple[float, ...]
    baseline_times: tuple[float, ...]
    baseline_cumulative: tuple[float, ...]
    cuts: tuple[float, ...]
    apparent_concordance: float

    @property
    def digest(self) -> str:
        """SHA-256 of the model as JSON: two equal digests are one model."""
        return hashlib.sha256(write_json(self).encode()).hexdigest()

    def predictor(self, table: FeatureTable) -> FloatArray:
        """Risk score (log hazard) of patients, shape (n,)."""
        return LinearRisk(self.preparation, self.coefficients).predictor(table)

    def event_probability(self, table: FeatureTable, times: FloatArray) -> FloatArray:
        """Probability of the event by each time, shape (n, t)."""
        baseline = BaselineHazard(np.array(self.baseline_times), np.array(self.baseline_cumulative))
        return baseline.event_probability(self.predictor(table), times)


@dataclass(frozen=True)
class ExternalValidation:
    """A frozen model in a second cohort.

    Parameters
    ----------
    model_digest, model_snapshot_id, model_n
        Which model, from which snapshot and how many patients.
    n, n_events
        The second cohort.
    n_filled
        Missing values that were replaced by the medians of the first cohort.
    discrimination, calibration
        How it orders these patients, and whether its probabilities come true at the horizon.
    integrated_brier
        Brier score over the time from 0 to the horizon.
    groups
        Kaplan-Meier curves of the risk groups, with the cut points of the first cohort.
    notes
        Sentences a reader of the numbers has to know.
    """

    model_digest: str
    model_snapshot_id: str | None
    model_n: int
    n: int
    n_events: int
    n_filled: int
    discrimination: Discrimination
    calibration: Calibration
    integrated_brier: IntegratedBrier
    groups: KaplanMeierResult
    notes: tuple[str, ...]


def freeze(
    outcome: Outcome,
    table: FeatureTable,
    procedure: Procedure,
    *,
    petlake_version: str,
    endpoint: str | None = None,
    snapshot_id: str | None = None,
    quantiles: Sequence[float] = (0.5,),
    seed: int = 0,
) -> FrozenModel:
    """Fit a procedure on all patients of a cohort and keep the result.

    Parameters
    ----------
    procedure
        From the preparation to the fit.
    petlake_version
        What it is made with.
    endpoint, snapshot_id
        What the model is of.
    quantiles
        Of the risk score in these patients, as cut points of risk groups.
    seed
        Of what the procedure does by chance.

    Raises
    ------
    SurvivalError
        MODEL_EMPTY when nothing was selected, CUTS_INVALID, TABLE_LENGTH, and what the procedure refuses.
    """
    check_cohort(outcome, table)
    wanted = np.array(sorted(quantiles), dtype=np.float64)
    if len(wanted) == 0 or wanted[0] <= 0 or wanted[-1] >= 1:
        raise SurvivalError(
            "CUTS_INVALID", "Risk groups need quantiles between 0 and 1", found=str(list(quantiles)), expected="0.5"
        )
    fitted = procedure.fit(outcome, table, seed)
    if not fitted.selected:
        raise SurvivalError(
            "MODEL_EMPTY",
            "Nothing was selected: there is no model to keep",
            found=f"0 of {len(table.names)} features",
            hint="That is a result: no evidence that these features predict the outcome.",
        )
    names = fitted.selected
    risk = LinearRisk(fitted.preparation.restricted_to(names), tuple(c for c in fitted.coefficients if c != 0))
    predictor = risk.predictor(table)
    baseline = baseline_hazard(outcome, predictor)
    return FrozenModel(
        format=FORMAT,
        petlake_version=petlake_version,
        procedure=procedure.description,
        snapshot_id=snapshot_id,
        endpoint=endpoint,
        unit=outcome.unit,
        n=outcome.n,
        n_events=outcome.n_events,
        preparation=risk.preparation,
        coefficients=risk.coefficients,
        baseline_times=tuple(baseline.times.tolist()),
        baseline_cumulative=tuple(baseline.cumulative.tolist()),
        cuts=tuple(np.unique(np.quantile(predictor, wanted)).tolist()),
        apparent_concordance=concordance(outcome, predictor).value,
    )


def read_model(text: str | bytes) -> FrozenModel:
    """Read what ``write_json`` made of a frozen model; raises FeatureError JSON_INVALID, SurvivalError MODEL_FORMAT."""
    model = read_json(FrozenModel, text)
    if model.format != FORMAT:
        raise SurvivalError(
            "MODEL_FORMAT",
            "The model was written by another version of petlake",
            found=f"format {model.format}, petlake {model.petlake_version}",
            expected=f"format {FORMAT}",
        )
    return model


def refuse_own_cohort(model: FrozenModel, snapshot_id: str | None) -> None:
    """Refuse to apply a model to the snapshot it was fitted to; raises ``SurvivalError`` MODEL_OWN_COHORT."""
    if model.snapshot_id is not None and model.snapshot_id == snapshot_id:
        raise SurvivalError(
            "MODEL_OWN_COHORT",
            "The model was fitted to this snapshot: what it is worth in its own patients says nothing of others",
            found=model.snapshot_id[:12],
            expected="another study, or another snapshot of patients the model has not seen",
            hint="petlake validate says what the procedure is worth in patients left out.",
        )


def validate_externally(
    model: FrozenModel,
    outcome: Outcome,
    table: FeatureTable,
    horizon: float,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> ExternalValidation:
    """Apply a frozen model, with its preparation, baseline and cuts, to a second cohort.

    Parameters
    ----------
    outcome, table
        The second cohort; the table may hold more features than the model needs.
    horizon
        Time for AUC(t), Brier score and calibration, in the unit of both cohorts.
    n_resamples, seed
        Of the bootstrap limits.

    Raises
    ------
    SurvivalError
        MODEL_UNIT, TABLE_LENGTH, and the codes of ``discrimination``, ``calibration``, ``split_at`` and
        ``kaplan_meier``; FeatureError as ``Preparation.transform``.
    """
    check_rows(outcome, table)
    if outcome.unit != model.unit:
        raise SurvivalError(
            "MODEL_UNIT",
            "The survival times have another unit than the model's",
            found=outcome.unit,
            expected=model.unit,
            hint="Times of a CSV have no unit until one is given.",
        )
    predictor = model.predictor(table)
    probability = model.event_probability(table, np.array([horizon]))[:, 0]
    n_filled = int(np.isnan(table.columns(model.preparation.names).values).sum())
    notes = [f"Fitted on {model.n} patients ({model.procedure}), applied unchanged to {outcome.n}."]
    if n_filled:
        notes.append(f"{counted(n_filled, 'missing value')} replaced by the medians of the first cohort.")
    return ExternalValidation(
        model_digest=model.digest,
        model_snapshot_id=model.snapshot_id,
        model_n=model.n,
        n=outcome.n,
        n_events=outcome.n_events,
        n_filled=n_filled,
        discrimination=discrimination(
            outcome, predictor, horizon=horizon, probability=probability, n_resamples=n_resamples, seed=seed
        ),
        calibration=calibration(outcome, probability, horizon),
        integrated_brier=integrated_brier(outcome, lambda times: model.event_probability(table, times), horizon),
        groups=kaplan_meier(outcome, split_at(predictor, model.cuts, RISK_SCORE), landmarks=[horizon]),
        notes=tuple(notes),
    )
