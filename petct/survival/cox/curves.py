"""Curves of a Cox model: baseline hazards, residuals against time and covariates, splines.

Each is a set of numbers for a plot, with the smooth line that belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate, NumericCovariate
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import NORMAL_QUANTILE
from petct.survival.cohort.splines import spline_basis
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.cox.residuals import martingale_residuals
from petct.survival.cox.schoenfeld import Transform, transformed_times
from petct.survival.likelihood.baseline import BaselineHazard

_SMOOTH_POINTS = 40


@dataclass(frozen=True, eq=False)
class StratumBaseline:
    """Cumulative baseline hazard of one stratum (``all`` without strata)."""

    stratum: str
    hazard: BaselineHazard


def baseline_hazards(fit: CoxFit, *, at: Literal["zero", "mean"] = "zero") -> tuple[StratumBaseline, ...]:
    """Cumulative baseline hazards, as R's ``basehaz``.

    Parameters
    ----------
    at
        Hazard of a patient whose design columns are all ``zero`` (R's ``centered=FALSE``), or at their ``mean``.

    Raises
    ------
    SurvivalError
        COX_SCALE when zero lies so far from the patients that the hazard there is no number.
    """
    terms, sets = fit.maximum.terms, fit.risk_sets
    shift = float(fit.centre @ fit.coefficients) if at == "zero" else 0.0
    found = []
    for stratum, highest in enumerate(terms.highest):
        own = sets.stratum[sets.rows] == stratum
        if not own.any():
            continue
        with np.errstate(over="ignore"):
            steps = np.exp(-highest - shift) / terms.total[own]
        if not (np.isfinite(steps) & (steps > 0)).all():
            raise SurvivalError(
                "COX_SCALE",
                "The hazard at zero is too large or too small for a number",
                found=f"log hazard {-shift:.3g} against the mean",
                hint="Ask for the hazard at the mean.",
            )
        times, tie = np.unique(sets.times[own], return_inverse=True)
        label = fit.strata_labels[stratum] if fit.strata_labels else "all"
        found.append(StratumBaseline(label, BaselineHazard(times, np.cumsum(np.bincount(tie, weights=steps)))))
    return tuple(found)


@dataclass(frozen=True)
class ResidualCurve:
    """Points and the smooth line through them.

    Parameters
    ----------
    covariate, x_label, y_label
        What is drawn against what.
    smooth_x, smooth_y, lower, upper
        The line and its 95 % limits (none for a local regression).
    reference
        Where the line would lie if the model were right: the estimate, or None.
    n, n_events
        Rows and events behind it.
    """

    covariate: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    smooth_x: tuple[float, ...]
    smooth_y: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    reference: float | None
    n: int
    n_events: int


def schoenfeld_curves(fit: CoxFit, transform: Transform = "km") -> tuple[ResidualCurve, ...]:
    """Scaled Schoenfeld residuals plus the estimate against transformed time, as R's ``plot.cox.zph``.

    Their smooth line (a restricted cubic spline of 4 knots by least squares, 3 where there are few times) estimates the
    log hazard ratio as it changes with time; its limits use the covariance of the coefficients as R does.

    Parameters
    ----------
    transform
        How time enters.

    Raises
    ------
    SurvivalError
        TOO_FEW_EVENTS_TO_SMOOTH below 10 distinct event times.
    """
    terms, sets = fit.maximum.terms, fit.risk_sets
    x = transformed_times(fit.cohort, transform)[sets.order][sets.rows]
    distinct = np.unique(x)
    if len(distinct) < 10:
        raise SurvivalError(
            "TOO_FEW_EVENTS_TO_SMOOTH",
            "There are too few event times to draw an effect over time",
            found=f"{len(distinct)} distinct times",
            expected="at least 10",
        )
    covariance = np.linalg.inv(terms.information)
    n_events = len(sets.rows)
    # Grambsch and Therneau: the average covariance of the risk sets stands for that of each.
    scaled = fit.maximum.coefficients + n_events * terms.residual @ covariance
    knots = tuple(np.quantile(distinct, (0.05, 0.35, 0.65, 0.95) if len(distinct) >= 20 else (0.1, 0.5, 0.9)))
    basis = np.column_stack([np.ones(n_events), spline_basis(x, knots)])
    grid = np.linspace(x.min(), x.max(), _SMOOTH_POINTS)
    at = np.column_stack([np.ones(_SMOOTH_POINTS), spline_basis(grid, knots)])
    gram = np.linalg.pinv(basis.T @ basis)
    line = at @ gram @ basis.T @ scaled
    spread = np.sqrt(np.einsum("ij,jk,ik->i", at, gram, at))
    z = NORMAL_QUANTILE
    curves = []
    for j, name in enumerate(fit.names):
        half = z * spread * np.sqrt(covariance[j, j] * n_events) / fit.sd[j]
        smooth = line[:, j] / fit.sd[j]
        curves.append(
            ResidualCurve(
                covariate=name,
                x_label=f"time ({fit.cohort.unit}s), transform {transform}",
                y_label=f"log hazard ratio of {name}",
                x=tuple(x.tolist()),
                y=tuple((scaled[:, j] / fit.sd[j]).tolist()),
                smooth_x=tuple(grid.tolist()),
                smooth_y=tuple(smooth.tolist()),
                lower=tuple((smooth - half).tolist()),
                upper=tuple((smooth + half).tolist()),
                reference=float(fit.coefficients[j]),
                n=fit.cohort.n,
                n_events=n_events,
            )
        )
    return tuple(curves)


def functional_form(
    outcome: Outcome,
    covariate: NumericCovariate,
    others: Sequence[Covariate] = (),
    *,
    strata: Sequence[CategoricalCovariate] = (),
) -> ResidualCurve:
    """Martingale residuals of the model without a covariate against it: a straight line asks for no transformation.

    Therneau TM, Grambsch PM, Fleming TR, Biometrika 1990;77:147. The line is a local linear regression (tricube weights
    over half of the patients).

    Parameters
    ----------
    covariate
        Whose form is looked at, in its own unit.
    others
        The covariates of the model.
    strata
        Categories with a baseline hazard each.

    Raises
    ------
    SurvivalError
        As ``cox``.
    """
    plain = NumericCovariate(covariate.name, covariate.values, covariate.unit, "as_is", known_from=covariate.known_from)
    with_it = fit_cox(outcome, [plain, *others], strata=strata)
    x = np.asarray(covariate.values, dtype=np.float64)[with_it.design.complete]
    # The covariate is the first column: the same patients without it.
    terms = with_it.with_columns(np.arange(1, len(with_it.names))).terms
    residual = np.empty(len(x))
    residual[with_it.risk_sets.order] = martingale_residuals(terms)
    order = np.argsort(x, kind="stable")
    grid = np.linspace(x.min(), x.max(), _SMOOTH_POINTS)
    unit = f" ({covariate.unit})" if covariate.unit else ""
    return ResidualCurve(
        covariate=covariate.name,
        x_label=f"{covariate.name}{unit}",
        y_label="martingale residual (events seen minus expected)",
        x=tuple(x[order].tolist()),
        y=tuple(residual[order].tolist()),
        smooth_x=tuple(grid.tolist()),
        smooth_y=tuple(_local_linear(x, residual, grid).tolist()),
        lower=(),
        upper=(),
        reference=None,
        n=len(x),
        n_events=with_it.cohort.n_events,
    )


def _local_linear(x: FloatArray, y: FloatArray, grid: FloatArray) -> FloatArray:
    """Local linear regression with tricube weights over the nearest half of the points, at least 5."""
    nearest = max(len(x) // 2, 5)
    line = np.empty(len(grid))
    for i, at in enumerate(grid):
        distance = np.abs(x - at)
        width = np.sort(distance)[min(nearest, len(x)) - 1] or distance.max()
        weight = np.clip(1 - (distance / (width * (1 + 1e-9))) ** 3, 0, None) ** 3
        design = np.column_stack([np.ones(len(x)), x - at])
        root = np.sqrt(weight)
        line[i] = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0][0]
    return line
