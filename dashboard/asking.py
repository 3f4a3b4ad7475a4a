"""What takes long is computed when it is asked for; that it was asked for lives in the URL."""

from __future__ import annotations

import hashlib

import streamlit as st

_DIGITS = 8


def asked(key: str, label: str, what: str, question: object) -> bool:
    """Whether something was asked for; a button to ask for it where it was not.

    Parameters
    ----------
    key
        Its name in the URL: a copied link computes it again.
    label, what
        What the button says, and what is behind it.
    question
        What is computed, with a ``repr`` that says all of it: another question is asked anew.
    """
    mark = hashlib.sha256(repr(question).encode()).hexdigest()[:_DIGITS]
    if st.query_params.get(key) == mark:
        return True
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(label, icon=":material/calculate:", key=f"ask_{key}")
        st.caption(what, width="content")
    if pressed:
        st.query_params[key] = mark
        st.rerun()
    return False
