"""Multiple imputation of missing covariates by chained equations, and Cox models pooled by Rubin's rules.

Every incomplete covariate is imputed in turn from all others, the event indicator and the Nelson-Aalen cumulative
hazard (White IR, Royston P, Stat Med 2009;28:1982) by predictive mean matching: of the 5 patients whose predicted value
is nearest one lends the value that was measured (van Buuren S, Flexible Imputation of Missing Data, 2nd ed. 2018, 3.4).
A category is matched by the predictions of its indicators. So only values that occur are imputed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import BoolArray, FloatArray, IntArray, Outcome

_DONORS = 5
_CYCLES = 10
LARGEST_SHARE_MISSING = 0.5


@dataclass(frozen=True, eq=False)
class Incomplete:
    """A covariate with gaps, as numbers.

    Parameters
    ----------
    codes
        For a number its values, for a category the index of its level; shape (n,), NaN where missing.
    n_levels
        Levels of a category; None for a number.
    """

    name: str
    codes: FloatArray
    n_levels: int | None

    @property
    def missing(self) -> BoolArray:
        """Where it is missing, shape (n,)."""
        return np.isnan(self.codes)


def impute(
    outcome: Outcome, covariates: Sequence[Incomplete], n_imputations: int, seed: int
) -> tuple[tuple[FloatArray, ...], ...]:
    """Impute all gaps.

    Parameters
    ----------
    outcome
        The cohort, which helps to predict what is missing.
    covariates
        At least one.
    n_imputations, seed
        How many completed sets, and the seed.

    Returns
    -------
    tuple
        For each imputation, for each covariate, its codes without gaps, shape (n,).

    Raises
    ------
    SurvivalError
        IMPUTATION_TOO_MUCH_MISSING when more than half of a covariate is, IMPUTATIONS_TOO_FEW below 2.
    """
    if n_imputations < 2:
        raise SurvivalError(
            "IMPUTATIONS_TOO_FEW", "Pooling needs several imputations", found=str(n_imputations), expected="at least 2"
        )
    for covariate in covariates:
        n_missing = int(covariate.missing.sum())
        if n_missing > LARGEST_SHARE_MISSING * outcome.n:
            raise SurvivalError(
                "IMPUTATION_TOO_MUCH_MISSING",
                f"{covariate.name} is missing too often to be imputed",
                keyword=covariate.name,
                found=f"{n_missing} of {outcome.n}",
                expected=f"at most {LARGEST_SHARE_MISSING:.0%}",
                hint="Leave it out.",
            )
    follow_up = np.column_stack([outcome.event.astype(np.float64), _cumulative_hazard(outcome)])
    found = []
    for generator in np.random.default_rng(seed).spawn(n_imputations):
        completed = [_started(covariate, generator) for covariate in covariates]
        order = sorted(range(len(covariates)), key=lambda i: int(covariates[i].missing.sum()))
        for _ in range(_CYCLES):
            for i in order:
                if covariates[i].missing.any():
                    others = [_columns(covariates[j], completed[j]) for j in range(len(covariates)) if j != i]
                    completed[i] = _matched(covariates[i], np.column_stack([follow_up, *others]), generator)
        found.append(tuple(completed))
    return tuple(found)


def _cumulative_hazard(outcome: Outcome) -> FloatArray:
    """Nelson-Aalen estimate at each patient's time, shape (n,)."""
    times, position = np.unique(outcome.duration, return_inverse=True)
    events = np.bincount(position, weights=outcome.event)
    at_risk = outcome.n - np.searchsorted(np.sort(outcome.duration), times, side="left")
    if outcome.entry is not None:
        at_risk = at_risk - (outcome.n - np.searchsorted(np.sort(outcome.entry), times, side="left"))
    return np.asarray(np.cumsum(events / np.maximum(at_risk, 1))[position], dtype=np.float64)


def _started(covariate: Incomplete, rng: np.random.Generator) -> FloatArray:
    values = covariate.codes.copy()
    present = values[~covariate.missing]
    values[covariate.missing] = rng.choice(present, int(covariate.missing.sum()))
    return values


def _columns(covariate: Incomplete, codes: FloatArray) -> FloatArray:
    """A number as one column, a category as an indicator of each level but the first, shape (n, k)."""
    if covariate.n_levels is None:
        return codes[:, None]
    return np.asarray(codes[:, None] == np.arange(1, covariate.n_levels), dtype=np.float64)


def _matched(covariate: Incomplete, others: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw the gaps of one covariate from the patients whose predictions are nearest."""
    missing = covariate.missing
    target = _columns(covariate, covariate.codes)[~missing]
    spread = others.std(axis=0)
    design = np.column_stack([np.ones(len(others)), (others - others.mean(axis=0)) / np.where(spread > 0, spread, 1.0)])
    x = design[~missing]
    # As in mice: a trace of ridge, for columns that others determine.
    gram = x.T @ x
    inverse = np.linalg.inv(gram + 1e-5 * np.diag(np.diag(gram)) + 1e-12 * np.eye(len(gram)))
    estimate = inverse @ x.T @ target
    residual = target - x @ estimate
    df = max(len(x) - x.shape[1], 1)
    # A draw of the coefficients, so that imputations differ by what is not known of them.
    sigma = np.sqrt((residual**2).sum(axis=0) / rng.chisquare(df, target.shape[1]))
    drawn = estimate + np.linalg.cholesky(inverse) @ rng.standard_normal(estimate.shape) * sigma
    scale = target.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    donors, takers = x @ estimate / scale, design[missing] @ drawn / scale
    distance = ((takers[:, None, :] - donors[None, :, :]) ** 2).sum(axis=2)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, : min(_DONORS, len(donors))]
    chosen: IntArray = nearest[np.arange(len(nearest)), rng.integers(0, nearest.shape[1], len(nearest))]
    values = covariate.codes.copy()
    values[missing] = covariate.codes[~missing][chosen]
    return values
