"""A fitted Cox model as arrays: what ``cox`` makes its result of, and what residuals and curves are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate, Design, design_of, present_in
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome
from petct.survival.cohort.results import counted
from petct.survival.cox.residuals import robust_covariance
from petct.survival.likelihood.partial_likelihood import Maximum, RiskSets, maximise
from petct.survival.likelihood.penalised import Firth, Penalty, Ridge, effective_df, maximise_firth, ridge_of

FEWEST_EVENTS_PER_PARAMETER = 5

StandardErrors = Literal["model", "robust", "clustered"]


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted model; columns are standardised inside, and everything given out is on the scale of the design.

    Parameters
    ----------
    cohort
        Outcome of the rows in the model.
    design
        Their covariates.
    strata_names, strata_labels
        What the model is stratified by, and the strata.
    standard_errors, cluster_name
        Which standard errors, and what they are clustered by.
    cluster
        Cluster of each row in the order of the risk sets, shape (n,); its patient where there are none.
    penalty, ridge
        The penalty, and the strength of a ridge per standard deviation (0 without one).
    risk_sets, maximum
        The standardised cohort and its fit.
    centre, sd
        Mean and standard deviation (over n) of the columns, shape (p,).
    n_patients
        Patients in the model: fewer than rows where follow-up is split.
    """

    cohort: Outcome
    design: Design
    strata_names: tuple[str, ...]
    strata_labels: tuple[str, ...]
    standard_errors: StandardErrors
    cluster_name: str | None
    cluster: IntArray
    penalty: Penalty | None
    ridge: float
    risk_sets: RiskSets
    maximum: Maximum
    centre: FloatArray
    sd: FloatArray
    n_patients: int

    @property
    def coefficients(self) -> FloatArray:
        """Log hazard ratios, shape (p,)."""
        return np.asarray(self.maximum.coefficients / self.sd, dtype=np.float64)

    @property
    def covariance(self) -> FloatArray:
        """Their covariance (robust or clustered where asked for), shape (p, p)."""
        covariance = self.maximum.covariance
        if self.standard_errors != "model":
            covariance = robust_covariance(self.maximum.terms, covariance, self.cluster)
        return np.asarray(covariance / np.outer(self.sd, self.sd), dtype=np.float64)

    @property
    def linear_predictor(self) -> FloatArray:
        """Log risk of each row against the means, in the order of the cohort, shape (n,).

        Summed row by row and not as a matrix product, so that equal patients get exactly equal risks.
        """
        predictor = np.empty(self.cohort.n)
        predictor[self.risk_sets.order] = (self.risk_sets.design * self.maximum.coefficients).sum(axis=1)
        return predictor

    @property
    def stratum(self) -> IntArray | None:
        """Stratum of each row in the order of the cohort, shape (n,); None without strata."""
        if not self.strata_names:
            return None
        stratum = np.empty(self.cohort.n, dtype=np.int64)
        stratum[self.risk_sets.order] = self.risk_sets.stratum
        return stratum

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.design.columns)

    @property
    def degrees_of_freedom(self) -> float:
        """Parameters, or what a ridge leaves of them."""
        return effective_df(self.maximum.terms.information, self.ridge)

    def with_columns(self, kept: IntArray) -> Maximum:
        """The unpenalised fit of the same rows to these columns only."""
        return maximise(self.risk_sets.with_design(self.risk_sets.design[:, kept]), tuple(self.names[i] for i in kept))


