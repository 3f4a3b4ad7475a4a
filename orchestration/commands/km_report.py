"""What ``petlake km`` prints for people."""

from collections.abc import Sequence

from analyses.requests.answer import Answer
from analyses.requests.competing import CompetingModels
from orchestration import console
from orchestration.commands.analysis import say_notes
from petct.survival.cohort.results import p_text
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.competing.fine_gray import FineGrayResult, FineGrayTerm
from petct.survival.cox.result import CoxResult, CoxTerm
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.group_tests import LogRankTest
from petct.survival.kaplan_meier.restricted_mean import RestrictedMean
from petct.survival.kaplan_meier.result import KaplanMeierResult, MedianTime


def say_answer(found: Answer) -> None:
    """Print the answer to a request."""
    if isinstance(found.result, KaplanMeierResult):
        say_kaplan_meier(found.basis.title, found.result, found.badge)
    if found.cut_point is not None:
        _say_cut_point(found.cut_point)
    if isinstance(found.result, CumulativeIncidenceResult):
        _say_cumulative_incidence(found, found.result)
    if found.competing is not None:
        _say_models(found.competing)


def say_kaplan_meier(title: str, result: KaplanMeierResult, badge: str = "") -> None:
    """Print curves, tests, restricted means and notes; ``badge`` stands behind the size."""
    console.say(f"{title}: {result.n} patients, {result.n_events} events{badge}")
    console.say_table(
        ("group", "n", "events", f"median ({result.unit}s)", "95 % CI"),
        [
            (c.group, c.n, c.n_events, _median(c.median), _shown_span(c.median.lower, c.median.upper, "not reached"))
            for c in result.curves
        ],
    )
    landmarks = [(c.group, at) for c in result.curves for at in c.landmarks]
    if landmarks:
        console.say_table(
            ("group", f"time ({result.unit}s)", "survival", "95 % CI", "at risk"),
            [
                (group, at.time, at.survival, _shown_span(at.lower, at.upper), at.n_at_risk)
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
        console.say(f"Trend over the groups: z {z}, {_shown_p(result.trend.p)}")
    if result.pairwise:
        console.say_table(
            ("pair", "chi-squared", "p", f"p ({result.correction})"),
            [
                (f"{test.group} vs {test.reference}", test.chi_squared, _shown_p(test.p), _shown_p(test.p_adjusted))
                for test in result.pairwise
            ],
        )
    if result.restricted_mean is not None:
        _say_restricted_mean(result.restricted_mean, result.unit)
    console.say(f"Median follow-up (reverse Kaplan-Meier): {_median(result.follow_up)} {result.unit}s")
    say_notes(result.notes)


def _say_cut_point(cut: CutPointResult) -> None:
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


def _say_cumulative_incidence(found: Answer, result: CumulativeIncidenceResult) -> None:
    """Print the incidence of every event at the landmarks or at the last time, Gray's tests and notes."""
    events = ", ".join(f"{n} {cause}" for cause, n in zip(result.causes, result.n_events, strict=True))
    console.say(f"{found.basis.title}: {result.n} patients, {events}{found.badge}")
    rows: list[tuple[object, ...]] = []
    for curve in result.curves:
        for at in curve.landmarks:
            seen = (at.incidence, _shown_span(at.lower, at.upper))
            shown = (None, "beyond follow-up") if at.time > curve.last_time else seen
            rows.append((curve.cause, curve.group, at.time, *shown, at.n_at_risk))
        if not curve.landmarks:
            last = (
                (curve.incidence[-1], _shown_span(curve.lower[-1], curve.upper[-1]))
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
        console.say(f"Gray's test, {test.cause}: {value}{_shown_p(test.p)}")
    say_notes(result.notes)


def _say_models(models: CompetingModels) -> None:
    interest = models.hazards[0][0]
    _say_model(f"Subdistribution hazard of {interest} (Fine-Gray: cumulative incidence)", models.fine_gray)
    for cause, model in models.hazards:
        _say_model(f"Cause-specific hazard of {cause} (Cox)", model)


def _say_model(title: str, model: FineGrayResult | CoxResult | str) -> None:
    if isinstance(model, str):
        console.say(f"{title}: refused: {model}")
        return
    if isinstance(model, FineGrayResult):
        rows: list[tuple[FineGrayTerm | CoxTerm, float]] = [
            (term, term.subdistribution_hazard_ratio) for term in model.terms
        ]
    else:
        rows = [(term, term.hazard_ratio) for term in model.terms]
    console.say(f"{title}: {model.n} patients, {model.n_events} events")
    console.say_table(
        ("covariate", "scale", "hazard ratio", "95 % CI", "p"),
        [
            (term.covariate, term.scale, ratio, _shown_span(term.lower, term.upper), _shown_p(term.p))
            for term, ratio in rows
        ],
    )
    say_notes(model.notes)


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
        f"{mean.group}: {console.shown(mean.mean)} ({_shown_span(mean.lower, mean.upper)})" for mean in found.groups
    )
    console.say(f"Restricted mean to {console.shown(found.tau)} {unit}s: {means}")
    for contrast in found.contrasts:
        ratio = (
            "-"
            if contrast.ratio is None
            else f"{contrast.ratio:.3f} ({_shown_span(contrast.ratio_lower, contrast.ratio_upper)})"
        )
        console.say(
            f"  {contrast.group} minus {contrast.reference}: {console.shown(contrast.difference)} {unit}s "
            f"({_shown_span(contrast.lower, contrast.upper)}), ratio {ratio}, {_shown_p(contrast.p_adjusted)}"
            + (f" ({found.correction})" if len(found.contrasts) > 1 else "")
        )


def _shown_p(p: float | None) -> str:
    """A p-value, or that it is withheld."""
    return "p withheld" if p is None else p_text(p)


def _median(median: MedianTime) -> str:
    return "not reached" if median.value is None else console.shown(median.value)


def _shown_span(lower: float | None, upper: float | None, missing: str = "-") -> str:
    """Confidence limits."""
    texts = [missing if limit is None else console.shown(limit) for limit in (lower, upper)]
    return f"{texts[0]} to {texts[1]}"
