"""Which test gives the p-value that a Cox model shows: the one that keeps its level in a model of that kind.

Wald's p is not among them: its rate of false alarms grows with the skewness of a covariate, and so does that of the
likelihood ratio test in small cohorts (ADR 0021, docs/validation.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import IntArray
from petct.survival.cohort.results import Suppressed, f_p
from petct.survival.cox.fit import CoxFit
from petct.survival.cox.result import CovariateTest
from petct.survival.cox.score_tests import permutation_p, permutations_of, robust_score_statistic, score_test
from petct.survival.likelihood.penalised import Firth, Ridge, firth_likelihood_ratio

PERMUTED_UP_TO = 200
"""Cohorts up to this size show a permutation p unless another test is called for."""

DEFAULT_PERMUTATIONS = 9_999
DEFAULT_SEED = 1

_RIDGE = Suppressed(
    "PENALISED_NO_P",
    "No p-value: a ridge shrinks coefficients on purpose, and no test of a shrunken coefficient keeps its level.",
)


@dataclass(frozen=True)
class ColumnTest:
    """Name of a test, its statistic and degrees of freedom, and p or why there is none."""

    name: str
    chi_squared: float | None
    df: int
    p: float | None
    p_suppressed: Suppressed | None

    def about(self, covariate: str, question: str, withheld: Suppressed | None = None) -> CovariateTest:
        """The test as part of a result; ``withheld`` says why its p may not be shown, if so."""
        reason = self.p_suppressed or withheld
        chi_squared, p = (None, None) if reason else (self.chi_squared, self.p)
        return CovariateTest(covariate, question, self.name, self.df, chi_squared, p, reason)


@dataclass(frozen=True, eq=False)
class CoxTests:
    """Tests of the coefficients of one model.

    Parameters
    ----------
    permutations
        How many; None for 9,999 in cohorts of at most 200 patients and none in larger ones, 0 for none.
    seed
        Seed of the permutations.

    Raises
    ------
    SurvivalError
        PERMUTATION_NOT_EXCHANGEABLE when permutations are asked for where rows are not alike under the null.
    """

    fit: CoxFit
    permutations: int | None = None
    seed: int = DEFAULT_SEED

    def __post_init__(self) -> None:
        if self.permutations and self._not_exchangeable:
            raise SurvivalError(
                "PERMUTATION_NOT_EXCHANGEABLE",
                "Permutations need independent patients and a model without a penalty",
                found=self._not_exchangeable,
                hint="Leave the permutations out: the model has a test of its own.",
            )

    @property
    def _not_exchangeable(self) -> str | None:
        """Why patients may not change places under the null, if so."""
        if self.fit.penalty is not None:
            return "a penalty"
        if self.fit.standard_errors != "model":
            return f"{self.fit.standard_errors} standard errors"
        return "patients in several rows" if self.fit.n_patients < self.fit.cohort.n else None

    @cached_property
    def _orders(self) -> IntArray:
        return permutations_of(self.fit.risk_sets.stratum, self.n_permutations, self.seed)

    @property
    def n_permutations(self) -> int:
        """Permutations of each test; 0 where another test is used."""
        if self._not_exchangeable:
            return 0
        if self.permutations is None:
            return DEFAULT_PERMUTATIONS if self.fit.cohort.n <= PERMUTED_UP_TO else 0
        return self.permutations

    def of(self, columns: tuple[int, ...]) -> ColumnTest:
        """Test that the coefficients of some columns are 0, the others being free."""
        fit, df = self.fit, len(columns)
        if isinstance(fit.penalty, Ridge):
            return ColumnTest("none (ridge)", None, df, None, _RIDGE)
        if isinstance(fit.penalty, Firth):
            statistic = firth_likelihood_ratio(fit.risk_sets, fit.maximum, columns)
            return self._with_f("penalised likelihood ratio test", statistic, df)
        own = np.asarray(columns, dtype=np.int64)
        if fit.standard_errors != "model":
            test = score_test(fit.risk_sets, own, fit.names)
            statistic = robust_score_statistic(test, fit.cluster)
            independent = min(int(fit.cluster.max()) + 1, fit.cohort.n_events)
            return ColumnTest("robust score test", statistic, df, f_p(statistic, df, independent - df), None)
        if self.n_permutations:
            test = score_test(fit.risk_sets, own, fit.names)
            name = f"permutation of the score test ({self.n_permutations:,} permutations, seed {self.seed})"
            return ColumnTest(name, test.chi_squared, df, permutation_p(test, self._orders), None)
        return self._with_f("likelihood ratio test", self._likelihood_ratio(own), df)

    def _with_f(self, name: str, statistic: float, df: int) -> ColumnTest:
        """Refer a statistic to the F distribution: with few events the chi-squared distribution is too narrow."""
        p = f_p(statistic, df, self.fit.cohort.n_events - len(self.fit.names))
        return ColumnTest(name, statistic, df, p, None)

    def _likelihood_ratio(self, columns: IntArray) -> float:
        fit = self.fit
        others = np.setdiff1d(np.arange(len(fit.names)), columns)
        without = fit.with_columns(others).terms
        return max(2 * (fit.maximum.terms.log_likelihood - without.log_likelihood), 0.0)
