"""The seam for scaling out: map one function over patients, yielding each result as it is done."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from assets.work import PatientOutcome

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class Engine(Protocol):
    """Something that runs a function for many patients, in whatever processes or machines it has."""

    def map(
        self, function: Callable[[Job], Outcome], jobs: Sequence[Job], lost: Callable[[Job], Outcome]
    ) -> Iterator[Outcome]:
        """Yield one outcome for each job as soon as there is one, in any order.

        ``function`` and the jobs must be picklable; ``function`` must not raise for a patient it cannot process, but
        say so in its result. For a job whose worker died, for example for want of memory, ``lost(job)`` is called in
        this process and gives the outcome; the other jobs go on.
        """
        ...


class Listener(Protocol):
    """Who wants to know that a patient is done, for example a progress bar."""

    def done(self, outcome: PatientOutcome) -> None:
        """Called after each patient, in the process of the run."""
        ...


class NullListener:
    """Ignores what happens."""

    def done(self, outcome: PatientOutcome) -> None:
        """Do nothing."""
