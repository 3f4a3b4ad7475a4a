"""How often a procedure finds something where there is nothing, and where there is something: simulated cohorts.

A procedure is *exact* when its rate of false alarms is its level in every cohort, *asymptotic* when that holds in large
ones, and *conservative* when it is meant to stay below. The limits that a simulated rate has to keep are those of
``verdict``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri
from scipy.stats import binom

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray, IntArray, Outcome
from petct.survival.cohort.results import SIGNIFICANCE_LEVEL, counted

Kind = Literal["exact", "asymptotic", "conservative"]
CovariateShape = Literal["normal", "lognormal"]

N_PATIENTS = 67
MEDIAN_SURVIVAL_DAYS = 1415.0
N_FEATURES = 200
# Follow-up between the last and the first patient enrolled, in mean survival times: censors 43 % of a null cohort.
_FOLLOW_UP = (0.3, 1.5)
# Limits for judging many rates at once; and what an asymptotic procedure may lose.
JUDGED_AT = 0.999
LEAST_RATE = 0.03


@dataclass(frozen=True, eq=False)
class SimulatedCohort:
    """A cohort without any association between its columns and its survival, unless one was planted.

    Parameters
    ----------
    outcome
        Times in days; 43 % are censored on average.
    cause
        0 censored, 1 the event of interest (three of five events), 2 another, shape (n,).
    covariate
        The column under test, shape (n,).
    others
        Two more columns, correlated with it by 0.5 before they are skewed, shape (n, 2).
    features
        A family of 200 features for a scan, in blocks of 20 that are correlated by 0.5 before they are skewed, shape
        (n, 200).
    group
        Half of the patients, at random, shape (n,).
    seed
        For procedures that draw random numbers themselves.
    """

    outcome: Outcome
    cause: IntArray
    covariate: FloatArray
    others: FloatArray
    features: FloatArray
    group: IntArray
    seed: int


def null_cohorts(n_cohorts: int, seed: int, shape: CovariateShape) -> Iterator[SimulatedCohort]:
    """Draw cohorts of 67 patients in which nothing is associated with survival.

    Parameters
    ----------
    n_cohorts, seed
        How many; cohort i has the generator ``default_rng((seed, i))``, so that any part can be repeated alone.
    shape
        Distribution of the columns; ``lognormal`` is the exponential of ``normal``.
    """
    for i in range(n_cohorts):
        yield _cohort(np.random.default_rng((seed, i)), i, N_PATIENTS, shape, 0.0, by_group=False)


def planted_cohorts(
    n_cohorts: int, seed: int, log_hazard_ratio: float, *, by_group: bool, n_patients: int = N_PATIENTS
) -> Iterator[SimulatedCohort]:
    """Draw cohorts with a hazard ratio planted, per SD of the covariate or between the groups.

    Parameters
    ----------
    n_cohorts, seed
        As for ``null_cohorts``.
    log_hazard_ratio
        Of the group, or of one standard deviation of the (normal) covariate.
    by_group
        Whether the group carries the effect.
    n_patients
        Patients of a cohort.
    """
    for i in range(n_cohorts):
        yield _cohort(np.random.default_rng((seed, i)), i, n_patients, "normal", log_hazard_ratio, by_group=by_group)


def _cohort(
    rng: np.random.Generator, number: int, n: int, shape: CovariateShape, log_hazard_ratio: float, *, by_group: bool
) -> SimulatedCohort:
    common = rng.standard_normal((n, 1))
    columns = np.sqrt(0.5) * (common + rng.standard_normal((n, 3)))
    blocks = np.repeat(rng.standard_normal((n, N_FEATURES // 20)), 20, axis=1)
    features = np.sqrt(0.5) * (blocks + rng.standard_normal((n, N_FEATURES)))
    if shape == "lognormal":
        columns, features = np.exp(columns), np.exp(features)
    group = rng.permutation(np.arange(n) % 2)
    hazard = np.exp(log_hazard_ratio * (group - 0.5 if by_group else columns[:, 0]))
    survival = rng.exponential(size=n) / hazard
    censoring = rng.uniform(*_FOLLOW_UP, size=n)
    event = (survival <= censoring).astype(np.int64)
    days = np.ceil(np.minimum(survival, censoring) * MEDIAN_SURVIVAL_DAYS / np.log(2))
    cause = event * np.where(rng.random(n) < 0.6, 1, 2)
    return SimulatedCohort(Outcome(days, event), cause, columns[:, 0], columns[:, 1:], features, group, number)


@dataclass(frozen=True)
class Procedure:
    """What is known of a procedure before it is simulated.

    Parameters
    ----------
    name
        Its name, which is also the key of its p-values.
    kind
        What it promises.
    shown
        Whether a result shows its p-value; those that are not shown are here to say why.
    """

    name: str
    kind: Kind
    shown: bool = True


PValues = Callable[[SimulatedCohort], Mapping[str, float | None]]
"""P-values of some procedures in one cohort, by name; None where one refuses."""


@dataclass(frozen=True)
class Rate:
    """How often a procedure was significant at 5 %.

    Parameters
    ----------
    procedure, condition
        Which, and in which cohorts.
    n, n_significant, n_refused
        Cohorts; those with p at most 0.05; those in which the procedure gave no p-value (not significant).
    rate, lower, upper
        The rate with its 95 % limits (Clopper and Pearson).
    kept
        Whether the rate keeps what the procedure promises (``verdict``).
    """

    procedure: Procedure
    condition: str
    n: int
    n_significant: int
    n_refused: int
    rate: float
    lower: float
    upper: float
    kept: bool


def clopper_pearson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact limits of a rate of ``k`` in ``n``."""
    tail = (1 - confidence) / 2
    lower = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    upper = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return lower, upper


