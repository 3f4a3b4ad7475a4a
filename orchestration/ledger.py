"""Entering the tests of the command line into the ledger of their snapshot."""

from orchestration.analysis_data import AnalysisData, Source
from orchestration.study import lake_root
from warehouse.errors import WarehouseError
from warehouse.journal import TestRun, record_test


def enter_test(
    source: Source,
    data: AnalysisData,
    procedure: str,
    variables: tuple[str, ...],
    *,
    how: str = "",
    n: int,
    n_events: int,
    n_tests: int = 1,
    p: float | None,
) -> str | None:
    """Enter an analysis into the ledger; the sentence that goes beside its result.

    Parameters
    ----------
    variables
        What was tested, as the snapshot names it.
    how
        Groups, scales or settings, in words that are the same whenever the same test is run.

    Returns
    -------
    The count of tests on the snapshot; why the test could not be entered, where the lake cannot be written (its result
    is as right as before); None for a CSV, which has no ledger.
    """
    if data.snapshot_id is None or data.endpoint is None:
        return None
    subject = ", ".join(variables) + (f": {how}" if how else "")
    run = TestRun(data.endpoint, procedure, subject, n, n_events, n_tests, p, data.is_primary(*variables))
    try:
        return f"{record_test(lake_root(source.study_folder), data.snapshot_id, run).sentence}."
    except WarehouseError as error:
        return error.sentence()
