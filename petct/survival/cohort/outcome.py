"""The outcome of a cohort: one type, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.results import counted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LARGEST_NUMBER = 1e100
"""Beyond it the squares that variances are made of leave the range of numbers."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Right-censored, possibly left-truncated survival times of a cohort; a constructed outcome is valid.

    Parameters
    ----------
    duration
        Time from the origin to the event or to censoring, shape (n,), at least 0.
    event
        1 where the event was seen, 0 where the patient was censored, shape (n,).
    n_competing_censored
        Competing events among the censored, see ``cause_specific``.
    entry
        Time from the origin at which each patient came under observation (left truncation), shape (n,); None when
        everyone was observed from the origin on. A patient is at risk at t when entry < t <= duration.

    Raises
    ------
    SurvivalError
        OUTCOME_EMPTY, OUTCOME_LENGTHS, TIME_MISSING, TIME_NEGATIVE, TIME_TOO_LARGE, EVENT_MISSING,
        EVENT_COMPETING, EVENT_INVALID, ENTRY_MISSING, ENTRY_LENGTH, ENTRY_NOT_BEFORE_EXIT, NO_EVENTS.
    """

    duration: FloatArray
    event: IntArray
    unit: str = "day"
    n_competing_censored: int = 0
    entry: FloatArray | None = None

    def __post_init__(self) -> None:
        duration, event = observed_times(self.duration, self.event)
        if np.any(event == 2):
            raise SurvivalError(
                "EVENT_COMPETING",
                "There are competing events, which are neither events nor censoring",
                found=f"{np.count_nonzero(event == 2)} of {len(event)}",
                expected="0 (censored) or 1 (event)",
                hint="Their cumulative incidence: petlake km --competing. Hazards: censor them (cause_specific).",
            )
        if not np.all((event == 0) | (event == 1)):
            odd = np.unique(event[(event != 0) & (event != 1)])
            raise SurvivalError(
                "EVENT_INVALID",
                "An event indicator is neither 0 nor 1",
                found=", ".join(f"{value:g}" for value in odd[:5]),
                expected="0 (censored) or 1 (event)",
            )
        if not event.any():
            raise SurvivalError(
                "NO_EVENTS",
                "There is no event: nothing can be estimated but that everyone was censored",
                found=f"0 events in {len(event)} patients",
                expected="at least 1 event",
            )
        freeze(self, duration=duration, event=event.astype(np.int64))
        if self.entry is not None:
            freeze(self, entry=_entry_times(self.entry, duration))

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.duration)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.event.sum())

    def subset(self, keep: BoolArray | IntArray) -> Outcome:
        """The outcome of the patients where ``keep`` is true, or whom it numbers; raises OUTCOME_EMPTY and NO_EVENTS.

        Competing events that were censored stay counted for the whole cohort.
        """
        entry = None if self.entry is None else self.entry[keep]
        return Outcome(self.duration[keep], self.event[keep], self.unit, self.n_competing_censored, entry)

    def refuse_entries(self, what: str) -> None:
        """Raise LEFT_TRUNCATION_UNSUPPORTED when patients entered late, for ``what`` would leave it out of account."""
        if self.entry is not None:
            raise SurvivalError(
                "LEFT_TRUNCATION_UNSUPPORTED",
                f"{what} does not take account of late entries",
                found=f"{np.count_nonzero(self.entry > 0)} of {self.n} patients entered after the origin",
                hint="Begin at a landmark by which everyone had entered.",
            )

    @property
    def notes(self) -> tuple[str, ...]:
        """What every analysis of this outcome has to say about it."""
        notes = []
        if self.n_competing_censored:
            notes.append(
                f"{counted(self.n_competing_censored, 'competing event')} censored: hazards are cause-specific, and "
                "1 - S(t) is not the probability of the event."
            )
        if self.entry is not None:
            late = int(np.count_nonzero(self.entry > 0))
            notes.append(
                f"{counted(late, 'patient')} came under observation after the origin: each counts as at risk from then "
                "on (left truncation)."
            )
        return tuple(notes)


def cause_specific(duration: npt.ArrayLike, event_code: npt.ArrayLike, unit: str = "day") -> Outcome:
    """Outcome of one cause: competing events (code 2) are censored when they happen, and counted.

    Parameters
    ----------
    duration, event_code
        Times and codes (0 censored, 1 event, 2 competing event), shape (n,).
    """
    code = _numbers(event_code, "EVENT_MISSING", "event indicators")
    competing = code == 2
    return Outcome(
        np.asarray(duration, dtype=np.float64),
        np.where(competing, 0, code).astype(np.int64),
        unit,
        int(competing.sum()),
    )


def observed_times(duration: npt.ArrayLike, event_code: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return times and event codes as arrays of shape (n,) that were checked but for the meaning of the codes.

    Raises
    ------
    SurvivalError
        OUTCOME_EMPTY, OUTCOME_LENGTHS, TIME_MISSING, TIME_NEGATIVE, TIME_TOO_LARGE, EVENT_MISSING.
    """
    times = _numbers(duration, "TIME_MISSING", "durations")
    codes = _numbers(event_code, "EVENT_MISSING", "event indicators")
    if len(times) != len(codes):
        raise SurvivalError(
            "OUTCOME_LENGTHS",
            "There are not as many event indicators as durations",
            found=str(len(codes)),
            expected=str(len(times)),
        )
    if len(times) == 0:
        raise SurvivalError("OUTCOME_EMPTY", "There is no patient to analyse", found="0 patients")
    if np.any(times < 0):
        raise SurvivalError(
            "TIME_NEGATIVE",
            "A survival time is negative",
            found=f"{np.count_nonzero(times < 0)} of {len(times)}, the smallest {times.min():g}",
            expected="times from the origin, at least 0",
        )
    if np.any(times > LARGEST_NUMBER):
        raise SurvivalError(
            "TIME_TOO_LARGE",
            "A survival time is too large to compute with",
            found=f"{times.max():g}",
            expected=f"at most {LARGEST_NUMBER:g}",
        )
    return times, codes


