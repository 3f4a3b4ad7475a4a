"""The cut that separates survival most, with a p-value that knows it was searched for.

The uncorrected p-value of the best of many cuts is significant in about 40 % of cohorts without signal, and is given
nowhere; the permutation test is exact, the approximations of Lausen and Schumacher stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError
from petct.survival.cohort.groups import number_text, numeric_values
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import (
    SIGNIFICANCE_LEVEL,
    SMALLEST_ARM,
    AnalysisResult,
    Suppressed,
    counted,
    p_text,
    without,
)
from petct.survival.kaplan_meier.maximally_selected import (
    CutSearch,
    CutStability,
    PermutationTest,
    bootstrap_stability,
    lausen_1992,
    lausen_1994,
    permutation_test,
    search_cuts,
)

SMALLEST_FRACTION, LARGEST_FRACTION = 0.1, 0.9
"""Cuts leave at least and at most these shares of the patients below (or at) them."""

DEFAULT_PERMUTATIONS = 9_999
DEFAULT_RESAMPLES = 1_000
DEFAULT_SEED = 20_250_681


@dataclass(frozen=True, kw_only=True)
class CutPointResult(AnalysisResult):
    """The maximally selected cut of one variable.

    Parameters
    ----------
    n_missing
        Patients left out because their value is missing.
    cut, n_below, n_above
        The cut (a value equal to it belongs below), and the patients on both sides.
    statistic
        The largest standardised log-rank statistic; its p-value is *not* that of a normal deviate.
    permutation
        The test to read; None exactly when ``p_suppressed`` says why.
    p_lausen_1992, p_lausen_1994
        Approximations, conservative in small cohorts; None with ``p_suppressed``.
    cuts, statistics, n_below_cuts
        The curve: all cuts that were tried, the statistic at each, and the patients below it.
    stability
        None when it was not asked for.
    """

    variable: str
    variable_unit: str | None
    n_missing: int
    smallest_fraction: float = SMALLEST_FRACTION
    largest_fraction: float = LARGEST_FRACTION
    cut: float
    n_below: int
    n_above: int
    statistic: float
    permutation: PermutationTest | None
    p_lausen_1992: float | None
    p_lausen_1994: float | None
    p_suppressed: Suppressed | None
    cuts: tuple[float, ...]
    statistics: tuple[float, ...]
    n_below_cuts: tuple[int, ...]
    stability: CutStability | None


def maximally_selected_cut(
    outcome: Outcome,
    values: npt.ArrayLike,
    variable: str,
    unit: str | None = None,
    *,
    n_permutations: int = DEFAULT_PERMUTATIONS,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> CutPointResult:
    """Search the cut with the largest log-rank statistic, and test that largest statistic.

    Parameters
    ----------
    values
        One number a patient, shape (n,); NaN is missing.
    variable, unit
        Name and unit for results.
    n_permutations
        Permutations of the test, at least 99.
    n_resamples
        Bootstrap resamples for the stability of the cut; 0 for none.
    seed
        Seed of permutations and resamples.

    Raises
    ------
    SurvivalError
        CUT_PERMUTATIONS_TOO_FEW, CUT_LENGTH, LEFT_TRUNCATION_UNSUPPORTED, CUT_NONE,
        CUT_SCORES_CONSTANT, the codes of ``split_at``, and those of ``Outcome`` for the patients with a value.
    """
    if n_permutations < 99 or n_resamples < 0:
        raise SurvivalError(
            "CUT_PERMUTATIONS_TOO_FEW",
            "A permutation test needs permutations",
            found=f"{n_permutations} permutations, {n_resamples} resamples",
            expected="at least 99 permutations",
        )
    numbers = numeric_values(values, variable)
    if len(numbers) != outcome.n:
        raise SurvivalError(
            "CUT_LENGTH",
            f"{variable} is not of these patients",
            keyword=variable,
            found=f"{len(numbers)} values",
            expected=f"{outcome.n}",
        )
    outcome.refuse_entries("The search for a cut")
    present = ~np.isnan(numbers)
    cohort, x = outcome.subset(present), numbers[present]
    fractions = (SMALLEST_FRACTION, LARGEST_FRACTION)
    search = search_cuts(x, cohort.duration, cohort.event, fractions)
    if search is None:
        raise _nothing_to_cut(cohort, x, variable)
    best = search.best
    statistics = search.statistics()
    largest = float(statistics[best])
    suppressed = None
    if cohort.n < 2 * SMALLEST_ARM:
        suppressed = Suppressed(
            "COHORT_TOO_SMALL",
            f"No p-value: {counted(cohort.n, 'patient')} cannot be cut into two groups of {SMALLEST_ARM}.",
        )
    permutation = None if suppressed else permutation_test(search, n_permutations, seed)
    stability = bootstrap_stability(x, cohort.duration, cohort.event, fractions, n_resamples, seed)
    n_missing = outcome.n - cohort.n
    return CutPointResult(
        unit=cohort.unit,
        variable=variable,
        variable_unit=unit,
        n=cohort.n,
        n_events=cohort.n_events,
        n_missing=n_missing,
        cut=float(search.cuts[best]),
        n_below=int(search.sizes[best]),
        n_above=int(cohort.n - search.sizes[best]),
        statistic=largest,
        permutation=permutation,
        p_lausen_1992=None if suppressed else lausen_1992(largest, *fractions),
        p_lausen_1994=None if suppressed else lausen_1994(largest, cohort.n, search.sizes),
        p_suppressed=suppressed,
        cuts=tuple(float(value) for value in search.cuts),
        statistics=tuple(float(value) for value in statistics),
        n_below_cuts=tuple(int(size) for size in search.sizes),
        stability=stability,
        notes=_notes(cohort, search, (variable, unit), n_missing, permutation, suppressed, stability),
    )


def _nothing_to_cut(cohort: Outcome, x: FloatArray, variable: str) -> SurvivalError:
    if np.all(cohort.event == 1) and np.ptp(cohort.duration) == 0:
        return SurvivalError(
            "CUT_SCORES_CONSTANT",
            "The times do not distinguish the patients: there is nothing to cut for",
            keyword=variable,
            found="all events at one time and nobody beyond it",
        )
    return SurvivalError(
        "CUT_NONE",
        f"No cut of {variable} leaves enough patients on both sides",
        keyword=variable,
        found=f"{len(np.unique(x))} different values in {counted(cohort.n, 'patient')}",
        expected=f"a value with {SMALLEST_FRACTION:.0%} to {LARGEST_FRACTION:.0%} of the patients at or below it",
        hint="Many patients share one value: choose a fixed cut.",
    )


def _notes(
    cohort: Outcome,
    search: CutSearch,
    variable: tuple[str, str | None],
    n_missing: int,
    permutation: PermutationTest | None,
    suppressed: Suppressed | None,
    stability: CutStability | None,
) -> tuple[str, ...]:
    name, unit = variable[0], f" {variable[1]}" if variable[1] else ""
    notes = [*cohort.notes, *without(n_missing, f"a value of {name}", cohort.n)]
    tried = counted(len(search.cuts), "cut")
    if suppressed is not None:
        notes.append(suppressed.message)
    elif permutation is not None and permutation.p >= SIGNIFICANCE_LEVEL:
        notes.append(
            f"No evidence that any of {tried} of {name} separates survival (permutation {p_text(permutation.p)}, "
            "corrected for the search)."
        )
    elif permutation is not None:
        notes.append(
            f"The best of {tried} of {name} separates survival (permutation {p_text(permutation.p)}, corrected for the "
            "search, not for other variables)."
        )
    notes.append(
        "The groups at a cut that was searched for differ less in new patients than in these: confirm the cut in "
        "another cohort."
    )
    size = int(search.sizes[search.best])
    if min(size, cohort.n - size) < SMALLEST_ARM:
        notes.append(
            f"The cut leaves {counted(min(size, cohort.n - size), 'patient')} on one side, fewer than {SMALLEST_ARM}: "
            "the curve of that group says little."
        )
    if stability is not None:
        notes.append(
            f"Bootstrap: {stability.share_at_cut:.0%} of {counted(stability.n_resamples, 'resample')} chose this cut; "
            f"95 % of theirs lie between {number_text(stability.lower)} and {number_text(stability.upper)}{unit}."
        )
    return tuple(notes)
