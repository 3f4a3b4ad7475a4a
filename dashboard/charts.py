"""Drawing a figure on a page: on the paper of the reader's theme, with its words for those who cannot see it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from figures.paper import Figure, on_dark

_CONFIG = {"displaylogo": False}
_USELESS = ["select2d", "lasso2d", "autoScale2d"]


def draw(figure: Figure, *, key: str, alt: str, selecting: bool = False) -> Any:
    """Draw a figure of ``figures``, which brings its own look.

    Parameters
    ----------
    key
        Its key, of this page alone.
    alt
        The figure in words.
    selecting
        Whether points may be selected in it; the page runs again when they are.

    Returns
    -------
    The selection of ``st.plotly_chart``, where ``selecting``.
    """
    config = {**_CONFIG, "modeBarButtonsToRemove": ["autoScale2d"] if selecting else _USELESS}
    return st.plotly_chart(
        on_dark(figure) if st.context.theme.type == "dark" else figure,
        theme=None,
        config=config,
        key=key,
        alt=alt,
        on_select="rerun" if selecting else "ignore",
    )
