"""Cox models with an elastic-net penalty, along a path of penalties (docs/decisions/0006).

Minimised is, as in glmnet (Simon N et al., J Stat Softw 2011;39(5)),

    -log partial likelihood / n + penalty x (l1_ratio x sum |b| + (1 - l1_ratio) / 2 x sum b^2)

with Efron's ties. Each step takes Newton's quadratic in the features that are in the model or want to enter it,
solves it with the penalty, and goes as far as the objective falls; the end is where the subgradient contains 0, for
every feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome
from petct.survival.likelihood.partial_likelihood import RiskSets

_MOST_STEPS = 200
_MOST_SWEEPS = 2000
_SWEEPS_BEFORE_SOLVING = 4
_MOST_HALVINGS = 30
# Log hazards beyond which a fit is no longer believed, and the path ends.
_WIDEST_PREDICTOR = 100.0


@dataclass(frozen=True, eq=False)
class ElasticNetPath:
    """Coefficients at each penalty.

    Parameters
    ----------
    penalties
        Descending, shape (l,); at the first one nothing is selected.
    coefficients
        Log hazard ratios per unit of each feature, shape (l, p).
    log_likelihood
        Log partial likelihood at each penalty, shape (l,).
    l1_ratio
        1 is the LASSO, near 0 is ridge.
    """

    penalties: FloatArray
    coefficients: FloatArray
    log_likelihood: FloatArray
    l1_ratio: float

    @property
    def n_selected(self) -> IntArray:
        """Features with a coefficient other than 0 at each penalty, shape (l,)."""
        return np.asarray(np.count_nonzero(self.coefficients, axis=1), dtype=np.int64)


def elastic_net_path(
    outcome: Outcome,
    features: FloatArray,
    *,
    l1_ratio: float = 1.0,
    penalties: FloatArray | None = None,
    n_penalties: int = 30,
    most_selected: int | None = None,
    tolerance: float = 1e-7,
) -> ElasticNetPath:
    """Fit a path of penalised Cox models.

    Parameters
    ----------
    features
        Shape (n, p), without missing values, on one scale (z-scores): the penalty treats all alike.
    l1_ratio
        Share of the absolute penalty, above 0 and at most 1.
    penalties
        Descending; when None, ``n_penalties`` from the smallest that selects nothing down to 0.01 of it, or to 0.05
        where there are as many features as patients.
    n_penalties
        Length of that grid.
    most_selected
        The path ends before more features than this are in the model; the number of events when None.
    tolerance
        How far from 0 a subgradient may be.

    Returns
    -------
    ElasticNetPath
        May be shorter than ``penalties``: it ends where a model is saturated.

    Raises
    ------
    SurvivalError
        FEATURES_INVALID, PENALTY_INVALID, ELASTIC_NET_NOT_CONVERGED.
    """
    x = np.asarray(features, dtype=np.float64)
    _check(outcome, x, l1_ratio, penalties)
    problem = _Problem.of(outcome, x, l1_ratio, tolerance)
    if penalties is None:
        strongest = problem.strongest_gradient() / l1_ratio
        if strongest == 0:
            strongest = 1.0
        ratio = 0.05 if x.shape[1] >= outcome.n else 0.01
        penalties = strongest * np.geomspace(1.0, ratio, n_penalties)
    limit = outcome.n_events if most_selected is None else most_selected
    beta = np.zeros(x.shape[1])
    fitted, likelihood = [], []
    for penalty in penalties:
        found = problem.solve(beta, float(penalty))
        if found is None or np.count_nonzero(found[0]) > limit:
            break
        beta = found[0]
        fitted.append(beta)
        likelihood.append(found[1])
    return ElasticNetPath(
        np.asarray(penalties[: len(fitted)], dtype=np.float64),
        np.array(fitted).reshape(len(fitted), x.shape[1]),
        np.array(likelihood),
        l1_ratio,
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """The cohort in the order of its risk sets."""

    risk_sets: RiskSets
    features: FloatArray
    event: FloatArray
    l1_ratio: float
    tolerance: float

    @classmethod
    def of(cls, outcome: Outcome, x: FloatArray, l1_ratio: float, tolerance: float) -> _Problem:
        sets = RiskSets.of(outcome.duration, outcome.event, np.empty((outcome.n, 0)), entry=outcome.entry)
        return cls(sets, x[sets.order], outcome.event[sets.order].astype(np.float64), l1_ratio, tolerance)

    def strongest_gradient(self) -> float:
        """Largest derivative at 0: with an absolute penalty of this nothing enters."""
        gradient, _ = self._gradient(np.zeros(0, dtype=np.int64), np.zeros(0))
        return float(np.abs(gradient).max(initial=0.0))

    def solve(self, start: FloatArray, penalty: float) -> tuple[FloatArray, float] | None:
        """Coefficients and log likelihood at one penalty, from ``start``; None where the model is saturated."""
        n = len(self.event)
        absolute, square = penalty * self.l1_ratio, penalty * (1 - self.l1_ratio)
        beta = start.copy()
        for _ in range(_MOST_STEPS):
            active = np.flatnonzero(beta)
            gradient, likelihood = self._gradient(active, beta[active])
            slack = np.abs(gradient) - absolute
            slack[active] = np.abs(gradient[active] + square * beta[active] + absolute * np.sign(beta[active]))
            if slack.max(initial=0.0) <= self.tolerance:
                return beta, likelihood
            work = np.flatnonzero((beta != 0) | (slack > self.tolerance))
            sets = self.risk_sets.with_design(self.features[:, work])
            terms = sets.evaluate(beta[work])
            hessian = terms.information / n + square * np.eye(len(work))
            slope = -terms.score / n + square * beta[work]
            target = _penalised_quadratic(hessian, slope, beta[work], absolute)
            step = target - beta[work]
            moved = self._line_search(sets, beta[work], step, absolute, square)
            if moved is None or np.ptp(sets.design @ moved) > _WIDEST_PREDICTOR:
                return None
            beta[work] = moved
        raise SurvivalError(
            "ELASTIC_NET_NOT_CONVERGED",
            "The penalised Cox model did not converge",
            found=f"{_MOST_STEPS} steps at penalty {penalty:g}",
            hint="Standardise the features, and drop those that others determine.",
        )

    def _line_search(
        self, sets: RiskSets, beta: FloatArray, step: FloatArray, absolute: float, square: float
    ) -> FloatArray | None:
        """The longest of step, step/2, ... that lowers the objective; None where none does."""
        n = len(self.event)

        def objective(at: FloatArray) -> float:
            penalty = absolute * np.abs(at).sum() + square / 2 * (at @ at)
            return float(penalty - sets.evaluate(at).log_likelihood / n)

        before = objective(beta)
        share = 1.0
        for _ in range(_MOST_HALVINGS):
            at = beta + share * step if share < 1 else beta + step
            after = objective(at)
            # Near the minimum the objective cannot tell: rounding must not stop a step that the gradient asks for.
            if after <= before + 1e-14 * abs(before):
                return at
            share /= 2
        return None

    def _gradient(self, active: IntArray, beta: FloatArray) -> tuple[FloatArray, float]:
        """Derivative of minus the log likelihood / n for every feature, shape (p,), and the log likelihood."""
        sets = self.risk_sets.with_design(self.features[:, active])
        terms = sets.evaluate(beta)
        martingale = self.event - terms.risk * sets.over_deaths(1.0 / terms.total)
        return np.asarray(-(martingale @ self.features) / len(self.event), dtype=np.float64), terms.log_likelihood


def _penalised_quadratic(hessian: FloatArray, slope: FloatArray, start: FloatArray, absolute: float) -> FloatArray:
    """Minimum b of slope (b - start) + (b - start) H (b - start) / 2 + absolute sum |b|, by coordinate descent.

    After a few sweeps the signs are usually right, and with the signs given the minimum is a linear system.
    """
    b = start.copy()
    gradient = slope.copy()
    diagonal = np.maximum(np.diag(hessian), 1e-12).tolist()
    rows = list(hessian)
    for sweep in range(1, _MOST_SWEEPS + 1):
        largest = 0.0
        for j, curvature in enumerate(diagonal):
            old = float(b[j])
            free = old - float(gradient[j]) / curvature
            threshold = absolute / curvature
            new = free - threshold if free > threshold else free + threshold if free < -threshold else 0.0
            if new != old:
                gradient += (new - old) * rows[j]
                b[j] = new
                largest = max(largest, abs(new - old))
        if largest <= 1e-12:
            break
        if sweep % _SWEEPS_BEFORE_SOLVING == 0:
            exact = _with_signs(hessian, slope, start, b, absolute)
            if exact is not None:
                return exact
    return b


def _with_signs(
    hessian: FloatArray, slope: FloatArray, start: FloatArray, b: FloatArray, absolute: float
) -> FloatArray | None:
    """The minimum among all with the signs of ``b``, or None where it has other signs or is none at all."""
    inside = np.flatnonzero(b)
    sign = np.sign(b[inside])
    # H (b - start) = -slope - absolute sign, for what is inside; what is outside goes to 0.
    outside_move = np.where(b == 0, -start, 0.0)
    right = -slope[inside] - absolute * sign - hessian[inside] @ outside_move
    try:
        move = np.linalg.solve(hessian[np.ix_(inside, inside)], right)
    except np.linalg.LinAlgError:
        return None
    exact = np.zeros_like(b)
    exact[inside] = start[inside] + move
    if np.any(np.sign(exact[inside]) != sign):
        return None
    gradient = slope + hessian @ (exact - start)
    if np.any(np.abs(gradient[exact == 0]) > absolute * (1 + 1e-9)):
        return None
    return exact


def _check(outcome: Outcome, x: FloatArray, l1_ratio: float, penalties: FloatArray | None) -> None:
    if x.ndim != 2 or len(x) != outcome.n or x.shape[1] == 0 or not np.isfinite(x).all():
        raise SurvivalError(
            "FEATURES_INVALID",
            "A penalised model needs a number of every feature for every patient",
            found=f"shape {x.shape}, {np.count_nonzero(~np.isfinite(x))} missing or infinite",
            expected=f"({outcome.n}, at least 1)",
            hint="Prepare the features first: a preparation drops or fills what is missing.",
        )
    wrong = penalties is not None and (len(penalties) == 0 or np.any(penalties <= 0) or np.any(np.diff(penalties) > 0))
    if not 0 < l1_ratio <= 1 or wrong:
        raise SurvivalError(
            "PENALTY_INVALID",
            "The penalty cannot be used",
            found=f"l1_ratio {l1_ratio:g}",
            expected="0 < l1_ratio <= 1, positive penalties in descending order",
        )
