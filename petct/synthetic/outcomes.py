"""Survival times with a known hazard ratio, calibrated to the observed mean and the censoring of the modelled study.

Model
-----
Time to death is Weibull (shape 1.2) with proportional hazards, drawn by inverse transform: ``T = s tau`` with
``tau = (E / exp(beta x))^(1/1.2)``, E a unit exponential, x = log2(max(total volume, 1 ml)) - 5 and beta the logarithm
of the stated hazard ratio per doubling, 0 for the null effect. A tenth of the patients, chosen at random, is followed
only to a random time and then lost. Everyone else is followed to one calendar day, the data lock.

Calibration
-----------
Two numbers are chosen for the cohort, and no covariate is looked at: the data lock is the day on which the intended
number of deaths (all but 29 of 67) has been seen, as in an event-driven trial, and the time scale s makes the mean
observed time 46.5 months. The lock is a stopping time of the calendar and s is common to all, so neither biases a
hazard ratio. Therapy starts fall into a window shorter than 46.5 months, hence always before the lock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from petct.synthetic.patients import ACCRUAL_START
from petct.synthetic.settings import CohortSettings, Stream, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEAN_OBSERVED_MONTHS = 46.5
DAYS_PER_MONTH = 30.4375
VOLUME_FLOOR_ML = 1.0
WEIBULL_SHAPE = 1.2
_CENSORED, _OF = 29, 67
_LOST_PER_PATIENT = 7 / 67
_REFERENCE_LOG2_ML = 5.0


@dataclass(frozen=True)
class Outcome:
    """What became of one patient: days from therapy start to death, or to the end of observation."""

    duration_days: int
    died: bool
    last_follow_up_date: dt.date
    death_date: dt.date | None


@dataclass(frozen=True)
class CohortOutcomes:
    """The outcomes of all patients in order, and the two calibrated numbers.

    Attributes
    ----------
    lock_date
        Observation ends here for everyone who has neither died nor been lost.
    time_scale_days
        The scale s of the Weibull distribution of a patient with 32 ml of tumour.
    """

    outcomes: tuple[Outcome, ...]
    lock_date: dt.date
    time_scale_days: float


def covariate(total_volume_ml: float) -> float:
    """What the planted hazard depends on: doublings of the volume, log2(max(volume, 1 ml)); 0 without tumour."""
    return float(np.log2(max(total_volume_ml, VOLUME_FLOOR_ML)))


def n_censored(n_patients: int) -> int:
    """How many of a cohort end censored: 29 of 67, rounded for smaller cohorts, never all."""
    return min(round(n_patients * _CENSORED / _OF), n_patients - 1)


def simulate_outcomes(
    settings: CohortSettings, total_volumes_ml: Sequence[float], therapy_starts: Sequence[dt.date]
) -> CohortOutcomes:
    """Draw the outcomes of patients 1, 2, ... in order; needs no images.

    Parameters
    ----------
    settings
        Seed and effect; ``n_patients`` is taken from the sequences.
    total_volumes_ml
        Analytic total tumour volume of each patient; ignored when the effect is null.
    therapy_starts
        Date of the first cycle of each patient, the origin of the survival time.
    """
    n = len(total_volumes_ml)
    beta = settings.log_hazard_ratio
    streams = [generator(settings, number, Stream.OUTCOME) for number in range(1, n + 1)]
    exponential = np.array([stream.exponential() for stream in streams])
    loss = np.array([stream.uniform(0.05, 1.2) for stream in streams])
    lottery = np.array([stream.random() for stream in streams])
    lost = np.argsort(lottery)[: int(n * _LOST_PER_PATIENT)]
    x = np.array([covariate(volume) for volume in total_volumes_ml]) - _REFERENCE_LOG2_ML
    death = (exponential * np.exp(-beta * x)) ** (1.0 / WEIBULL_SHAPE)
    follow_up = np.full(n, np.inf)
    follow_up[lost] = loss[lost]
    start = np.array([(day - ACCRUAL_START).days for day in therapy_starts], dtype=np.float64)
    scale = _time_scale(start, death, follow_up, n - n_censored(n))
    return _observe(
        start, scale * death, scale * follow_up, _lock(start, scale, death, follow_up, n - n_censored(n)), scale
    )


def _lock(
    start: NDArray[np.float64], scale: float, death: NDArray[np.float64], follow_up: NDArray[np.float64], n_deaths: int
) -> float:
    """The day, counted from the start of accrual, of the last death that is wanted."""
    seen = death <= follow_up
    return float(np.sort((start + scale * death)[seen])[n_deaths - 1])


def _time_scale(
    start: NDArray[np.float64], death: NDArray[np.float64], follow_up: NDArray[np.float64], n_deaths: int
) -> float:
    """Bisect for the scale whose mean observed time is the one wanted; the mean grows continuously with the scale."""
    low, high = 1e-3, 1e7
    for _ in range(200):
        middle = float(np.sqrt(low * high))
        lock = _lock(start, middle, death, follow_up, n_deaths)
        observed = np.minimum(middle * np.minimum(death, follow_up), lock - start)
        low, high = (middle, high) if observed.mean() < MEAN_OBSERVED_MONTHS * DAYS_PER_MONTH else (low, middle)
    return high


def _observe(
    start: NDArray[np.float64],
    death: NDArray[np.float64],
    follow_up: NDArray[np.float64],
    lock: float,
    scale: float,
) -> CohortOutcomes:
    """Whole days: the day on which it happened, so that a death on the day of the lock is still a death."""
    last_day = int(np.ceil(lock - 1e-9))
    outcomes = []
    for begin, die, lose in zip(start, death, follow_up, strict=True):
        died = bool(die <= lose and begin + die <= lock)
        end = die if died else min(lose, last_day - begin)
        days = max(1, int(np.ceil(end - 1e-9)))
        date = ACCRUAL_START + dt.timedelta(days=int(begin) + days)
        outcomes.append(Outcome(days, died, date, date if died else None))
    return CohortOutcomes(tuple(outcomes), ACCRUAL_START + dt.timedelta(days=last_day), scale)
