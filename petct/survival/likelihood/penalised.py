"""Cox models that stay finite where the likelihood does not: ridge, and Firth's penalised likelihood.

Firth D, Biometrika 1993;80:27, for Cox models Heinze G, Schemper M, Biometrics 2001;57:114: half the logarithm of the
determinant of the information is added to the log likelihood, tests are penalised likelihood ratio tests, and limits
are those of the profile of the penalised likelihood. Ridge: Gray RJ, J Am Stat Assoc 1992;87:942.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray
from petct.survival.cohort.results import NORMAL_QUANTILE
from petct.survival.likelihood.partial_likelihood import (
    LONGEST_STEP,
    DeathTerms,
    Maximum,
    RiskSets,
    halve,
    not_converged,
)

_STEP_TOLERANCE = 1e-9
_MOST_ITERATIONS = 500
# Where columns determine each other a ridge is needed even if there are events enough.
_LEAST_RIDGE = 0.01
# Log hazard ratio per SD beyond which a limit of confidence is not looked for.
_FARTHEST_LIMIT = 50.0


@dataclass(frozen=True)
class Ridge:
    """Quadratic penalty on the coefficients per standard deviation.

    Parameters
    ----------
    strength
        Half of it times the sum of squared coefficients is taken from the log likelihood. None chooses the one that
        leaves a tenth as many effective degrees of freedom as there are events (none where there are fewer parameters
        and none determines another).
    """

    strength: float | None = None

    def __post_init__(self) -> None:
        if self.strength is not None and not (np.isfinite(self.strength) and self.strength >= 0):
            raise SurvivalError(
                "RIDGE_INVALID",
                "The strength of a ridge is a number of at least 0",
                found=f"{self.strength:g}",
                expected="for example 5",
            )


@dataclass(frozen=True)
class Firth:
    """Firth's penalty; limits and p-values are those of the profile penalised likelihood."""


Penalty = Ridge | Firth


def effective_df(information: FloatArray, strength: float) -> float:
    """Degrees of freedom that a ridge leaves: trace of I (I + strength)^-1, I the information without the ridge."""
    values = np.maximum(np.linalg.eigvalsh(information), 0.0)
    return float((values / (values + strength)).sum()) if strength > 0 else float(len(values))


def ridge_of(risk_sets: RiskSets, strength: float | None) -> float:
    """Strength of a ridge, chosen by the rule of ``Ridge`` (with the information at zero) where it is None."""
    if strength is not None:
        return strength
    information = risk_sets.evaluate(np.zeros(risk_sets.design.shape[1])).information
    wanted = len(risk_sets.rows) / 10
    if len(information) <= wanted and np.linalg.matrix_rank(information, hermitian=True) == len(information):
        return 0.0
    from scipy.optimize import brentq  # takes as long to load as most models to fit

    if effective_df(information, _LEAST_RIDGE) <= wanted:
        return _LEAST_RIDGE
    upper = 1.0
    while effective_df(information, upper) > wanted:
        upper *= 2
    return float(brentq(lambda strength: effective_df(information, strength) - wanted, _LEAST_RIDGE, upper))


def penalised_log_likelihood(terms: DeathTerms) -> float:
    """Log likelihood plus half the logarithm of the determinant of the information; -inf where that is singular."""
    if not np.isfinite(terms.information).all():
        return -np.inf
    sign, log_determinant = np.linalg.slogdet(terms.information)
    return terms.log_likelihood + log_determinant / 2 if sign > 0 else -np.inf


def penalty_score(terms: DeathTerms, covariance: FloatArray) -> FloatArray:
    """Derivative of half the logarithm of the determinant of the information, shape (p,).

    Half the sum over the deaths of E[(x - m)' V (x - m) (x - m)], the third central moments at risk contracted with the
    covariance V; written as sums over rows, so that no array of p^3 numbers for each death is needed.
    """
    sets = terms.risk_sets
    x, m = sets.design, terms.mean
    hazard = sets.over_deaths(1 / terms.total)
    hazard_mean = sets.over_deaths(m / terms.total[:, None])
    square = np.einsum("ij,jk,ik->i", x, covariance, x)
    first = (terms.risk * square) @ (x * hazard[:, None] - hazard_mean)
    second = x.T @ (terms.risk * np.einsum("ij,jk,ik->i", x, covariance, hazard_mean))
    third = m.T @ np.einsum("ij,jk,ik->i", m, covariance, m)
    return np.asarray((first - 2 * second + 2 * third) / 2, dtype=np.float64)


