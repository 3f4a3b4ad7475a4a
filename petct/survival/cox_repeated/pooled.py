"""A Cox model of imputed covariates, pooled by Rubin's rules.

Coefficients and intervals: Rubin DB, Multiple Imputation, 1987, with the degrees of freedom of Barnard J, Rubin DB,
Biometrika 1999;86:948. P-values: pooled likelihood ratio tests (Meng XL, Rubin DB, Biometrika 1992;79:103).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc, stdtrit

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, Column, Covariate, NumericCovariate, design_of
from petct.survival.cohort.multiple_imputation import Incomplete, impute
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import (
    CONFIDENCE,
    SIGNIFICANCE_LEVEL,
    IntervalResult,
    Suppressed,
    Term,
    counted,
    p_text,
    small_arm,
)
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.cox.result import CovariateTest

DEFAULT_IMPUTATIONS = 20


@dataclass(frozen=True, kw_only=True)
class PooledTerm(Term):
    """One hazard ratio over all imputations; a standard deviation is that of the values that were measured.

    Parameters
    ----------
    df
        Degrees of freedom of the t distribution of the coefficient.
    p, p_suppressed
        Pooled likelihood ratio test; None exactly when ``p_suppressed`` says why.
    fraction_missing
        Share of the variance that is due to what is missing.
    """

    hazard_ratio: float
    df: float
    p: float | None
    p_suppressed: Suppressed | None
    fraction_missing: float


@dataclass(frozen=True)
class MissingCount:
    """How many patients lack a covariate."""

    covariate: str
    n_missing: int


@dataclass(frozen=True, kw_only=True)
class PooledCoxResult(IntervalResult):
    """A Cox model over all imputations, of all patients.

    Parameters
    ----------
    n_complete_cases, missing
        Patients who lack nothing, and what the others lack.
    n_imputations, seed
        How often, and from which seed.
    terms, overall
        The hazard ratios, and the test of all of them together.
    """

    n_complete_cases: int
    missing: tuple[MissingCount, ...]
    n_imputations: int
    seed: int
    terms: tuple[PooledTerm, ...]
    overall: CovariateTest


def cox_imputed(
    outcome: Outcome,
    covariates: Sequence[Covariate],
    *,
    strata: Sequence[CategoricalCovariate] = (),
    n_imputations: int = DEFAULT_IMPUTATIONS,
    seed: int = 1,
) -> PooledCoxResult:
    """Impute what is missing, fit every completed cohort, and pool.

    Parameters
    ----------
    covariates
        Numbers and categories; numbers per doubling are imputed as logarithms.
    strata
        Categories with a baseline hazard each, complete.
    n_imputations, seed
        How many imputations, and their seed.

    Raises
    ------
    SurvivalError
        IMPUTATION_NOTHING_MISSING, IMPUTATION_SPLINE, IMPUTATION_STRATA_MISSING, and the codes of ``impute`` and
        ``cox``.
    """
    scaled = [_Scaled.of(covariate, outcome.n) for covariate in covariates]
    present = [~part.incomplete.missing for part in scaled]
    complete = np.all(present, axis=0) if scaled else np.ones(outcome.n, dtype=np.bool_)
    if complete.all():
        raise SurvivalError(
            "IMPUTATION_NOTHING_MISSING", "No covariate is missing in any patient", hint="Fit the model without it."
        )
    if any(value is None for stratum in strata for value in stratum.values):
        raise SurvivalError(
            "IMPUTATION_STRATA_MISSING", "Strata cannot be imputed", hint="Leave out the patients without a stratum."
        )
    imputed = impute(outcome, [part.incomplete for part in scaled], n_imputations, seed)
    fits = [
        fit_cox(outcome, [part.filled(codes) for part, codes in zip(scaled, completed, strict=True)], strata=strata)
        for completed in imputed
    ]
    columns = fits[0].design.columns
    tests = _PooledTests(fits)
    terms = tuple(_term(fits, i, column, scaled, tests.p((i,))) for i, column in enumerate(columns))
    suppressed = next((term.p_suppressed for term in terms if term.p_suppressed), None)
    everything = tuple(range(len(columns)))
    overall = CovariateTest(
        "all covariates",
        "all covariates",
        f"pooled likelihood ratio test ({n_imputations} imputations, seed {seed})",
        len(columns),
        None,
        None if suppressed else tests.p(everything),
        suppressed,
    )
    missing = tuple(
        MissingCount(part.incomplete.name, int(part.incomplete.missing.sum()))
        for part in scaled
        if part.incomplete.missing.any()
    )
    return PooledCoxResult(
        unit=outcome.unit,
        n=outcome.n,
        n_events=outcome.n_events,
        n_complete_cases=int(complete.sum()),
        missing=missing,
        n_imputations=n_imputations,
        seed=seed,
        terms=terms,
        overall=overall,
        notes=_notes(outcome, missing, int(complete.sum()), n_imputations, terms),
    )


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A covariate on the scale of its coefficient, fixed before anything is imputed."""

    covariate: Covariate
    incomplete: Incomplete
    scale: str | None
    levels: tuple[str, ...]

    @classmethod
    def of(cls, covariate: Covariate, n: int) -> _Scaled:
        if isinstance(covariate, NumericCovariate):
            if covariate.scale == "spline":
                raise SurvivalError(
                    "IMPUTATION_SPLINE",
                    "A spline cannot be pooled: its knots would move from one imputation to the next",
                    keyword=covariate.name,
                    hint="Use a straight scale.",
                )
            design = design_of([covariate], n)
            (column,) = design.columns
            values = np.full(n, np.nan)
            values[design.complete] = column.values
            return cls(covariate, Incomplete(covariate.name, values, None), column.scale, ())
        design_of([covariate], n)  # refuses what cannot be a category of a model
        levels = tuple(sorted({value for value in covariate.values if value is not None}))
        place = {level: float(i) for i, level in enumerate(levels)}
        codes = np.array([np.nan if value is None else place[value] for value in covariate.values])
        return cls(covariate, Incomplete(covariate.name, codes, len(levels)), None, levels)

    def filled(self, codes: FloatArray) -> Covariate:
        """Return the covariate with other values."""
        if isinstance(self.covariate, NumericCovariate):
            return NumericCovariate(self.covariate.name, codes, scale="as_is", known_from=self.covariate.known_from)
        reference = self.covariate.reference
        if reference is None:
            # The most frequent one among those measured: it must be the same in every imputation.
            counts = {level: self.covariate.values.count(level) for level in self.levels}
            reference = min(counts, key=lambda level: (-counts[level], level))
        return replace(self.covariate, values=[self.levels[int(code)] for code in codes], reference=reference)


