"""What a Kaplan-Meier analysis says: curves, log-rank test, restricted means; times in the unit of the outcome."""

from __future__ import annotations

from dataclasses import dataclass

from petct.survival.cohort.multiplicity import Correction
from petct.survival.cohort.results import CONFIDENCE
from petct.survival.kaplan_meier.group_tests import LogRankTest, PairwiseTest, TrendTest
from petct.survival.kaplan_meier.restricted_mean import RestrictedMean


@dataclass(frozen=True)
class MedianTime:
    """A median time with its confidence limits; None where the curve or its limit does not reach one half."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class SurvivalAt:
    """S(t) at a landmark; limits None where S(t) is 0 or 1, and ``n_at_risk`` 0 when nobody was observed so long."""

    time: float
    survival: float
    lower: float | None
    upper: float | None
    n_at_risk: int


@dataclass(frozen=True)
class SurvivalCurve:
    """The curve of one group.

    Parameters
    ----------
    last_time
        Longest time in the group.
    times, survival, lower, upper
        The steps: distinct event times, S(t) from there on, and its log-log limits (None where S(t) is 0 or 1).
    at_risk, events
        Patients at risk just before each event time, and events at it.
    censor_times, censored, censor_survival
        Distinct censoring times, how many are censored at each, and S(t) there: where to draw censor marks.
    n_at_risk
        Patients at risk at the result's ``at_risk_times``.
    follow_up
        Median follow-up by reverse Kaplan-Meier.
    landmarks
        S(t) at the times asked for.
    """

    group: str
    n: int
    n_events: int
    n_censored: int
    last_time: float
    times: tuple[float, ...]
    survival: tuple[float, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    censor_times: tuple[float, ...]
    censored: tuple[int, ...]
    censor_survival: tuple[float, ...]
    n_at_risk: tuple[int, ...]
    median: MedianTime
    follow_up: MedianTime
    landmarks: tuple[SurvivalAt, ...]

    def n_at_risk_at(self, time: float) -> int:
        """Patients under observation just before ``time``."""
        gone = sum(count for when, count in zip(self.times, self.events, strict=True) if when < time)
        gone += sum(count for when, count in zip(self.censor_times, self.censored, strict=True) if when < time)
        return self.n - gone


@dataclass(frozen=True, kw_only=True)
class GroupedResult:
    """Curves of a cohort or of its groups.

    Parameters
    ----------
    unit
        Unit of all times.
    n, n_missing
        Patients in the analysis, and patients left out because they belong to no group.
    variable, variable_unit, rule, cut_points
        What split the patients, and how; ``variable`` is None for the whole cohort.
    confidence
        Level of all intervals.
    at_risk_times
        Times of the table of numbers at risk.
    notes
        Sentences a reader of the numbers has to know.
    """

    unit: str
    n: int
    n_missing: int
    variable: str | None
    variable_unit: str | None
    rule: str
    cut_points: tuple[float, ...]
    confidence: float = CONFIDENCE
    at_risk_times: tuple[float, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class KaplanMeierResult(GroupedResult):
    """Kaplan-Meier analysis.

    Parameters
    ----------
    n_events
        Events in the analysis.
    curves
        One for each group.
    follow_up
        Median follow-up of the whole cohort by reverse Kaplan-Meier.
    log_rank
        None for the whole cohort.
    weighted_tests
        The weighted variants that were asked for.
    trend
        Test of a trend over ordered groups, if asked for.
    pairwise, correction
        Tests of every two groups, if asked for, and how several p-values are adjusted.
    restricted_mean
        Up to the largest time observed in every group, unless another was asked for.
    minimum_detectable_hazard_ratio
        For two groups: what so many events detect with 80 % power at a level of 5 %.
    """

    n_events: int
    curves: tuple[SurvivalCurve, ...]
    follow_up: MedianTime
    log_rank: LogRankTest | None
    weighted_tests: tuple[LogRankTest, ...]
    trend: TrendTest | None
    pairwise: tuple[PairwiseTest, ...]
    correction: Correction
    restricted_mean: RestrictedMean | None
    minimum_detectable_hazard_ratio: float | None
