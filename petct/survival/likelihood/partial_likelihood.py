"""Cox partial likelihood with Efron's ties, strata and entry times, its derivatives, and its maximum.

Efron B, J Am Stat Assoc 1977;72:557. Of d deaths at one time the l-th (l = 0 .. d-1) sees a risk set in which the
weight of those d has dropped by the share l/d. The same terms serve the fit, residuals, and the score tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, IntArray

MOST_ITERATIONS = 60
_LOG_LIKELIHOOD_TOLERANCE = 1e-10
_STEP_TOLERANCE = 1e-9
# One more standard deviation of the linear predictor for no gain in likelihood: the maximum lies at infinity.
_RUNAWAY_STEP = 0.05
# Log hazards of two patients: how much one step may move them apart, and where belief ends (a ratio of e^200).
LONGEST_STEP = 20.0
_WIDEST_PREDICTOR = 200.0


@dataclass(frozen=True, eq=False)
class RiskSets:
    """A cohort ordered by stratum and time, ready to evaluate its partial likelihood at any coefficients.

    A row is at risk at a death when it is of the same stratum, entered before that time, and was seen until then or
    longer.

    Parameters
    ----------
    design
        Covariates in the order of the risk sets, shape (n, p).
    order
        Index of each row in the cohort it was made of, shape (n,).
    stratum, stratum_start
        Stratum of each row, 0, 1, ..., shape (n,); first row of each stratum.
    rows
        For each death, its row, shape (deaths,).
    first_at_risk, after_stratum
        For each death, the first row with a time not before it, and the end of its stratum, shape (deaths,).
    entry_order, first_to_enter
        Rows by stratum and entry, and for each death the first of them that enters at its time or later; None where
        everyone is at risk from the start.
    first_death, after_death
        For each row, the deaths that it is at risk at: from ``first_death`` to before ``after_death``, shape (n,).
    tie, tie_start, tie_share
        For each death, the index of its event time, shape (deaths,); the first death of each event time; Efron's l/d.
    times
        Time of each death, shape (deaths,).
    """

    design: FloatArray
    order: IntArray
    stratum: IntArray
    stratum_start: IntArray
    rows: IntArray
    first_at_risk: IntArray
    after_stratum: IntArray
    entry_order: IntArray | None
    first_to_enter: IntArray | None
    first_death: IntArray
    after_death: IntArray
    tie: IntArray
    tie_start: IntArray
    tie_share: FloatArray
    times: FloatArray

    @classmethod
    def of(
        cls,
        duration: FloatArray,
        event: IntArray,
        design: FloatArray,
        *,
        strata: IntArray | None = None,
        entry: FloatArray | None = None,
    ) -> RiskSets:
        """Order a cohort.

        Parameters
        ----------
        duration, event
            Times and indicators, shape (n,), at least one event.
        design
            Covariates, shape (n, p); p may be 0.
        strata
            Stratum of each row, 0, 1, ... without gaps, shape (n,); one stratum when None.
        entry
            Time from which each row is under observation, before its duration, shape (n,); from the start when None.
        """
        n = len(duration)
        stratum = np.zeros(n, dtype=np.int64) if strata is None else strata
        # One integer that sorts by stratum, then by time, entries and durations on one scale.
        both = duration if entry is None else np.concatenate((duration, entry))
        distinct, rank = np.unique(both, return_inverse=True)
        span = len(distinct)
        key = stratum * span + rank[:n]
        order = np.argsort(key, kind="stable")
        key, stratum = key[order], stratum[order]
        rows = np.flatnonzero(event[order] == 1)
        death_key = key[rows]
        _, tie_start, tie, size = np.unique(death_key, return_index=True, return_inverse=True, return_counts=True)
        first_death = np.searchsorted(death_key, stratum * span, side="left")
        entry_order = first_to_enter = None
        if entry is not None:
            entry_key = stratum * span + rank[n:][order]
            entry_order = np.argsort(entry_key, kind="stable")
            first_to_enter = np.searchsorted(entry_key[entry_order], death_key, side="left")
            first_death = np.searchsorted(death_key, entry_key, side="right")
        return cls(
            design=design[order],
            order=order,
            stratum=stratum,
            stratum_start=np.searchsorted(stratum, np.arange(stratum[-1] + 1)),
            rows=rows,
            first_at_risk=np.searchsorted(key, death_key, side="left"),
            after_stratum=np.searchsorted(stratum, stratum[rows], side="right"),
            entry_order=entry_order,
            first_to_enter=first_to_enter,
            first_death=first_death,
            after_death=np.searchsorted(death_key, key, side="right"),
            tie=tie,
            tie_start=tie_start,
            tie_share=(np.arange(len(rows)) - tie_start[tie]) / size[tie],
            times=duration[order][rows],
        )

    def with_design(self, design: FloatArray) -> RiskSets:
        """Return the same risk sets with other covariates, rows in the order of the risk sets, shape (n, p)."""
        return RiskSets(**{**self.__dict__, "design": design})

    def evaluate(self, coefficients: FloatArray) -> DeathTerms:
        """Log likelihood and what its derivatives are made of at ``coefficients``, shape (p,)."""
        predictor = self.design @ coefficients
        # The likelihood of a stratum does not change when its risks are multiplied: keep them in the range of numbers.
        highest = np.maximum.reduceat(predictor, self.stratum_start)
        predictor = predictor - highest[self.stratum]
        risk = np.exp(predictor)
        # Far from the maximum the risks of a whole risk set may vanish beside those of others.
        with np.errstate(divide="ignore", invalid="ignore"):
            total = self.at_risk(risk)
            mean = self.at_risk(risk[:, None] * self.design) / total[:, None]
            log_likelihood = float((predictor[self.rows] - np.log(total)).sum())
        return DeathTerms(self, log_likelihood, risk, highest, total, mean)

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Sum over the risk set of each death, less the share of the tied deaths that have gone already.

        Parameters
        ----------
        values
            A number, or an array, for each row, shape (n, ...).

        Returns
        -------
        FloatArray
            Shape (deaths, ...).
        """
        total = _tails(values)
        found = total[self.first_at_risk] - total[self.after_stratum]
        if self.entry_order is not None:
            late = _tails(values[self.entry_order])
            found -= late[self.first_to_enter] - late[self.after_stratum]
        if len(self.tie_start) < len(self.rows):
            tied = np.add.reduceat(values[self.rows], self.tie_start, axis=0)[self.tie]
            found -= self.tie_share.reshape(-1, *([1] * (values.ndim - 1))) * tied
        return np.asarray(found, dtype=np.float64)

    def over_deaths(self, values: FloatArray) -> FloatArray:
        """Sum, for each row, over the deaths it is at risk at, counting it there as ``at_risk`` does (its adjoint).

        Parameters
        ----------
        values
            A number, or an array, for each death, shape (deaths, ...).

        Returns
        -------
        FloatArray
            Shape (n, ...).
        """
        total = np.concatenate((np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)))
        found = total[self.after_death] - total[self.first_death]
        if len(self.tie_start) < len(self.rows):
            share = self.tie_share.reshape(-1, *([1] * (values.ndim - 1)))
            found[self.rows] -= np.add.reduceat(share * values, self.tie_start, axis=0)[self.tie]
        return np.asarray(found, dtype=np.float64)


