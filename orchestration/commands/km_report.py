"""What ``petlake km`` prints for people."""

from collections.abc import Sequence

from analyses.requests.answer import Answer
from analyses.requests.competing import CompetingModels
from analyses.tables import curves
from analyses.tables.models import hazard_ratios
from orchestration import console
from orchestration.commands.analysis import say_notes
from petct.survival.cohort.results import p_text
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.competing.fine_gray import FineGrayResult
from petct.survival.cox.result import CoxResult
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.result import KaplanMeierResult


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
    console.say_result(curves.groups(result, result.unit))
    if any(curve.landmarks for curve in result.curves):
        console.say_result(curves.survival_at(result, result.unit))
    _say_at_risk(result.at_risk_times, result.unit, [(curve.group, curve.n_at_risk) for curve in result.curves])
    if result.log_rank is not None:
        console.say_result(curves.tests(result))
    if result.pairwise:
        console.say_result(curves.pairs(result))
    found = result.restricted_mean
    if found is not None:
        restricted = f"Restricted mean to {console.shown(found.tau)} {result.unit}s"
        console.say_result(curves.restricted_means(result, found, result.unit), title=restricted)
        if found.contrasts:
            console.say_result(curves.mean_differences(result, found, result.unit))
    follow_up = "not reached" if result.follow_up.value is None else console.shown(result.follow_up.value)
    console.say(f"Median follow-up (reverse Kaplan-Meier): {follow_up} {result.unit}s")
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
    console.say_result(curves.incidence_at(result, result.unit))
    at_risk = [(curve.group, curve.n_at_risk) for curve in result.curves if curve.cause == result.causes[0]]
    _say_at_risk(result.at_risk_times, result.unit, at_risk)
    if result.gray_tests:
        console.say_result(curves.gray_tests(result), title="Gray's tests")
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
    console.say(f"{title}: {model.n} patients, {model.n_events} events")
    console.say_result(hazard_ratios(model.terms))
    say_notes(model.notes)


def _say_at_risk(times: Sequence[float], unit: str, groups: Sequence[tuple[str, Sequence[int]]]) -> None:
    """Print how many patients of each group were under observation and free of the event just before each time."""
    headers = [f"{time:g}" for time in times]
    headers[0] += f" {unit}s"
    console.say_table(("at risk at", *headers), [(group, *numbers) for group, numbers in groups])
