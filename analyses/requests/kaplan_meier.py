"""What ``petlake km`` and the page Survival are asked, and the analysis that answers: one definition for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analyses.requests.tested import Tested, hypotheses_of_kaplan_meier, hypothesis_of_cut
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.groups import Grouping, everyone, split_at_chosen_cut
from petct.survival.cohort.landmark import landmark_cohort
from petct.survival.cohort.multiplicity import Correction
from petct.survival.cohort.outcome import Outcome
from petct.survival.competing.cumulative import CumulativeIncidenceResult, cumulative_incidence
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.kaplan_meier.cut_points import (
    DEFAULT_PERMUTATIONS,
    DEFAULT_RESAMPLES,
    DEFAULT_SEED,
    CutPointResult,
    maximally_selected_cut,
)
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.kaplan_meier.split_rules import NOT_NUMERIC_HINT, OPTIMAL, split_by_rule, weighting_of


@dataclass(frozen=True)
class KaplanMeierRequest:
    """A Kaplan-Meier analysis in words; the defaults are those of the command line.

    Parameters
    ----------
    variable
        Column that splits the patients; None for one curve of all.
    split, order
        As for ``split_by_rule``, or ``optimal`` for the cut that separates survival most.
    landmarks
        Times at which to give S(t).
    tau
        Horizon of the restricted mean; the largest common time when None.
    weights
        Weighted log-rank tests, see ``weighting_of``.
    trend, pairwise, correction
        Test a trend over the groups, or every two of them, and how several p-values are adjusted.
    entry
        Column of the time at which a patient came under observation.
    from_landmark
        Time from which on to analyse those who are free of the event at it.
    permutations, resamples, seed
        Of the search for a cut.
    """

    variable: str | None = None
    split: str = "median"
    order: tuple[str, ...] = ()
    landmarks: tuple[float, ...] = ()
    tau: float | None = None
    weights: tuple[str, ...] = ()
    trend: bool = False
    pairwise: bool = False
    correction: Correction = "holm"
    entry: str | None = None
    from_landmark: float | None = None
    permutations: int = DEFAULT_PERMUTATIONS
    resamples: int = DEFAULT_RESAMPLES
    seed: int = DEFAULT_SEED

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it needs."""
        return tuple(dict.fromkeys(name for name in (self.variable, self.entry) if name))

    @property
    def conditions(self) -> tuple[str, ...]:
        """What makes it another analysis than that of the same groups, in words."""
        entry = (f"entry {self.entry}",) if self.entry else ()
        landmark = (f"from {self.from_landmark:g} on",) if self.from_landmark is not None else ()
        return (*entry, *landmark)


@dataclass(frozen=True)
class KaplanMeierAnalysis:
    """The answer to a request.

    Parameters
    ----------
    request
        What was asked.
    result
        The curves and their tests.
    cut
        The search for the cut, where the split is ``optimal``.
    """

    request: KaplanMeierRequest
    result: KaplanMeierResult
    cut: CutPointResult | None

    @property
    def hypotheses(self) -> tuple[Tested, ...]:
        """The tests that it was; none without groups."""
        if self.request.variable is None:
            return ()
        conditions = self.request.conditions
        if self.cut is not None:
            return (hypothesis_of_cut(self.cut, conditions),)
        return hypotheses_of_kaplan_meier(self.result, conditions)

    @property
    def plain(self) -> bool:
        """Whether one of its tests may have been declared beforehand, see ``Tested``."""
        return any(test.plain for test in self.hypotheses)


