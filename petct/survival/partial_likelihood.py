"""Cox partial likelihood with Efron's ties, its derivatives, and its maximum.

Efron B, J Am Stat Assoc 1977;72:557. Of d deaths at one time the l-th (l = 0 .. d-1) sees a risk set in which the
weight of those d has dropped by the share l/d. The same terms serve the fit and the score test of proportional hazards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.outcome import FloatArray, IntArray

_MOST_ITERATIONS = 60
_LOG_LIKELIHOOD_TOLERANCE = 1e-10
_STEP_TOLERANCE = 1e-9
# One more standard deviation of the linear predictor for no gain in likelihood: the maximum lies at infinity.
_RUNAWAY_STEP = 0.05
# Log hazards of two patients: how much one step may move them apart, and where belief ends (a ratio of e^200).
_LONGEST_STEP = 20.0
_WIDEST_PREDICTOR = 200.0


@dataclass(frozen=True, eq=False)
class DeathTerms:
    """Log likelihood and, for each death in order of time, mean and covariance of the covariates at risk.

    Parameters
    ----------
    log_likelihood
        Efron's log partial likelihood.
    residual
        Covariates of each death minus their mean at risk, shape (deaths, p).
    covariance
        Covariance of the covariates at risk, shape (deaths, p, p).
    """

    log_likelihood: float
    residual: FloatArray
    covariance: FloatArray

    @property
    def score(self) -> FloatArray:
        """First derivative of the log likelihood, shape (p,)."""
        return np.asarray(self.residual.sum(axis=0), dtype=np.float64)

    @property
    def information(self) -> FloatArray:
        """Minus the second derivative, shape (p, p)."""
        return np.asarray(self.covariance.sum(axis=0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class RiskSets:
    """A cohort ordered by time, ready to evaluate its partial likelihood at any coefficients.

    Parameters
    ----------
    design
        Covariates in order of time, shape (n, p).
    first_at_risk
        For each death, the first row still at risk, shape (deaths,).
    rows
        For each death, its row, shape (deaths,).
    tie
        For each death, the index of its event time, shape (deaths,).
    tie_start
        For each event time, its first death, shape (event times,).
    tie_share
        For each death, Efron's l/d, shape (deaths,).
    times
        Time of each death, shape (deaths,).
    """

    design: FloatArray
    first_at_risk: IntArray
    rows: IntArray
    tie: IntArray
    tie_start: IntArray
    tie_share: FloatArray
    times: FloatArray

    @classmethod
    def of(cls, duration: FloatArray, event: IntArray, design: FloatArray) -> RiskSets:
        """Order a cohort: times and indicators of shape (n,), at least one event; covariates of shape (n, p)."""
        order = np.argsort(duration, kind="stable")
        ordered = duration[order]
        rows = np.flatnonzero(event[order] == 1)
        times = ordered[rows]
        _, tie_start, tie, size = np.unique(times, return_index=True, return_inverse=True, return_counts=True)
        share = (np.arange(len(rows)) - tie_start[tie]) / size[tie]
        first = np.searchsorted(ordered, times, side="left")
        return cls(design[order], first, rows, tie, tie_start, share, times)

    def evaluate(self, coefficients: FloatArray) -> DeathTerms:
        """Log likelihood, residuals and covariances at ``coefficients``, shape (p,)."""
        x = self.design
        predictor = x @ coefficients
        risk = np.exp(predictor - predictor.max())
        weighted = risk[:, None] * x
        squared = weighted[:, :, None] * x[:, None, :]
        s0 = self._at_risk(risk[:, None])[:, 0]
        mean = self._at_risk(weighted) / s0[:, None]
        second = self._at_risk(squared) / s0[:, None, None]
        log_likelihood = float((predictor[self.rows] - predictor.max() - np.log(s0)).sum())
        return DeathTerms(log_likelihood, x[self.rows] - mean, second - mean[:, :, None] * mean[:, None, :])

    def _at_risk(self, values: FloatArray) -> FloatArray:
        """Sum over the risk set of each death, less the share of the tied deaths that have gone already."""
        total = np.cumsum(values[::-1], axis=0)[::-1]
        tied = np.add.reduceat(values[self.rows], self.tie_start, axis=0)[self.tie]
        share = self.tie_share.reshape(-1, *([1] * (values.ndim - 1)))
        return np.asarray(total[self.first_at_risk] - share * tied, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Maximum:
    """Coefficients of the largest partial likelihood, shape (p,), the terms there, and the log likelihood at zero."""

    coefficients: FloatArray
    terms: DeathTerms
    log_likelihood_null: float
    covariance: FloatArray


def maximise(risk_sets: RiskSets, names: tuple[str, ...]) -> Maximum:
    """Newton-Raphson with step halving from zero, as R's ``coxph``, to full precision.

    Parameters
    ----------
    risk_sets
        The cohort; columns standardised, so that one tolerance fits all.
    names
        Names of the columns for refusals.

    Raises
    ------
    SurvivalError
        COX_SEPARATION when the likelihood rises towards an infinite coefficient, COX_NOT_CONVERGED otherwise.
    """
    beta = np.zeros(risk_sets.design.shape[1])
    terms = risk_sets.evaluate(beta)
    null = terms.log_likelihood
    for _ in range(_MOST_ITERATIONS):
        try:
            step = np.asarray(np.linalg.solve(terms.information, terms.score), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise _separation(names, beta) from None
        if np.abs(step).max() < _STEP_TOLERANCE:
            covariance = np.asarray(np.linalg.inv(terms.information), dtype=np.float64)
            return Maximum(beta, terms, null, covariance)
        # A long step is cut: far out the exponentials of the predictor leave the range of numbers.
        reach = np.ptp(risk_sets.design @ step)
        step = step * min(1.0, _LONGEST_STEP / reach)
        if np.ptp(risk_sets.design @ (beta + step)) > _WIDEST_PREDICTOR:
            raise _separation(names, beta)
        proposal = risk_sets.evaluate(beta + step)
        halvings = 0
        while not proposal.log_likelihood >= terms.log_likelihood - 1e-12 * abs(null) and halvings < 20:
            step, halvings = step / 2, halvings + 1
            proposal = risk_sets.evaluate(beta + step)
        gain = proposal.log_likelihood - terms.log_likelihood
        beta, terms = beta + step, proposal
        stalled = gain <= _LOG_LIKELIHOOD_TOLERANCE * (abs(null) + 1)
        if stalled and halvings == 0 and np.abs(step).max() > _RUNAWAY_STEP:
            raise _separation(names, step)
    raise SurvivalError(
        "COX_NOT_CONVERGED",
        "The Cox model did not converge",
        found=f"{_MOST_ITERATIONS} iterations",
        hint="Use fewer covariates.",
    )


def _separation(names: tuple[str, ...], direction: FloatArray) -> SurvivalError:
    name = names[int(np.abs(direction).argmax())]
    return SurvivalError(
        "COX_SEPARATION",
        "A covariate separates the patients by the order of their events: its hazard ratio runs away",
        keyword=name,
        expected="events on both sides of the covariate",
        hint="Leave it out, merge its categories, or use a penalised model.",
    )
