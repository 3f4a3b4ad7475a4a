"""Entering the tests of the pages into the ledger of their snapshot, in the words of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from analyses.requests.tested import Tested
from dashboard.data import Hypothesis, Source, hypotheses, selection
from dashboard.wording import literal_markdown
from warehouse.errors import WarehouseError
from warehouse.people.journal import TestRun, ledger_of, record_test


class Entries:
    """The tests of one run of a page, entered when they are shown; the count is said once, below them.

    Parameters
    ----------
    source, endpoint
        What they are about.
    """

    def __init__(self, source: Source, endpoint: str) -> None:
        self._source, self._endpoint = source, endpoint
        self._tested = False
        self._refused: str | None = None

    def add(self, variables: Sequence[str], tests: Sequence[Tested], n: int, n_events: int) -> None:
        """Enter tests, each once however often it is drawn."""
        if not tests:
            return
        self._tested = True
        try:
            _record(self._source, self._endpoint, variables, tests, n, n_events)
        except WarehouseError as refusal:
            # The result is as right as before: the page says that it was not counted.
            self._refused = refusal.sentence()

    def say(self) -> None:
        """Show how many tests there are by now, where the page showed some."""
        if self._tested:
            _say(self._source, self._refused)


def enter(
    source: Source, endpoint: str, variables: Sequence[str], tests: Sequence[Tested], *, n: int, n_events: int
) -> None:
    """Enter the tests that a page shows, each once however often it is drawn, and show how many there are by now.

    A test on some of the patients, or under another protocol, is another test, and was not declared.
    A lake that cannot be written to changes nothing of the result; the page then says that it was not counted.
    """
    entries = Entries(source, endpoint)
    entries.add(variables, tests, n, n_events)
    entries.say()


def _record(
    source: Source, endpoint: str, variables: Sequence[str], tests: Sequence[Tested], n: int, n_events: int
) -> None:
    selected = selection(source)
    declared = selected.is_everyone and len(variables) == 1 and Hypothesis(endpoint, variables[0]) in hypotheses(source)
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
        record_test(Path(source.lake_root), source.snapshot_id, run)


def _say(source: Source, refused: str | None) -> None:
    sentence = refused
    if sentence is None:
        try:
            sentence = f"{ledger_of(Path(source.lake_root), source.snapshot_id).sentence}."
        except WarehouseError as refusal:
            sentence = refusal.sentence()
    st.caption(literal_markdown(sentence), help="`petlake snapshot tests` lists them.")
