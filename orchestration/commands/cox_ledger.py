"""Which hypothesis tests one run of ``petlake cox`` was: for the ledger of its snapshot."""

from analyses.requests.cox import AnyCoxResult, CoxRequest, hypotheses
from orchestration.analysis_data import AnalysisData, Source
from orchestration.ledger import enter_test


def enter_cox(source: Source, data: AnalysisData, request: CoxRequest, result: AnyCoxResult) -> str | None:
    """Enter the tests of a run into the ledger; the sentence that goes beside its result.

    Parameters
    ----------
    request, result
        What was asked, and what was found.
    """
    sentence = None
    for tested in hypotheses(request, result):
        sentence = enter_test(source, data, tested, request.modelled, n=result.n, n_events=result.n_events)
    return sentence
