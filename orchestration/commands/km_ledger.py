"""Which hypothesis tests one run of ``petlake km`` was: for the ledger of its snapshot."""

from collections.abc import Sequence

from orchestration.analysis_data import AnalysisData, Source
from orchestration.ledger import enter_test
from petct.survival.competing_risks import CumulativeIncidenceResult
from petct.survival.cox import CoxResult
from petct.survival.cut_points import CutPointResult
from petct.survival.fine_gray import FineGrayResult
from petct.survival.kaplan_meier_result import KaplanMeierResult
from petct.survival.tested import Tested, hypotheses_of_kaplan_meier


def enter_kaplan_meier(
    source: Source,
    data: AnalysisData,
    variable: str | None,
    conditions: tuple[str, ...],
    result: KaplanMeierResult,
    cut: CutPointResult | None,
) -> str | None:
    """Enter the tests of an analysis into the ledger; the sentence that goes beside it, None where nothing was tested.

    Parameters
    ----------
    variable
        What split the patients.
    conditions
        What else makes the analysis a different one: entry times, a landmark, a horizon.
    result, cut
        The analysis, and the search for its cut.
    """
    tests = hypotheses_of_kaplan_meier(result, conditions) if cut is None else (_of_cut(cut, conditions),)
    return _enter(source, data, variable, tests, (result.n, result.n_events))


def enter_cumulative_incidence(
    source: Source, data: AnalysisData, variable: str | None, result: CumulativeIncidenceResult
) -> str | None:
    """Enter Gray's tests into the ledger; see ``enter_kaplan_meier``."""
    groups = f"{result.rule} ({'; '.join(dict.fromkeys(curve.group for curve in result.curves))})"
    tests = tuple(
        Tested(f"Gray, {test.cause}", groups, 1, test.p)
        for test in result.gray_tests
        # An event that nobody had was not tested.
        if test.p_suppressed is None or test.p_suppressed.code != "GRAY_UNDEFINED"
    )
    return _enter(source, data, variable, tests, (result.n, result.n_events[0]))


def enter_models(
    source: Source,
    data: AnalysisData,
    variables: tuple[str, ...],
    fits: Sequence[tuple[str, FineGrayResult | CoxResult | str]],
) -> str | None:
    """Enter models of competing events by their procedures, one test a coefficient; refused ones tested nothing."""
    sentence = None
    for procedure, fit in fits:
        if isinstance(fit, str):
            continue
        shown = [term.p for term in fit.terms if term.p is not None]
        how = ", ".join(term.scale for term in fit.terms)
        tested = Tested(procedure, how, len(fit.terms), min(shown, default=None))
        sentence = enter_test(source, data, tested, variables, n=fit.n, n_events=fit.n_events)
    return sentence


def _of_cut(cut: CutPointResult, conditions: tuple[str, ...]) -> Tested:
    searched = f"{cut.smallest_fraction:.0%} to {cut.largest_fraction:.0%} of the patients"
    p = cut.permutation.p if cut.permutation else None
    return Tested("maximally selected log-rank", ", ".join((searched, *conditions)), 1, p)


def _enter(
    source: Source,
    data: AnalysisData,
    variable: str | None,
    tests: tuple[Tested, ...],
    size: tuple[int, int],
) -> str | None:
    if variable is None:
        return None
    sentence = None
    for tested in tests:
        sentence = enter_test(source, data, tested, (variable,), n=size[0], n_events=size[1])
    return sentence