def verdict(kind: Kind, k: int, n: int) -> bool:
    """Whether ``k`` false alarms in ``n`` null cohorts keep the promise of a procedure at the level of 5 %.

    Exact: within the 99.9 % interval of the binomial distribution. Otherwise the lower 99.9 % limit of the rate is at
    most 5 %; asymptotic procedures also have an upper one of at least 3 %.
    """
    if kind == "exact":
        least, most = binom.interval(JUDGED_AT, n, SIGNIFICANCE_LEVEL)
        return bool(least <= k <= most)
    lower, upper = clopper_pearson(k, n, JUDGED_AT)
    return lower <= SIGNIFICANCE_LEVEL and (kind == "conservative" or upper >= LEAST_RATE)


def rates(
    cohorts: Iterator[SimulatedCohort], procedures: Sequence[Procedure], compute: Sequence[PValues], condition: str
) -> tuple[Rate, ...]:
    """Run all procedures on all cohorts.

    Parameters
    ----------
    cohorts
        Null cohorts.
    procedures
        What is declared, in the order of the result.
    compute
        Functions that give the p-values of one or more of them.
    condition
        What the cohorts are, in words.

    Raises
    ------
    SurvivalError
        SIMULATION_INCOMPLETE when the functions do not give exactly the p-values that are declared.
    """
    significant = dict.fromkeys((procedure.name for procedure in procedures), 0)
    refused = significant.copy()
    n = 0
    for cohort in cohorts:
        n += 1
        found = {name: p for function in compute for name, p in function(cohort).items()}
        if found.keys() != significant.keys():
            raise SurvivalError(
                "SIMULATION_INCOMPLETE",
                "The procedures that were run are not those that were declared",
                found=", ".join(sorted(found.keys() ^ significant.keys())),
            )
        for name, p in found.items():
            refused[name] += p is None
            significant[name] += p is not None and p <= SIGNIFICANCE_LEVEL
    result = []
    for procedure in procedures:
        k = significant[procedure.name]
        lower, upper = clopper_pearson(k, n)
        kept = verdict(procedure.kind, k, n)
        result.append(Rate(procedure, condition, n, k, refused[procedure.name], k / n, lower, upper, kept))
    return tuple(result)


@dataclass(frozen=True)
class Power:
    """Power of a test against Schoenfeld's formula.

    Parameters
    ----------
    test, effect
        The test, and the hazard ratio that was planted.
    n, n_significant
        Cohorts, and those in which the test was significant at 5 %.
    power, lower, upper
        With its 95 % limits (Clopper and Pearson).
    mean_events, formula
        Events of the cohorts on average, and the power the formula gives for so many.
    kept
        Whether they differ by at most 5 points.
    """

    test: str
    effect: str
    n: int
    n_significant: int
    power: float
    lower: float
    upper: float
    mean_events: float
    formula: float
    kept: bool


def schoenfeld_power(log_hazard_ratio: float, n_events: float, variance: float) -> float:
    """Power at 5 % of the log-rank test (variance f (1 - f)) or of a Cox model (variance of the covariate)."""
    shift = abs(log_hazard_ratio) * float(np.sqrt(n_events * variance))
    return float(ndtr(shift - ndtri(1 - SIGNIFICANCE_LEVEL / 2)))


def power(
    cohorts: Iterator[SimulatedCohort],
    test: str,
    compute: Callable[[SimulatedCohort], float | None],
    log_hazard_ratio: float,
    variance: float,
) -> Power:
    """Run a test on planted cohorts; ``variance`` as for ``schoenfeld_power``."""
    n = k = n_events = 0
    for cohort in cohorts:
        p = compute(cohort)
        n += 1
        k += p is not None and p <= SIGNIFICANCE_LEVEL
        n_events += cohort.outcome.n_events
    lower, upper = clopper_pearson(k, n)
    formula = schoenfeld_power(log_hazard_ratio, n_events / n, variance)
    effect = f"hazard ratio {np.exp(log_hazard_ratio):.2f}"
    return Power(test, effect, n, k, k / n, lower, upper, n_events / n, formula, abs(k / n - formula) <= 0.05)


def broken(found: Sequence[Rate]) -> list[str]:
    """Sentences on the rates of shown procedures that do not keep what is promised."""
    return [
        f"{rate.procedure.name} ({rate.procedure.kind}), {rate.condition}: {rate.n_significant} of "
        f"{counted(rate.n, 'cohort')} significant ({rate.rate:.1%})"
        for rate in found
        if rate.procedure.shown and not rate.kept
    ]
