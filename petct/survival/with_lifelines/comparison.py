"""Numbers of petlake beside those of lifelines: where they agree, where they differ and why, and what has no match."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from petct.survival.cohort.results import counted
from petct.survival.with_lifelines.library import Stopped, version

TOLERANCE = 1e-6
"""Relative difference up to which two numbers are the same: both packages iterate, and stop at different points."""

UNEXPLAINED = "No known reason: look at the data, and please report it."


@dataclass(frozen=True)
class Compared:
    """One number of both.

    Parameters
    ----------
    quantity, of
        What it is, and of which group, covariate or time.
    petlake, lifelines
        The numbers; None where a time is not reached.
    difference
        lifelines minus petlake; None where one of them is None.
    agrees
        Whether they differ by rounding only.
    reason
        Why they differ; None where they agree.
    """

    quantity: str
    of: str
    petlake: float | None
    lifelines: float | None
    difference: float | None
    agrees: bool
    reason: str | None


@dataclass(frozen=True)
class NotCompared:
    """A number of petlake that has no match in lifelines, or that may not be shown, and why."""

    quantity: str
    reason: str


@dataclass(frozen=True)
class LifelinesCheck:
    """The same analysis by lifelines.

    Parameters
    ----------
    compared
        What both compute.
    not_compared
        What only petlake computes.
    """

    version: str
    compared: tuple[Compared, ...]
    not_compared: tuple[NotCompared, ...]

    @property
    def sentence(self) -> str:
        """What came out, in a sentence."""
        reasons = [row.reason for row in self.compared if not row.agrees]
        unexplained = reasons.count(UNEXPLAINED)
        parts = [f"{len(self.compared) - len(reasons)} of {counted(len(self.compared), 'number')} agree"]
        for n, how in ((len(reasons) - unexplained, "for a known reason"), (unexplained, "without a known reason")):
            if n:
                parts.append(f"{n} {'differs' if n == 1 else 'differ'} {how}")
        return f"lifelines {self.version}: {'; '.join(parts)}."


@dataclass(frozen=True)
class Comparing:
    """A check that is being made: rows are added one by one."""

    compared: list[Compared] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)

    def add(
        self,
        quantity: str,
        ours: float | None,
        theirs: float,
        *,
        of: str = "",
        scale: float = 1e-3,
        known: str | None = None,
    ) -> None:
        """Compare two numbers.

        Parameters
        ----------
        quantity, of, ours
            As in ``Compared``.
        theirs
            The number of lifelines; not finite means not reached.
        scale
            A difference of ``TOLERANCE`` times this number does not matter either; a standard error, for example.
        known
            Why they may differ.
        """
        found = float(theirs) if math.isfinite(theirs) else None
        if ours is None or found is None:
            difference, agrees = None, ours is found
        else:
            difference = found - ours
            agrees = math.isclose(ours, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE * scale)
        reason = None if agrees else known or UNEXPLAINED
        self.compared.append(Compared(quantity, of, ours, found, difference, agrees, reason))

    def skip(self, quantity: str, reason: str) -> None:
        """Name what cannot be compared."""
        self.not_compared.append(NotCompared(quantity, reason))

    @contextmanager
    def may_stop(self, quantity: str) -> Iterator[None]:
        """Name what lifelines cannot compute with these data."""
        try:
            yield
        except Stopped as stop:
            self.skip(quantity, f"lifelines stops: {stop}")

    def done(self) -> LifelinesCheck:
        """The check."""
        return LifelinesCheck(version(), tuple(self.compared), tuple(self.not_compared))
