"""What ``petlake km`` and the page Survival are asked, and the analysis that answers: one definition for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, get_args

from analyses.requests.answer import Answer
from analyses.requests.competing import competing_models
from analyses.requests.data import AnalysisData
from analyses.requests.options import NAMES, Choice, Flag, Listed, Shape, Time, Whole, number_text, option
from analyses.requests.request import Request
from analyses.requests.tested import (
    about,
    hypotheses_of_fit,
    hypotheses_of_incidence,
    hypotheses_of_kaplan_meier,
    hypothesis_of_cut,
)
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.groups import Grouping, everyone, split_at_chosen_cut
from petct.survival.cohort.landmark import landmark_cohort
from petct.survival.cohort.multiplicity import Correction
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.competing.cumulative import cumulative_incidence
from petct.survival.kaplan_meier.cut_points import (
    DEFAULT_PERMUTATIONS,
    DEFAULT_RESAMPLES,
    DEFAULT_SEED,
    CutPointResult,
    maximally_selected_cut,
)
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.split_rules import (
    NOT_NUMERIC_HINT,
    OPTIMAL,
    cut_points,
    is_named,
    split_by_rule,
    weighting_of,
)


class _Split(Shape):
    """The words of a split, see ``split_by_rule``."""

    def check(self, value: Any, option: str) -> str:
        """In one form: ``5,20.0`` is ``5,20``; raises SPLIT_UNKNOWN."""
        rule: str = super().check(value, option).strip()
        return rule if is_named(rule) else ",".join(number_text(cut) for cut in cut_points(rule))


class _Weighting(Shape):
    """A weighted log-rank test, see ``weighting_of``."""

    def check(self, value: Any, option: str) -> str:
        """One that exists; raises WEIGHTING_UNKNOWN, WEIGHTING_INVALID."""
        weighting_of(super().check(value, option))
        return str(value)


@dataclass(frozen=True)
class KaplanMeierRequest(Request):
    """A Kaplan-Meier analysis, or one of competing risks; the defaults are those of the command line.

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
    competing, covariates
        Cumulative incidence of events that exclude each other instead of survival, and variables of their models.
    permutations, resamples, seed
        Of the search for a cut.

    Raises
    ------
    SurvivalError
        OPTION_NOT_WITH_COMPETING, OPTION_NEEDS_COMPETING, SPLIT_OPTIMAL_UNAVAILABLE, SPLIT_UNKNOWN, TIME_INVALID,
        WEIGHTING_UNKNOWN, and what ``Request`` refuses.
    """

    command: ClassVar[str] = "km"

    variable: str | None = option(
        "by", Shape(), "Split the patients by this variable. Without it, there is one curve of all patients.",
        label="Split by", key="variable", columns=True,
    )  # fmt: skip
    split: str = option(
        "split",
        _Split(),
        "Split at the median, into tertiles, quartiles, quantiles:N or category, at the optimal cut-point (with a "
        "p-value corrected for the search), or at one or more given cut-points: 5 or 5,20.",
        default="median",
        another="",
        same=("category", "quantiles:2"),
    )
    order: tuple[str, ...] = option(
        "order", NAMES, "Take the categories in this order, separated by commas.  [default: alphabetical]",
        default=(), label="Order",
    )  # fmt: skip
    landmarks: tuple[float, ...] = option(
        "landmarks",
        Listed("TIME,TIME,...", each=Time(refused=("TIME_INVALID", "A time is not a number"))),
        "Print the survival at these times, separated by commas.",
        default=(),
        label="Times",
    )
    tau: float | None = option(
        "tau",
        Time(),
        "Compute restricted means up to this time; choose it beforehand.  [default: the largest common time]",
        label="Horizon",
    )
    weights: tuple[str, ...] = option(
        "weights",
        Listed(
            each=_Weighting(
                labels={
                    "peto-peto": "Peto-Peto (early differences)",
                    "gehan-breslow": "Gehan-Breslow",
                    "tarone-ware": "Tarone-Ware",
                    "0:1": "Fleming-Harrington 0, 1 (late differences)",
                }
            )
        ),
        "Run these weighted log-rank tests beside the plain one, separated by commas: peto-peto, gehan-breslow, "
        "tarone-ware, or RHO:GAMMA of Fleming and Harrington. Choose them beforehand; each is one more test.",
        default=(),
        label="Weighted log-rank tests",
    )
    trend: bool = option("trend", Flag(), "Test a trend over the groups in their order.", default=False)
    pairwise: bool = option(
        "pairwise", Flag(), "Compare every pair of several groups.", default=False, label="Pairwise comparisons"
    )
    correction: Correction = option(
        "correction",
        Choice(words=get_args(Correction), labels={"benjamini_hochberg": "Benjamini-Hochberg"}),
        "Correct several p-values by this method.",
        default="holm",
    )
    entry: str | None = option(
        "entry",
        Shape(),
        "Take this column as the time at which a patient came under observation (left truncation).  "
        "[default: no delayed entry]",
        label="Under observation",
        columns=True,
        another="entry {}",
    )
    from_landmark: float | None = option(
        "from-landmark",
        Time(),
        "Analyse the patients free of the event at this time, from then on. Use it for groups that are known only "
        "later, such as response.  [default: no landmark]",
        label="Begin at a landmark",
        another="from {:g} on",
    )
    competing: bool = option(
        "competing",
        Flag(),
        "Estimate cumulative incidences and run Gray's test; event 2 competes with event 1.",
        default=False,
        label="Competing events",
        another="",
    )
    covariates: tuple[str, ...] = option(
        "covariates",
        NAMES,
        "With competing events: fit a Fine-Gray model and cause-specific Cox models with these variables; hazard "
        "ratios of numbers are per standard deviation.  [default: curves only]",
        default=(),
        label="Covariates of a Fine-Gray and of cause-specific models",
        key="competing_covariates",
        columns=True,
    )
    permutations: int = option(
        "permutations",
        Whole(least=0),
        "Use this many permutations in the search for a cut-point.",
        default=DEFAULT_PERMUTATIONS,
    )
    resamples: int = option(
        "resamples",
        Whole(least=0),
        "Use this many bootstrap samples in the search for a cut-point.",
        default=DEFAULT_RESAMPLES,
    )
    seed: int = option("seed", Whole(least=0), "Set the seed of the search for a cut-point.", default=DEFAULT_SEED)

    def check(self) -> None:
        """Refuse what has no form together, before anything is read."""
        if self.order and self.split != OPTIMAL:
            # An order makes a split into categories of any rule.
            object.__setattr__(self, "split", "category")
        if self.competing:
            alone = ("entry", "from_landmark", "weights", "trend", "pairwise", "tau")
            unavailable = [f"--{each.name}" for each, _ in self.given if each.field in alone]
            if unavailable:
                raise SurvivalError(
                    "OPTION_NOT_WITH_COMPETING",
                    "The cumulative incidence has Gray's test, and neither late entries nor a restricted mean",
                    keyword="--competing",
                    found=", ".join(unavailable),
                )
        elif self.covariates:
            raise SurvivalError(
                "OPTION_NEEDS_COMPETING", "Models without competing events are petlake cox", keyword="--covariates"
            )
        if self.split == OPTIMAL and (self.competing or self.variable is None):
            raise SurvivalError(
                "SPLIT_OPTIMAL_UNAVAILABLE",
                "A cut is searched in one variable, and for the survival curve",
                keyword="--split optimal",
                expected="--by VARIABLE, and no --competing",
            )


def answer_kaplan_meier(
    request: KaplanMeierRequest,
    data: AnalysisData,
    *,
    cut: CutPointResult | None = None,
    at_risk_times: Sequence[float] | None = None,
) -> Answer:
    """Answer a request.

    Parameters
    ----------
    request, data
        As for ``analyses.requests.known.answer``.
    cut
        The search for the cut of an ``optimal`` split, where it was made before; it is made here when None.
    at_risk_times
        Times of the numbers at risk of a cumulative incidence; round ones when None.

    Raises
    ------
    SurvivalError
        The codes of ``split_by_rule``, ``landmark_cohort``, ``maximally_selected_cut``, ``kaplan_meier`` and
        ``cumulative_incidence``.
    """
    if request.competing:
        return _incidence(request, data, at_risk_times)
    outcome, grouping, cut, notes = compared_groups(request, data, cut)
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
    result = replace(result, notes=(*notes, *result.notes))
    tests = (
        hypotheses_of_kaplan_meier(result, request.conditions, may_be_primary=not request.is_another_test)
        if cut is None
        else (hypothesis_of_cut(cut, request.conditions),)
    )
    found = Answer.of(request, data, result, tests, [request.variable])
    return found if cut is None else replace(found, beside={"cut_point": as_dict(cut)}, cut_point=cut)


def compared_groups(
    request: KaplanMeierRequest, data: AnalysisData, cut: CutPointResult | None = None
) -> tuple[Outcome, Grouping, CutPointResult | None, tuple[str, ...]]:
    """The patients of a request, their groups, the search for the cut between them, and what has to be said of them.

    Raises
    ------
    SurvivalError
        The codes of ``split_by_rule``, ``landmark_cohort`` and ``maximally_selected_cut``.
    """
    outcome, columns = data.outcome, data.table
    if request.entry is not None:
        outcome = replace(outcome, entry=columns.number(request.entry))
    notes: tuple[str, ...] = ()
    if request.from_landmark is not None:
        cohort = landmark_cohort(outcome, request.from_landmark)
        outcome, columns, notes = cohort.outcome, columns.rows(cohort.kept), (cohort.note,)
    return outcome, *_groups(request, columns, outcome, cut), notes


def _incidence(request: KaplanMeierRequest, data: AnalysisData, at_risk_times: Sequence[float] | None) -> Answer:
    outcome, variable = data.competing_outcome, request.variable
    grouping = (
        everyone(outcome.n) if variable is None else split_by_rule(data.table, variable, request.split, request.order)
    )
    result = cumulative_incidence(outcome, grouping, landmarks=request.landmarks, at_risk_times=at_risk_times)
    models = competing_models(data.table, request.covariates, outcome) if request.covariates else None
    n_events = result.n_events[0]
    tested = about(hypotheses_of_incidence(result), [variable], result.n, n_events) if variable else ()
    for procedure, fit in models.fits if models else ():
        tested += about([hypotheses_of_fit(procedure, fit)], request.covariates, fit.n, fit.n_events)
    beside = {} if models is None else models.as_json()
    return Answer(request, data.basis, result, result.n, n_events, tested, beside, competing=models)


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