@dataclass(frozen=True, eq=False)
class _PooledTests:
    """Likelihood ratio tests over the completed cohorts."""

    fits: list[CoxFit]

    def p(self, columns: tuple[int, ...]) -> float:
        """Test that the coefficients of some columns are 0 (Meng and Rubin's D3)."""
        k, m = len(columns), len(self.fits)
        others = np.setdiff1d(np.arange(len(self.fits[0].names)), columns)
        own, restricted = [], []
        for fit in self.fits:
            null = np.zeros(len(fit.names))
            without = fit.with_columns(others)
            null[others] = without.coefficients / fit.sd[others]
            restricted.append(null)
            own.append(2 * (fit.maximum.terms.log_likelihood - without.terms.log_likelihood))
        full_mean = np.mean([fit.coefficients for fit in self.fits], axis=0)
        null_mean = np.mean(restricted, axis=0)
        pooled = float(
            np.mean([2 * (_log_likelihood(f, full_mean) - _log_likelihood(f, null_mean)) for f in self.fits])
        )
        excess = max((m + 1) / (k * (m - 1)) * (float(np.mean(own)) - pooled), 0.0)
        statistic = max(pooled, 0.0) / (k * (1 + excess))
        v = k * (m - 1)
        # Never more than the events allow, as in a cohort without gaps.
        df = float(max(self.fits[0].cohort.n_events - len(self.fits[0].names), 1))
        if excess > 0:
            pooled_df = (
                4 + (v - 4) * (1 + (1 - 2 / v) / excess) ** 2 if v > 4 else v * (1 + 1 / k) * (1 + 1 / excess) ** 2 / 2
            )
            df = min(df, pooled_df)
        return float(fdtrc(k, df, statistic))


def _log_likelihood(fit: CoxFit, coefficients: FloatArray) -> float:
    return fit.risk_sets.evaluate(coefficients * fit.sd).log_likelihood


def _term(fits: list[CoxFit], index: int, column: Column, scaled: list[_Scaled], p: float) -> PooledTerm:
    m = len(fits)
    estimates = np.array([fit.coefficients[index] for fit in fits])
    within = float(np.mean([fit.covariance[index, index] for fit in fits]))
    between = float(estimates.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    complete_df = max(fits[0].cohort.n_events - len(fits[0].names), 1)
    observed_df = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    df = observed_df if share == 0 else 1 / (1 / ((m - 1) / share**2) + 1 / observed_df)
    beta, error = float(estimates.mean()), float(np.sqrt(total))
    half = float(stdtrit(df, 0.5 + CONFIDENCE / 2)) * error
    arms = [fit.design.columns[index].smallest_arm for fit in fits]
    suppressed = next((reason for arm in arms if arm and (reason := small_arm(*arm))), None)
    scale = next(
        (part.scale for part in scaled if part.incomplete.name == column.covariate and part.scale), column.scale
    )
    return PooledTerm(
        covariate=column.covariate,
        level=column.level,
        reference=column.reference,
        scale=scale,
        coefficient=beta,
        standard_error=error,
        df=df,
        hazard_ratio=float(np.exp(beta)),
        lower=float(np.exp(beta - half)),
        upper=float(np.exp(beta + half)),
        p=None if suppressed else p,
        p_suppressed=suppressed,
        fraction_missing=share,
    )


def _notes(
    outcome: Outcome,
    missing: tuple[MissingCount, ...],
    n_complete: int,
    n_imputations: int,
    terms: tuple[PooledTerm, ...],
) -> tuple[str, ...]:
    lacking = ", ".join(f"{count.covariate} in {count.n_missing}" for count in missing)
    notes = [
        *outcome.notes,
        f"Missing values ({lacking} of {counted(outcome.n, 'patient')}) imputed {n_imputations} times by chained "
        f"equations with predictive mean matching; {n_complete} patients are complete.",
        "Imputation takes it that whether a value is missing depends only on what was measured; compare with the "
        "complete cases.",
    ]
    most = 100 * max(term.fraction_missing for term in terms)
    if most > n_imputations:
        notes.append(
            f"Up to {most:.0f} % of the variance is due to what is missing: use at least {most:.0f} imputations."
        )
    notes += list(dict.fromkeys(term.p_suppressed.message for term in terms if term.p_suppressed is not None))
    notes += [
        f"No evidence of an association of {term.covariate} ({term.scale}) with the hazard ({p_text(term.p)})."
        for term in terms
        if term.p is not None and term.p >= SIGNIFICANCE_LEVEL
    ]
    return tuple(notes)
