"""What ``petlake km`` prints for people."""

from collections.abc import Sequence

from orchestration import console
from orchestration.analysis_data import AnalysisData
from orchestration.commands.analysis import say_notes
from petct.survival.cohort.results import p_text
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.group_tests import LogRankTest
from petct.survival.kaplan_meier.restricted_mean import RestrictedMean
from petct.survival.kaplan_meier.result import KaplanMeierResult, MedianTime


def say_kaplan_meier(
    data: AnalysisData, result: KaplanMeierResult, variable: str | None, *, plain: bool = False
) -> None:
    """Print curves, tests, restricted means and notes; ``plain`` as in ``analyses.requests.tested``."""
    badge = data.badge(*filter(None, [variable]), plain=plain)
    console.say(f"{data.title()}: {result.n} patients, {result.n_events} events{badge}")
    console.say_table(
        ("group", "n", "events", f"median ({result.unit}s)", "95 % CI"),
        [
            (c.group, c.n, c.n_events, _median(c.median), shown_span(c.median.lower, c.median.upper, "not reached"))
            for c in result.curves
        ],
    )
    landmarks = [(c.group, at) for c in result.curves for at in c.landmarks]
    if landmarks:
        console.say_table(
            ("group", f"time ({result.unit}s)", "survival", "95 % CI", "at risk"),
            [
                (group, at.time, at.survival, shown_span(at.lower, at.upper), at.n_at_risk)
                if at.n_at_risk
                else (group, at.time, None, "beyond follow-up", 0)
                for group, at in landmarks
            ],
        )
    _say_at_risk(result.at_risk_times, result.unit, [(curve.group, curve.n_at_risk) for curve in result.curves])
    for test in (result.log_rank, *result.weighted_tests):
        if test is not None:
            _say_test(test)
    if result.trend is not None:
        z = "-" if result.trend.z is None else f"{result.trend.z:+.3f}"
        console.say(f"Trend over the groups: z {z}, {shown_p(result.trend.p)}")
    if result.pairwise:
        console.say_table(
            ("pair", "chi-squared", "p", f"p ({result.correction})"),
            [
                (f"{test.group} vs {test.reference}", test.chi_squared, shown_p(test.p), shown_p(test.p_adjusted))
                for test in result.pairwise
            ],
        )
    if result.restricted_mean is not None:
        _say_restricted_mean(result.restricted_mean, result.unit)
    console.say(f"Median follow-up (reverse Kaplan-Meier): {_median(result.follow_up)} {result.unit}s")
    say_notes(result.notes)


def say_cut_point(cut: CutPointResult) -> None:
    """Print the search for a cut: the corrected p-values, and where the cut falls in resamples."""
    console.say(
        f"Best of {len(cut.cuts)} cuts: {cut.variable} > {console.shown(cut.cut)}"
        f"{' ' + cut.variable_unit if cut.variable_unit else ''} ({cut.n_below} and {cut.n_above} patients), maximally "
        f"selected log-rank statistic {cut.statistic:.3f}"
    )
    test = cut.permutation
    if test is not None and cut.p_lausen_1992 is not None and cut.p_lausen_1994 is not None:
        console.say(
            f"Corrected for the search: permutation {p_text(test.p)} ({test.n_as_large} + 1 of "
            f"{test.n_permutations} + 1, seed {test.seed}); Lausen-Schumacher {p_text(cut.p_lausen_1992)}, "
            f"by the cuts there are {p_text(cut.p_lausen_1994)}"
        )
    say_notes(cut.notes)


def say_cumulative_incidence(data: AnalysisData, result: CumulativeIncidenceResult, variable: str | None) -> None:
    """Print the incidence of every event at the landmarks or at the last time, Gray's tests and notes."""
    events = ", ".join(f"{n} {cause}" for cause, n in zip(result.causes, result.n_events, strict=True))
    console.say(f"{data.title()}: {result.n} patients, {events}{data.badge(*filter(None, [variable]), plain=False)}")
    rows: list[tuple[object, ...]] = []
    for curve in result.curves:
        for at in curve.landmarks:
            seen = (at.incidence, shown_span(at.lower, at.upper))
            found = (None, "beyond follow-up") if at.time > curve.last_time else seen
            rows.append((curve.cause, curve.group, at.time, *found, at.n_at_risk))
        if not curve.landmarks:
            last = (
                (curve.incidence[-1], shown_span(curve.lower[-1], curve.upper[-1]))
                if curve.times
                else (0.0, "no such event")
            )
            rows.append((curve.cause, curve.group, curve.last_time, *last, curve.n))
    last_column = "at risk" if result.curves[0].landmarks else "patients"
    time = f"time ({result.unit}s)"
    console.say_table(("event", "group", time, "cumulative incidence", "95 % CI", last_column), rows)
    at_risk = [(curve.group, curve.n_at_risk) for curve in result.curves if curve.cause == result.causes[0]]
    _say_at_risk(result.at_risk_times, result.unit, at_risk)
    for test in result.gray_tests:
        value = "" if test.chi_squared is None else f"chi-squared {console.shown(test.chi_squared)}, {test.df} df, "
        console.say(f"Gray's test, {test.cause}: {value}{shown_p(test.p)}")
    say_notes(result.notes)


def _say_at_risk(times: Sequence[float], unit: str, groups: Sequence[tuple[str, Sequence[int]]]) -> None:
    """Print how many patients of each group were under observation and free of the event just before each time."""
    headers = [f"{time:g}" for time in times]
    headers[0] += f" {unit}s"
    console.say_table(("at risk at", *headers), [(group, *numbers) for group, numbers in groups])


def _say_test(test: LogRankTest) -> None:
    name = f"{test.name[0].upper()}{test.name[1:]} test"
    if test.p is None:
        # Its reason is among the notes.
        console.say(f"{name}: p withheld")
    else:
        console.say(f"{name}: chi-squared {console.shown(test.chi_squared)}, {test.df} df, {p_text(test.p)}")


def _say_restricted_mean(found: RestrictedMean, unit: str) -> None:
    means = "; ".join(
        f"{mean.group}: {console.shown(mean.mean)} ({shown_span(mean.lower, mean.upper)})" for mean in found.groups
    )
    console.say(f"Restricted mean to {console.shown(found.tau)} {unit}s: {means}")
    for contrast in found.contrasts:
        ratio = (
            "-"
            if contrast.ratio is None
            else f"{contrast.ratio:.3f} ({shown_span(contrast.ratio_lower, contrast.ratio_upper)})"
        )
        console.say(
            f"  {contrast.group} minus {contrast.reference}: {console.shown(contrast.difference)} {unit}s "
            f"({shown_span(contrast.lower, contrast.upper)}), ratio {ratio}, {shown_p(contrast.p_adjusted)}"
            + (f" ({found.correction})" if len(found.contrasts) > 1 else "")
        )


def shown_p(p: float | None) -> str:
    """A p-value, or that it is withheld."""
    return "p withheld" if p is None else p_text(p)


def _median(median: MedianTime) -> str:
    return "not reached" if median.value is None else console.shown(median.value)


def shown_span(lower: float | None, upper: float | None, missing: str = "-") -> str:
    """Confidence limits."""
    texts = [missing if limit is None else console.shown(limit) for limit in (lower, upper)]
    return f"{texts[0]} to {texts[1]}"
