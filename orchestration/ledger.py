"""Entering the tests of the command line into the ledger of their snapshot."""

from analyses.requests.tested import Tested
from orchestration.analysis_data import AnalysisData, Source
from orchestration.study import lake_root
from warehouse.errors import WarehouseError
from warehouse.people.journal import TestRun, record_test


def enter_test(
    source: Source, data: AnalysisData, tested: Tested, variables: tuple[str, ...], *, n: int, n_events: int
) -> str | None:
    """Enter an analysis into the ledger; the sentence that goes beside its result.

    Parameters
    ----------
    variables
        What was tested, as the snapshot names it.

    Returns
    -------
    The count of tests on the snapshot; why the test could not be entered, where the lake cannot be written (its result
    is as right as before); None for a CSV, which has no ledger.
    """
    if data.snapshot_id is None or data.endpoint is None:
        return None
    primary = tested.plain and data.is_primary(*variables)
    # On other patients it is another test.
    named = data.selection.named if data.selection else ""
    run = TestRun.of(
        data.endpoint,
        tested.procedure,
        sorted(variables),
        ", ".join(filter(None, (tested.how, named))),
        n=n,
        n_events=n_events,
        n_tests=tested.n_tests,
        p=tested.p,
        primary=primary,
    )
    try:
        return f"{record_test(lake_root(source.study_folder), data.snapshot_id, run).sentence}."
    except WarehouseError as error:
        return error.sentence()