def _tails(values: FloatArray) -> FloatArray:
    """Sums from each row to the last, and 0 after it, shape (n + 1, ...)."""
    total = np.zeros((len(values) + 1, *values.shape[1:]))
    total[:-1] = np.cumsum(values[::-1], axis=0)[::-1]
    return total


@dataclass(frozen=True, eq=False)
class DeathTerms:
    """Log likelihood at some coefficients, and for each death the weights and means of its risk set.

    Parameters
    ----------
    log_likelihood
        Efron's log partial likelihood.
    risk, highest
        exp(linear predictor) of each row, divided by the largest of its stratum, shape (n,); the linear predictor
        (of the columns as they are) where it is 1, one for each stratum.
    total
        Sum of the risks at each death, shape (deaths,).
    mean
        Mean of the covariates at risk, shape (deaths, p).
    """

    risk_sets: RiskSets
    log_likelihood: float
    risk: FloatArray
    highest: FloatArray
    total: FloatArray
    mean: FloatArray

    @property
    def residual(self) -> FloatArray:
        """Schoenfeld residual: covariates of each death minus their mean at risk, shape (deaths, p)."""
        return np.asarray(self.risk_sets.design[self.risk_sets.rows] - self.mean, dtype=np.float64)

    @cached_property
    def score(self) -> FloatArray:
        """First derivative of the log likelihood, shape (p,)."""
        return np.asarray(self.residual.sum(axis=0), dtype=np.float64)

    @cached_property
    def information(self) -> FloatArray:
        """Minus the second derivative, shape (p, p)."""
        return self.weighted_information(np.ones(len(self.total)))

    def weighted_information(self, weights: FloatArray) -> FloatArray:
        """Sum over the deaths of ``weights``, shape (deaths,), times the covariance at risk, shape (p, p)."""
        x = self.risk_sets.design
        # Not a number where ``evaluate`` says that the risks of a risk set vanished.
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = self.risk * self.risk_sets.over_deaths(weights / self.total)
            found = x.T @ (expected[:, None] * x) - self.mean.T @ (weights[:, None] * self.mean)
        return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Maximum:
    """The largest (penalised) likelihood.

    Parameters
    ----------
    coefficients
        Where it is, shape (p,).
    log_likelihood_null
        Log likelihood with all coefficients 0.
    covariance
        Inverse of the (penalised) information, shape (p, p).
    """

    coefficients: FloatArray
    terms: DeathTerms
    log_likelihood_null: float
    covariance: FloatArray


