"""Which hypothesis tests one run of ``petlake km`` was: for the ledger of its snapshot."""

from collections.abc import Sequence

from analyses.requests.competing import CompetingModels, hypotheses_of_fit
from analyses.requests.tested import Tested, hypotheses_of_incidence
from orchestration.analysis_data import AnalysisData, Source
from orchestration.ledger import enter_test
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.kaplan_meier.result import KaplanMeierResult


def enter_tests(
    source: Source,
    data: AnalysisData,
    variable: str | None,
    tests: Sequence[Tested],
    result: KaplanMeierResult,
) -> str | None:
    """Enter the tests of an analysis into the ledger; the sentence that goes beside it, None where nothing was tested.

    Parameters
    ----------
    variable
        What split the patients.
    tests, result
        The tests, and the curves they are about.
    """
    return _enter(source, data, variable, tests, (result.n, result.n_events))


def enter_cumulative_incidence(
    source: Source, data: AnalysisData, variable: str | None, result: CumulativeIncidenceResult
) -> str | None:
    """Enter Gray's tests into the ledger; see ``enter_tests``."""
    tests = hypotheses_of_incidence(result)
    return _enter(source, data, variable, tests, (result.n, result.n_events[0]))


def enter_models(source: Source, data: AnalysisData, variables: tuple[str, ...], models: CompetingModels) -> str | None:
    """Enter models of competing events, one test a coefficient; refused ones tested nothing."""
    sentence = None
    for procedure, fit in models.fits:
        tested = hypotheses_of_fit(procedure, fit)
        sentence = enter_test(source, data, tested, variables, n=fit.n, n_events=fit.n_events)
    return sentence


def _enter(
    source: Source,
    data: AnalysisData,
    variable: str | None,
    tests: Sequence[Tested],
    size: tuple[int, int],
) -> str | None:
    if variable is None:
        return None
    sentence = None
    for tested in tests:
        sentence = enter_test(source, data, tested, (variable,), n=size[0], n_events=size[1])
    return sentence