def maximise_firth(
    risk_sets: RiskSets, *, fixed: Mapping[int, float] | None = None, start: FloatArray | None = None
) -> Maximum:
    """Largest penalised likelihood, some coefficients held where ``fixed`` says.

    Parameters
    ----------
    risk_sets
        The cohort; columns standardised.
    fixed
        Column and value of the coefficients that are not free.
    start
        Where to begin, shape (p,); at zero when None.

    Raises
    ------
    SurvivalError
        COX_NOT_CONVERGED.
    """
    fixed = fixed or {}
    beta = np.zeros(risk_sets.design.shape[1]) if start is None else start.copy()
    for column, value in fixed.items():
        beta[column] = value
    free = np.setdiff1d(np.arange(len(beta)), list(fixed))
    terms = risk_sets.evaluate(beta)
    null = penalised_log_likelihood(risk_sets.evaluate(np.zeros(len(beta))))
    current = penalised_log_likelihood(terms)
    if not np.isfinite(current):
        raise not_converged()
    for _ in range(_MOST_ITERATIONS):
        # Fisher's information without the penalty's curvature is what Heinze and Schemper step with, too.
        step = np.zeros(len(beta))
        try:
            covariance = np.asarray(np.linalg.inv(terms.information), dtype=np.float64)
            score = (terms.score + penalty_score(terms, covariance))[free]
            step[free] = np.linalg.solve(terms.information[np.ix_(free, free)], score)
        except np.linalg.LinAlgError:
            raise not_converged() from None
        if not np.isfinite(step).all():
            raise not_converged()
        if np.abs(step).max(initial=0.0) < _STEP_TOLERANCE:
            return Maximum(beta, terms, null, covariance)
        reach = np.ptp(risk_sets.design @ step)
        step = step * min(1.0, LONGEST_STEP / 4 / reach)
        step, terms, _ = halve(
            risk_sets,
            beta,
            step,
            current - 1e-12 * abs(current),
            lambda _, proposal: penalised_log_likelihood(proposal),
        )
        beta, current = beta + step, penalised_log_likelihood(terms)
    raise not_converged()


def firth_likelihood_ratio(risk_sets: RiskSets, fit: Maximum, columns: tuple[int, ...]) -> float:
    """Penalised likelihood ratio statistic of some columns, held at 0 under the penalty of all columns."""
    restricted = maximise_firth(risk_sets, fixed=dict.fromkeys(columns, 0.0), start=fit.coefficients)
    difference = penalised_log_likelihood(fit.terms) - penalised_log_likelihood(restricted.terms)
    return max(2 * difference, 0.0)


def firth_limits(risk_sets: RiskSets, fit: Maximum, column: int) -> tuple[float, float]:
    """Limits of one coefficient: where the profile of the penalised likelihood has dropped by half its quantile.

    Raises
    ------
    SurvivalError
        COX_PROFILE_OPEN when a limit is not found, COX_NOT_CONVERGED.
    """
    from scipy.optimize import brentq

    largest = penalised_log_likelihood(fit.terms)
    target = largest - NORMAL_QUANTILE**2 / 2
    estimate = float(fit.coefficients[column])
    error = float(np.sqrt(fit.covariance[column, column]))
    last = fit.coefficients

    def above(value: float) -> float:
        nonlocal last
        profile = maximise_firth(risk_sets, fixed={column: value}, start=last)
        last = profile.coefficients
        return penalised_log_likelihood(profile.terms) - target

    def limit(direction: int) -> float:
        nonlocal last
        last = fit.coefficients
        near, far = estimate, estimate + direction * 2 * error
        while above(far) > 0:
            near, far = far, far + direction * 2 * error
            if abs(far - estimate) > _FARTHEST_LIMIT:
                raise SurvivalError(
                    "COX_PROFILE_OPEN",
                    "A confidence limit of the penalised likelihood lies too far out to be found",
                    found=f"still inside {_FARTHEST_LIMIT:g} standard deviations of log hazard from the estimate",
                    hint="Leave the covariate out, or use a ridge.",
                )
        return float(brentq(above, min(near, far), max(near, far), xtol=1e-8))

    return limit(-1), limit(1)