def maximise(risk_sets: RiskSets, names: tuple[str, ...], *, ridge: float = 0.0) -> Maximum:
    """Newton-Raphson with step halving from zero, as R's ``coxph``, to full precision.

    Parameters
    ----------
    risk_sets
        The cohort; columns standardised, so that one tolerance fits all.
    names
        Names of the columns for refusals.
    ridge
        Half of it times the sum of squared coefficients is taken from the log likelihood.

    Raises
    ------
    SurvivalError
        COX_SEPARATION when the likelihood rises towards an infinite coefficient, COX_NOT_CONVERGED otherwise.
    """
    beta = np.zeros(risk_sets.design.shape[1])
    terms = risk_sets.evaluate(beta)
    null = terms.log_likelihood

    def objective(at: FloatArray, terms: DeathTerms) -> float:
        return terms.log_likelihood - ridge / 2 * float(at @ at)

    for _ in range(MOST_ITERATIONS):
        information = terms.information + ridge * np.eye(len(beta))
        try:
            step = np.asarray(np.linalg.solve(information, terms.score - ridge * beta), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise separation(names, beta) from None
        if np.abs(step).max(initial=0.0) < _STEP_TOLERANCE:
            return Maximum(beta, terms, null, np.asarray(np.linalg.inv(information), dtype=np.float64))
        # A long step is cut: far out the exponentials of the predictor leave the range of numbers.
        reach = np.ptp(risk_sets.design @ step)
        if not np.isfinite(reach):
            raise separation(names, beta)
        step = step * min(1.0, LONGEST_STEP / reach)
        if np.ptp(risk_sets.design @ (beta + step)) > _WIDEST_PREDICTOR:
            raise separation(names, beta)
        current = objective(beta, terms)
        step, proposal, halvings = halve(risk_sets, beta, step, current - 1e-12 * abs(null), objective)
        gain = objective(beta + step, proposal) - current
        beta, terms = beta + step, proposal
        stalled = gain <= _LOG_LIKELIHOOD_TOLERANCE * (abs(null) + 1)
        if stalled and halvings == 0 and np.abs(step).max() > _RUNAWAY_STEP:
            raise separation(names, step)
    raise not_converged()


def halve(
    risk_sets: RiskSets,
    beta: FloatArray,
    step: FloatArray,
    floor: float,
    objective: Callable[[FloatArray, DeathTerms], float],
) -> tuple[FloatArray, DeathTerms, int]:
    """Halve ``step`` until ``objective`` is not below ``floor``: the step, the terms after it, and how often."""
    proposal = risk_sets.evaluate(beta + step)
    halvings = 0
    while not objective(beta + step, proposal) >= floor and halvings < 20:
        step, halvings = step / 2, halvings + 1
        proposal = risk_sets.evaluate(beta + step)
    return step, proposal, halvings


def not_converged() -> SurvivalError:
    """Return the refusal of a fit that found no maximum."""
    return SurvivalError(
        "COX_NOT_CONVERGED",
        "The Cox model did not converge",
        found=f"{MOST_ITERATIONS} iterations",
        hint="Use fewer covariates.",
    )


def separation(names: tuple[str, ...], direction: FloatArray) -> SurvivalError:
    """Return the refusal of a fit whose coefficient with the largest ``direction`` runs away."""
    name = names[int(np.abs(direction).argmax())]
    return SurvivalError(
        "COX_SEPARATION",
        "A covariate separates the patients by the order of their events: its hazard ratio runs away",
        keyword=name,
        expected="events on both sides of the covariate",
        hint="Use Firth's penalised likelihood (--penalty firth), leave it out, or merge its categories.",
    )