def freeze(owner: object, **arrays: FloatArray | IntArray) -> None:
    """Give a frozen dataclass arrays that are no longer the caller's: what was checked stays as it was."""
    for name, array in arrays.items():
        array.setflags(write=False)
        object.__setattr__(owner, name, array)


def _entry_times(entry: npt.ArrayLike, duration: FloatArray) -> FloatArray:
    times = _numbers(entry, "ENTRY_MISSING", "entry times")
    if len(times) != len(duration):
        raise SurvivalError(
            "ENTRY_LENGTH",
            "There are not as many entry times as durations",
            found=str(len(times)),
            expected=str(len(duration)),
        )
    late = times >= duration
    if late.any():
        first = int(np.argmax(late))
        raise SurvivalError(
            "ENTRY_NOT_BEFORE_EXIT",
            "A patient came under observation only when it ended",
            found=f"{np.count_nonzero(late)} of {len(times)}, the first in row {first + 1} "
            f"(entry {times[first]:g}, end {duration[first]:g})",
            expected="an entry before the end of observation",
            hint="Such a patient was never at risk: leave it out.",
        )
    return times


def _numbers(values: npt.ArrayLike, code: str, what: str) -> FloatArray:
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise SurvivalError(code, f"Some {what} are missing or not numbers", expected="numbers") from None
    if numbers.ndim != 1:
        raise SurvivalError("OUTCOME_LENGTHS", f"The {what} are not one column", found=str(numbers.shape))
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise SurvivalError(
            code,
            f"Some {what} are missing",
            found=f"{np.count_nonzero(bad)} of {len(numbers)}, the first in row {int(np.argmax(bad)) + 1}",
            expected="a number for every patient",
            hint="Leave those patients out before the analysis.",
        )
    return numbers


def event_stratified_folds(outcome: Outcome, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Assign each patient to a fold, 0 to ``n_folds`` - 1, events and censored patients spread evenly, shape (n,).

    Raises
    ------
    SurvivalError
        FOLDS_INVALID with fewer than 2 folds, or fewer events than folds.
    """
    if n_folds < 2 or outcome.n_events < n_folds:
        raise SurvivalError(
            "FOLDS_INVALID",
            "The events do not go round: every fold of a cross-validation needs one",
            found=f"{outcome.n_events} events for {n_folds} folds",
            expected="at least 2 folds, and as many events",
            hint="Use fewer folds.",
        )
    fold = np.empty(outcome.n, dtype=np.int64)
    start = 0
    for kind in (1, 0):
        members = rng.permutation(np.flatnonzero(outcome.event == kind))
        # The censored go on where the events ended, so that folds are of one size.
        fold[members] = (start + np.arange(len(members))) % n_folds
        start += len(members)
    return fold
