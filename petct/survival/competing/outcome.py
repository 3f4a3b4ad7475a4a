"""Times to the first of several events that exclude each other, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import BoolArray, FloatArray, IntArray, Outcome, freeze, observed_times
from petct.survival.cohort.results import counted


@dataclass(frozen=True, eq=False)
class CompetingOutcome:
    """Times to the first of several competing events; a constructed outcome is valid.

    Parameters
    ----------
    duration
        Time from the origin to the first event or to censoring, shape (n,), at least 0.
    cause
        0 where the patient was censored, else 1, 2, ...: which of ``causes`` happened, shape (n,).
    causes
        Names of the events; the first is the one of interest.

    Raises
    ------
    SurvivalError
        OUTCOME_EMPTY, OUTCOME_LENGTHS, TIME_MISSING, TIME_NEGATIVE, EVENT_MISSING, CAUSE_INVALID, NO_EVENTS.
    """

    duration: FloatArray
    cause: IntArray
    unit: str = "day"
    causes: tuple[str, ...] = ("event", "competing event")

    def __post_init__(self) -> None:
        duration, cause = observed_times(self.duration, self.cause)
        known = np.isin(cause, np.arange(len(self.causes) + 1))
        if not known.all():
            raise SurvivalError(
                "CAUSE_INVALID",
                "An event code names no event",
                found=", ".join(f"{value:g}" for value in np.unique(cause[~known])[:5]),
                expected="0 (censored), " + ", ".join(f"{i} ({name})" for i, name in enumerate(self.causes, 1)),
            )
        if not np.any(cause == 1):
            raise SurvivalError(
                "NO_EVENTS",
                f"There is no {self.causes[0]}: nothing can be estimated but that it was not seen",
                found=f"0 events in {counted(len(cause), 'patient')}",
                expected="at least 1 event",
            )
        freeze(self, duration=duration, cause=cause.astype(np.int64))

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.duration)

    def n_events(self, cause: int) -> int:
        """Number of events of a cause, 1 for the first."""
        return int(np.count_nonzero(self.cause == cause))

    def subset(self, keep: BoolArray) -> CompetingOutcome:
        """Return the outcome of the patients where ``keep`` is true; raises OUTCOME_EMPTY and NO_EVENTS."""
        return CompetingOutcome(self.duration[keep], self.cause[keep], self.unit, self.causes)

    def of_interest(self, cause: int) -> CompetingOutcome:
        """Return the same times with another cause first; raises CAUSE_UNKNOWN, and NO_EVENTS if it never happened."""
        if not 1 <= cause <= len(self.causes):
            raise SurvivalError(
                "CAUSE_UNKNOWN",
                "There is no such event",
                found=str(cause),
                expected=", ".join(f"{i} ({name})" for i, name in enumerate(self.causes, 1)),
            )
        order = [cause, *(i for i in range(1, len(self.causes) + 1) if i != cause)]
        new = np.zeros(len(self.causes) + 1, dtype=np.int64)
        new[order] = np.arange(1, len(order) + 1)
        return CompetingOutcome(self.duration, new[self.cause], self.unit, tuple(self.causes[i - 1] for i in order))

    def cause_specific(self) -> Outcome:
        """Outcome of the event of interest, the others censored when they happen and counted: for Cox models.

        Its hazard ratios act on the rate among those still free of any event, not on the cumulative incidence.
        """
        others = self.cause > 1
        return Outcome(
            self.duration, np.where(self.cause == 1, 1, 0), self.unit, n_competing_censored=int(others.sum())
        )
