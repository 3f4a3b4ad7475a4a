"""Drawing a figure on a page: on the background of the reader's theme, with its words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import streamlit as st

from dashboard.access import permissions
from figures.paper import Figure, on_dark

_USELESS = ("select2d", "lasso2d", "autoScale2d")

SelectionMode = Literal["points", "box", "lasso"]


def draw(
    figure: Figure,
    *,
    key: str,
    alt: str,
    on_select: Literal["rerun"] | Callable[[], None] | None = None,
    selection_mode: Sequence[SelectionMode] = ("points", "box", "lasso"),
    of_patients: bool = False,
) -> Any:
    """Draw a figure of ``figures``, which brings its own look.

    Parameters
    ----------
    key
        Its key, of this page alone.
    alt
        The figure in words.
    on_select, selection_mode
        What happens when points are selected, as in ``st.plotly_chart``; without it nothing can be selected.
    of_patients
        Whether a point is a patient who can be told: a visitor who may not see patients gets it without names.

    Returns
    -------
    What ``st.plotly_chart`` returns: the selection, where points can be selected.
    """
    if of_patients and not permissions.may(permissions.Permission.PATIENT_ROWS):
        figure.update_traces(customdata=None, hovertemplate=None, hoverinfo="skip")
        on_select = None
    selecting = on_select is not None
    removed = ["autoScale2d"] if selecting else list(_USELESS)
    return st.plotly_chart(
        on_dark(figure) if st.context.theme.type == "dark" else figure,
        theme=None,
        config={"displaylogo": False, "modeBarButtonsToRemove": removed},
        key=key,
        alt=alt,
        on_select=on_select or "ignore",
        selection_mode=tuple(selection_mode),
    )