def analyse(
    request: KaplanMeierRequest, columns: Columns, outcome: Outcome, cut: CutPointResult | None = None
) -> KaplanMeierAnalysis:
    """Answer a request.

    Parameters
    ----------
    request
        What is asked.
    columns
        The columns that it needs, one value a patient.
    outcome
        The patients, in the same order.
    cut
        The search for the cut of an ``optimal`` split, where it was made before; it is made here when None.

    Raises
    ------
    SurvivalError
        SPLIT_OPTIMAL_UNAVAILABLE for an ``optimal`` split of no variable, and the codes of ``split_by_rule``,
        ``weighting_of``, ``landmark_cohort``, ``maximally_selected_cut`` and ``kaplan_meier``.
    """
    refuse_cut_of_nothing(request)
    if request.entry is not None:
        outcome = replace(outcome, entry=columns.number(request.entry))
    notes: tuple[str, ...] = ()
    if request.from_landmark is not None:
        cohort = landmark_cohort(outcome, request.from_landmark)
        outcome, columns, notes = cohort.outcome, columns.rows(cohort.kept), (cohort.note,)
    grouping, cut = _groups(request, columns, outcome, cut)
    result = kaplan_meier(
        outcome,
        grouping,
        landmarks=request.landmarks,
        tau=request.tau,
        weightings=[weighting_of(name) for name in request.weights],
        trend=request.trend,
        pairwise=request.pairwise,
        correction=request.correction,
    )
    return KaplanMeierAnalysis(request, replace(result, notes=(*notes, *result.notes)), cut)


def analyse_competing(
    request: KaplanMeierRequest,
    columns: Columns,
    outcome: CompetingOutcome,
    at_risk_times: Sequence[float] | None = None,
) -> CumulativeIncidenceResult:
    """Cumulative incidence in the groups of a request, at its landmarks.

    Parameters
    ----------
    request
        Its variable, split, order and landmarks; the rest belongs to the survival curve.
    columns, outcome
        As for ``analyse``.
    at_risk_times
        Times of the numbers at risk; round ones when None.

    Raises
    ------
    SurvivalError
        The codes of ``refuse_with_competing``, ``split_by_rule`` and ``cumulative_incidence``.
    """
    refuse_with_competing(request)
    variable = request.variable
    grouping = (
        everyone(outcome.n) if variable is None else split_by_rule(columns, variable, request.split, request.order)
    )
    return cumulative_incidence(outcome, grouping, landmarks=request.landmarks, at_risk_times=at_risk_times)


def refuse_with_competing(request: KaplanMeierRequest) -> None:
    """Refuse what the cumulative incidence has no form of.

    Raises
    ------
    SurvivalError
        OPTION_NOT_WITH_COMPETING, SPLIT_OPTIMAL_UNAVAILABLE.
    """
    unavailable = (
        request.entry,
        request.from_landmark is not None,
        request.weights,
        request.trend,
        request.pairwise,
        request.tau is not None,
    )
    if any(unavailable):
        raise SurvivalError(
            "OPTION_NOT_WITH_COMPETING",
            "The cumulative incidence has Gray's test, and neither late entries nor a restricted mean",
            keyword="--competing",
            found="--entry, --from-landmark, --weights, --trend, --pairwise or --tau",
        )
    # A cut is searched for the survival curve.
    refuse_cut_of_nothing(replace(request, variable=None))


def refuse_cut_of_nothing(request: KaplanMeierRequest) -> None:
    """Raise SPLIT_OPTIMAL_UNAVAILABLE where a cut is to be searched in no variable."""
    if request.split == OPTIMAL and request.variable is None:
        raise SurvivalError(
            "SPLIT_OPTIMAL_UNAVAILABLE",
            "A cut is searched in one variable, and for the survival curve",
            keyword="--split optimal",
            expected="--by VARIABLE, and no --competing",
        )


def _groups(
    request: KaplanMeierRequest, columns: Columns, outcome: Outcome, cut: CutPointResult | None
) -> tuple[Grouping, CutPointResult | None]:
    variable = request.variable
    if variable is None:
        return everyone(outcome.n), None
    if request.split != OPTIMAL:
        return split_by_rule(columns, variable, request.split, request.order), None
    values, label, unit = columns.number(variable, NOT_NUMERIC_HINT), columns.label(variable), columns.unit(variable)
    if cut is None:
        cut = maximally_selected_cut(
            outcome,
            values,
            label,
            unit,
            n_permutations=request.permutations,
            n_resamples=request.resamples,
            seed=request.seed,
        )
    return split_at_chosen_cut(values, cut.cut, label, unit), cut
