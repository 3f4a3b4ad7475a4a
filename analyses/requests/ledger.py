"""Entering the tests of an analysis into the ledger of its snapshot, from a command and from a page alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analyses.requests.answer import Answer
from analyses.requests.data import Basis
from analyses.requests.tested import Tested
from warehouse.errors import WarehouseError
from warehouse.people.journal import TestRun, record_test


def enter(lake_root: Path, answer: Answer) -> str | None:
    """Enter the tests of an analysis, each once however often it is run; the sentence that goes beside the result.

    Returns
    -------
    The count of tests on the snapshot; why the tests could not be entered, where the lake cannot be written (the result
    is as right as before); None where nothing was tested, and for a CSV, which has no ledger.
    """
    return enter_tests(lake_root, answer.basis, answer.tested)


def enter_tests(lake_root: Path, basis: Basis, tests: Sequence[Tested]) -> str | None:
    """Enter tests that are no analysis of their own, such as of patients picked by hand; see ``enter``."""
    if basis.snapshot_id is None or basis.endpoint is None:
        return None
    # On other patients it is another test.
    named = basis.selection.named if basis.selection else ""
    sentence = None
    for tested in tests:
        how = ", ".join(filter(None, (tested.how, named)))
        run = TestRun(
            basis.endpoint,
            tested.procedure,
            subject=", ".join(sorted(tested.variables)) + (f": {how}" if how else ""),
            n=tested.n,
            n_events=tested.n_events,
            n_tests=tested.n_tests,
            p=tested.p,
            primary=basis.is_primary(tested),
        )
        try:
            sentence = f"{record_test(lake_root, basis.snapshot_id, run).sentence}."
        except WarehouseError as error:
            return error.sentence()
    return sentence
