"""What a reader exports from a figure: files, numbers, methods paragraph and script; and what is saved by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from matplotlib.figure import Figure

from analyses.lineage import lineage_of
from analyses.manuscript.methods import methods_text
from analyses.naming import names_of
from analyses.paper import figure_of, numbers_of
from analyses.requests.answer import Answer
from analyses.requests.request import FORMER_COMMANDS, Request, command_line_of
from analyses.script import script_of
from dashboard import data, notices, wording
from dashboard.access import audit, permissions
from dashboard.data import Source
from figures.print_page import FORMATS, Format, rendered
from warehouse.errors import WarehouseError
from warehouse.people.saved_analyses import SavedAnalysis, delete_analysis, save_analysis, saved_analyses
from warehouse.source_code import source_code

_FIGURES = 32
_MIME = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
_PAGES = {"km": "survival", "cox": "cox", "aft": "cox", "pca": "pca", "screen": "features", "sensitivity": "protocols"}


@st.fragment
def offer(
    source: Source,
    answer: Answer,
    *,
    key: str,
    figure: Callable[[], Figure] | None = None,
    numbers: Callable[[], pd.DataFrame] | None = None,
    variant: str = "",
) -> None:
    """Offer what belongs to a figure below it; nothing is made before it is asked for.

    Parameters
    ----------
    source
        Snapshot and conditions of the page.
    answer
        What the page shows: page, command and script give the same numbers.
    key
        Of the widgets, different for each figure of a page.
    figure, numbers
        The figure for print, and the table of what it draws; those of the answer when None.
    variant
        What the figure depends on besides the request, such as the unit of its axis.
    """
    place = st.expander(
        "Export: figure, numbers, methods, script",
        icon=":material/download:",
        key=f"{key}_take_away",
        on_change="rerun",
    )
    if not place.open:
        return
    with place, notices.refusals_as_sentences():
        drawn, table = figure or partial(figure_of, answer), numbers or partial(numbers_of, answer)
        _downloads(source, answer, drawn, table, key, variant)
        _words(source, answer, key)
        _save(source, answer, key)


def _downloads(
    source: Source,
    answer: Answer,
    figure: Callable[[], Figure],
    numbers: Callable[[], pd.DataFrame],
    key: str,
    variant: str,
) -> None:
    name = f"petlake-{answer.request.command}-{wording.short_id(source.snapshot_id)}"
    # Scores and loadings: one row of the table is one patient.
    may_take_rows = answer.request.command != "pca" or permissions.may(permissions.Permission.PATIENT_ROWS)
    with st.container(horizontal=True):
        for kind in FORMATS:
            st.download_button(
                kind.upper(),
                partial(_drawn, source, answer.request, (key, variant), kind, figure),
                f"{name}.{kind}",
                _MIME[kind],
                key=f"{key}_{kind}",
                on_click=audit.exporting(source, f"{name}.{kind}"),
                help=f"The figure as {kind.upper()}, one or two columns of a journal wide"
                + (", 300 dots per inch." if kind == "png" else "; fonts are inside."),
            )
        st.download_button(
            "CSV",
            lambda: numbers().to_csv(index=False, lineterminator="\n").encode(),
            f"{name}.csv",
            "text/csv",
            key=f"{key}_csv",
            on_click=audit.exporting(source, f"{name}.csv"),
            disabled=not may_take_rows,
            help="The numbers that the figure draws, at full precision."
            if may_take_rows
            else "These numbers are of single patients, which a viewer does not see.",
        )
        st.download_button(
            "Python",
            _script(source, answer).encode(),
            f"{name}.py",
            "text/x-python",
            key=f"{key}_py",
            on_click=audit.exporting(source, f"{name}.py"),
            help="The script that makes figure and numbers from the snapshot.",
        )


@st.cache_data(max_entries=_FIGURES, show_spinner=False)
def _drawn(
    source: Source, request: Request, which: tuple[str, str], kind: Format, _figure: Callable[[], Figure]
) -> bytes:
    del source, request, which  # They are the key of the cache: what is drawn depends on nothing else.
    return rendered(_figure(), kind)


def _script(source: Source, answer: Answer) -> str:
    return script_of(answer.request, source.snapshot_id, answer.basis.conditions, source_code().text)


def _words(source: Source, answer: Answer, key: str) -> None:
    methods, script, command = st.tabs(["Methods", "Python", "Command"], key=f"{key}_words")
    lake = Path(source.lake_root)
    with methods:
        lineage = lineage_of(lake, data.snapshot(source), answer.basis)
        text = methods_text(lineage, answer, names_of(answer.basis.columns.values()))
        st.code(text, language=None, wrap_lines=True)
        st.caption("Made from the snapshot and the result. Read it before you publish it: it knows what was recorded.")
    with script:
        st.code(_script(source, answer), language="python")
    with command:
        st.code(answer.command_line, language="shell", wrap_lines=True)
        st.caption("`petlake export DIR`, followed by its words, writes all of this with Table 1 and checklists.")


def _save(source: Source, answer: Answer, key: str) -> None:
    with st.form(f"{key}_save", border=False):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        name = left.text_input("Save under a name", key=f"{key}_name", max_chars=80, placeholder="Volume, median split")
        if not right.form_submit_button("Save", icon=":material/bookmark_add:", width="stretch"):
            return
    saved = SavedAnalysis(
        name,
        answer.request.command,
        answer.request.pairs,
        source.snapshot_id,
        answer.basis.conditions,
        urlencode(st.query_params.to_dict(), doseq=True),
    )
    save_analysis(Path(source.lake_root), saved)
    exported = f'`petlake export DIR --analysis "{saved.name.strip()}"` writes its bundle.'
    st.success(f"Saved as {wording.literal_markdown(saved.name.strip())}. {exported}", icon=":material/bookmark:")


def saved_list(source: Source) -> None:
    """List the saved analyses of the study, each with the link that opens it again."""
    try:
        entries = saved_analyses(Path(source.lake_root))
    except WarehouseError as refusal:
        st.caption(wording.literal_markdown(refusal.sentence()))
        return
    if not entries:
        st.caption("Nothing is saved yet: open Export below a figure, and save it under a name.")
        return
    for number, entry in enumerate(entries):
        analysis = entry.analysis
        command = FORMER_COMMANDS.get(analysis.command, analysis.command)
        line = command_line_of(command, analysis.options, analysis.conditions)
        name, delete = st.columns([8, 1], vertical_alignment="center")
        shown = wording.literal_markdown(analysis.name)
        page = _PAGES[command]
        link = f"[{shown}](./{page}?{analysis.query})" if analysis.query else f"**{shown}**"
        name.markdown(
            f"{link}  \n`{line}` · snapshot `{wording.short_id(analysis.snapshot_id)}` · {entry.saved_at:%d %b %Y}"
        )
        if not permissions.may(permissions.Permission.PATIENT_ROWS):
            # What others saved is theirs: a viewer opens it.
            continue
        delete.button(
            "Delete",
            icon=":material/delete:",
            key=f"delete_saved_{number}",
            help=f"Delete '{analysis.name}' from the list.",
            on_click=_delete,
            args=(source, analysis.name),
            type="tertiary",
        )


def _delete(source: Source, name: str) -> None:
    with notices.refusals_as_sentences():
        delete_analysis(Path(source.lake_root), name)
