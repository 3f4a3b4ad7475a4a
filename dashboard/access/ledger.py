"""Entering the tests of the pages into the ledger of their snapshot, as the command line does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from analyses.requests.answer import Answer
from analyses.requests.data import Basis
from analyses.requests.ledger import enter_tests
from analyses.requests.tested import Tested
from dashboard.data import Source
from dashboard.wording import literal_markdown


class Entries:
    """The tests of one run of a page, entered when they are shown; the count is said once, below them.

    Parameters
    ----------
    source
        What they are about.
    """

    def __init__(self, source: Source) -> None:
        self._lake_root = Path(source.lake_root)
        self._sentence: str | None = None

    def add(self, answer: Answer) -> None:
        """Enter the tests of an answer, each once however often it is drawn."""
        self.add_tests(answer.basis, answer.tested)

    def add_tests(self, basis: Basis, tests: Sequence[Tested]) -> None:
        """Enter tests that are no analysis of their own."""
        self._sentence = enter_tests(self._lake_root, basis, tests) or self._sentence

    def say(self) -> None:
        """Show how many tests there are by now, where the page showed some, or that they could not be counted."""
        if self._sentence is not None:
            st.caption(literal_markdown(self._sentence), help="`petlake snapshot tests` lists them.")


def enter(source: Source, answer: Answer) -> None:
    """Enter the tests of an answer that a page shows, and show how many there are by now."""
    entries = Entries(source)
    entries.add(answer)
    entries.say()
