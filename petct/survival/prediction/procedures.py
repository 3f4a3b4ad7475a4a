"""Ways to get a risk score from many features, each from the raw table to the coefficients.

A procedure is all that is done to the training patients: preparation, selection, penalty, fit. What is validated is the
procedure, so each of these steps is repeated on every fold or resample; the result is always linear in prepared
features.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, Outcome, event_stratified_folds
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.preparation import Preparation, PreparationRules, fit_preparation
from petct.survival.likelihood.elastic_net import elastic_net_path
from petct.survival.likelihood.marginal import marginal_z
from petct.survival.likelihood.partial_likelihood import RiskSets, maximise

PenaltyRule = Literal["min", "1se"]


@dataclass(frozen=True)
class LinearRisk:
    """A fitted risk score: the prepared features times their coefficients.

    Parameters
    ----------
    preparation
        What is done to the features first.
    coefficients
        Log hazard ratio per training SD of each feature that the preparation keeps; 0 where it was not selected.
    """

    preparation: Preparation
    coefficients: tuple[float, ...]

    @property
    def selected(self) -> tuple[str, ...]:
        """Features with a coefficient other than 0."""
        return tuple(name for name, value in zip(self.preparation.names, self.coefficients, strict=True) if value != 0)

    def predictor(self, table: FeatureTable) -> FloatArray:
        """Linear predictor of patients, new or of the fit, shape (n,); raises what ``Preparation.transform`` does."""
        # Summed row by row and not as a matrix product, so that equal patients get exactly equal risks.
        prepared = self.preparation.transform(table).values
        return np.asarray((prepared * np.array(self.coefficients)).sum(axis=1), dtype=np.float64)


class Procedure(Protocol):
    """Training patients in, risk score out; whatever is random follows from the seed."""

    @property
    def description(self) -> str:
        """What it does, for results."""
        ...

    def fit(self, outcome: Outcome, table: FeatureTable, seed: int) -> LinearRisk:
        """Fit on training patients; raises SurvivalError or FeatureError where that is refused."""
        ...


@dataclass(frozen=True)
class AllFeatures:
    """An unpenalised Cox model of all features that the preparation keeps."""

    rules: PreparationRules = field(default_factory=PreparationRules)

    @property
    def description(self) -> str:
        """What it does."""
        return "Cox model of all features"

    def fit(self, outcome: Outcome, table: FeatureTable, seed: int) -> LinearRisk:  # noqa: ARG002 (nothing is random)
        """Fit; raises COX_SEPARATION, COX_NOT_CONVERGED and what the preparation refuses."""
        preparation = fit_preparation(table, self.rules)
        prepared = preparation.transform(table)
        return LinearRisk(preparation, tuple(_cox(outcome, prepared.values, prepared.names).tolist()))


@dataclass(frozen=True)
class BestUnivariable:
    """The features with the largest score statistics, one by one, then an unpenalised Cox model of them.

    How many papers select; here to show what it costs.
    """

    n_features: int = 5
    rules: PreparationRules = field(default_factory=PreparationRules)

    @property
    def description(self) -> str:
        """What it does."""
        return f"{self.n_features} best univariable features, Cox model"

    def fit(self, outcome: Outcome, table: FeatureTable, seed: int) -> LinearRisk:  # noqa: ARG002 (nothing is random)
        """Fit; raises COX_SEPARATION, COX_NOT_CONVERGED and what the preparation refuses."""
        preparation = fit_preparation(table, self.rules)
        prepared = preparation.transform(table)
        size = np.abs(marginal_z(outcome, prepared.values))
        best = np.sort(np.argsort(-size, kind="stable")[: self.n_features])
        coefficients = np.zeros(len(prepared.names))
        coefficients[best] = _cox(outcome, prepared.values[:, best], tuple(prepared.names[j] for j in best))
        return LinearRisk(preparation, tuple(coefficients.tolist()))


@dataclass(frozen=True)
class ElasticNet:
    """An elastic-net Cox model whose penalty is chosen by cross-validation within the training patients.

    Parameters
    ----------
    l1_ratio
        1 is the LASSO.
    penalty
        The one with the largest cross-validated partial likelihood (``min``), or the largest within one standard
        error of it (``1se``).
    n_folds, n_penalties
        Of the inner cross-validation.
    """

    l1_ratio: float = 1.0
    penalty: PenaltyRule = "min"
    n_folds: int = 5
    n_penalties: int = 30
    rules: PreparationRules = field(default_factory=PreparationRules)

    @property
    def description(self) -> str:
        """What it does."""
        kind = "LASSO" if self.l1_ratio == 1 else f"elastic-net (l1_ratio {self.l1_ratio:g})"
        return f"{kind} Cox model, penalty by {self.n_folds}-fold cross-validation ({self.penalty})"

    def fit(self, outcome: Outcome, table: FeatureTable, seed: int) -> LinearRisk:
        """Fit; raises FOLDS_INVALID, ELASTIC_NET_NOT_CONVERGED and what the preparation refuses."""
        preparation = fit_preparation(table, self.rules)
        x = preparation.transform(table).values
        whole = elastic_net_path(outcome, x, l1_ratio=self.l1_ratio, n_penalties=self.n_penalties)
        fold = event_stratified_folds(outcome, self.n_folds, np.random.default_rng(seed))
        gains = []
        for k in range(self.n_folds):
            inside = fold != k
            path = elastic_net_path(
                outcome.subset(inside), x[inside], l1_ratio=self.l1_ratio, penalties=whole.penalties
            )
            # Verweij PJM, van Houwelingen HC, Stat Med 1993;12:2305: what the left-out patients add to the likelihood.
            added = _log_likelihoods(outcome, x, path.coefficients) - path.log_likelihood
            gains.append((added, int(outcome.event[fold == k].sum())))
        best = _chosen(gains, self.penalty)
        return LinearRisk(preparation, tuple(whole.coefficients[best].tolist()))


@dataclass(frozen=True)
class PrincipalComponents:
    """A Cox model of the first principal components of the prepared features, both from training patients."""

    n_components: int = 3
    rules: PreparationRules = field(default_factory=PreparationRules)

    @property
    def description(self) -> str:
        """What it does."""
        return f"Cox model of {self.n_components} principal components"

    def fit(self, outcome: Outcome, table: FeatureTable, seed: int) -> LinearRisk:  # noqa: ARG002 (nothing is random)
        """Fit; raises COX_SEPARATION, COX_NOT_CONVERGED and what the preparation refuses."""
        preparation = fit_preparation(table, self.rules)
        x = preparation.transform(table).values
        _, singular, loadings = np.linalg.svd(x, full_matrices=False)
        kept = min(self.n_components, int(np.count_nonzero(singular > 1e-9 * singular[0])))
        names = tuple(f"PC{k + 1}" for k in range(kept))
        weights = _cox(outcome, x @ loadings[:kept].T, names) @ loadings[:kept]
        return LinearRisk(preparation, tuple(weights.tolist()))


def _cox(outcome: Outcome, x: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Unpenalised coefficients per unit of ``x``, shape (n, p)."""
    if x.shape[1] > outcome.n_events:
        raise SurvivalError(
            "COX_TOO_FEW_EVENTS",
            "The model has more parameters than events",
            found=f"{outcome.n_events} events for {x.shape[1]} parameters",
            hint="Use a penalised model, or fewer features.",
        )
    sd = x.std(axis=0)
    standardised = (x - x.mean(axis=0)) / sd
    rank = int(np.linalg.matrix_rank(standardised))
    if rank < x.shape[1]:
        raise SurvivalError(
            "COVARIATE_COLLINEAR",
            "Some features are determined by the others",
            found=f"{x.shape[1]} features of rank {rank} in {len(x)} patients",
            hint="Prune correlated features, or use a penalised model.",
        )
    risk_sets = RiskSets.of(outcome.duration, outcome.event, standardised, entry=outcome.entry)
    return np.asarray(maximise(risk_sets, names).coefficients / sd, dtype=np.float64)


def _log_likelihoods(outcome: Outcome, x: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Log partial likelihood of each of several models, coefficients (l, p), result (l,)."""
    sets = RiskSets.of(outcome.duration, outcome.event, np.empty((outcome.n, 0)), entry=outcome.entry)
    predictor = (x @ coefficients.T)[sets.order]
    predictor = predictor - predictor.max(axis=0)
    total = sets.at_risk(np.exp(predictor))
    return np.asarray((predictor[sets.rows] - np.log(total)).sum(axis=0), dtype=np.float64)


def _chosen(gains: list[tuple[FloatArray, int]], rule: PenaltyRule) -> int:
    """Index of the chosen penalty, from what each fold's left-out patients add (l,) and how many events they have."""
    length = min(len(added) for added, _ in gains)
    events = np.array([count for _, count in gains], dtype=np.float64)
    per_event = np.array([added[:length] / count for added, count in gains])
    mean = events @ per_event / events.sum()
    best = int(mean.argmax())
    if rule == "min":
        return best
    spread = np.sqrt(events @ (per_event[:, best] - mean[best]) ** 2 / events.sum() / (len(gains) - 1))
    return int(np.argmax(mean >= mean[best] - spread))
