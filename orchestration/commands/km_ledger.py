"""Which hypothesis tests one run of ``petlake km`` was: for the ledger of its snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestration.analysis_data import AnalysisData, Source
from orchestration.ledger import enter_test
from petct.survival.competing_risks import CumulativeIncidenceResult
from petct.survival.cox import CoxResult
from petct.survival.cut_points import CutPointResult
from petct.survival.fine_gray import FineGrayResult
from petct.survival.group_tests import PairwiseTest
from petct.survival.kaplan_meier_result import KaplanMeierResult
from petct.survival.restricted_mean import MeanContrast


@dataclass(frozen=True)
class _Tests:
    """Tests of one procedure: how many there were, and their smallest p-value as it was shown (None: withheld)."""

    procedure: str
    n: int
    p: float | None


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
    groups = f"{result.rule} ({'; '.join(curve.group for curve in result.curves)})"
    if cut is not None:
        groups = f"{cut.smallest_fraction:.0%} to {cut.largest_fraction:.0%} of the patients"
    tests = _of_cut(cut) if cut is not None else _of_kaplan_meier(result)
    return _enter(source, data, variable, (groups, *conditions), tests, (result.n, result.n_events))


def enter_cumulative_incidence(
    source: Source, data: AnalysisData, variable: str | None, result: CumulativeIncidenceResult
) -> str | None:
    """Enter Gray's tests into the ledger; see ``enter_kaplan_meier``."""
    groups = f"{result.rule} ({'; '.join(dict.fromkeys(curve.group for curve in result.curves))})"
    tests = (
        _Tests(f"Gray, {test.cause}", 1, test.p)
        for test in result.gray_tests
        # An event that nobody had was not tested.
        if test.p_suppressed is None or test.p_suppressed.code != "GRAY_UNDEFINED"
    )
    return _enter(source, data, variable, (groups,), tests, (result.n, result.n_events[0]))


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
        sentence = enter_test(
            source,
            data,
            procedure,
            variables,
            how=how,
            n=fit.n,
            n_events=fit.n_events,
            n_tests=len(fit.terms),
            p=min(shown, default=None),
        )
    return sentence


def _of_cut(cut: CutPointResult) -> Iterator[_Tests]:
    yield _Tests("maximally selected log-rank", 1, cut.permutation.p if cut.permutation else None)


def _of_kaplan_meier(result: KaplanMeierResult) -> Iterator[_Tests]:
    for test in (result.log_rank, *result.weighted_tests):
        if test is not None:
            yield _Tests(test.name, 1, test.p)
    if result.trend is not None:
        yield _Tests("log-rank trend", 1, result.trend.p)
    families: list[tuple[str, Sequence[PairwiseTest | MeanContrast]]] = [("log-rank of pairs", result.pairwise)]
    if result.restricted_mean is not None:
        families.append((f"restricted mean to {result.restricted_mean.tau:g}", result.restricted_mean.contrasts))
    for name, family in families:
        if family:
            shown = [test.p_adjusted for test in family if test.p_adjusted is not None]
            yield _Tests(name, len(family), min(shown, default=None))


def _enter(
    source: Source,
    data: AnalysisData,
    variable: str | None,
    how: tuple[str, ...],
    tests: Iterator[_Tests],
    size: tuple[int, int],
) -> str | None:
    if variable is None:
        return None
    sentence = None
    for test in tests:
        sentence = enter_test(
            source,
            data,
            test.procedure,
            (variable,),
            how=", ".join(how),
            n=size[0],
            n_events=size[1],
            n_tests=test.n,
            p=test.p,
        )
    return sentence
