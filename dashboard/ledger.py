"""Entering the tests of the pages into the ledger of their snapshot, in the words of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.data import Hypothesis, Source, hypotheses, selection
from dashboard.wording import literal_markdown
from petct.survival.tested import Tested
from warehouse.errors import WarehouseError
from warehouse.journal import TestRun, ledger_of, record_test


def enter(
    source: Source, endpoint: str, variables: Sequence[str], tests: Sequence[Tested], *, n: int, n_events: int
) -> None:
    """Enter the tests that a page shows, each once however often it is drawn, and show how many there are by now.

    A test on some of the patients, or under another protocol, is another test, and was not declared.
    A lake that cannot be written to changes nothing of the result; the page then says that it was not counted.
    """
    root = Path(source.lake_root)
    selected = selection(source)
    declared = selected.is_everyone and len(variables) == 1 and Hypothesis(endpoint, variables[0]) in hypotheses(source)
    try:
        for tested in tests:
            run = TestRun.of(
                endpoint,
                tested.procedure,
                sorted(variables),
                ", ".join(filter(None, (tested.how, selected.named))),
                n=n,
                n_events=n_events,
                n_tests=tested.n_tests,
                p=tested.p,
                primary=tested.plain and declared,
            )
            record_test(root, source.snapshot_id, run)
        sentence = f"{ledger_of(root, source.snapshot_id).sentence}."
    except WarehouseError as refusal:
        sentence = refusal.sentence()
    st.caption(literal_markdown(sentence), help="`petlake snapshot tests` lists them.")
