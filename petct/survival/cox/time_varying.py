"""Covariates that change during follow-up, as rows of a counting process, and why a later therapy is no baseline value.

A patient who will be treated after a year cannot die within it: taken as a baseline covariate, the therapy is credited
with that immortal time (Suissa S, Am J Epidemiol 2008;167:492). Each patient is split at the change instead, and counts
with the state of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import Covariate, NumericCovariate
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome
from petct.survival.cohort.results import counted
from petct.survival.cox.model import cox
from petct.survival.cox.result import CoxResult


@dataclass(frozen=True, eq=False)
class CountingRows:
    """Follow-up of patients in rows: at risk from entry to duration, an event only at the end of the last.

    Parameters
    ----------
    outcome
        Times of the rows, their entry times among them.
    patients
        Patient of each row.
    row
        Index of the patient each comes from, shape (rows,).
    """

    outcome: Outcome
    patients: tuple[str, ...]
    row: IntArray

    def values(self, covariate: Covariate) -> Covariate:
        """Return a covariate of the patients as one of the rows."""
        known = np.broadcast_to(np.asarray(covariate.known_from, dtype=np.float64), (int(self.row.max()) + 1,))
        if isinstance(covariate, NumericCovariate):
            numbers = np.asarray(covariate.values, dtype=np.float64)
            # Of the patients, not of the rows: those who are split would count twice.
            there = numbers[~np.isnan(numbers)]
            sd = covariate.sd
            if sd is None and len(there) > 1:
                # What is too large for this is refused with the rest of the model.
                with np.errstate(over="ignore", invalid="ignore"):
                    spread = float(there.std(ddof=1))
                sd = spread if np.isfinite(spread) else None
            return replace(covariate, values=numbers[self.row], known_from=known[self.row], sd=sd)
        return replace(covariate, values=[covariate.values[i] for i in self.row], known_from=known[self.row])


def split_at(
    outcome: Outcome, started: npt.ArrayLike, patients: Sequence[str] | None = None
) -> tuple[CountingRows, FloatArray]:
    """Split each patient where something started.

    Parameters
    ----------
    started
        Time from the origin at which it started, shape (n,); NaN where it never did. At or before entry: from the
        beginning. At or after the end of follow-up: not during it.
    patients
        Names; row numbers when None.

    Returns
    -------
    tuple
        The rows, and the state in each: 0 before, 1 after the start, shape (rows,).

    Raises
    ------
    SurvivalError
        START_LENGTH, START_NOT_FINITE.
    """
    begun = np.asarray(started, dtype=np.float64)
    if begun.shape != (outcome.n,):
        raise SurvivalError(
            "START_LENGTH", "The starts are not of these patients", found=str(begun.shape), expected=f"{outcome.n}"
        )
    if np.isinf(begun).any():
        raise SurvivalError("START_NOT_FINITE", "A start is infinite", found="inf", expected="a time, or none")
    names = [str(i + 1) for i in range(outcome.n)] if patients is None else [str(patient) for patient in patients]
    entry = np.zeros(outcome.n) if outcome.entry is None else outcome.entry
    during = (begun > entry) & (begun < outcome.duration)
    from_start = ~np.isnan(begun) & (begun <= entry)
    row = np.concatenate((np.arange(outcome.n), np.flatnonzero(during)))
    second = np.arange(len(row)) >= outcome.n
    start = np.where(second, begun[row], entry[row])
    stop = np.where(during[row] & ~second, begun[row], outcome.duration[row])
    event = np.where(during[row] & ~second, 0, outcome.event[row])
    state = (second | from_start[row]).astype(np.float64)
    rows = Outcome(stop, event, outcome.unit, outcome.n_competing_censored, start)
    return CountingRows(rows, tuple(names[i] for i in row), row), state


def cox_with_therapy(
    outcome: Outcome,
    started: npt.ArrayLike,
    covariates: Sequence[Covariate] = (),
    *,
    name: str = "therapy",
    patients: Sequence[str] | None = None,
) -> CoxResult:
    """Cox model in which a therapy counts from the time it started.

    Parameters
    ----------
    outcome, started, patients
        As for ``split_at``.
    covariates
        Baseline covariates, one value per patient.
    name
        What the therapy is called.

    Raises
    ------
    SurvivalError
        THERAPY_NEVER when nobody started during follow-up, and the codes of ``split_at`` and ``cox``.
    """
    rows, state = split_at(outcome, started, patients)
    if not state.any():
        raise SurvivalError(
            "THERAPY_NEVER", f"Nobody started {name} before the end of follow-up", keyword=name, found="0 patients"
        )
    therapy = NumericCovariate(name, state, scale="as_is")
    result = cox(
        rows.outcome,
        [therapy, *(rows.values(covariate) for covariate in covariates)],
        patients=rows.patients,
    )
    treated = len({patient for patient, on in zip(rows.patients, state, strict=True) if on})
    note = (
        f"{counted(treated, 'patient')} started {name} before the end of follow-up; until then each counts as "
        "untreated (no immortal time). Who is treated, and when, may itself depend on the course of the disease."
    )
    return replace(result, notes=(note, *result.notes))