def fit_cox(
    outcome: Outcome,
    covariates: Sequence[Covariate],
    *,
    strata: Sequence[CategoricalCovariate] = (),
    robust: bool = False,
    cluster: CategoricalCovariate | None = None,
    patients: Sequence[str] | None = None,
    penalty: Penalty | None = None,
) -> CoxFit:
    """Fit a Cox model to the rows that have all it needs; parameters and refusals are those of ``cox``."""
    n = outcome.n
    grouping = [*strata, *([cluster] if cluster is not None else [])]
    present = np.ones(n, dtype=np.bool_)
    for group in grouping:
        present &= present_in(group, n)
    _refuse_immortal_time(covariates, outcome)
    design = design_of(covariates, n, also_present=present, collinear=isinstance(penalty, Ridge))
    cohort = outcome.subset(design.complete)
    n_parameters = len(design.columns)
    if penalty is None and cohort.n_events < FEWEST_EVENTS_PER_PARAMETER * n_parameters:
        raise SurvivalError(
            "COX_TOO_FEW_EVENTS",
            "The model has more parameters than the events can carry",
            found=f"{counted(cohort.n_events, 'event')} for {counted(n_parameters, 'parameter')}",
            expected=f"at least {FEWEST_EVENTS_PER_PARAMETER} events per parameter",
            hint="Use fewer covariates, or a penalised model (--penalty ridge or firth).",
        )
    codes, labels = _strata(strata, design)
    matrix = design.matrix
    centre, sd = matrix.mean(axis=0), matrix.std(axis=0)
    standardised = (matrix - centre) / sd
    _refuse_constant_within(standardised, codes, design, strata)
    risk_sets = RiskSets.of(cohort.duration, cohort.event, standardised, strata=codes, entry=cohort.entry)
    names = tuple(column.name for column in design.columns)
    ridge = ridge_of(risk_sets, penalty.strength) if isinstance(penalty, Ridge) else 0.0
    firth = isinstance(penalty, Firth)
    maximum = maximise_firth(risk_sets) if firth else maximise(risk_sets, names, ridge=ridge)
    # Rows of one patient have one event between them and need no sandwich, but a robust one sums them.
    of_patient = _codes(patients, design)
    groups = _codes(cluster.values, design) if cluster is not None else of_patient
    return CoxFit(
        cohort=cohort,
        design=design,
        strata_names=tuple(group.name for group in strata),
        strata_labels=labels,
        standard_errors="clustered" if cluster is not None else "robust" if robust else "model",
        cluster_name=cluster.name if cluster is not None else None,
        cluster=(np.arange(cohort.n) if groups is None else groups)[risk_sets.order],
        penalty=penalty,
        ridge=ridge,
        risk_sets=risk_sets,
        maximum=maximum,
        centre=centre,
        sd=sd,
        n_patients=cohort.n if of_patient is None else int(of_patient.max()) + 1,
    )


def _codes(values: Sequence[str | None] | None, design: Design) -> IntArray | None:
    if values is None:
        return None
    texts = [str(value) for value, kept in zip(values, design.complete, strict=True) if kept]
    return np.asarray(np.unique(texts, return_inverse=True)[1], dtype=np.int64)


def _strata(strata: Sequence[CategoricalCovariate], design: Design) -> tuple[IntArray | None, tuple[str, ...]]:
    if not strata:
        return None, ()
    rows = zip(*(group.values for group in strata), strict=True)
    texts = [", ".join(str(value) for value in row) for row, kept in zip(rows, design.complete, strict=True) if kept]
    labels, codes = np.unique(texts, return_inverse=True)
    return np.asarray(codes, dtype=np.int64), tuple(str(label) for label in labels)


def _refuse_constant_within(
    standardised: FloatArray, codes: IntArray | None, design: Design, strata: Sequence[CategoricalCovariate]
) -> None:
    if codes is None:
        return
    size = np.bincount(codes)
    for column, values in zip(design.columns, standardised.T, strict=True):
        rest = values - (np.bincount(codes, weights=values) / size)[codes]
        if np.abs(rest).max() < 1e-9:
            raise SurvivalError(
                "COVARIATE_CONSTANT_IN_STRATA",
                f"{column.name} is the same in all patients of each stratum",
                keyword=column.name,
                found="strata " + ", ".join(group.name for group in strata),
                hint="Leave it out: the strata stand for it.",
            )


def _refuse_immortal_time(covariates: Sequence[Covariate], outcome: Outcome) -> None:
    """Refuse a value that was not known yet when its patient's time began to count."""
    entry = np.zeros(outcome.n) if outcome.entry is None else outcome.entry
    for covariate in covariates:
        known = np.broadcast_to(np.asarray(covariate.known_from, dtype=np.float64), (outcome.n,))
        late = (known > entry) & present_in(covariate, outcome.n)
        if late.any():
            raise SurvivalError(
                "IMMORTAL_TIME",
                f"{covariate.name} was known only later: until then its patients could not have died",
                keyword=covariate.name,
                found=f"{counted(int(late.sum()), 'patient')}, up to {known[late].max():g} {outcome.unit}s later",
                expected="values known when the time begins to count",
                hint="Begin at a landmark, or let it change with time (petlake cox --therapy-start).",
            )
