"""Landmark analysis: only patients still free of the event and observed at a time, with time counted from there.

What becomes known after the origin (response, a second scan) may split patients only among those who lived to show it:
otherwise the time they had to survive for it is counted as its effect. Anderson JR et al., J Clin Oncol 1983;1:710.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import BoolArray, Outcome
from petct.survival.cohort.results import counted


@dataclass(frozen=True, eq=False)
class LandmarkCohort:
    """Patients at risk just after a landmark.

    Parameters
    ----------
    landmark
        The time, from the origin.
    outcome
        Their outcome, times counted from the landmark.
    kept
        Who they are among the patients of the original outcome, shape (n,).
    n_events_before, n_censored_before
        Patients left out because of an event, or the end of observation, up to the landmark.
    """

    landmark: float
    outcome: Outcome
    kept: BoolArray
    n_events_before: int
    n_censored_before: int

    @property
    def note(self) -> str:
        """What a reader of the numbers has to know."""
        return (
            f"Landmark at {self.landmark:g} {self.outcome.unit}, from where times count: left out "
            f"{counted(self.n_events_before, 'patient')} with the event and {self.n_censored_before} censored up to "
            f"then, n = {self.outcome.n}."
        )


def landmark_cohort(outcome: Outcome, landmark: float) -> LandmarkCohort:
    """Return the patients with a time beyond ``landmark``, times counted from it.

    Parameters
    ----------
    outcome
        The cohort; whoever came under observation after the landmark still does.
    landmark
        Time from the origin, chosen before looking at the data.

    Raises
    ------
    SurvivalError
        LANDMARK_INVALID, LANDMARK_NOBODY, and NO_EVENTS when all events lie before the landmark.
    """
    if not (np.isfinite(landmark) and landmark >= 0):
        raise SurvivalError(
            "LANDMARK_INVALID",
            "A landmark is a time after the origin",
            found=f"{landmark:g}",
            expected="0 or more",
        )
    kept = outcome.duration > landmark
    if not kept.any():
        raise SurvivalError(
            "LANDMARK_NOBODY",
            "Nobody was observed beyond the landmark",
            found=f"{landmark:g} {outcome.unit}",
            expected=f"less than {outcome.duration.max():g} {outcome.unit}",
        )
    entry = None if outcome.entry is None else np.maximum(outcome.entry[kept] - landmark, 0.0)
    later = Outcome(
        outcome.duration[kept] - landmark,
        outcome.event[kept],
        outcome.unit,
        outcome.n_competing_censored,
        entry if entry is not None and entry.any() else None,
    )
    before = int(np.count_nonzero(outcome.event[~kept]))
    return LandmarkCohort(float(landmark), later, kept, before, int(np.count_nonzero(~kept)) - before)
