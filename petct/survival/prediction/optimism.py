"""Concordance corrected for the optimism of judging a model in the patients it was fitted on (Harrell's bootstrap).

Harrell FE, Lee KL, Mark DB, Stat Med 1996;15:361. The whole procedure is repeated on resamples of the patients;
what it gains in its own resample over the original patients is the optimism. Limits: the spread of the apparent
value over the resamples around the corrected value (as the location-shifted bootstrap of Noma H et al., Stat Med
2021;40:5691).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.accuracy.calibration import calibration_slope
from petct.survival.accuracy.concordance import concordance
from petct.survival.accuracy.discrimination import FEWEST_RESAMPLES, MOST_REFUSED, bootstrap
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome
from petct.survival.cohort.results import TAILS, IntervalResult, counted
from petct.survival.features.feature_table import FeatureTable
from petct.survival.prediction.cross_validation import check_cohort
from petct.survival.prediction.procedures import Procedure

EVENTS_PER_FEATURE = 20
"""With fewer events per candidate feature the correction is incomplete: on noise with 12 it leaves 0.02 (40
cohorts).
"""


@dataclass(frozen=True, kw_only=True)
class OptimismCorrected(IntervalResult):
    """Result of the correction.

    Parameters
    ----------
    n_features
        Candidate features.
    apparent_concordance
        Harrell's C in the patients of the fit.
    optimism
        How much of it is flattery.
    concordance, lower, upper
        The corrected value with its limits, which describe its spread and are no test against 0.5.
    shrinkage
        Mean calibration slope of the resampled models in the original patients: by how much the log hazard ratios
        of the model are too large; None where a slope could not be computed in more than a tenth of the resamples.
    n_resamples, n_refused, seed
        Resamples, and those in which a fit was refused (left out).
    """

    procedure: str
    n_features: int
    apparent_concordance: float
    optimism: float
    concordance: float
    lower: float
    upper: float
    shrinkage: float | None
    n_resamples: int
    n_refused: int
    seed: int


def optimism_corrected(
    outcome: Outcome,
    table: FeatureTable,
    procedure: Procedure,
    *,
    n_resamples: int = FEWEST_RESAMPLES,
    seed: int = 0,
) -> OptimismCorrected:
    """Correct the apparent concordance of a procedure.

    Parameters
    ----------
    table
        All candidate features, raw, also those that the procedure will not select.
    procedure
        All that is done to the patients, from the preparation to the fit.
    n_resamples, seed
        Of the bootstrap, at least 200.

    Raises
    ------
    SurvivalError
        OPTIMISM_TOO_MANY_FEATURES when the features outnumber the events: the bootstrap then sees too little of the
        optimism; BOOTSTRAP_INVALID, BOOTSTRAP_REFUSED, TABLE_LENGTH, and what the procedure refuses on all patients.
    """
    check_cohort(outcome, table)
    if len(table.names) > outcome.n_events:
        raise SurvivalError(
            "OPTIMISM_TOO_MANY_FEATURES",
            "The features outnumber the events: a bootstrap would not see all of the optimism",
            found=f"{len(table.names)} features, {outcome.n_events} events",
            expected="at most as many features as events",
            hint="Use nested cross-validation.",
        )
    model = procedure.fit(outcome, table, seed)
    apparent = concordance(outcome, model.predictor(table)).value

    def resampled(drawn: IntArray) -> tuple[float, FloatArray, float]:
        cohort, features = outcome.subset(drawn), table.rows(drawn)
        fitted = procedure.fit(cohort, features, seed)
        flattering = concordance(cohort, fitted.predictor(features)).value
        predictor = fitted.predictor(table)
        return flattering, predictor, concordance(outcome, predictor).value

    found, code = bootstrap(resampled, outcome.n, n_resamples, seed)
    own = [flattering for flattering, _, _ in found]
    optimism = float(np.mean([flattering - honest for flattering, _, honest in found]))
    slopes = [slope.value for _, predictor, _ in found if (slope := calibration_slope(outcome, predictor)) is not None]
    corrected = apparent - optimism
    spread = np.array(own) - np.mean(own)
    lower, upper = corrected + np.quantile(spread, TAILS)
    n_refused = n_resamples - len(found)
    notes = list(outcome.notes)
    if n_refused:
        notes.append(f"{counted(n_refused, 'resample')} of {n_resamples} refused (last: {code}) and left out.")
    if outcome.n_events < EVENTS_PER_FEATURE * len(table.names):
        notes.append(
            f"{outcome.n_events / len(table.names):.1f} events per candidate feature, fewer than "
            f"{EVENTS_PER_FEATURE}: the "
            "bootstrap leaves some of the optimism in, a nested cross-validation does not."
        )
    if lower <= 0.5:
        notes.append(f"No evidence that the model discriminates in new patients (corrected C {corrected:.3f}).")
    return OptimismCorrected(
        procedure=procedure.description,
        unit=outcome.unit,
        n=outcome.n,
        n_events=outcome.n_events,
        n_features=len(table.names),
        apparent_concordance=apparent,
        optimism=optimism,
        concordance=corrected,
        lower=float(max(lower, 0.0)),
        upper=float(min(upper, 1.0)),
        shrinkage=float(np.mean(slopes)) if len(slopes) >= (1 - MOST_REFUSED) * n_resamples else None,
        n_resamples=n_resamples,
        n_refused=n_refused,
        seed=seed,
        notes=tuple(notes),
    )
