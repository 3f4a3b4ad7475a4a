"""What a page says besides its figures: refusals as sentences, empty states, notes, primary or exploratory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from analyses.requests.answer import Answer, Standing
from dashboard.wording import literal_markdown, plural
from petct.errors import PetctError
from warehouse.errors import WarehouseError


@contextmanager
def refusals_as_sentences() -> Iterator[None]:
    """Show a refusal of an analysis as a sentence in its place, and a refusal of the store as an error."""
    try:
        yield
    except PetctError as refusal:
        st.warning(literal_markdown(refusal.sentence()), icon=":material/block:")
    except WarehouseError as refusal:
        st.error(literal_markdown(refusal.sentence()), icon=":material/error:")


@contextmanager
def refusals_stop() -> Iterator[None]:
    """Show a refusal as ``refusals_as_sentences``, and nothing of the page after it."""
    with refusals_as_sentences():
        yield
        return
    st.stop()


def empty(title: str, what_to_do: str) -> None:
    """Show that there is nothing to see here, and what to do about it."""
    with st.container(border=True):
        st.markdown(f"#### {title}")
        st.markdown(what_to_do)


def require(there: object, nothing: tuple[str, str]) -> None:
    """End the page with what is not there, and what to do about it."""
    if not there:
        empty(*nothing)
        st.stop()


NO_SNAPSHOT = (
    "No snapshot is published in this study yet",
    "The dashboard shows published snapshots, so that every number can be traced. In the study's folder, run\n\n"
    "```\npetlake materialize\npetlake snapshot publish\n```\n\nand reload this page.",
)
NO_PATIENTS = (
    "This snapshot holds no patients",
    "Register patients with `petlake ingest`, compute their tables with `petlake materialize`, and publish again "
    "with `petlake snapshot publish`.",
)
NO_ENDPOINT = (
    "No patient of this snapshot has an endpoint",
    "Survival needs an origin, an event and a censoring date of each patient. Declare `clinical` and `endpoints` "
    "in `study.yaml`, run `petlake materialize`, then `petlake snapshot publish`. The page Study lists what was "
    "refused and why.",
)
NO_FEATURES = (
    "This snapshot holds no radiomic features",
    "Principal components need a feature set. Declare `feature_sets` and `aggregations` in `study.yaml`, run "
    "`petlake materialize`, then `petlake snapshot publish`.",
)
NO_PICTURES = (
    "This snapshot was published before scans had pictures",
    "Draw them with `petlake materialize`, publish again with `petlake snapshot publish`, and open that one.",
)
NO_EXAM = (
    "No conformance test was run beside this study",
    "`petlake materialize` runs the conformance tests that `study.yaml` names under `conformance`; then publish "
    "again with `petlake snapshot publish`.",
)


def standing(declared: Standing | None) -> None:
    """Show whether an analysis is a declared primary hypothesis, see ``Answer.declared``; nothing without a test."""
    if declared == "primary":
        st.badge(
            "Primary hypothesis",
            icon=":material/verified:",
            color="green",
            help="Declared in study.yaml.",
        )
    elif declared == "exploratory":
        st.badge(
            "Exploratory",
            icon=":material/explore:",
            color="orange",
            help="Not among the primary hypotheses declared in study.yaml, which are about all patients. A small "
            "p-value here is a lead to follow, not evidence: many splits and subsets can be tried on this page.",
        )


def heading(found: Answer, more: str = "") -> None:
    """Show endpoint, size and standing of an analysis."""
    events = "" if found.n_events is None else f", {plural(found.n_events, 'event')}"
    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"{found.basis.endpoint}, {plural(found.n, 'patient')}{events}{more}"
        st.subheader(literal_markdown(title), width="content", anchor=False)
        standing(found.declared)


def notes(sentences: Sequence[str]) -> None:
    """Show the sentences that a reader of the numbers has to know."""
    for sentence in sentences:
        st.markdown(f":gray[:material/info:] {literal_markdown(sentence.replace('<=', '≤'))}")
